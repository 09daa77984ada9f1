"""The definitions that an error names: the class that lacks a method, the function called wrongly."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pytest_buddy.domain import Failure
from pytest_buddy.localize.names import reading
from pytest_buddy.localize.program import Element, Program
from pytest_buddy.localize.statements import Statement
from pytest_buddy.localize.tracebacks import Mention, mentions


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A statement named by errors, and how."""

    statement: Statement
    text: str


def named(
    failures: Iterable[Failure], elements: Sequence[Element], program: Program
) -> Mapping[tuple[str, int], Named]:
    """(path, statement index) -> what the errors say of it."""
    found: dict[tuple[str, int], Named] = {}
    seen = dict.fromkeys(mention for failure in failures for mention in mentions(failure))
    for mention in seen:
        for statement in _statements(mention, elements, program):
            key = (statement.path, statement.index)
            found.setdefault(key, Named(statement=statement, text=mention.text))
    return found


def _statements(mention: Mention, elements: Sequence[Element], program: Program) -> Iterable[Statement]:
    if mention.path:
        path = program.find(mention.path)
        table = program.table(path) if path and path not in program.tests else None
        yield from table.at(mention.line) if table else ()
        return
    if (path := program.modules.get(mention.name)) is not None:
        table = program.table(path) if path not in program.tests else None
        if table and table.all:
            yield from list(_similar(path, "", mention, program)) or table.all[:1]
        return
    near = dict.fromkeys(element.statement.path for element in elements)
    found = [statement for path in near for statement in _definitions(path, mention, program)]
    if not found:
        # What could not be called or made has run no line: then any file that speaks of it may hold it.
        word = mention.name.removesuffix(".__init__").rpartition(".")[2].encode()
        others = [p for p, s in program.sources.items() if p not in near and word in s.content]
        found = [statement for path in others for statement in _definitions(path, mention, program)]
    yield from found


def _definitions(path: str, mention: Mention, program: Program) -> Iterable[Statement]:
    table = program.table(path) if path not in program.tests else None
    for statement in table.all if table else ():
        if statement.kind in _HEADERS and _is_called(statement.qualname, mention.name):
            yield statement
            if mention.missing:
                yield from _similar(path, statement.qualname, mention, program)


_HEADERS = frozenset({"functiondef", "asyncfunctiondef", "classdef"})


def _is_called(qualname: str, name: str) -> bool:
    """Whether an error may call a definition by that name: `Foo`, `Foo.run`, `Foo.__init__`."""
    owner = name.removesuffix(".__init__")
    return qualname in (name, owner) or qualname.endswith(("." + name, "." + owner))


def _similar(path: str, owner: str, mention: Mention, program: Program) -> Iterable[Statement]:
    """The member of a module or class whose name is nearest to the one that was looked up."""
    table = program.table(path)
    members: dict[str, Statement] = {}
    for statement in table.all if table else ():
        if statement.kind in _HEADERS:
            outer, _, name = statement.qualname.rpartition(".")
            if outer == owner:
                members[name] = statement
        elif statement.qualname == owner and not isinstance(statement.node, ast.Import | ast.ImportFrom):
            members.update(dict.fromkeys(reading(statement).binds, statement))
    for name in get_close_matches(mention.missing, members, n=1):
        yield members[name]
