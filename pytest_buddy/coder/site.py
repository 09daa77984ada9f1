"""One statement as templates see it: its expressions, their text, and ways to rewrite them."""

import ast
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

from pytest_buddy.coder.change import Change, Splice
from pytest_buddy.coder.hints import Hints
from pytest_buddy.coder.ingredients import Ingredients
from pytest_buddy.coder.outline import FunctionNode, Outline, Statement
from pytest_buddy.coder.precedence import PRIMARY, level_of, required_level
from pytest_buddy.coder.scope import Scope, bound_names, parameters
from pytest_buddy.source import Source

N = TypeVar("N", bound=ast.AST)
_BLOCKS = frozenset({"body", "orelse", "finalbody", "handlers", "cases", "type_params", "type_comment"})
_ANNOTATIONS = frozenset({"annotation", "returns", "decorator_list"})
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_MOST_NODES: Final = 400
_MOST_NAMES: Final = 80
_PRECISE_FSTRINGS = sys.version_info >= (3, 12)


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """A statement with its scope and the hints that the failures give."""

    outline: Outline
    statement: Statement
    scope: Scope
    hints: Hints
    ingredients: Ingredients

    @property
    def source(self) -> Source:
        """The file the statement is in."""
        return self.outline.source

    @property
    def node(self) -> ast.AST:
        """The statement's syntax-tree node."""
        return self.statement.node

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Child -> parent, for the expressions of the statement (its header when compound).

        Of very large ones, such as tables, only the outer and first ones.
        """
        found: dict[ast.AST, ast.AST] = {}
        queue: deque[ast.AST] = deque([self.node])
        while queue and len(found) < _MOST_NODES:
            parent = queue.popleft()
            for child in self._children(parent):
                found[child] = parent
                queue.append(child)
        return found

    @cached_property
    def _by_type(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = {}
        for node in self.parents:
            found.setdefault(type(node), []).append(node)
        for nodes in found.values():
            nodes.sort(key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))
        return found

    def nodes_of(self, node_type: type[N]) -> tuple[N, ...]:
        """The nodes of a type in the statement, itself included, in the order of the text."""
        found: list[ast.AST] = list(self._by_type.get(node_type, ()))
        if node_type is ast.expr:
            found = [node for node in self.parents if isinstance(node, ast.expr)]
        if type(self.node) is node_type:
            found.insert(0, self.node)
        return tuple(node for node in found if isinstance(node, node_type))

    @cached_property
    def loads(self) -> tuple[ast.expr, ...]:
        """Every expression of the statement that is read (no targets), outer ones first."""
        return tuple(
            node
            for node in self.parents
            if isinstance(node, ast.expr)
            and not isinstance(node, ast.Slice | ast.Starred)
            and isinstance(getattr(node, "ctx", _LOAD), ast.Load)
        )

    def _children(self, parent: ast.AST) -> Iterator[ast.AST]:
        if isinstance(parent, ast.JoinedStr):
            yield from self._interpolations(parent)
            return
        top = parent is self.node
        if isinstance(parent, ast.Match):
            yield from _case_expressions(parent)
        for name, value in ast.iter_fields(parent):
            if name in _ANNOTATIONS or (top and name in _BLOCKS):
                continue
            items = value if isinstance(value, list) else [value]
            for item in items:
                if isinstance(
                    item, ast.expr | ast.comprehension | ast.keyword | ast.arguments | ast.withitem
                ):
                    yield item

    def _interpolations(self, node: ast.JoinedStr) -> Iterator[ast.AST]:
        if not _PRECISE_FSTRINGS:
            return
        for value in node.values:
            if isinstance(value, ast.FormattedValue) and self._is_exact(value.value):
                yield value.value

    def _is_exact(self, node: ast.expr) -> bool:
        try:
            written = ast.parse(f"({self.text(node)})", mode="eval").body
        except (SyntaxError, ValueError, RecursionError):
            return False
        return ast.dump(written) == ast.dump(node)

    @cached_property
    def _texts(self) -> dict[ast.AST, str]:
        return {}

    def text(self, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> str:
        """The node as it is written in the file; its newlines are LF."""
        known = self._texts.get(node)
        if known is None:
            start, end = self.source.span(node)
            raw = self.source.content[start:end].decode(self.source.encoding, "replace")
            known = raw.replace("\r\n", "\n").replace("\r", "\n")
            self._texts[node] = known
        return known

    def parent(self, node: ast.AST) -> ast.AST:
        """The node around; the statement itself for the outermost expressions."""
        return self.parents.get(node, self.node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around, innermost first, up to the statement."""
        while node is not self.node:
            node = self.parent(node)
            yield node

    def operand(self, node: ast.expr, level: int) -> str:
        """The node's text, in parentheses when it is looser than `level`."""
        text = self.text(node)
        return f"({text})" if level_of(node) < level or ("\n" in text and level > 0) else text

    def splice(self, node: ast.expr, text: str, level: int = PRIMARY) -> Splice:
        """Put `text`, an expression of that precedence level, where `node` is."""
        start, end = self.source.span(node)
        parent = self.parent(node)
        if (
            isinstance(node, ast.GeneratorExp)
            and isinstance(parent, ast.Call)
            and self.source.span(parent)[1] == end
        ):
            return Splice(start, end, f"({text})")  # its parentheses are the call's
        if level < required_level(parent, node) and not self._enclosed(start, end):
            text = f"({text})"
        if self.source.content[start - 1 : start].isalnum() and start:
            text = f" {text}"
        return Splice(start, end, text)

    def _enclosed(self, start: int, end: int) -> bool:
        content = self.source.content
        return content[start - 1 : start] == b"(" and content[end : end + 1] == b")"

    def change(  # noqa: PLR0913, RUF100 - the fields of a Change
        self,
        node: ast.expr,
        text: str,
        why: str,
        *,
        level: int = PRIMARY,
        prior: float = 1.0,
        suspicion: float = 0.0,
        signal: str = "",
        structural: bool = False,
    ) -> Change:
        """The change that puts `text` where the expression is."""
        return Change(
            splices=(self.splice(node, text, level),),
            rationale=why,
            prior=prior,
            suspicion=suspicion,
            signal=signal,
            structural=structural,
        )

    @cached_property
    def _names(self) -> dict[str, float]:
        found: dict[str, float] = {}
        line = getattr(self.node, "lineno", 0)
        in_loop = self.statement.in_loop
        for name in self.scope.names.values():
            if name.kind == "local" and name.line >= line and not in_loop:
                continue
            found[name.id] = _LIKELIHOOD[name.kind]
        if len(found) <= _MOST_NAMES:
            return found
        names = self.scope.names
        nearest = sorted(found, key=lambda name: (-found[name], abs(names[name].line - line)))
        return {name: found[name] for name in nearest[:_MOST_NAMES]}

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """The names that the statement mentions."""
        return frozenset(node.id for node in self.nodes_of(ast.Name))

    def names_at(self, node: ast.AST) -> dict[str, float]:
        """Values in scope at an expression -> how likely a name of that origin is meant there."""
        found = self._names
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, ast.Lambda):
                found = found | {argument.arg: 1.0 for argument in parameters(ancestor)}
            elif isinstance(ancestor, _COMPREHENSIONS):
                for generator in ancestor.generators:
                    found = found | {bound.id: 1.0 for bound in bound_names(generator.target)}
        return found

    @cached_property
    def function(self) -> FunctionNode | None:
        """The innermost function around the statement."""
        if isinstance(self.node, FunctionNode):
            return self.node
        return self.statement.owner.function

    @cached_property
    def indentation(self) -> str:
        """The white space before the statement; empty when something else stands before it on its line."""
        start = self.source.span(self.statement.node)[0]
        line_start = self.source.line_starts[self.statement.node.lineno - 1]
        before = self.source.content[line_start:start].decode(self.source.encoding, "replace")
        return before if not before.strip() else ""

    @cached_property
    def starts_line(self) -> bool:
        """Whether nothing but white space stands before the statement on its line."""
        start = self.source.span(self.statement.node)[0]
        line_start = self.source.line_starts[self.statement.node.lineno - 1]
        return not self.source.content[line_start:start].strip()

    @cached_property
    def step(self) -> str:
        """One level of indentation, as the surroundings write it."""
        function = self.statement.owner.node
        body = function.body
        if isinstance(function, ast.Module) or not body:
            return "\t" if self.indentation.startswith("\t") else "    "
        outer, inner = self._margin(function.lineno), self._margin(body[0].lineno)
        return inner[len(outer) :] if inner.startswith(outer) and len(inner) > len(outer) else "    "

    def _margin(self, line: int) -> str:
        text = self.source.line(line)
        return text[: len(text) - len(text.lstrip())]


def _case_expressions(node: ast.Match) -> Iterator[ast.expr]:
    for case in node.cases:
        if case.guard is not None:
            yield case.guard
        for pattern in ast.walk(case.pattern):
            if isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant):
                yield pattern.value


_LOAD = ast.Load()
_LIKELIHOOD = {
    "parameter": 1.0,
    "local": 1.0,
    "enclosing": 0.5,
    "constant": 0.35,
    "callable": 0.04,
    "import": 0.02,
    "builtin": 0.02,
}
