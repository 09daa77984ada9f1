"""Source files as the rules read them: the statement at a line, its names, the function around it."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_buddy.errors import SourceError
from pytest_buddy.source import Source

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A function or class, and the file that defines it."""

    path: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Library:
    """The sources at hand, by path."""

    sources: Mapping[str, Source]

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
        for node in self._nodes(path):
            if isinstance(node, ast.stmt) and _covers(node, line):
                found = node if found is None or node.lineno >= found.lineno else found
        return found

    def function(self, path: str, line: int) -> AnyFunction | None:
        """The innermost function that covers a line."""
        found: AnyFunction | None = None
        for node in self._nodes(path):
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
        return tuple(
            Definition(path=path, node=node)
            for path in self.sources
            for node in self._nodes(path)
            if isinstance(node, AnyFunction | ast.ClassDef) and node.name == name
        )

    def called(self, path: str, call: ast.Call) -> Definition | None:
        """The function that a call names, when only one definition can be meant."""
        name = name_of(call.func)
        found = [one for one in self.definitions(name) if isinstance(one.node, AnyFunction)]
        here = [one for one in found if one.path == path]
        chosen = here if here and isinstance(call.func, ast.Name) else found
        return chosen[0] if len(chosen) == 1 else None

    def _nodes(self, path: str) -> Iterator[ast.AST]:
        tree = self.tree(path)
        return iter(()) if tree is None else ast.walk(tree)


def _covers(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def name_of(node: ast.expr) -> str:
    """The last name of a dotted name; empty for other expressions."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


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


def statements_of(function: AnyFunction) -> Iterator[ast.stmt]:
    """The statements of a function, without those of functions and classes inside it."""
    waiting: list[ast.stmt] = list(function.body)
    while waiting:
        statement = waiting.pop(0)
        yield statement
        if isinstance(statement, AnyFunction | ast.ClassDef):
            continue
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.stmt):
                waiting.append(child)
            elif isinstance(child, ast.ExceptHandler | ast.match_case):
                waiting += child.body
