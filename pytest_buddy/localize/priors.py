"""How likely a kind of statement is to hold a fault, before any test has run."""

import ast
from functools import lru_cache

from pytest_buddy.localize.statements import Statement, header_nodes, statements
from pytest_buddy.source import Source

# Conditions, returns and updates decide what comes out; plain calls and constants rarely do. Set by that
# argument alone, not fitted.
_KINDS: dict[type[ast.AST], float] = {
    ast.If: 1.0,
    ast.While: 1.0,
    ast.AugAssign: 1.0,
    ast.Return: 1.0,
    ast.Yield: 1.0,
    ast.For: 0.7,
    ast.AsyncFor: 0.7,
    ast.match_case: 0.7,
    ast.Assign: 0.7,
    ast.AnnAssign: 0.7,
    ast.ExceptHandler: 0.5,
    ast.Assert: 0.5,
    ast.Delete: 0.5,
    ast.Expr: 0.4,
    ast.Match: 0.4,
    ast.With: 0.3,
    ast.AsyncWith: 0.3,
    ast.Raise: 0.3,
    ast.Break: 0.3,
    ast.Continue: 0.3,
    ast.FunctionDef: 0.4,
    ast.AsyncFunctionDef: 0.4,
    ast.ClassDef: 0.2,
    ast.Pass: 0.2,
}
_DECIDING = (
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.UnaryOp,
    ast.Subscript,
    ast.Call,
    ast.IfExp,
    ast.comprehension,
)
_PLAIN = 0.3


@lru_cache(maxsize=512)
def priors(source: Source) -> tuple[float, ...]:
    """The prior of each statement of a source that tests run."""
    return tuple(prior(statement) for statement in statements(source).all)


def prior(statement: Statement) -> float:
    """0..1; a statement that only moves a name or a constant about counts little whatever its kind."""
    node = statement.node
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
        return _KINDS[ast.Yield]
    base = _KINDS.get(type(node), 0.0)
    if isinstance(node, ast.Return | ast.Assign | ast.AnnAssign) and not _decides(statement):
        return _PLAIN
    return base


def definition_prior(statement: Statement) -> float:
    """0..1 for a statement that runs at import, where a constant is all the logic there is."""
    node = statement.node
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return 0.7
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return 0.4 if node.args.defaults or any(node.args.kw_defaults) else 0.2
    return min(prior(statement), 0.5)


_MAKERS = frozenset(
    {"compile", "dict", "set", "frozenset", "list", "tuple", "OrderedDict", "MappingProxyType"}
)


def holds_logic(statement: Statement) -> bool:
    """Whether a definition is a table or a pattern: what would else be code is written down in it."""
    if not isinstance(statement.node, ast.Assign | ast.AnnAssign):
        return False
    match statement.node.value:
        case (
            ast.Dict()
            | ast.Set()
            | ast.List()
            | ast.Tuple()
            | ast.DictComp()
            | ast.ListComp()
            | ast.SetComp()
        ):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _MAKERS
    return False


def _decides(statement: Statement) -> bool:
    value = getattr(statement.node, "value", None)
    if isinstance(value, _DECIDING):
        return True
    if value is None or isinstance(value, ast.Name | ast.Constant):
        return False
    return any(isinstance(node, _DECIDING) for node in header_nodes(statement.node))
