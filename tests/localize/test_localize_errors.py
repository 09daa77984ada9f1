"""Failures of which no coverage is known: import errors, syntax errors, wrong calls, lost data."""

from textwrap import dedent

import pytest

from pytest_buddy.domain import Cause, Execution, Failure, Frame, Spectrum
from pytest_buddy.localize import localize
from pytest_buddy.source import Source

NOTHING = Spectrum(executions=())


def sources_of(files):
    return {
        path: Source(
            path=path, module=path.removesuffix(".py").replace("/", "."), content=dedent(text).encode()
        )
        for path, text in files.items()
    }


def frame(path, line, function="<module>", project=True):
    return Frame(path=path, line=line, function=function, project=project)


def failure(error_type, message, *frames, phase="call", test="tests/test_a.py::test_a", **rest):
    return Failure(test=test, phase=phase, error_type=error_type, message=message, frames=frames, **rest)


def only(files, *failures, spectrum=NOTHING, tests=("tests/test_a.py",)):
    (fault,) = localize(tuple(failures), spectrum, sources_of(files), tests=frozenset(tests))
    return fault


@pytest.mark.parametrize(
    "message",
    [
        '  File "/home/me/project/pkg/m.py", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax',
        "invalid syntax (m.py, line 3)",
    ],
)
def test_syntax_error(message):
    fault = only(
        {"pkg/m.py": "x = 1\n\ndef f(:\n    pass\n", "tests/test_a.py": "import pkg.m\n"},
        failure("SyntaxError", message, frame("tests/test_a.py", 1), phase="collect", test="tests/test_a.py"),
    )
    (suspect,) = fault.suspects
    assert (suspect.path, suspect.line, suspect.function) == ("pkg/m.py", 3, "pkg.m")
    assert suspect.evidence == ("the error points at this line",)


def test_syntax_error_comes_before_the_import_that_met_it():
    fault = only(
        {
            "pkg/__init__.py": "import pkg.sub\n",
            "pkg/sub/__init__.py": "x = 1\ny = = 2\n",
            "tests/test_a.py": "import pkg\n",
        },
        failure(
            "SyntaxError",
            "invalid syntax (__init__.py, line 2)",
            frame("tests/test_a.py", 1),
            frame("pkg/__init__.py", 1),
            phase="collect",
            test="tests/test_a.py",
        ),
    )
    assert [(suspect.path, suspect.line, suspect.rank) for suspect in fault.suspects] == [
        ("pkg/sub/__init__.py", 2, 1),
        ("pkg/__init__.py", 1, 2),
    ]


def test_place_in_the_text_of_a_collection_error():
    fault = only(
        {"pkg/m.py": "x = 1\ny = x / 0\n", "tests/test_a.py": "import pkg.m\n"},
        failure(
            "CollectError",
            "tests/test_a.py:1: in <module>\n    import pkg.m\npkg/m.py:2: in <module>\n    y = x / 0\n",
            phase="collect",
            test="tests/test_a.py",
        ),
    )
    assert (fault.suspects[0].path, fault.suspects[0].line) == ("pkg/m.py", 2)


def test_syntax_error_of_a_test_accuses_nobody():
    fault = only(
        {"tests/test_a.py": "def (\n"},
        failure("SyntaxError", "invalid syntax (test_a.py, line 1)", phase="collect", test="tests/test_a.py"),
    )
    assert fault.suspects == ()
    assert fault.tests == ("tests/test_a.py",)


def test_error_while_importing():
    fault = only(
        {"pkg/m.py": "x = 1\ny = x + '1'\n", "tests/test_a.py": "import pkg.m\n"},
        failure(
            "TypeError",
            "unsupported operand type(s) for +: 'int' and 'str'",
            frame("tests/test_a.py", 1),
            frame("/usr/lib/importlib/__init__.py", 90, "import_module", project=False),
            frame("pkg/m.py", 2),
            phase="collect",
            test="tests/test_a.py",
        ),
    )
    assert (fault.suspects[0].path, fault.suspects[0].line) == ("pkg/m.py", 2)
    assert "innermost frame of 1 failure" in fault.suspects[0].evidence


def test_name_that_cannot_be_imported_leads_to_its_nearest_namesake():
    fault = only(
        {
            "pkg/m.py": "import os\n\ndef reed(path):\n    pass\n\ndef write(path):\n    pass\n",
            "tests/test_a.py": "from pkg.m import read\n",
        },
        failure(
            "ImportError",
            "cannot import name 'read' from 'pkg.m' (/home/me/project/pkg/m.py)",
            frame("tests/test_a.py", 1),
            phase="collect",
            test="tests/test_a.py",
        ),
    )
    assert [(suspect.line, suspect.kind) for suspect in fault.suspects] == [(3, "functiondef")]
    assert fault.suspects[0].evidence == ("the error says that `pkg.m` has no `read`",)


def test_traceback_stands_in_for_lost_coverage():
    fault = only(
        {"pkg/m.py": "def f(x):\n    y = x + 1\n    return g(y)\n\ndef g(y):\n    return y.bad()\n"},
        failure(
            "AttributeError",
            "'int' object has no attribute 'bad'",
            frame("tests/test_a.py", 4, "test_a"),
            frame("pkg/m.py", 3, "f"),
            frame("pkg/m.py", 6, "g"),
        ),
    )
    assert [suspect.line for suspect in fault.suspects] == [6, 3, 2]
    assert fault.suspects[0].evidence[0] == "innermost frame of 1 failure"
    assert fault.suspects[2].evidence == (
        "in a function on the traceback; no coverage of the failing test is known",
    )


def test_causes_count_as_much_as_what_they_turned_into():
    text = """\
        def f(x):
            try:
                g(x)
            except KeyError as e:
                raise E() from e

        def g(x):
            {}[x]
        """
    cause = Cause(
        error_type="KeyError", message="1", frames=(frame("pkg/m.py", 3, "f"), frame("pkg/m.py", 8, "g"))
    )
    fault = only({"pkg/m.py": text}, failure("E", "", frame("pkg/m.py", 5, "f"), causes=(cause,)))
    assert {suspect.line for suspect in fault.suspects[:2]} == {5, 8}


@pytest.mark.parametrize(
    ("error_type", "message", "expected"),
    [
        ("TypeError", "f() takes 1 positional argument but 2 were given", (1, "functiondef")),
        ("TypeError", "Box.__init__() missing 1 required positional argument: 'size'", (4, "classdef")),
        ("TypeError", "'<' not supported between instances of 'Box' and 'Box'", (4, "classdef")),
        ("TypeError", "Can't instantiate abstract class Box with abstract method open", (4, "classdef")),
        ("AttributeError", "type object 'Box' has no attribute 'SMALL'", (4, "classdef")),
        ("AttributeError", "module 'pkg.m' has no attribute 'g'", (1, "functiondef")),
    ],
)
def test_definitions_that_the_error_names(error_type, message, expected):
    fault = only(
        {
            "pkg/m.py": "def f(x):\n    return x\n\nclass Box:\n    size: int\n",
            "tests/test_a.py": "from pkg.m import Box, f\n\ndef test_a():\n    f(Box(), 2)\n",
        },
        failure(error_type, message, frame("tests/test_a.py", 4, "test_a")),
        spectrum=Spectrum(
            executions=(
                Execution(
                    test="tests/test_a.py::test_a", failed=True, lines={"tests/test_a.py": frozenset({4})}
                ),
            )
        ),
    )
    assert expected in [(suspect.line, suspect.kind) for suspect in fault.suspects[:2]]


def test_nothing_known_is_a_fault_without_suspects():
    fault = only({}, failure("AssertionError", "assert 1 == 2", frame("tests/test_a.py", 2, "test_a")))
    assert fault.suspects == ()
    assert localize((), NOTHING, {}, tests=frozenset()) == ()


def test_one_failing_test_alone_is_an_honest_tie():
    text = "def f(x):\n    if x:\n        return x + 1\n    if x > 2:\n        return g(x)\n"
    fault = only(
        {"pkg/m.py": text},
        failure("AssertionError", ""),
        spectrum=Spectrum(
            executions=(
                Execution(
                    test="tests/test_a.py::test_a", failed=True, lines={"pkg/m.py": frozenset({2, 4, 5})}
                ),
            )
        ),
    )
    assert [(s.line, s.rank, s.tied_with) for s in fault.suspects] == [(2, 1, 2), (4, 1, 2), (5, 1, 2)]
    assert fault.suspects[0].evidence == (
        "run by the one failing test; no passing test to compare with",
        "coverage cannot tell this line from 2 others",
    )


def test_ties_beyond_the_fifty_that_are_kept_are_counted():
    text = "def f(x):\n" + "".join(f"    x += {n}\n" for n in range(80))
    lines = {"pkg/m.py": frozenset(range(2, 82))}
    fault = only(
        {"pkg/m.py": text},
        failure("AssertionError", ""),
        spectrum=Spectrum(executions=(Execution(test="tests/test_a.py::test_a", failed=True, lines=lines),)),
    )
    assert len(fault.suspects) == 50
    assert {(suspect.rank, suspect.tied_with) for suspect in fault.suspects} == {(1, 79)}
