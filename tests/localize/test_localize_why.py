"""Why a line is or is not suspected, told in plain sentences."""

from textwrap import dedent

import pytest

from pytest_buddy.domain import Execution, Failure, Spectrum
from pytest_buddy.localize import localize, why
from pytest_buddy.source import Source

TEXT = dedent(
    '''\
    """Docstring."""
    LIMIT = 3
    UNUSED = 4

    def clamp(x):
        # never more
        if x > LIMIT:
            x = (
                LIMIT + 1
            )
        return x

    def other(x):
        return x
    '''
)
FILES = {
    "pkg/m.py": TEXT,
    "pkg/bad.py": "def (\n",
    "tests/test_a.py": "from pkg.m import clamp\n\ndef test_a():\n    assert clamp(5) == 3\n",
}


def source(path, text):
    return Source(path=path, module=path.removesuffix(".py").replace("/", "."), content=text.encode())


SOURCES = {path: source(path, text) for path, text in FILES.items()}
FAILURES = (
    Failure(
        test="tests/test_a.py::test_a", phase="call", error_type="AssertionError", message="assert 4 == 3"
    ),
)


def ran(name, lines, *, failed=False, path="pkg/m.py"):
    return Execution(test=f"tests/test_a.py::{name}", failed=failed, lines={path: frozenset(lines)})


SPECTRUM = Spectrum(
    executions=(
        ran("test_a", {7, 9, 11}, failed=True),
        ran("test_b", {7, 11}),
        ran("test_c", {7, 11}),
        ran("test_d", {14}),
        ran("test_e", {1}, path="pkg/elsewhere.py"),
    )
)


def told(line, path="pkg/m.py", spectrum=SPECTRUM, **options):
    faults = localize(FAILURES, spectrum, SOURCES, tests=frozenset({"tests/test_a.py"}))
    return why(path, line, FAILURES, spectrum, SOURCES, faults, **options)


def test_a_line_that_failing_tests_run():
    first = (
        "It is run by 1 of 1 failing and 0 of 4 passing tests.",
        "It is number 1 of the 4 suspects of f1: run by 1 of 1 failing and 0 of 4 passing tests.",
    )
    assert told(9)[1:] == first
    assert told(8) == (
        "Line 8 belongs to the statement of lines 8 to 10, which is suspected as a whole.",
        *first,
    )
    line, rank, ahead = told(7)
    assert line == "It is run by 1 of 1 failing and 2 of 4 passing tests."
    assert rank.startswith("It is number 2 of the 4 suspects of f1: ")
    assert ahead == "The first is pkg/m.py:8 in pkg.m.clamp: run by 1 of 1 failing and 0 of 4 passing tests."


def test_lines_that_run_at_import():
    imported = "It runs when its module is imported, so no test in particular runs it."
    first, second, _ahead = told(2)
    assert first == imported
    assert "`LIMIT` is read by pkg.m.clamp" in second
    assert told(3) == (imported, "It is no suspect of f1: nothing leads from the failing tests to it.")


def test_lines_that_no_failing_test_runs():
    unled = "It is no suspect of f1: nothing leads from the failing tests to it."
    assert told(14) == (
        "No failing test runs it, nor any other line of pkg.m.other.",
        "Of 4 passing tests, 1 runs it.",
        unled,
    )
    spectrum = Spectrum(executions=(ran("test_a", {7, 11}, failed=True), ran("test_b", {7, 9, 11})))
    assert told(9, spectrum=spectrum)[1:] == (
        "The failing tests run pkg.m.clamp, but not this line: the condition in line 7 kept them from it.",
        "Of 1 passing test, 1 runs it.",
        unled,
    )
    left = Spectrum(executions=(ran("test_a", {7}, failed=True),))
    assert told(11, spectrum=left)[0] == "The failing tests run pkg.m.clamp, but leave it before this line."


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("pkg/m.py", 4, "Line 4 is blank: nothing runs there."),
        ("pkg/m.py", 6, "Line 6 is a comment: nothing runs there."),
        (
            "pkg/m.py",
            1,
            "Line 1 is part of no statement that runs (a docstring, `else:`, a declaration).",
        ),
        ("pkg/m.py", 99, "pkg/m.py has 14 lines: there is no line 99."),
        ("tests/test_a.py", 4, "tests/test_a.py is a test file: tests are never suspected."),
        ("conf.py", 4, "conf.py is a test file: tests are never suspected."),
        (
            "/usr/lib/x.py",
            1,
            "/usr/lib/x.py is outside the workspace: only the project's own files are suspected.",
        ),
        ("pkg/data.txt", 1, "pkg/data.txt is no Python file: only those are suspected."),
        (
            "pkg/elsewhere.py",
            1,
            "No failing test runs a line of pkg/elsewhere.py; 1 of the passing tests does.",
        ),
        ("pkg/none.py", 1, "No failing test runs a line of pkg/none.py."),
    ],
)
def test_places_that_are_never_suspected(path, line, expected):
    assert told(line, path, tests={"conf.py"}) == (expected,)


def test_files_that_do_not_parse_and_runs_without_coverage():
    assert told(1, "pkg/bad.py") == (
        "pkg/bad.py does not parse, so nothing of it has run.",
        "It is no suspect of f1: nothing leads from the failing tests to it.",
    )
    assert why("pkg/m.py", 11, FAILURES, Spectrum(executions=()), SOURCES, ()) == (
        "Which lines the failing tests run is not known: only tracebacks are.",
        "No fault has been located, so nothing is ranked.",
    )


def test_what_more_speaks_against():
    text = "def f(x):\n" + "".join(f"    x += {n}\n" for n in range(80)) + "    print(x)\n"
    sources = {"m.py": source("m.py", text)}
    spectrum = Spectrum(executions=(ran("test_a", range(2, 83), failed=True, path="m.py"),))
    faults = localize(FAILURES, spectrum, sources, tests=frozenset({"tests/test_a.py"}))
    line, place, ahead = why("m.py", 82, FAILURES, spectrum, sources, faults)
    assert line == "It is run by 1 of 1 failing and 0 of 0 passing tests."
    assert place == "It is not among the 50 suspects of f1: each of them has more against it."
    assert ahead.startswith("The first is m.py:2 in m.f: ")
