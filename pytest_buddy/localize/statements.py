"""A source's statements, the elements that are ranked, and which of them executed lines stand for."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pytest_buddy.source import Source

Node = ast.stmt | ast.excepthandler | ast.match_case

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statement:
    """A simple statement, or the header of a compound one.

    `line` and `end_line` span a header only (decorators included for `def` and `class`). `qualname` is that
    of the innermost function or class it belongs to, spelled as code objects spell it; a `def` or `class`
    header belongs to what it defines. `parent` is the index of the compound statement around it in the same
    scope, `scope` that of the enclosing `def` or `class` header; -1 where there is none.
    """

    path: str
    line: int
    end_line: int
    kind: str
    qualname: str
    depth: int
    index: int
    parent: int
    scope: int
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statements:
    """All statements of one source in source order; `by_line` gives the indices of those on a line."""

    source: Source
    all: tuple[Statement, ...]
    by_line: Mapping[int, tuple[int, ...]]

    def function_of(self, statement: Statement) -> str:
        """The dotted module and qualified name that a suspect shows."""
        module = self.source.module
        return f"{module}.{statement.qualname}" if statement.qualname else module

    def at(self, line: int) -> tuple[Statement, ...]:
        """The statements on a line; for a line inside none, the nearest one that starts before it."""
        found = self.by_line.get(line)
        if found is None:
            before = [statement for statement in self.all if statement.line <= line]
            return (max(before, key=lambda statement: statement.line),) if before else ()
        return tuple(self.all[index] for index in found)

    def runs(self, lines: Mapping[int, int]) -> list[int]:
        """Per statement, the union of the bit sets of its lines.

        A compound statement ran when anything in its body ran: compilers differ in whether `while True:`,
        `try:` or a constant test has a line of its own (3.11 to 3.13 do).
        """
        runs = [0] * len(self.all)
        by_line = self.by_line
        for line, bits in lines.items():
            for index in by_line.get(line, ()):
                runs[index] |= bits
        for statement in reversed(self.all):
            if statement.parent >= 0:
                runs[statement.parent] |= runs[statement.index]
        return runs


@lru_cache(maxsize=512)
def statements(source: Source) -> Statements:
    """The statements of a source; raises SourceError when it does not parse."""
    found: list[Statement] = []
    _collect(source.tree.body, source.path, "", _Place(), found)
    by_line: dict[int, list[int]] = {}
    for statement in found:
        for line in range(statement.line, statement.end_line + 1):
            by_line.setdefault(line, []).append(statement.index)
    return Statements(
        source=source,
        all=tuple(found),
        by_line={line: tuple(indices) for line, indices in by_line.items()},
    )


def header_nodes(node: Node) -> Iterator[ast.AST]:
    """The nodes of a statement without those of its body: what its own lines evaluate."""
    stack: list[ast.AST] = [node]
    while stack:
        current = stack.pop()
        yield current
        for name, value in ast.iter_fields(current):
            if current is node and name in _BLOCKS:
                continue
            if isinstance(value, ast.AST):
                stack.append(value)
            elif isinstance(value, list):
                stack.extend(item for item in value if isinstance(item, ast.AST))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    depth: int = 0
    parent: int = -1
    scope: int = -1


_BLOCKS = frozenset({"body", "orelse", "finalbody", "handlers", "cases"})


def _collect(nodes: Iterable[Node], path: str, qualname: str, place: _Place, found: list[Statement]) -> None:
    for node in nodes:
        if _is_inert(node):
            continue
        index = len(found)
        own = _qualname_of(node, qualname, found, place.scope)
        first, last = _header(node)
        found.append(
            Statement(
                path=path,
                line=first,
                end_line=last,
                kind=type(node).__name__.lower(),
                qualname=own,
                depth=place.depth,
                index=index,
                parent=place.parent,
                scope=place.scope,
                node=node,
            )
        )
        if isinstance(node, _DEFINITIONS):
            _collect(node.body, path, own, _Place(depth=place.depth + 1, scope=index), found)
        else:
            inside = _Place(depth=place.depth + 1, parent=index, scope=place.scope)
            for block in ("body", "handlers", "cases", "orelse", "finalbody"):
                if children := getattr(node, block, None):
                    _collect(children, path, qualname, inside, found)


def _is_inert(node: Node) -> bool:
    """Whether no test can run it: docstrings and other lone constants, `global`, `nonlocal`."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Global | ast.Nonlocal)


def _qualname_of(node: Node, qualname: str, found: list[Statement], scope: int) -> str:
    if not isinstance(node, _DEFINITIONS):
        return qualname
    if scope < 0:
        return node.name
    inside_class = isinstance(found[scope].node, ast.ClassDef)
    return f"{qualname}.{node.name}" if inside_class else f"{qualname}.<locals>.{node.name}"


def _header(node: Node) -> tuple[int, int]:
    """First and last line of a statement, or of a compound statement's header."""
    if isinstance(node, ast.match_case):
        last = node.guard or node.pattern
        return node.pattern.lineno, last.end_lineno or last.lineno
    parts: list[ast.AST | None]
    match node:
        case ast.If() | ast.While():
            parts = [node.test]
        case ast.For() | ast.AsyncFor():
            parts = [node.iter]
        case ast.With() | ast.AsyncWith():
            parts = [node.items[-1].optional_vars or node.items[-1].context_expr]
        case ast.ExceptHandler():
            parts = [node.type]
        case ast.Match():
            parts = [node.subject]
        case ast.Try() | ast.TryStar():
            parts = []
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            parts = [node.returns, *_arguments(node.args)]
        case ast.ClassDef():
            parts = [*node.bases, *(keyword.value for keyword in node.keywords)]
        case _:
            return node.lineno, node.end_lineno or node.lineno
    decorators = getattr(node, "decorator_list", ())
    first = min((decorator.lineno for decorator in decorators), default=node.lineno)
    ends = [getattr(part, "end_lineno", None) for part in parts if part is not None]
    return first, max((end for end in ends if end), default=node.lineno)


def _arguments(arguments: ast.arguments) -> Iterator[ast.AST | None]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (arguments.vararg, arguments.kwarg, *arguments.defaults, *arguments.kw_defaults)
