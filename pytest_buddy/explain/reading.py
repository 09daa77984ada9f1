"""Source files as the rules read them: the statement at a line, its names, the function around it."""

import ast
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pytest_buddy.errors import SourceError
from pytest_buddy.source import Source

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A function or class, and the file that defines it."""

    path: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Library:
    """The sources at hand, by path; what was read once is remembered."""

    sources: Mapping[str, Source]

    @cached_property
    def _read(self) -> dict[str, tuple[ast.stmt, ...]]:
        return {}

    def tree(self, path: str) -> ast.Module | None:
        """The syntax tree of a file; None when it is not at hand or does not parse."""
        source = self.sources.get(path)
        if source is None:
            return None
        try:
            return source.tree
        except SourceError:
            return None

    def line(self, path: str, line: int) -> str:
        """The text of a line without its indentation; empty when it is not at hand."""
        source = self.sources.get(path)
        try:
            return source.line(line).strip() if source else ""
        except SourceError:
            return ""

    def statement(self, path: str, line: int) -> ast.stmt | None:
        """The innermost statement that covers a line."""
        found: ast.stmt | None = None
        for node in self._statements(path):
            if _covers(node, line):
                found = node if found is None or node.lineno >= found.lineno else found
        return found

    def function(self, path: str, line: int) -> AnyFunction | None:
        """The innermost function that covers a line."""
        found: AnyFunction | None = None
        for node in self._statements(path):
            if isinstance(node, AnyFunction) and _covers(node, line):
                found = node if found is None or node.lineno >= found.lineno else found
        return found

    def text(self, path: str, node: ast.AST) -> str:
        """The source text of an expression or simple statement, on one line."""
        source = self.sources.get(path)
        segment = ast.get_source_segment(source.text, node) if source else None
        return " ".join((segment or "").split())

    def header(self, path: str, statement: ast.stmt) -> str:
        """The statement's text; of a compound statement only what comes before its body."""
        body = getattr(statement, "body", None)
        if not body:
            return self.text(path, statement)
        last = max(body[0].lineno - 1, statement.lineno)
        lines = [self.line(path, line) for line in range(statement.lineno, last + 1)]
        return " ".join(" ".join(lines).split())

    def definitions(self, name: str) -> tuple[Definition, ...]:
        """Every function or class of that name in the sources."""
        head = re.compile(rb"\b(?:def|class)\s+" + re.escape(name.encode()) + rb"\b")
        return tuple(
            Definition(path=path, node=node)
            for path, source in self.sources.items()
            if head.search(source.content)
            for node in self._statements(path)
            if isinstance(node, AnyFunction | ast.ClassDef) and node.name == name
        )

    def called(self, path: str, call: ast.Call) -> Definition | None:
        """The function that a call names, when only one definition can be meant."""
        name = name_of(call.func)
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant | ast.JoinedStr):
            return None  # a method of a text
        found = [one for one in self.definitions(name) if isinstance(one.node, AnyFunction)]
        here = [one for one in found if one.path == path]
        chosen = here if here and isinstance(call.func, ast.Name) else found
        return chosen[0] if len(chosen) == 1 else None

    def raises(self, name: str) -> list[tuple[str, ast.Raise]]:
        """Every `raise` of an exception of that name."""
        return [
            (path, statement)
            for path, source in self.sources.items()
            if name.encode() in source.content
            for statement in self._statements(path)
            if isinstance(statement, ast.Raise) and name == _raised_name(statement)
        ]

    def guard(self, path: str, statement: ast.stmt) -> ast.If | None:
        """The `if` whose body holds a statement directly."""
        found = (one for one in self._statements(path) if isinstance(one, ast.If) and statement in one.body)
        return next(found, None)

    def calls_without_await(self, name: str) -> list[tuple[str, ast.Call]]:
        """Every call of a function of that name that is not awaited."""
        found: list[tuple[str, ast.Call]] = []
        for path, source in self.sources.items():
            tree = self.tree(path) if name.encode() in source.content else None
            nodes = list(ast.walk(tree)) if tree else []
            awaited = {id(node.value) for node in nodes if isinstance(node, ast.Await)}
            found += [
                (path, node)
                for node in nodes
                if isinstance(node, ast.Call) and name_of(node.func) == name and id(node) not in awaited
            ]
        return found

    def _statements(self, path: str) -> tuple[ast.stmt, ...]:
        """Every statement of a file, outer ones before those inside them."""
        if path not in self._read:
            tree = self.tree(path)
            self._read[path] = () if tree is None else tuple(_inner_statements(tree.body))
        return self._read[path]


def _inner_statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    waiting = deque(body)
    while waiting:
        statement = waiting.popleft()
        yield statement
        waiting += _bodies(statement)


def _bodies(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements directly inside a statement."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from child.body


def _raised_name(statement: ast.Raise) -> str:
    raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    return name_of(raised) if raised is not None else ""


def _covers(node: ast.stmt, line: int) -> bool:
    decorators = node.decorator_list if isinstance(node, AnyFunction | ast.ClassDef) else ()
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return first <= line <= (node.end_lineno or node.lineno)


def name_of(node: ast.expr) -> str:
    """The last name of a dotted name; empty for other expressions."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def failed_part(check: ast.expr, written: Collection[str]) -> ast.expr:
    """Of a condition in parts, the comparison that has one of the written values as its literal."""
    if not isinstance(check, ast.BoolOp):
        return check
    compared = [part for part in check.values if isinstance(part, ast.Compare)]
    literal = [
        part for part in compared if any(_written(one) in written for one in (part.left, *part.comparators))
    ]
    return literal[0] if len(literal) == 1 else check


def _written(node: ast.expr) -> str | None:
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def own_parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement without those of the statements inside it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def names_read(statement: ast.stmt) -> tuple[str, ...]:
    """The variables a statement reads, in order of appearance, each once."""
    nodes = [
        node for node in own_parts(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    ]
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        nodes.insert(0, statement.target)
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id for node in nodes))


def statements_of(function: AnyFunction | ast.ClassDef) -> Iterator[ast.stmt]:
    """The statements of a function or class, without those of functions and classes inside it."""
    waiting = deque(function.body)
    while waiting:
        statement = waiting.popleft()
        yield statement
        if not isinstance(statement, AnyFunction | ast.ClassDef):
            waiting += _bodies(statement)
