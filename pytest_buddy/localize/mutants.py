"""Generic mutants of one statement, the mildest changes first."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pytest_buddy.localize.statements import Statement, header_nodes
from pytest_buddy.source import Source

Span = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """Byte spans to replace together, and what that does, as `changing ...`."""

    text: str
    spans: tuple[Span, ...]


_COMPARE: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
}
_COMMENT = re.compile(rb"#[^\r\n]*")
_IMPORTS = (ast.Import, ast.ImportFrom)


def mutants(statement: Statement, source: Source) -> Iterator[Mutant]:
    """Changed operators and operands, then negated conditions and lost values, then the lost statement."""
    if isinstance(statement.node, _IMPORTS):
        return
    nodes = list(_nodes(statement))
    yield from _operators_changed(nodes, source)
    yield from _numbers(nodes, source)
    yield from _operands_moved(nodes, source)
    yield from _whole(statement, source)


def _nodes(statement: Statement) -> Iterator[ast.AST]:
    """The nodes of the header outside f-strings, whose parts have no true position before Python 3.12."""
    nodes = list(header_nodes(statement.node))
    hidden: set[int] = set()
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            hidden.update(id(part) for part in ast.walk(node))
    ordered = [node for node in nodes if id(node) not in hidden]
    ordered.sort(key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))
    return iter(ordered)


def _operators_changed(nodes: list[ast.AST], source: Source) -> Iterator[Mutant]:
    for node in nodes:
        match node:
            case ast.Compare(ops=[operator, *_]):
                old, new = _COMPARE[type(operator)]
                yield from _operator(node.left, node.comparators[0], old, new, source)
            case ast.BoolOp():
                old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
                yield from _operators(node.values, old, new, source)
            case ast.BinOp():
                old, new = _ARITHMETIC.get(type(node.op), ("", ""))
                yield from _operator(node.left, node.right, old, new, source)
            case ast.AugAssign():
                old, new = _ARITHMETIC.get(type(node.op), ("", ""))
                yield from _operator(node.target, node.value, old, new, source)
            case ast.UnaryOp(op=ast.Not()):
                yield _replace(node, source.span(node.operand), "dropping `not`", source)
            case ast.Constant(value=bool(value)):
                yield _written(node, str(not value), source)


def _operands_moved(nodes: list[ast.AST], source: Source) -> Iterator[Mutant]:
    for node in nodes:
        match node:
            case ast.BinOp():
                left = _text(node.left, source)
                yield _replace(node, source.span(node.left), f"keeping only `{left}`", source)
            case ast.Call(args=[first, second, *_]) if not any(
                isinstance(argument, ast.Starred) for argument in (first, second)
            ):
                yield _swap(first, second, "the first two arguments", source)


def _numbers(nodes: list[ast.AST], source: Source) -> Iterator[Mutant]:
    """Each way of moving all numbers of the statement by one: a table is moved as a whole."""
    found = [
        node
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ]
    for step in (1, -1) if found else ():
        spans = []
        for node in found:
            start, end = source.span(node)
            assert isinstance(node.value, int | float)
            moved = f"{node.value + step!r}"
            spans.append((start, end, (f"({moved})" if moved.startswith("-") else moved).encode()))
        sign = "+" if step > 0 else "-"
        what = f"`{_text(found[0], source)}`" if len(found) == 1 else "each number"
        yield Mutant(text=f"changing {what} by {sign}1", spans=tuple(spans))


def _whole(statement: Statement, source: Source) -> Iterator[Mutant]:
    node = statement.node
    match node:
        case ast.If() | ast.While():
            yield _wrapped(node.test, "not (", ")", "negating the condition", source)
        case ast.For() | ast.AsyncFor():
            yield _wrapped(node.iter, "list(", ")[:-1]", "leaving out the last round", source)
        case ast.Return(value=ast.expr() as value):
            new = "0" if isinstance(value, ast.Constant) and value.value is None else "None"
            yield _written(value, new, source, f"returning `{new}` instead")
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            lost = "0" if isinstance(value, ast.Constant) and value.value is None else "None"
            yield _written(value, lost, source, f"assigning `{lost}` instead")
        case ast.match_case(guard=ast.expr() as guard):
            yield _wrapped(guard, "not (", ")", "negating the guard", source)
        case ast.match_case(pattern=pattern):
            assert pattern.end_lineno is not None
            assert pattern.end_col_offset is not None
            end = source.offset(pattern.end_lineno, pattern.end_col_offset)
            yield Mutant(text="skipping the case", spans=((end, end, b" if False"),))
        case ast.ExceptHandler(type=ast.expr() as caught):
            yield _written(caught, "Exception", source)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            for default in node.args.defaults:
                yield _written(default, "None", source, "defaulting to `None` instead")
    if isinstance(
        node, ast.Expr | ast.AugAssign | ast.Raise | ast.Delete | ast.Break | ast.Continue | ast.Assert
    ):
        yield _written(node, "pass", source, "leaving the statement out")


def _operator(left: ast.expr, right: ast.expr, old: str, new: str, source: Source) -> Iterator[Mutant]:
    if old:
        yield from _operators([left, right], old, new, source)


def _operators(operands: list[ast.expr], old: str, new: str, source: Source) -> Iterator[Mutant]:
    """Exchange the operator between each two neighbours."""
    pattern = re.compile(re.escape(old.encode()).replace(rb"\ ", rb"\s+"))
    spans = []
    for left, right in pairwise(operands):
        start, end = source.span(left)[1], source.span(right)[0]
        between = _COMMENT.sub(lambda found: b" " * len(found[0]), source.content[start:end])
        found = pattern.search(between)
        if found is None:
            return
        spans.append((start + found.start(), start + found.end(), new.encode()))
    yield Mutant(text=f"changing `{old}` to `{new}`", spans=tuple(spans))


def _replace(node: ast.expr, by: tuple[int, int], text: str, source: Source) -> Mutant:
    start, end = source.span(node)
    return Mutant(text=text, spans=((start, end, b"(" + source.content[by[0] : by[1]] + b")"),))


def _swap(first: ast.expr, second: ast.expr, what: str, source: Source) -> Mutant:
    a, b = source.span(first), source.span(second)
    content = source.content
    return Mutant(text=f"swapping {what}", spans=((*a, content[b[0] : b[1]]), (*b, content[a[0] : a[1]])))


def _written(node: ast.expr | ast.stmt, new: str, source: Source, text: str = "") -> Mutant:
    text = text or f"changing `{_text(node, source)}` to `{new}`"
    return Mutant(text=text, spans=((*source.span(node), new.encode()),))


def _wrapped(node: ast.expr, before: str, after: str, text: str, source: Source) -> Mutant:
    start, end = source.span(node)
    return Mutant(text=text, spans=((start, start, before.encode()), (end, end, after.encode())))


def _text(node: ast.expr | ast.stmt, source: Source) -> str:
    start, end = source.span(node)
    shown = " ".join(source.content[start:end].decode(source.encoding, "replace").split())
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
