"""Functions first: what speaks for a function orders its statements, and the list has room for many."""

from textwrap import dedent

from pytest_buddy.domain import Change, Comparison, Execution, Failure, Frame, Spectrum
from pytest_buddy.localize import localize
from pytest_buddy.source import Source

TESTS = "test_m.py"


def located(files, executions, *frames, message="assert 1 == 2", error_type="AssertionError", **options):
    sources = {
        path: Source(path=path, module=path.removesuffix(".py"), content=dedent(text).encode())
        for path, text in files.items()
    }
    spectrum = Spectrum(
        executions=tuple(
            Execution(
                test=f"{TESTS}::{name}",
                failed=name == "test_a",
                lines={path: frozenset(lines) for path, lines in ran.items()},
            )
            for name, ran in executions.items()
        )
    )
    failure = Failure(
        test=f"{TESTS}::test_a",
        phase="call",
        error_type=error_type,
        message=message,
        frames=tuple(Frame(path=p, line=n, function=f, project=True) for p, n, f in frames),
        comparison=Comparison(operator="==", left="1", right="2"),
    )
    (fault,) = localize((failure,), spectrum, sources, tests=frozenset({TESTS}), **options)
    return fault.suspects


def test_one_big_function_does_not_fill_the_list():
    big = "def big(x):\n" + "".join(f"    x += {n}\n" for n in range(90)) + "    return x\n"
    small = "".join(f"def small{n}(x):\n    return x + {n}\n" for n in range(30))
    lines = {*range(2, 93), *range(94, 153, 2)}
    # A passing test that runs all of the small ones makes each of them less suspicious than all of the big.
    found = located(
        {"m.py": big + small}, {"test_a": {"m.py": lines}, "test_b": {"m.py": set(range(94, 153, 2))}}
    )
    assert len(found) == 50
    assert len({suspect.function for suspect in found}) >= 15
    assert {suspect.function for suspect in found[:20]} == {"m.big"}
    assert [suspect.rank for suspect in found] == [
        1 + sum(other.score > suspect.score for other in found) for suspect in found
    ]


def test_tables_keep_their_place_beside_many_statements():
    text = "TABLE = [1]\n" + "".join(f"def f{n}(x):\n" + "    x += TABLE[0]\n" * 8 for n in range(20))
    found = located({"m.py": text}, {"test_a": {"m.py": set(range(3, 182))}})
    assert "TABLE = [1]" in {text.split("\n")[suspect.line - 1] for suspect in found if suspect.line == 1}


CALLS = {
    "m.py": """\
        def near(x):
            return deep(x) + 1

        def deep(x):
            return x * 2

        def set_up(x):
            return x * 3

        class Box:
            def __repr__(self):
                return "box"

            def __len__(self):
                return 3
        """,
    TESTS: """\
        from m import Box, near, set_up

        def test_a():
            thing = set_up(1)
            value = near(3)
            assert value == 7

        def test_b():
            assert len(Box()) == 2
        """,
}


def test_what_the_failing_line_depends_on_goes_first():
    lines = {"m.py": {2, 5, 8}, TESTS: {4, 5, 6}}
    found = located(CALLS, {"test_a": lines}, (TESTS, 6, "test_a"))
    assert [suspect.function for suspect in found] == ["m.near", "m.deep", "m.set_up"]


def test_operators_and_builtins_call_methods():
    lines = {"m.py": {12, 15}, TESTS: {9}}
    found = located(CALLS, {"test_a": lines}, (TESTS, 9, "test_a"))
    methods = [suspect.function for suspect in found if suspect.kind == "return"]
    assert methods == ["m.Box.__len__", "m.Box.__repr__"]
    assert "called by the line of the test that fails" in found[0].evidence


def test_the_condition_over_the_failing_line():
    text = """\
        def f(x):
            y = x + 1
            if y > 3:
                raise ValueError(y)
            return y
        """
    ran = {"test_a": {"m.py": {2, 3, 4}}, "test_b": {"m.py": {2, 3, 5}}}
    found = located({"m.py": text}, ran, ("m.py", 4, "f"), error_type="ValueError", message="4")
    assert [suspect.line for suspect in found[:2]] == [4, 3]
    assert "decides whether the line that fails is reached" in found[1].evidence


def test_what_git_says_breaks_ties():
    text = "def f(x):\n    y = x + 1\n    z = y + 1\n    return z + 1\n"
    ran = {"test_a": {"m.py": {2, 3, 4}}}
    committed = Change(path="m.py", lines=(3,), removed=(), label="1a2b3c Count from one")
    pending = Change(path="m.py", lines=(2,), removed=(), label="not committed")
    found = located({"m.py": text}, ran, changes=(committed, pending))
    assert [suspect.line for suspect in found] == [2, 3, 4]
    assert "changed: not committed" in found[0].evidence
    assert "changed: 1a2b3c Count from one" in found[1].evidence


def test_a_method_shown_in_the_place_of_its_value():
    text = """\
        class Box:
            def size(self):
                return 3

            def other(self):
                return 4
        """
    found = located(
        {"m.py": text},
        {"test_a": {"m.py": {6}, TESTS: {1}}},
        message="assert 3 == <bound method Box.size of <m.Box object at 0x7f>>",
    )
    assert (found[0].line, found[0].kind) == (2, "functiondef")
    assert found[0].evidence == ("the error shows `Box.size` itself in the place of what it gives",)


def test_a_table_is_as_suspicious_as_the_most_suspicious_code_that_reads_it():
    text = """\
        TABLE = {1: 2}

        def odd(x):
            return TABLE[x]

        def even(x):
            return TABLE[x] + 1
        """
    passing = {f"test_{n}": {"m.py": {7}} for n in range(20)}
    found = located({"m.py": text}, {"test_a": {"m.py": {4}}, **passing})
    assert [suspect.line for suspect in found] == [4, 1]
    assert found[1].score > 0.6
