"""Definitions that no test runs are suspected through the code that reads them."""

from textwrap import dedent

from pytest_buddy.domain import Execution, Failure, Spectrum
from pytest_buddy.localize import localize, referred
from pytest_buddy.source import Source


def located(files, failing, passing=None, **failure):
    """The only fault of a failing test that ran `failing`; both map path to line numbers."""
    sources = {
        path: Source(
            path=path,
            module=path.removesuffix(".py").removesuffix("/__init__").replace("/", "."),
            content=dedent(text).encode(),
        )
        for path, text in files.items()
    }
    executions = [Execution(test="test_a.py::test_a", failed=True, lines=lines_of(failing))]
    if passing is not None:
        executions.append(Execution(test="test_a.py::test_b", failed=False, lines=lines_of(passing)))
    shown = {"error_type": "AssertionError", "message": "assert 1 == 2", **failure}
    (fault,) = localize(
        (Failure(test="test_a.py::test_a", phase="call", **shown),),
        Spectrum(executions=tuple(executions)),
        sources,
        tests=frozenset({"test_a.py"}),
    )
    return {(suspect.path, suspect.line): suspect for suspect in fault.suspects}


def lines_of(lines):
    return {path: frozenset(numbers) for path, numbers in lines.items()}


def test_a_table_read_in_its_own_module():
    found = located(
        {"m.py": "TABLE = {1: 2}\nOTHER = {1: 3}\n\ndef look(x):\n    return TABLE[x]\n"},
        {"m.py": [5]},
    )
    assert set(found) == {("m.py", 5), ("m.py", 1)}
    assert found["m.py", 1].evidence == ("`TABLE` is read by m.look, which the failing test runs",)
    assert found["m.py", 1].function == "m"
    assert found["m.py", 1].score < found["m.py", 5].score


def test_names_from_other_modules_however_imported():
    files = {
        "pkg/__init__.py": "from pkg.tables import DIRECT\n",
        "pkg/tables.py": "DIRECT = 1\nDOTTED = 2\nALIASED = 3\nRELATIVE = 4\nUNUSED = 5\n",
        "pkg/m.py": """\
            import pkg.tables
            from pkg import DIRECT, tables as t
            from .tables import RELATIVE as R

            def f(x):
                return (DIRECT, pkg.tables.DOTTED, t.ALIASED, R)
            """,
    }
    found = located(files, {"pkg/m.py": [6]})
    assert {line for path, line in found if path == "pkg/tables.py"} == {1, 2, 3, 4}


def test_definitions_behind_definitions():
    text = """\
        PART = "a+"
        PATTERN = compile(PART)

        def f(x):
            return PATTERN.match(x)
        """
    found = located({"m.py": text}, {"m.py": [5]})
    assert found["m.py", 1].evidence == ("`PART` is read by PATTERN, which the failing test runs",)
    assert found["m.py", 1].score < found["m.py", 2].score


def test_variables_of_functions_hide_module_names():
    text = """\
        x = 1
        y = 2

        def f(x):
            y = x
            return [x, y]
        """
    assert set(found_lines(located({"m.py": text}, {"m.py": [5, 6]}))) == {5, 6}


def found_lines(found):
    return sorted(line for _path, line in found)


def test_tables_filled_step_by_step():
    text = """\
        HANDLERS = {}
        HANDLERS["a"] = 1
        HANDLERS.update(b=2)

        def f(x):
            return HANDLERS[x]
        """
    assert found_lines(located({"m.py": text}, {"m.py": [6]})) == [1, 2, 3, 6]


def test_defaults_of_functions_that_ran():
    text = """\
        DEFAULT = 3

        def f(x, y=DEFAULT):
            return x + y

        def g(x):
            return f(x)
        """
    found = located({"m.py": text}, {"m.py": [4, 7]})
    assert found_lines(found) == [1, 3, 4, 7]
    assert found["m.py", 3].kind == "functiondef"
    assert found["m.py", 3].evidence[0] == "the defaults and decorators of `f`, which the failing test runs"


def test_class_bodies_are_told_apart_by_the_attributes_that_are_read():
    files = {
        "m.py": """\
            @dataclass
            class Box:
                width: int = 1
                height: int = 2

            def area(box):
                return box.width * box.height
            """,
        "test_a.py": """\
            from m import Box

            def test_a():
                assert Box().width == 3

            def test_b():
                assert Box().height == 2
            """,
    }
    found = located(files, {"test_a.py": [4]}, {"test_a.py": [7]})
    assert found["m.py", 3].rank == 1
    assert found["m.py", 3].evidence[0] == "`width` is read by the test itself"
    assert ("test_a.py", 4) not in found
    assert ("m.py", 4) not in found  # only the passing test reads it


def test_the_class_that_lacks_what_the_error_says():
    files = {
        "m.py": "class Box:\n    def open(self):\n        pass\n\nclass Lid:\n    pass\n",
        "test_a.py": "from m import Box, Lid\n\ndef test_a():\n    Box().opened()\n",
    }
    found = located(
        files,
        {"test_a.py": [4]},
        error_type="AttributeError",
        message="'Box' object has no attribute 'opened'",
    )
    first = min(found.values(), key=lambda suspect: suspect.rank)
    assert (first.line, first.kind) in {(1, "classdef"), (2, "functiondef")}
    assert ("m.py", 2) in found  # the member of the nearest name
    assert "the error says that `Box` has no `opened`" in found["m.py", 1].evidence


def test_names_that_a_star_brings():
    files = {
        "tables.py": "LIMIT = 3\n_HIDDEN = 4\n",
        "m.py": "from tables import *\n\ndef f(x):\n    return x < LIMIT + _HIDDEN\n",
    }
    assert set(located(files, {"m.py": [4]})) == {("m.py", 4), ("tables.py", 1)}


def test_a_branch_that_was_not_taken_leaves_its_condition_suspect():
    text = """\
        def f(x):
            if x > 3:
                x = 0
            elif x < 0:
                x = -x
            return x
        """
    assert found_lines(located({"m.py": text}, {"m.py": [2, 4, 6]}, {"m.py": [2, 3, 6]})) == [2, 4, 6]


def test_files_that_imports_may_mean():
    files = {
        "src/pkg/m.py": "import os\nfrom pkg import tables\nfrom .limits import LIMIT\nfrom .all import *\n",
        "src/pkg/all.py": "",
        "src/pkg/bad.py": "import (\n",
        "tests/test_a.py": "from helpers import make\n",
    }
    sources = {
        path: Source(
            path=path,
            module=path.removeprefix("src/").removesuffix(".py").replace("/", "."),
            content=text.encode(),
        )
        for path, text in files.items()
    }
    found = set(referred(sources))
    assert {"src/pkg/tables.py", "src/pkg/__init__.py", "src/pkg/limits.py", "helpers.py"} <= found
    assert not found.intersection(files)
