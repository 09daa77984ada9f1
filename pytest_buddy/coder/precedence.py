"""Operator precedence: when an expression put in another's place needs parentheses."""

import ast
from typing import Final

LOOSE: Final = 0  # walrus, yield, bare tuple
LAMBDA: Final = 1
CONDITIONAL: Final = 2
OR: Final = 3
AND: Final = 4
NOT: Final = 5
COMPARE: Final = 6
ADD: Final = 11
MULTIPLY: Final = 12
UNARY: Final = 13
POWER: Final = 14
AWAIT: Final = 15
PRIMARY: Final = 16

_BINARY: Final[dict[type[ast.operator], int]] = {
    ast.BitOr: 7,
    ast.BitXor: 8,
    ast.BitAnd: 9,
    ast.LShift: 10,
    ast.RShift: 10,
    ast.Add: ADD,
    ast.Sub: ADD,
    ast.Mult: MULTIPLY,
    ast.Div: MULTIPLY,
    ast.FloorDiv: MULTIPLY,
    ast.Mod: MULTIPLY,
    ast.MatMult: MULTIPLY,
    ast.Pow: POWER,
}


def binary_level(operator: ast.operator) -> int:
    """The level of a binary operator."""
    return _BINARY[type(operator)]


def level_of(node: ast.expr) -> int:
    """The level of an expression as it is written (bare tuples are the loosest)."""
    match node:
        case ast.NamedExpr() | ast.Yield() | ast.YieldFrom() | ast.Starred() | ast.Slice():
            return LOOSE
        case ast.Tuple(elts=elts):
            return LOOSE if elts and elts[0].col_offset == node.col_offset else PRIMARY
        case ast.Lambda():
            return LAMBDA
        case ast.IfExp():
            return CONDITIONAL
        case ast.BoolOp(op=op):
            return OR if isinstance(op, ast.Or) else AND
        case ast.Compare():
            return COMPARE
        case ast.BinOp(op=operator):
            return binary_level(operator)
        case ast.UnaryOp(op=op):
            return NOT if isinstance(op, ast.Not) else UNARY
        case ast.Await():
            return AWAIT
    return PRIMARY


def required_level(parent: ast.AST, child: ast.expr) -> int:  # noqa: C901, PLR0911, RUF100 - a table
    """The level below which a new `child` of `parent` must be put in parentheses."""
    match parent:
        case ast.BoolOp(op=op):
            return AND if isinstance(op, ast.Or) else NOT
        case ast.UnaryOp(op=op):
            return NOT if isinstance(op, ast.Not) else UNARY
        case ast.Compare() | ast.Starred():
            return COMPARE + 1
        case ast.BinOp(op=ast.Pow(), left=left):
            return AWAIT if child is left else UNARY
        case ast.BinOp(op=operator, left=left):
            return binary_level(operator) + (child is not left)
        case ast.IfExp(orelse=orelse):
            return LAMBDA if child is orelse else OR
        case ast.comprehension(target=target):
            return LOOSE if child is target else OR
        case ast.Await() | ast.Attribute():
            return PRIMARY
        case ast.Call(func=func):
            return PRIMARY if child is func else LAMBDA
        case ast.Subscript(value=value):
            return PRIMARY if child is value else LOOSE
        case ast.Return() | ast.Expr() | ast.Assign():
            return LOOSE
    return LAMBDA
