"""The ground that a fault grows on: a function of a file, or the code of a file outside functions."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mutation import FunctionNode, Module, Mutant

Edits = tuple[Mutant, ...]
_BLOCKS = ("body", "orelse", "finalbody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A function of a parsed file; without one, the code of the file and of its classes outside functions."""

    module: Module
    function: FunctionNode | None = None

    @property
    def root(self) -> ast.AST:
        """The node whose blocks are the ground."""
        return self.function or self.module.tree

    def nodes(self) -> Iterator[ast.AST]:
        """Every node of the body, depth first."""
        if self.function is not None:
            for statement in self.function.body:
                yield from _walk(statement)
            return
        for statement in self.module.tree.body:
            if not isinstance(statement, FunctionNode):
                yield from (node for node in _walk(statement, functions=False))

    def blocks(self) -> Iterator[list[ast.stmt]]:
        """Every block of statements, docstrings in them."""
        for node in (self.root, *self.nodes()):
            for field in _BLOCKS:
                block = getattr(node, field, None)
                if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                    yield block

    def calls(self) -> Iterator[ast.Call]:
        """Every call."""
        return (node for node in self.nodes() if isinstance(node, ast.Call))

    def docstrings(self) -> frozenset[int]:
        """The ids of constants that stand alone as statements."""
        return frozenset(id(node.value) for node in self.nodes() if isinstance(node, ast.Expr))

    def within(self, kinds: type[ast.AST] | tuple[type[ast.AST], ...]) -> frozenset[int]:
        """The ids of all nodes below a node of some kinds."""
        outer = (node for node in self.nodes() if isinstance(node, kinds))
        return frozenset(id(part) for node in outer for part in ast.walk(node) if part is not node)


Shape = Callable[[Ground], Iterator[Edits]]


def _walk(node: ast.AST, *, functions: bool = True) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if functions or not isinstance(child, FunctionNode | ast.Lambda):
            yield from _walk(child, functions=functions)


def written(module: Module, kind: str, node: ast.expr | ast.stmt | ast.keyword, text: bytes) -> Edits:
    """`text` in place of a node."""
    return (module.replace(kind, node, text),)


def spliced(kind: str, start: int, end: int, text: bytes = b"") -> Edits:
    """`text` in place of some bytes."""
    return (Mutant(operator=kind, start=start, end=end, text=text),)


def without_lines(module: Module, kind: str, first: int, last: int) -> Edits:
    """The file without some lines, counted from 1."""
    return spliced(kind, module.line_starts[first - 1], module.line_starts[last])


def without_item(
    module: Module, kind: str, spans: list[tuple[int, int]], index: int, *, least: int = 1
) -> Iterator[Edits]:
    """A list, tuple, call or table without one of its items and the comma that belongs to it."""
    if len(spans) <= least:
        return
    start, end = spans[index]
    if index:
        start = spans[index - 1][1]
    else:
        end = spans[1][0]
    yield spliced(kind, start, end)
