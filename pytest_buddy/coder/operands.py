"""Templates on arithmetic: its operators and operands."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.precedence import ADD, MULTIPLY, UNARY, binary_level, level_of
from pytest_buddy.coder.roles import key_of
from pytest_buddy.coder.site import Site

_SYMBOL: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.LShift: "<<", ast.RShift: ">>", ast.MatMult: "@",
}  # fmt: skip
_SIBLINGS: Final[dict[str, dict[str, float]]] = {
    "+": {"-": 1, "*": 0.4, "|": 0.1},
    "-": {"+": 1, "/": 0.2, "*": 0.2, "%": 0.1},
    "*": {"/": 0.6, "**": 0.5, "+": 0.6, "//": 0.3, "-": 0.2},
    "/": {"//": 1, "*": 0.6, "%": 0.3, "-": 0.1},
    "//": {"/": 1, "%": 0.7, "*": 0.3},
    "%": {"//": 1, "/": 0.5, "*": 0.2, "-": 0.2},
    "**": {"*": 1, "^": 0.1},
    "|": {"&": 1, "^": 0.5, "+": 0.2},
    "&": {"|": 1, "^": 0.5},
    "^": {"|": 0.7, "&": 0.7, "**": 0.5},
    "<<": {">>": 1},
    ">>": {"<<": 1},
    "@": {"*": 1},
}
_DIVISION: Final = {"//": "floor", "/": "true-division"}


def symbol_between(site: Site, left: ast.expr, right: ast.expr, symbol: str) -> tuple[int, int] | None:
    """Where the operator stands between two operands; None when it cannot be told from other text."""
    start, end = site.source.span(left)[1], site.source.span(right)[0]
    between = site.source.content[start:end]
    if b"#" in between or between.count(symbol.encode()) != 1:
        return None
    place = start + between.index(symbol.encode())
    return place, place + len(symbol)


@on_expressions("arithmetic", 0.18, ast.BinOp)
def arithmetic_operator(site: Site, node: ast.BinOp) -> Iterator[Change]:
    """Another arithmetic operator."""
    symbol = _SYMBOL[type(node.op)]
    if isinstance(node.left, ast.Constant | ast.JoinedStr) and not isinstance(
        getattr(node.left, "value", ""), int | float
    ):
        return
    place = symbol_between(site, node.left, node.right, symbol)
    if place is None:
        return
    for other, prior in _SIBLINGS[symbol].items():
        why = f"computes with `{other}` instead of `{symbol}`"
        splices: tuple[Splice, ...] = (Splice(*place, other),)
        if _rebinds(site, node, other):
            text = f"{site.operand(node.left, ADD)} {other} {site.operand(node.right, ADD + 1)}"
            splices = (site.splice(node, text, ADD),)
        yield Change(splices=splices, rationale=why, prior=prior, signal=_DIVISION.get(other, ""))


@on_expressions("round-up", 0.05, ast.BinOp)
def round_up(site: Site, node: ast.BinOp) -> Iterator[Change]:
    """A division rounded up, not down."""
    if not isinstance(node.op, ast.FloorDiv):
        return
    left, right = site.operand(node.left, UNARY), site.operand(node.right, UNARY)
    why = f"rounds `{site.text(node)}` up, not down"
    yield site.change(node, f"-(-{left} // {right})", why, level=UNARY, signal="+1")
    if "math" in site.scope.names:
        text = f"math.ceil({site.text(node.left)} / {right})"
        yield site.change(node, text, why, signal="+1")


def _rebinds(site: Site, node: ast.BinOp, other: str) -> bool:
    parent = site.parent(node)
    return other in "+-" and binary_level(node.op) > ADD and isinstance(parent, ast.BinOp | ast.UnaryOp)


@on_statement("augmented", 0.22)
def augmented_operator(site: Site) -> Iterator[Change]:
    """Another operator in an augmented assignment, or a plain one."""
    node = site.node
    if isinstance(node, ast.AugAssign):
        symbol = f"{_SYMBOL[type(node.op)]}="
        place = symbol_between(site, node.target, node.value, symbol)
        if place is None:
            return
        for other, prior in _SIBLINGS[symbol[:-1]].items():
            why = f"updates with `{other}=` instead of `{symbol}`"
            yield Change(splices=(Splice(*place, f"{other}="),), rationale=why, prior=prior)
        yield Change(
            splices=(Splice(*place, "="),),
            rationale=f"assigns instead of updating with `{symbol}`",
            prior=0.6,
        )
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        place = symbol_between(site, node.targets[0], node.value, "=")
        if place is None or isinstance(node.targets[0], ast.Tuple | ast.List):
            return
        yield from _accumulate(site, node, place)


def _accumulate(site: Site, node: ast.Assign, place: tuple[int, int]) -> Iterator[Change]:
    target = node.targets[0]
    known = not isinstance(target, ast.Name) or (
        (name := site.scope.names.get(target.id)) is not None
        and (name.line < node.lineno or name.kind == "parameter")
    )
    if known and (site.statement.in_loop or not isinstance(target, ast.Name)):
        for symbol, prior in (("+=", 0.5), ("-=", 0.1), ("*=", 0.1), ("|=", 0.05)):
            why = f"updates `{site.text(target)}` with `{symbol}` instead of assigning anew"
            yield Change(splices=(Splice(*place, symbol),), rationale=why, prior=prior)


@on_expressions("drop-operand", 0.07, ast.BinOp)
def drop_operand(site: Site, node: ast.BinOp) -> Iterator[Change]:
    """One side of the operation alone."""
    if (
        isinstance(node.op, ast.Mod)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.left.value, str)
    ):
        return
    for kept, dropped in ((node.left, node.right), (node.right, node.left)):
        if isinstance(kept, ast.Constant):
            continue
        small = isinstance(dropped, ast.Constant)
        idle = isinstance(site.node, ast.AugAssign) and site.text(kept) == site.text(site.node.target)
        yield site.change(
            node,
            site.text(kept),
            f"drops `{site.text(dropped)}` from `{site.text(node)}`",
            level=level_of(kept),
            prior=(1.0 if small else 0.5) * (1.0 if kept is node.left else 0.4) * (0.2 if idle else 1.0),
            suspicion=0.5 if idle else 0.0,
            signal=_dropped_signal(node, dropped),
        )


def _dropped_signal(node: ast.BinOp, dropped: ast.expr) -> str:
    if isinstance(dropped, ast.Constant) and dropped.value == 1:
        return "-1" if isinstance(node.op, ast.Add) else "+1"
    return ""


@on_expressions("swap-operands", 0.1, ast.BinOp)
def swap_operands(site: Site, node: ast.BinOp) -> Iterator[Change]:
    """The operands change places."""
    if site.text(node.left) == site.text(node.right):
        return
    if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant | ast.JoinedStr):
        return
    level = binary_level(node.op)
    prior = 1.0 if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod | ast.Pow) else 0.25
    if isinstance(node.op, ast.Mult) or (isinstance(node.op, ast.Add) and _numeric(node)):
        return
    left, right = site.text(node.left), site.text(node.right)
    if isinstance(node.left, ast.BinOp) and level_of(node.left) == level:
        return
    yield site.change(
        node,
        f"{site.operand(node.right, level)} {_SYMBOL[type(node.op)]} {site.operand(node.left, level + 1)}",
        f"swaps the operands `{left}` and `{right}`",
        level=level,
        prior=prior,
        signal="negate" if isinstance(node.op, ast.Sub) else "",
    )


def _numeric(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.Constant) and isinstance(side.value, int | float)
        for side in (node.left, node.right)
    )


@on_expressions("regroup", 0.1, ast.BinOp)
def regroup(site: Site, node: ast.BinOp) -> Iterator[Change]:
    """Other parentheses: `a + b / c` for `(a + b) / c`, and back."""
    level = binary_level(node.op)
    symbol = _SYMBOL[type(node.op)]
    for inner, outer in ((node.left, node.right), (node.right, node.left)):
        if not isinstance(inner, ast.BinOp):
            continue
        inner_symbol, inner_level = _SYMBOL[type(inner.op)], binary_level(inner.op)
        if inner_level == level and symbol in "+*" and inner_symbol in "+*":
            continue
        first, second = site.operand(inner.left, inner_level), site.operand(inner.right, inner_level + 1)
        if inner is node.left:
            other = site.operand(outer, level + 1)
            text = f"{first} {inner_symbol} ({second} {symbol} {other})"
            if level > inner_level:
                text = f"{first} {inner_symbol} {second} {symbol} {other}"
            result = inner_level
        else:
            other = site.operand(outer, level)
            text = f"({other} {symbol} {first}) {inner_symbol} {second}"
            if level >= inner_level:
                text = f"{other} {symbol} {first} {inner_symbol} {second}"
            result = inner_level
        yield site.change(node, text, "groups the operations differently", level=result)


_OFFSET_SLOTS: Final = (ast.Name, ast.Attribute, ast.Call, ast.BinOp, ast.Subscript)


@on_statement("offset", 0.14, spread=2)
def offset(site: Site) -> Iterator[Change]:
    """One more, or one less."""
    for node in site.loads:
        if not isinstance(node, _OFFSET_SLOTS) or (prior := _offset_prior(site, node)) <= 0:
            continue
        if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
            continue
        inequality = isinstance(site.parent(node), ast.Compare)
        for sign, share in (("+", 1.0), ("-", 1.0)):
            yield site.change(
                node,
                f"{site.operand(node, ADD)} {sign} 1",
                f"uses one {'more' if sign == '+' else 'less'} than `{site.text(node)}`",
                level=ADD,
                prior=prior * share,
                suspicion=0.3 if inequality else 0.0,
                signal=f"{sign}1",
            )


def _offset_prior(site: Site, node: ast.expr) -> float:  # noqa: C901, RUF100 - a table of places
    parent = site.parent(node)
    if isinstance(node, ast.Name) and node.id in (*site.scope.container_names, site.scope.instance):
        return 0
    if isinstance(node, ast.Call) and not _may_be_number(node):
        return 0
    match parent:
        case ast.Call(func=ast.Name(id="range")):
            return 1.0
        case ast.Call(func=func) if func is node:
            return 0
        case ast.Call(args=args) if node in args:
            return 0.3
        case ast.Slice() | ast.Subscript():
            return 1.0 if not (isinstance(parent, ast.Subscript) and parent.value is node) else 0
        case ast.Compare(ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq(), *_]):
            return 0.4
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return 0.25 if not isinstance(node, ast.BinOp) else 0
        case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod() | ast.Mult()):
            return 0.4
        case ast.Return():
            return 0.5
        case ast.Assign() | ast.AugAssign() | ast.AnnAssign():
            return 0.4
        case ast.IfExp(test=test):
            return 0 if test is node else 0.3
        case ast.Tuple() | ast.List() | ast.keyword():
            return 0.1
    return 0


def _may_be_number(node: ast.Call) -> bool:
    match node.func:
        case ast.Name(id=name):
            return (
                name in ("len", "int", "round", "max", "min", "sum", "abs", "ord", "next") or name.islower()
            )
        case ast.Attribute(attr=name):
            return name in ("index", "find", "rfind", "count", "rindex", "bit_length")
    return False


@on_statement("add-operand", 0.05, spread=5)
def add_operand(site: Site) -> Iterator[Change]:
    """A variable added, subtracted or multiplied in."""
    scope = site.scope
    for node in site.loads:
        parent = site.parent(node)
        if not isinstance(parent, ast.Return | ast.Assign | ast.AugAssign | ast.BinOp):
            continue
        if not isinstance(node, ast.Name | ast.Attribute | ast.BinOp | ast.Call | ast.Subscript):
            continue
        if isinstance(node, ast.Name) and node.id in (*scope.container_names, scope.instance):
            continue
        if isinstance(node, ast.Call) and not _may_be_number(node):
            continue
        for name, likelihood in site.names_at(node).items():
            if (
                likelihood < 0.5
                or name in site.mentioned
                or name in scope.container_names
                or name == scope.instance
            ):
                continue
            unread = 4.0 if name not in scope.reads else 1.0
            for symbol, level in (("+", ADD), ("-", ADD), ("*", MULTIPLY)):
                text = f"{site.operand(node, level)} {symbol} {name}"
                why = f"computes `{symbol} {name}` as well"
                yield site.change(
                    node, text, why, level=level, prior=unread * (1.0 if symbol == "+" else 0.5)
                )


_CALLABLE: Final = frozenset({"len", "self", "min", "max", "int", "str", "abs", "sum", "range"})


@on_statement("other-expression", 0.09, spread=6)
def other_expression(site: Site) -> Iterator[Change]:
    """Another expression of the function in place of a variable or expression."""
    for node in site.loads:
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            continue
        if isinstance(parent := site.parent(node), ast.Attribute) or getattr(parent, "func", None) is node:
            continue
        text = site.text(node)
        names = site.names_at(node)
        for other, found in site.ingredients.expressions.items():
            if other == text or not found.names <= (names.keys() | _CALLABLE):
                continue
            prior = 1.0 if type(found.node) is type(node) else 0.4
            if text in other:
                prior *= 0.8
            if found.node in site.parents:
                prior *= 0.5
            prior *= site.scope.suits(key_of(node), key_of(found.node))
            why = f"uses `{other}` instead of `{text}`"
            yield site.change(node, other, why, level=level_of(found.node), prior=prior)


@on_expressions("unary-minus", 0.06, ast.UnaryOp, ast.Name, ast.Call, ast.BinOp, ast.Attribute)
def unary_minus(site: Site, node: ast.expr) -> Iterator[Change]:
    """The sign changed."""
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.USub | ast.Invert):
            why = f"drops the sign of `{site.text(node)}`"
            yield site.change(
                node, site.text(node.operand), why, level=level_of(node.operand), signal="negate"
            )
        return
    parent = site.parent(node)
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    fits = isinstance(parent, ast.Return | ast.keyword | ast.Slice | ast.Lambda | ast.Tuple)
    if isinstance(parent, ast.Assign) or (isinstance(parent, ast.Subscript) and parent.value is not node):
        fits = True
    names = (*site.scope.container_names, site.scope.instance)
    if fits and not (isinstance(node, ast.Name) and node.id in names):
        text = f"-{site.operand(node, UNARY)}"
        yield site.change(node, text, f"negates `{site.text(node)}`", level=UNARY, prior=0.3, signal="negate")


TEMPLATES: Final[tuple[Template, ...]] = (
    arithmetic_operator,
    augmented_operator,
    drop_operand,
    swap_operands,
    regroup,
    round_up,
    offset,
    add_operand,
    other_expression,
    unary_minus,
)
