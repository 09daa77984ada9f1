"""How near the code that ran is to the assertion that failed: what that line calls, and what that calls.

Static and by name: the failing line of the test, the lines before it that its values come from, the functions
that those call, then the ones called by these, as far as the failing tests ran them.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_buddy.domain import Failure
from pytest_buddy.localize.names import reading
from pytest_buddy.localize.program import Element, Function, Program
from pytest_buddy.localize.statements import Statement, Statements, header_nodes

_FURTHER = 0.7
_CALLED = 0.99
_FARTHEST = 0.15
_HEADERS = frozenset({"functiondef", "asyncfunctiondef", "classdef"})
# What a line calls without naming it.
_OPERATORS: Mapping[type[ast.AST], tuple[str, ...]] = {
    ast.Eq: ("__eq__",),
    ast.NotEq: ("__ne__", "__eq__"),
    ast.Lt: ("__lt__",),
    ast.LtE: ("__le__",),
    ast.Gt: ("__gt__",),
    ast.GtE: ("__ge__",),
    ast.In: ("__contains__",),
    ast.NotIn: ("__contains__",),
    ast.Add: ("__add__", "__radd__"),
    ast.Sub: ("__sub__", "__rsub__"),
    ast.Mult: ("__mul__", "__rmul__"),
    ast.Div: ("__truediv__",),
    ast.BitOr: ("__or__", "__ror__"),
    ast.BitAnd: ("__and__", "__rand__"),
    ast.BitXor: ("__xor__", "__rxor__"),
    ast.For: ("__iter__", "__next__"),
    ast.comprehension: ("__iter__", "__next__"),
    ast.With: ("__enter__", "__exit__"),
}
_BUILTINS: Mapping[str, tuple[str, ...]] = {
    "len": ("__len__",),
    "str": ("__str__", "__repr__"),
    "repr": ("__repr__",),
    "bool": ("__bool__", "__len__"),
    "hash": ("__hash__",),
    "iter": ("__iter__",),
    "next": ("__next__",),
    "reversed": ("__reversed__",),
    "int": ("__int__",),
    "float": ("__float__",),
    "list": ("__iter__", "__next__"),
    "tuple": ("__iter__", "__next__"),
    "set": ("__iter__", "__next__"),
    "dict": ("__iter__", "keys", "__getitem__"),
    "sorted": ("__iter__", "__next__", "__lt__"),
    "format": ("__format__",),
    "super": (),
}


class Nearness:
    """How near functions that ran are to the failing lines of tests; 1 is what such a line calls itself.

    `asked` are the functions that a failing line, or what its values come from, calls in so many words.
    """

    def __init__(self, failures: Sequence[Failure], elements: Sequence[Element], program: Program) -> None:
        graph = _Calls(elements)
        self._near: dict[Function, float] = {}
        self.asked: frozenset[Function] = frozenset()
        lines = dict.fromkeys(place for failure in failures if (place := failing_line(failure, program)))
        for path, line in lines:
            table = program.table(path)
            statement = next(iter(table.at(line)), None) if table else None
            if table is None or statement is None:
                continue
            reached = graph.reached(_slice(table, statement))
            self.asked |= {function for function, near in reached.items() if near >= _FURTHER}
            for function, near in reached.items():
                self._near[function] = self._near.get(function, 0.0) + near / len(lines)

    def of(self, element: Element) -> float:
        """0..1 for a statement's function; for a definition, of the nearest function that reads it."""
        functions = [function for function, _ in element.through]
        functions.append((element.statement.path, element.statement.qualname))
        return max(self._near.get(function, 0.0) for function in functions)

    def is_called(self, element: Element) -> bool:
        """Whether the failing line itself calls the statement's function, in every failure."""
        statement = element.statement
        return self._near.get((statement.path, statement.qualname), 0.0) > _CALLED


def failing_line(failure: Failure, program: Program) -> tuple[str, int] | None:
    """The innermost line of a test on the traceback, where the program was last called from."""
    frames = (frame for frame in reversed(failure.frames) if frame.path in program.tests)
    return next(((frame.path, frame.line) for frame in frames), None)


def _slice(table: Statements, failing: Statement) -> Iterator[tuple[Statement, int]]:
    """The failing statement and those before it that its values come from, with the steps to each.

    Flow-insensitive, within one function; a method called on a name changes what the name holds.
    """
    mine = [s for s in table.all if s.scope == failing.scope and s.index <= failing.index]
    inside = [s for s in table.all if s.scope == failing.scope and _is_inside(table, s, failing)]
    waiting = [(failing, 0), *((s, 0) for s in inside)]
    seen = {statement.index for statement, _ in waiting}
    while waiting:
        statement, steps = waiting.pop(0)
        yield statement, steps
        read = {chain[0] for chain in reading(statement).chains}
        for other in mine:
            if other.index in seen or other.kind in _HEADERS:
                continue
            if read.intersection(_changed(other)):
                seen.add(other.index)
                waiting.append((other, steps + 1))


def _is_inside(table: Statements, statement: Statement, outer: Statement) -> bool:
    parent = statement.parent
    while parent >= 0:
        if parent == outer.index:
            return outer.kind in ("with", "asyncwith")
        parent = table.all[parent].parent
    return False


def _changed(statement: Statement) -> Iterable[str]:
    """The names that a statement binds, or whose objects it calls a method of."""
    found = list(reading(statement).binds)
    node = statement.node
    if isinstance(node, ast.With | ast.AsyncWith):
        found += [item.optional_vars.id for item in node.items if isinstance(item.optional_vars, ast.Name)]
    return found


class _Calls:
    """Who calls whom, by name, among the functions that failing tests ran."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._bodies: dict[Function, list[Statement]] = {}
        self._by_name: dict[str, list[Function]] = {}
        for element in elements:
            statement = element.statement
            if not element.indirect and statement.qualname and statement.kind not in _HEADERS:
                self._bodies.setdefault((statement.path, statement.qualname), []).append(statement)
        for function in self._bodies:
            *_, owner, name = (*[""], *function[1].split("."))
            called = owner if name in ("__init__", "__new__", "__post_init__", "__call__") else name
            self._by_name.setdefault(called, []).append(function)
            if called != name:
                self._by_name.setdefault(name, []).append(function)
        self._called: dict[Function, tuple[Function, ...]] = {}

    def reached(self, start: Iterable[tuple[Statement, int]]) -> dict[Function, float]:
        """Function -> its nearness to the statements, each with the steps that it is away itself."""
        found: dict[Function, float] = {}
        waiting: list[tuple[Function, float]] = []
        for statement, steps in start:
            for function in self._of(statement):
                waiting.append((function, _FURTHER ** min(steps, 1)))
        while waiting:
            waiting.sort(key=lambda item: item[1])
            function, near = waiting.pop()
            if found.get(function, 0.0) >= near:
                continue
            found[function] = near
            if near * _FURTHER > _FARTHEST:
                waiting.extend((other, near * _FURTHER) for other in self._callees(function))
        return found

    def _callees(self, function: Function) -> tuple[Function, ...]:
        known = self._called.get(function)
        if known is None:
            called = dict.fromkeys(f for statement in self._bodies[function] for f in self._of(statement))
            known = self._called[function] = tuple(f for f in called if f != function)
        return known

    def _of(self, statement: Statement) -> Iterator[Function]:
        for name in _called_names(statement):
            yield from self._by_name.get(name, ())


def _called_names(statement: Statement) -> Iterator[str]:
    """The names that a statement reads, as what may be called, and those that its operators stand for."""
    for node in header_nodes(statement.node):
        match node:
            case ast.Name(id=name):
                yield name
                yield from _BUILTINS.get(name, ())
            case ast.Attribute(attr=name):
                yield name
            case ast.Subscript(ctx=ast.Load()):
                yield "__getitem__"
                yield "__missing__"
            case ast.Subscript(ctx=ast.Store()):
                yield "__setitem__"
            case ast.Subscript(ctx=ast.Del()):
                yield "__delitem__"
        yield from _OPERATORS.get(type(node), ())
