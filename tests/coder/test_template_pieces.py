"""The parts of the template engine that are worth pinning down on their own."""

import ast

import pytest

from pytest_buddy.coder.change import Splice
from pytest_buddy.coder.checking import Checker
from pytest_buddy.coder.hints import Hints, read_hints
from pytest_buddy.coder.ingredients import Ingredients
from pytest_buddy.coder.names import likeness, opposites
from pytest_buddy.coder.outline import Outline
from pytest_buddy.coder.precedence import ADD, COMPARE, CONDITIONAL, LAMBDA, OR
from pytest_buddy.coder.roles import read_roles
from pytest_buddy.coder.scope import Scope
from pytest_buddy.coder.site import Site
from pytest_buddy.coder.templates import canonical
from pytest_buddy.domain import Comparison, Failure, Frame, Variable
from pytest_buddy.source import Source


def site_at(text, line):
    source = Source(path="m.py", module="m", content=text.encode())
    outline = Outline(source=source)
    statement = outline.by_line[line][-1]
    scope = Scope(outline=outline, owner=statement.owner)
    return Site(
        outline=outline,
        statement=statement,
        scope=scope,
        hints=Hints(),
        ingredients=Ingredients(scope=scope),
    )


def failure(error="AssertionError", message="", **values):
    comparison = (
        Comparison(operator="==", left=values["left"], right=values["right"]) if "left" in values else None
    )
    return Failure(
        test="t",
        phase="call",
        error_type=error,
        message=message,
        comparison=comparison,
        frames=values.get("frames", ()),
    )


CONTEXTS = (
    "x", "-x", "not x", "x + 1", "1 + x", "1 - x", "x - 1", "x * 2", "2 ** x", "x ** 2", "x < 1", "1 < x < 2",
    "x and y", "y or x", "f(x)", "f(k=x)", "x.a", "x[0]", "y[x]", "y[x:1]", "[x]", "(x,)", "{x: 1}", "{1: x}",
    "x if y else z", "y if x else z", "y if z else x", "lambda: x", "[i for i in x]", "[x for i in y]",
    "[i for i in y if x]", "(x)", "(x) * 2", "f((x))", "sum(i for i in x)", "x(1)", "x @ y", "x if x else x",
)  # fmt: skip
REPLACEMENTS = (
    ("a + b", ADD), ("a < b", COMPARE), ("a or b", OR), ("a if b else c", CONDITIONAL), ("lambda: a", LAMBDA),
    ("a.b", 16),
)  # fmt: skip


@pytest.mark.parametrize("around", CONTEXTS)
@pytest.mark.parametrize(("text", "level"), REPLACEMENTS, ids=[text for text, _ in REPLACEMENTS])
def test_an_expression_put_in_keeps_its_meaning(around, text, level):
    program = f"def f(x, y, z):\n    return {around}\n"
    site = site_at(program, 2)
    node = next(node for node in site.nodes_of(ast.Name) if node.id == "x")
    splice = site.splice(node, text, level)
    content = site.source.content
    changed = (content[: splice.start] + splice.text.encode() + content[splice.end :]).decode()

    class Replace(ast.NodeTransformer):
        def visit_Name(self, found):
            same = (found.lineno, found.col_offset) == (node.lineno, node.col_offset)
            return ast.parse(text, mode="eval").body if same else found

    assert ast.dump(ast.parse(changed)) == ast.dump(Replace().visit(ast.parse(program)))


@pytest.mark.parametrize(
    ("left", "right", "signal"),
    [
        ("3", "4", "+1"),
        ("4", "3", "-1"),
        ("-5", "5", "negate"),
        ("'5'", "5", "int"),
        ("5", "'5'", "str"),
        ("[3, 1]", "[1, 3]", "sorted"),
        ("[1, 3, 2]", "[2, 3, 1]", "reversed"),
        ("[1, 2]", "[1, 2, 3]", "longer"),
        ("[1, 2, 3]", "[1, 2]", "shorter"),
        ("' a'", "'a'", "strip"),
        ("'A'", "'a'", "lower"),
        ("[1, 2]", "2", "len"),
        ("None", "3", "return"),
        ("3", "None", "none"),
        ("True", "False", "truth"),
        ("[1, 1, 2]", "[1, 2]", "unique"),
        ("{'a': 1}", "[1]", "values"),
        ("2", "2.5", "true-division"),
    ],
)
def test_values_name_what_is_between_them(left, right, signal):
    assert read_hints([failure(left=left, right=right)]).signals[signal] > 1


@pytest.mark.parametrize(
    "text", ["<object at 0x7f>", "", "f()", "[" * 500, "x" * 10_000, "'\\ud800'", "1e999"]
)
def test_reprs_that_are_no_literals_are_harmless(text):
    assert read_hints([failure(left=text, right="1")]) is not None


def test_types_alone_speak_too():
    comparison = Comparison(operator="==", left="<map>", right="<x>", left_type="map", right_type="list")
    found = read_hints(
        [Failure(test="t", phase="call", error_type="AssertionError", message="", comparison=comparison)]
    )
    assert found.signals["list"] > 1


def test_messages_name_what_was_not_found():
    found = read_hints(
        [
            failure("NameError", "name 'lenght' is not defined. Did you mean: 'length'?"),
            failure("AttributeError", "'A' object has no attribute 'widht'"),
            failure("KeyError", "'colour'"),
            failure("Failed", "DID NOT RAISE <class 'pkg.errors.EmptyError'>"),
        ]
    )
    assert found.unknown == {"lenght", "widht"}
    assert found.suggested == {"length"}
    assert found.keys == ("colour",)
    assert found.wanted_errors == ("EmptyError",)
    assert found.factor("did-you-mean", "") > 1
    assert found.factor("nothing-of-the-kind", "nor-this") == 1


def test_frames_tell_the_types_of_variables():
    variables = (Variable(name="x", value="None", type="NoneType"),)
    frame = Frame(path="m.py", line=1, function="f", project=True, variables=variables)
    assert read_hints([failure(frames=(frame,))]).values == {"x": frozenset({"NoneType"})}


def test_opposites():
    assert "right_child" in opposites("left_child")
    assert likeness("left_child", "right_child") == 1
    assert likeness("width", "colour") < likeness("width", "widths")


def test_roles():
    text = (
        "def f(items, limit, owner):\n    n = 0\n    for item in items:\n        n += limit * 2\n"
        "    return owner.name, n - 1\n"
    )
    roles = read_roles(ast.walk(ast.parse(text)))
    assert roles["items"] == {"collection"}
    assert roles["limit"] == {"number"}
    assert roles["owner"] == {"object"}
    assert roles["n"] == {"number"}


def test_equal_texts_have_equal_canonical_splices():
    source = Source(path="m.py", module="m", content=b"aab(b)c\n")
    assert canonical(source, (Splice(0, 0, "a"),)) == canonical(source, (Splice(2, 2, "a"),))
    assert canonical(source, (Splice(0, 1, ""),)) == canonical(source, (Splice(1, 2, ""),))
    assert canonical(source, (Splice(0, 3, "aax"),)) == canonical(source, (Splice(2, 3, "x"),))
    assert canonical(source, (Splice(0, 1, "x"), Splice(2, 3, "y"))) == canonical(
        source, (Splice(0, 3, "xay"),)
    )
    assert canonical(source, (Splice(0, 3, "aab"),)) == ()


@pytest.mark.parametrize(
    ("text", "line", "old", "new", "accepted"),
    [
        ("def f(a):\n    return a\n", 2, "a\n", "a +\n", False),
        ("def f(a):\n    return a\n", 2, "return a", "return a is 1", False),
        ("def f(a):\n    return a\n", 2, "return a", "return a + 1", True),
        ("def f(a):\n    return a\n", 2, "return a", "return await a", False),
        ("async def f(a):\n    return a\n", 2, "return a", "return await a", True),
        ("def f(a):\n    if a:\n        pass\n    elif a > 1:\n        pass\n", 4, "a > 1", "a > (1", False),
        ("def f(a):\n    if a:\n        pass\n    elif a > 1:\n        pass\n", 4, "a > 1", "a >= 1", True),
        ("class A:\n    def f(self):\n        return (\n            1)\n", 3, "1)", "2)", True),
        ("def f(a):\n    if a:  # why: this\n        return 1\n", 2, "a:", "not a:", True),
    ],
)
def test_checker(text, line, old, new, accepted):
    site = site_at(text, line)
    start = text.rindex(old)
    checker = Checker(source=site.source, statement=site.statement)
    splices = (Splice(start, start + len(old), new),)
    assert checker.accepts(splices, structural=False) is accepted
    assert checker.accepts(splices, structural=True) is accepted
