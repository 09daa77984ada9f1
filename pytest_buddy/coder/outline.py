"""The statements of a file and the functions and classes that hold them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pytest_buddy.source import Source

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_MOST_GUARDS = 60
_LONGEST_LINE = 88
_COPIED = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Raise)
OwnerNode = FunctionNode | ast.ClassDef | ast.Module
StatementNode = ast.stmt | ast.ExceptHandler
LOOPS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Owner:
    """A function, a class body or the module: what statements belong to."""

    node: OwnerNode
    qualname: str = ""
    parent: "Owner | None" = None

    @property
    def function(self) -> FunctionNode | None:
        """The function's node; None for classes and modules."""
        return self.node if isinstance(self.node, FunctionNode) else None

    @property
    def chain(self) -> tuple["Owner", ...]:
        """The owner and those around it, innermost first."""
        return (self,) if self.parent is None else (self, *self.parent.chain)

    @property
    def outermost_function(self) -> FunctionNode | None:
        """The outermost function around the statements, or None at module and class level."""
        functions = [owner.function for owner in self.chain if owner.function is not None]
        return functions[-1] if functions else None

    @property
    def enclosing_class(self) -> ast.ClassDef | None:
        """The nearest class around it or of it."""
        return next((owner.node for owner in self.chain if isinstance(owner.node, ast.ClassDef)), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Statement:
    """A statement (compound ones stand for their header), where it sits, and what is around it.

    `block` is the list that holds it, empty for an exception handler; `ancestors` are the statements around
    it inside the same owner, innermost last.
    """

    node: StatementNode
    owner: Owner
    block: tuple[ast.stmt, ...] = ()
    index: int = 0
    ancestors: tuple[StatementNode, ...] = ()
    chained: bool = False

    @property
    def header_end(self) -> int:
        """The last line of the statement, or of its header when it has a body."""
        assert self.node.end_lineno is not None
        body: list[ast.stmt] = getattr(self.node, "body", [])
        if isinstance(self.node, ast.Match):
            return self.node.subject.end_lineno or self.node.lineno
        if not body:
            return self.node.end_lineno
        return max(self.node.lineno, body[0].lineno - 1)

    @property
    def own_lines(self) -> tuple[int, ...]:
        """The lines of the statement, those of its body left out; of a `match`, also its `case` lines."""
        lines = list(range(self.node.lineno, self.header_end + 1))
        if isinstance(self.node, ast.Match):
            lines += [case.pattern.lineno for case in self.node.cases]
        return tuple(dict.fromkeys(lines))

    @property
    def in_loop(self) -> bool:
        """Whether `break` and `continue` are allowed here."""
        return any(isinstance(ancestor, LOOPS) for ancestor in self.ancestors)

    @property
    def is_docstring(self) -> bool:
        """Whether it is a bare string."""
        node = self.node
        return (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """An `if` with nothing but a `raise`, `return` or the like in it, and the names it reads."""

    owner: Owner
    word: str
    error: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A simple statement on one line of a function: its text, and the names that it reads and binds."""

    statement: Statement
    text: str
    reads: frozenset[str]
    binds: frozenset[str]

    @property
    def before(self) -> ast.stmt | None:
        """The statement above it in its block."""
        place = self.statement.index
        return self.statement.block[place - 1] if place else None

    @property
    def behind(self) -> ast.stmt | None:
        """The statement below it in its block."""
        block, place = self.statement.block, self.statement.index + 1
        return block[place] if place < len(block) else None


@dataclass(frozen=True, kw_only=True)
class Outline:
    """All statements of one source, found by line."""

    source: Source

    @cached_property
    def module(self) -> Owner:
        """The owner of top-level statements."""
        return Owner(node=self.source.tree)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Every statement and exception handler, in the order of the source."""
        return tuple(self._block(self.source.tree.body, self.module, ()))

    @cached_property
    def by_line(self) -> dict[int, tuple[Statement, ...]]:
        """Line -> the statements whose own lines (a compound one's header) include it, outer first."""
        lines: dict[int, tuple[Statement, ...]] = {}
        for statement in self.statements:
            for line in statement.own_lines:
                lines[line] = (*lines.get(line, ()), statement)
        return lines

    @cached_property
    def by_owner(self) -> dict[Owner, tuple[Statement, ...]]:
        """Owner -> its own statements, in the order of the source."""
        owners: dict[Owner, list[Statement]] = {}
        for statement in self.statements:
            owners.setdefault(statement.owner, []).append(statement)
        return {owner: tuple(statements) for owner, statements in owners.items()}

    def text(self, node: ast.expr | ast.stmt) -> str:
        """A node on one line: as it is written where it is on one, else written anew."""
        if node.lineno != node.end_lineno:
            return ast.unparse(node)
        start, end = self.source.span(node)
        return self.source.content[start:end].decode(self.source.encoding, "replace")

    @cached_property
    def guards(self) -> dict[str, Guard]:
        """Text (its second line indented by a tab) -> guard, of the short ones in the file's functions."""
        found: dict[str, Guard] = {}
        for statement in self.statements:
            match statement.node:
                case ast.If(body=[ast.Raise() | ast.Return() as action], orelse=[], test=test):
                    if statement.owner.function is None or statement.chained or len(found) >= _MOST_GUARDS:
                        continue
                    if not is_short(statement.node):
                        continue
                    raised = action.exc if isinstance(action, ast.Raise) else None
                    error = raised.func if isinstance(raised, ast.Call) else raised
                    nodes = ast.walk(statement.node)
                    found[f"if {self.text(test)}:\n\t{self.text(action)}"] = Guard(
                        owner=statement.owner,
                        word=type(action).__name__.lower(),
                        error=error.id if isinstance(error, ast.Name) else "",
                        names=frozenset(node.id for node in nodes if isinstance(node, ast.Name)),
                    )
        return found

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The simple statements of functions, each on a line of its own."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[Line]:
        for statement in self.statements:
            node = statement.node
            if not isinstance(node, _COPIED) or statement.owner.function is None or statement.is_docstring:
                continue
            if node.lineno != node.end_lineno or not statement.block:
                continue
            start, end = self.source.span(node)
            text = self.source.content[start:end].decode(self.source.encoding, "replace")
            behind = self.source.line(node.lineno).strip().removeprefix(text).strip()
            if len(text) > _LONGEST_LINE or (behind and not behind.startswith("#")):
                continue
            names = [item for item in ast.walk(node) if isinstance(item, ast.Name)]
            binds = frozenset(name.id for name in names if isinstance(name.ctx, ast.Store))
            reads = frozenset(name.id for name in names if isinstance(name.ctx, ast.Load))
            updated = binds if isinstance(node, ast.AugAssign) else frozenset()
            yield Line(statement=statement, text=text, reads=reads | updated, binds=binds)

    @cached_property
    def calls(self) -> dict[str, tuple[ast.Call, ...]]:
        """Name of a function or method -> the calls of it in the file."""
        found: dict[str, list[ast.Call]] = {}
        for node in self.nodes:
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    found.setdefault(name, []).append(node)
        return {name: tuple(calls) for name, calls in found.items()}

    @cached_property
    def bare_methods(self) -> dict[str, frozenset[str]]:
        """Method that the file calls without arguments -> the names of what it is called on."""
        found: dict[str, set[str]] = {}
        for node in self.nodes:
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[], keywords=[]):
                    called_on = found.setdefault(name, set())
                    match owner:
                        case ast.Name(id=word) | ast.Attribute(attr=word):
                            called_on.add(word)
        return {name: frozenset(words) for name, words in found.items()}

    @cached_property
    def joined(self) -> dict[str, dict[str, ast.expr]]:
        """Condition -> `and` or `or` and another one that the file joins it with -> the other's node."""
        found: dict[str, dict[str, ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.BoolOp) and len(node.values) <= 4 and is_short(node):
                word = "and" if isinstance(node.op, ast.And) else "or"
                texts = [self.text(value) for value in node.values]
                for text in texts:
                    others = zip(texts, node.values, strict=True)
                    more = {f"{word} {other}": value for other, value in others if other != text}
                    found.setdefault(text, {}).update(more)
        return found

    @cached_property
    def types_tested(self) -> dict[str, frozenset[str]]:
        """Type that the file asks for in `isinstance` -> those that it asks for beside it."""
        found: dict[str, set[str]] = {}
        for call in (*self.calls.get("isinstance", ()), *self.calls.get("issubclass", ())):
            kinds = call.args[-1] if len(call.args) == 2 else None
            held = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
            texts = {self.text(kind) for kind in held if isinstance(kind, ast.Name | ast.Attribute)}
            for text in texts:
                found.setdefault(text, set()).update(texts - {text})
        return {text: frozenset(others) for text, others in found.items()}

    @cached_property
    def fallbacks(self) -> dict[str, tuple[str, frozenset[str]]]:
        """What stands behind an `or` or `else` in expressions -> what it stands in for, and what it reads."""
        found: dict[str, tuple[str, frozenset[str]]] = {}
        for node in self.nodes:
            match node:
                case ast.BoolOp(op=ast.Or(), values=[value, other]) | ast.IfExp(body=value, orelse=other):
                    if not is_short(other, 12) or isinstance(other, ast.Compare | ast.BoolOp):
                        continue
                    names = frozenset(item.id for item in ast.walk(other) if isinstance(item, ast.Name))
                    text = self.text(other)
                    if len(text) <= 40 and len(found) < _MOST_GUARDS:
                        found.setdefault(text, (self.text(value) if is_short(value, 12) else "", names))
        return found

    @cached_property
    def functions(self) -> dict[str, tuple[FunctionNode, ...]]:
        """Name -> the functions and methods of that name anywhere in the file."""
        found: dict[str, tuple[FunctionNode, ...]] = {}
        for statement in self.statements:
            if isinstance(statement.node, FunctionNode):
                found[statement.node.name] = (*found.get(statement.node.name, ()), statement.node)
        return found

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """Name -> class, anywhere in the file."""
        nodes = (statement.node for statement in self.statements)
        return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the file."""
        return tuple(ast.walk(self.source.tree))

    @cached_property
    def attributes(self) -> tuple[dict[str, int], dict[str, int]]:
        """How often each attribute name is read as a value, and how often it is called, in the file."""
        read: dict[str, int] = {}
        called: dict[str, int] = {}
        callees: set[int] = set()
        for node in self.nodes:
            if isinstance(node, ast.Call):
                callees.add(id(node.func))
            if isinstance(node, ast.Attribute):
                counts = called if id(node) in callees else read
                counts[node.attr] = counts.get(node.attr, 0) + 1
        return read, called

    @cached_property
    def frequent_reads(self) -> tuple[str, ...]:
        """The attributes that the file reads most, at most thirty."""
        return _most_frequent(self.attributes[0])

    @cached_property
    def frequent_calls(self) -> tuple[str, ...]:
        """The methods that the file calls most, at most thirty."""
        return _most_frequent(self.attributes[1])

    @cached_property
    def strings(self) -> dict[str, int]:
        """How often each string constant without white space appears in the file."""
        counts: dict[str, int] = {}
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                value = node.value
                if value and len(value) <= 40 and not any(character.isspace() for character in value):
                    counts[value] = counts.get(value, 0) + 1
        return counts

    def _block(
        self, block: list[ast.stmt], owner: Owner, ancestors: tuple[StatementNode, ...]
    ) -> Iterator[Statement]:
        held = tuple(block)
        for index, node in enumerate(held):
            chained = isinstance(node, ast.If) and index == 0 and self._is_elif(node, ancestors)
            yield Statement(
                node=node, owner=owner, block=held, index=index, ancestors=ancestors, chained=chained
            )
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from self._block(node.body, self._owner(node, owner), ())
                continue
            inner = (*ancestors, node)
            for name in ("body", "handlers", "orelse", "finalbody", "cases"):
                for child in self._children(getattr(node, name, []), owner, inner):
                    yield from child

    def _children(
        self, items: list[ast.AST], owner: Owner, ancestors: tuple[StatementNode, ...]
    ) -> Iterator[Iterator[Statement]]:
        block = [item for item in items if isinstance(item, ast.stmt)]
        if block:
            yield self._block(block, owner, ancestors)
        for item in items:
            if isinstance(item, ast.ExceptHandler):
                yield iter((Statement(node=item, owner=owner, ancestors=ancestors),))
                yield self._block(item.body, owner, (*ancestors, item))
            elif isinstance(item, ast.match_case):
                yield self._block(item.body, owner, ancestors)

    def _is_elif(self, node: ast.If, ancestors: tuple[StatementNode, ...]) -> bool:
        if not ancestors or not isinstance(ancestors[-1], ast.If):
            return False
        start, _ = self.source.span(node)
        return self.source.content.startswith(b"elif", start)

    @staticmethod
    def _owner(node: FunctionNode | ast.ClassDef, parent: Owner) -> Owner:
        if not parent.qualname:
            return Owner(node=node, qualname=node.name, parent=parent)
        joint = ".<locals>." if parent.function else "."
        return Owner(node=node, qualname=f"{parent.qualname}{joint}{node.name}", parent=parent)


def is_short(node: ast.AST, most: int = 60) -> bool:
    """Whether it has so few nodes that writing it out anew is cheap and safe."""
    return all(count < most for count, _ in enumerate(ast.walk(node)))


def _most_frequent(counts: dict[str, int]) -> tuple[str, ...]:
    return tuple(sorted(counts, key=lambda name: -counts[name])[:30])
