"""What a function's code uses its variables as: numbers, collections (text included), other objects."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final, Literal

Role = Literal["number", "collection", "object"]

_TAKES_COLLECTION: Final = frozenset(
    {"len", "sorted", "sum", "enumerate", "reversed", "any", "all", "list", "set", "tuple", "dict", "zip",
     "iter", "min", "max", "frozenset"}
)  # fmt: skip
_TAKES_NUMBER: Final = frozenset({"range", "abs", "round", "chr", "bin", "hex", "divmod", "pow"})
_GIVES_NUMBER: Final = frozenset({"len", "int", "float", "abs", "round", "ord", "sum", "pow"})
_GIVES_COLLECTION: Final = frozenset(
    {"list", "sorted", "set", "dict", "tuple", "str", "frozenset", "repr", "bytes"}
)
_METHODS: Final = frozenset(
    name for kind in (str, list, dict, set, bytes) for name in dir(kind) if not name.startswith("_")
)
_ANNOTATED: Final[dict[str, Role]] = {
    "int": "number", "float": "number", "complex": "number", "Decimal": "number", "str": "collection",
    "bytes": "collection", "list": "collection", "dict": "collection", "set": "collection",
    "tuple": "collection", "Sequence": "collection", "Iterable": "collection", "Mapping": "collection",
}  # fmt: skip
_ARITHMETIC: Final = (ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow)
_ORDER: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def key_of(node: ast.AST) -> str:
    """The key of a variable: its name, or `self.attribute`; empty for other expressions."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute):
            return f"self.{attribute}"
    return ""


def read_roles(nodes: Iterable[ast.AST]) -> dict[str, frozenset[Role]]:
    """Variable -> the roles that the nodes give it."""
    found: dict[str, frozenset[Role]] = {}
    for node in nodes:
        for target, role in _roles_by(node):
            key = key_of(target)
            if key and key != "self":
                found[key] = found.get(key, frozenset()) | {role}
    return found


def _roles_by(node: ast.AST) -> Iterator[tuple[ast.AST, Role]]:
    match node:
        case ast.For(target=target, iter=iterable) | ast.comprehension(target=target, iter=iterable):
            yield iterable, "collection"
            yield from _counted(target, iterable)
        case ast.Subscript(value=value):
            yield value, "collection"
        case ast.Call():
            yield from _roles_by_call(node)
        case ast.Attribute(value=value, attr=attribute):
            yield value, "collection" if attribute in _METHODS else "object"
        case ast.BinOp(op=operator, left=left, right=right) if isinstance(operator, _ARITHMETIC):
            yield left, "number"
            yield right, "number"
        case ast.AugAssign(target=target, op=operator, value=value):
            if isinstance(operator, _ARITHMETIC) or _is_number(value):
                yield target, "number"
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            yield from _roles_by_comparison(left, operator, right)
        case (
            ast.Assign(targets=[target], value=value)
            | ast.AnnAssign(target=target, value=ast.expr() as value)
        ):
            yield from ((target, role) for role in _role_of_value(value))
        case ast.arg(arg=name, annotation=ast.expr() as annotation):
            yield from ((ast.Name(id=name), role) for role in _role_of_annotation(annotation))


def _counted(target: ast.expr, iterable: ast.expr) -> Iterator[tuple[ast.AST, Role]]:
    match iterable:
        case ast.Call(func=ast.Name(id="range")):
            yield target, "number"
        case ast.Call(func=ast.Name(id="enumerate")) if isinstance(target, ast.Tuple):
            yield target.elts[0], "number"


def _roles_by_call(node: ast.Call) -> Iterator[tuple[ast.AST, Role]]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[first]) if name in _TAKES_COLLECTION:
            yield first, "collection"
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _TAKES_NUMBER:
            yield from ((argument, "number") for argument in arguments)


def _roles_by_comparison(
    left: ast.expr, operator: ast.cmpop, right: ast.expr
) -> Iterator[tuple[ast.AST, Role]]:
    if isinstance(operator, ast.In | ast.NotIn):
        yield right, "collection"
    elif isinstance(operator, _ORDER):
        if _is_number(right):
            yield left, "number"
        if _is_number(left):
            yield right, "number"


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _role_of_value(value: ast.expr) -> Iterator[Role]:
    match value:
        case ast.Constant(value=bool() | None):
            return
        case ast.Constant(value=int() | float()):
            yield "number"
        case ast.Constant(value=str() | bytes()) | ast.JoinedStr():
            yield "collection"
        case (
            ast.List()
            | ast.Dict()
            | ast.Set()
            | ast.Tuple()
            | ast.ListComp()
            | ast.DictComp()
            | ast.SetComp()
        ):
            yield "collection"
        case ast.BinOp(op=operator) if isinstance(operator, _ARITHMETIC):
            yield "number"
        case ast.Call(func=ast.Name(id=name)) if name in _GIVES_NUMBER:
            yield "number"
        case ast.Call(func=ast.Name(id=name)) if name in _GIVES_COLLECTION:
            yield "collection"


def _role_of_annotation(annotation: ast.expr) -> Iterator[Role]:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name) and node.id in _ANNOTATED:
            yield _ANNOTATED[node.id]
            return
