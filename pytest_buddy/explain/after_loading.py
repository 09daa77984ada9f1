"""What to try when a test could not start: imports, fixtures, syntax, a forgotten await."""

import re

from pytest_buddy.domain import Frame
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.names import bound_in_module, nearest
from pytest_buddy.explain.wording import code, compose, place

_NO_NAME = re.compile(r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'")
_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_NEVER = re.compile(r"coroutine '([\w.<>]+)' was never awaited")
_FIXTURE = re.compile(r"fixture '(\w+)' not found")
_AVAILABLE = re.compile(r"available fixtures: (.+)")


def missing_fixture(case: Case) -> str | None:
    """A fixture that does not exist."""
    missing, available = _FIXTURE.search(case.failure.message), _AVAILABLE.search(case.failure.message)
    if not missing or not available:
        return None
    names = [name.strip() for name in available[1].split(",")]
    near = nearest(missing[1], names)
    if near:
        return compose(
            f"Check the spelling of the argument {code(missing[1])}: a fixture {code(near)} exists"
        )
    return compose(f"Define the fixture {code(missing[1])}, or take the argument out of the test")


def missing_await(case: Case) -> str | None:
    """The call that lacks its `await`, when only one can be meant."""
    match = _NEVER.search(case.failure.message)
    if match is None:
        return None
    name = match[1].rpartition(".")[2]
    places = case.library.calls_without_await(name)
    if len(places) != 1:
        return compose(f"Put `await` before the call of {code(name)}")
    path, call = places[0]
    return compose(f"Put `await` before {code(case.library.text(path, call))} at {place(path, call.lineno)}")


def failed_import(case: Case) -> str | None:
    """A module or name that cannot be imported."""
    message = case.failure.message
    name, module = _NO_NAME.search(message), _NO_MODULE.search(message)
    if name:
        return _missing_name(case, name[1], name[2])
    if module is None:
        return None
    modules = {source.module for source in case.library.sources.values()}
    near = nearest(module[1], modules)
    if near:
        return compose(f"Check the spelling of {code(module[1])}: the project has {code(near)}")
    return compose(f"Install {code(module[1].partition('.')[0])} in this environment, or correct the import")


def _missing_name(case: Case, name: str, module: str) -> str | None:
    circular = (
        " The two modules import each other." if "partially initialized" in case.failure.message else ""
    )
    elsewhere = case.library.definitions(name)
    if elsewhere and not circular:
        one = elsewhere[0]
        return compose(f"Import {code(name)} from where it is defined: {place(one.path, one.node.lineno)}")
    for path, source in case.library.sources.items():
        tree = case.library.tree(path)
        near = nearest(name, bound_in_module(tree)) if source.module == module and tree else ""
        if near:
            return compose(f"Check the spelling of {code(name)}: {code(path)} defines {code(near)}", circular)
    return compose(f"{code(module)} does not define {code(name)} at that moment: look there", circular)


def bad_syntax(case: Case, frame: Frame) -> str | None:
    """A file that Python cannot read."""
    said = case.failure.message.partition(" (")[0].strip()
    return compose(
        f"Correct {place(frame.path, frame.line)}, or the end of the statement before it",
        f": {code(said, 80)}" if said else "",
    )
