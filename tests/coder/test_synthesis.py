"""What the angels ask, and which expressions give what they found to be wanted."""

import ast

import pytest

from pytest_buddy.coder import angels, synthesised, wants
from pytest_buddy.coder.evaluating import Record, Unknown, evaluate, observed, parsed
from pytest_buddy.domain import Comparison, Failure, Observation, Suspect, Variable
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

FAILING = "t.py::test_red"


def context_of(text, line, left, right, *, test=FAILING):
    source = Source(path="m.py", module="m", content=text.encode())
    suspect = Suspect(path="m.py", line=line, end_line=line, function="m.f", score=1.0, rank=1)
    failure = Failure(
        test=test,
        phase="call",
        error_type="AssertionError",
        message="",
        comparison=Comparison(operator="==", left=left, right=right),
    )
    return Context(
        failures=(failure,), suspects=(suspect,), sources={"m.py": source}, editable=frozenset({"m.py"})
    )


def seen(line, values, *, failed, test=FAILING, result=""):
    held = tuple(
        Variable(name=name, value=repr(value), type=type(value).__name__) for name, value in values.items()
    )
    return Observation(
        test=test, failed=failed, path="m.py", line=line, hits=1, variables=held, result=result
    )


def texts_of(context, patches):
    source = context.sources["m.py"]
    return [source.edited(patch.edits).text for patch in patches]


def asked(context, kind, *values):
    """What is wanted when the angels with these values at places of a kind turned the test green."""
    found = [angel for angel in angels(context) if angel.place.kind == kind and angel.value in values]
    assert {angel.value for angel in found} == set(values)
    return wants((angel, frozenset({FAILING})) for angel in found)


def test_angels_ask_for_the_expected_value_its_parts_and_both_ways_of_a_condition():
    text = "def f(x):\n    if x > 3:\n        return [x]\n    return []\n"
    context = context_of(text, 2, "[]", "[3, 4]")
    found = {(angel.place.kind, angel.place.statement.node.lineno, angel.value) for angel in angels(context)}
    assert {("condition", 2, "True"), ("condition", 2, "False")} <= found
    assert {("value", 3, "[3, 4]"), ("value", 4, "3"), ("value", 4, "None")} <= found
    assert ("guard", 2, "return [3, 4]") in found
    for angel in angels(context):
        ast.parse(texts_of(context, [angel.patch])[0])


def test_a_value_is_built_from_what_is_in_scope():
    text = 'def f(first, last):\n    return f"{first} {last}"\n'
    context = context_of(text, 2, "'Ada Lovelace'", "'LOVELACE, Ada'")
    want = asked(context, "value", "'LOVELACE, Ada'")
    observations = [
        seen(2, {"first": "Ada", "last": "Lovelace"}, failed=True, result="'Ada Lovelace'"),
        seen(2, {"first": "", "last": ""}, failed=False, result="', '"),
    ]
    found = texts_of(context, synthesised(context, want, observations))
    assert 'def f(first, last):\n    return f"{last.upper()}, {first}"\n' in found
    assert not any("LOVELACE" in item for item in found)


def test_a_condition_is_widened_by_what_holds_in_the_failing_run_only():
    text = "def f(row, col, cols):\n    if row < 0:\n        return None\n    return row * cols + col\n"
    context = context_of(text, 2, "4", "None")
    want = asked(context, "condition", "True")
    observations = [
        seen(2, {"row": 0, "col": 4, "cols": 4}, failed=True),
        seen(2, {"row": 0, "col": 3, "cols": 4}, failed=False, test="t.py::green"),
        seen(2, {"row": -1, "col": 0, "cols": 4}, failed=False, test="t.py::below"),
    ]
    patches = list(synthesised(context, want, observations))
    first = texts_of(context, patches)[:3]
    assert any("if row < 0 or col >= cols:" in item or "if row < 0 or col == cols:" in item for item in first)
    assert {patch.origin for patch in patches} == {"template:by-value-condition"}


def test_a_threshold_moves_to_where_the_runs_part():
    text = "def f(points):\n    if points >= 50:\n        return 'C'\n    return 'F'\n"
    context = context_of(text, 2, "'C'", "'F'")
    want = asked(context, "condition", "False")
    observations = [
        seen(2, {"points": 59}, failed=True),
        seen(2, {"points": 60}, failed=False, test="t.py::c"),
        seen(2, {"points": 10}, failed=False, test="t.py::f"),
    ]
    found = texts_of(context, synthesised(context, want, observations))
    assert found[0] == text.replace("50", "60")


CASES = """\
def kind_of(kind):
    if kind == str:
        return "string"
    elif kind == list:
        return "array"
    else:
        return "object"
"""


def test_a_forgotten_case_is_added_like_its_siblings():
    context = context_of(CASES, 7, "'object'", "'integer'")
    found = asked(context, "guard", "return 'integer'")
    runs = [
        Observation(
            test=test,
            failed=test == FAILING,
            path="m.py",
            line=7,
            hits=1,
            variables=(Variable(name="kind", value=value, type="type"),),
        )
        for test, value in ((FAILING, "<class int>"), ("t.py::test_other", "<class dict>"))
    ]
    made = texts_of(context, synthesised(context, found, runs))
    case = '    elif kind == int:\n        return "integer"\n    else:\n'
    assert CASES.replace("    else:\n", case) in made


def test_the_expected_value_is_no_case_where_others_are_computed():
    text = CASES.replace('"string"', "str(kind)")
    context = context_of(text, 7, "'object'", "'integer'")
    found = asked(context, "guard", "return 'integer'")
    runs = [
        seen(7, {"kind": 3}, failed=True),
        seen(7, {"kind": 4}, failed=False, test="t.py::test_other"),
    ]
    assert not [text for text in texts_of(context, synthesised(context, found, runs)) if "integer" in text]


def test_a_guard_leaves_with_a_variable_rather_than_with_the_expected_number():
    text = "def f(cost, cap):\n    return cost\n"
    context = context_of(text, 2, "150", "100")
    want = asked(context, "guard", "return 100")
    observations = [
        seen(2, {"cost": 150, "cap": 100}, failed=True, result="150"),
        seen(2, {"cost": 6, "cap": 100}, failed=False, result="6"),
    ]
    found = texts_of(context, synthesised(context, want, observations))
    assert "def f(cost, cap):\n    if cost > cap:\n        return cap\n    return cost\n" in found
    assert not any("return 100" in item for item in found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a[1:] + 'x' * n", "bcxxx"),
        ("f'{n:03d}|{a!r}'", "003|'abc'"),
        ("[i for i in a if i != 'b']", ["a", "c"]),
        ("o.size + 1", 8),
        ("{'k': n}.get('k')", 3),
        ("isinstance(n, (int, str)) and n % 3 == 0", True),
        ("'-'.join(sorted(a, reverse=True))", "c-b-a"),
    ],
)
def test_plain_data_is_worked_out(text, value):
    values = {"a": "abc", "n": 3, "o": Record("Box", {"size": 7})}
    assert evaluate(parsed(text), values) == value


@pytest.mark.parametrize(
    "text",
    [
        "unknown", "n ** 99", "a * 10 ** 6", "f'{n:999999}'", "'%9999d' % n", "a.zfill(10 ** 8)", "o + 1",
        "open('x')", "n / 0", "a.encode()", "(lambda: 1)()", "o.other", "9 ** 8 ** 7", "range(10 ** 9)[5]",
        "a.__class__", "a.format(n)", "list(range(10 ** 12))[500]",
    ],
)  # fmt: skip
def test_what_is_unknown_dear_or_not_harmless_is_left_alone(text):
    with pytest.raises(Unknown):
        evaluate(parsed(text), {"a": "abc", "n": 3, "o": Record("Box", {"size": 7})})


def test_observed_objects_are_read_as_far_as_they_were_written():
    value = observed("Order(total=3, lines=['a', ...], owner=User(name='x'), note='cut sh...')")
    assert value == Record("Order", {"total": 3, "owner": Record("User", {"name": "x"})})
    with pytest.raises(Unknown):
        observed("[1, 2, ...]")
