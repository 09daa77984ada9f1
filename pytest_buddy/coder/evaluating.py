"""Works out an expression on observed values: an interpreter of its own, for plain data.

Nothing of the person's program runs here. What is not known for certain is `Unknown`, and what grows large.
"""

import ast
import builtins
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

Values = Mapping[str, Any]
_LONGEST: Final = 1_000
_BUILT_IN: Final = re.compile(r"<class (\w+)>")
_WIDEST: Final = 200
_BITS: Final = 200
_ITEMS: Final = 100
_ERRORS: Final = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


class Unknown(Exception):
    """The expression needs something that is not known here, or it would raise."""


@dataclass(frozen=True, slots=True)
class Record:
    """An observed object: the name of its class and the attributes that are known."""

    name: str
    fields: Mapping[str, Any]


_BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
_COMPARE: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right, ast.NotIn: lambda left, right: left not in right,
}  # fmt: skip
_UNARY: Final[Mapping[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
_TYPES: Final[Mapping[str, type]] = {
    "str": str, "int": int, "float": float, "bool": bool, "list": list, "tuple": tuple, "dict": dict,
    "set": set, "bytes": bytes,
}  # fmt: skip
_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **_TYPES, "len": len, "min": min, "max": max, "abs": abs, "round": round, "sum": sum, "sorted": sorted,
    "any": any, "all": all, "repr": repr, "ord": ord, "chr": chr, "divmod": divmod, "frozenset": frozenset,
    "reversed": lambda items: list(reversed(items)), "enumerate": lambda items: list(enumerate(items)),
    "zip": lambda *items: list(zip(*items, strict=False)),
}  # fmt: skip
_METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset(
        {
            "lower", "upper", "title", "capitalize", "casefold", "strip", "lstrip", "rstrip", "replace",
            "split", "rsplit", "splitlines", "join", "startswith", "endswith", "find", "rfind", "count",
            "index", "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower", "zfill", "ljust",
            "rjust", "center", "removeprefix", "removesuffix", "partition", "rpartition", "swapcase",
            "isidentifier", "isdecimal",
        }
    ),
    list: frozenset({"index", "count", "copy"}),
    tuple: frozenset({"index", "count"}),
    dict: frozenset({"get", "keys", "values", "items", "copy"}),
    set: frozenset({"union", "intersection", "difference", "issubset", "issuperset", "copy"}),
    float: frozenset({"is_integer"}),
}  # fmt: skip
_WIDE: Final = frozenset({"zfill", "ljust", "rjust", "center"})
_SPECIFICATION: Final = re.compile(r"[^{}%]?[<>^=]?[-+ ]?#?0?\d{0,2},?_?(\.\d{1,2})?[a-zA-Z%]?")
_PERCENT: Final = re.compile(r"%[-+0 #]*\d{3,}|%[^%]*\*")


@lru_cache(maxsize=4096)
def parsed(text: str) -> ast.expr:
    """The syntax tree of an expression; raises Unknown when it is none."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unknown(text) from error


def evaluate(node: ast.expr, values: Values) -> Any:
    """The value of an expression; raises Unknown."""
    visit = _VISITORS.get(type(node))
    if visit is None:
        raise Unknown(type(node).__name__)
    try:
        return _bounded(visit(node, values))
    except _ERRORS as error:
        raise Unknown(str(error)) from error


def _bounded(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise Unknown("a large number")
    if isinstance(value, str | bytes | list | tuple | dict | set | frozenset) and len(value) > _LONGEST:
        raise Unknown("a large value")
    return value


def _name(node: ast.Name, values: Values) -> Any:
    if node.id not in values:
        raise Unknown(node.id)
    return values[node.id]


def _attribute(node: ast.Attribute, values: Values) -> Any:
    owner = evaluate(node.value, values)
    if isinstance(owner, Record) and node.attr in owner.fields:
        return owner.fields[node.attr]
    raise Unknown(node.attr)


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        raise Unknown("operations on objects are their own")
    return value


def _binary(node: ast.BinOp, values: Values) -> Any:
    left, right = _plain(evaluate(node.left, values)), _plain(evaluate(node.right, values))
    if isinstance(node.op, ast.Mult):
        sizes = [side for side in (left, right) if isinstance(side, int)]
        many = any(isinstance(side, str | list | tuple | bytes) for side in (left, right))
        if many and sizes and max(sizes) > _WIDEST:
            raise Unknown("a large value")
    if isinstance(node.op, ast.Mod) and isinstance(left, str | bytes):
        _refuse_wide(left)
    if isinstance(node.op, ast.Pow):
        if not (isinstance(right, int) and -8 <= right <= 8):
            raise Unknown("a large number")
        return left**right
    work = _BINARY.get(type(node.op))
    if work is None:
        raise Unknown(type(node.op).__name__)
    return work(left, right)


def _refuse_wide(template: str | bytes) -> None:
    if isinstance(template, bytes) or _PERCENT.search(template):
        raise Unknown("a wide text")


def _unary(node: ast.UnaryOp, values: Values) -> Any:
    work = _UNARY.get(type(node.op))
    if work is None:
        raise Unknown("~")
    return work(_plain(evaluate(node.operand, values)))


def _boolean(node: ast.BoolOp, values: Values) -> Any:
    found: Any = None
    for item in node.values:
        found = _plain(evaluate(item, values))
        if bool(found) is isinstance(node.op, ast.Or):
            return found
    return found


def _compare(node: ast.Compare, values: Values) -> bool:
    left = evaluate(node.left, values)
    for kind, item in zip(node.ops, node.comparators, strict=True):
        right = evaluate(item, values)
        if not isinstance(kind, ast.Is | ast.IsNot):
            _plain(left), _plain(right)
        elif left is not None and right is not None and not isinstance(right, bool):
            raise Unknown("identity")
        if not _COMPARE[type(kind)](left, right):
            return False
        left = right
    return True


def _choice(node: ast.IfExp, values: Values) -> Any:
    return evaluate(node.body if _plain(evaluate(node.test, values)) else node.orelse, values)


def _subscript(node: ast.Subscript, values: Values) -> Any:
    value = _plain(evaluate(node.value, values))
    if isinstance(node.slice, ast.Slice):
        parts = (node.slice.lower, node.slice.upper, node.slice.step)
        return value[slice(*(None if part is None else evaluate(part, values) for part in parts))]
    return value[evaluate(node.slice, values)]


def _dict(node: ast.Dict, values: Values) -> Any:
    if any(key is None for key in node.keys):
        raise Unknown("**")
    pairs = zip(node.keys, node.values, strict=True)
    return {evaluate(key, values): evaluate(item, values) for key, item in pairs if key is not None}


def _joined(node: ast.JoinedStr, values: Values) -> str:
    return "".join(str(evaluate(part, values)) for part in node.values)


def _formatted(node: ast.FormattedValue, values: Values) -> str:
    value = _plain(evaluate(node.value, values))
    convert: Mapping[int, Callable[[Any], Any]] = {ord("r"): repr, ord("s"): str, ord("a"): ascii}
    if node.conversion in convert:
        value = convert[node.conversion](value)
    text = evaluate(node.format_spec, values) if node.format_spec is not None else ""
    if not _SPECIFICATION.fullmatch(text):
        raise Unknown("an unusual format")
    return format(value, text)


def _call(node: ast.Call, values: Values) -> Any:
    keywords = {item.arg: _plain(evaluate(item.value, values)) for item in node.keywords if item.arg}
    if len(keywords) != len(node.keywords) or "key" in keywords:
        raise Unknown("**")
    match node.func:
        case ast.Name(id="isinstance") if len(node.args) == 2:
            return _isinstance(node.args[0], node.args[1], values)
        case ast.Name(id="range"):
            numbers = [evaluate(item, values) for item in node.args]
            return list(range(*numbers)[: _ITEMS + 1])
        case ast.Name(id=name) if name in _FUNCTIONS and name not in values:
            return _FUNCTIONS[name](*(_plain(evaluate(item, values)) for item in node.args), **keywords)
        case ast.Attribute(value=owner, attr=name):
            value = _plain(evaluate(owner, values))
            arguments = [_plain(evaluate(item, values)) for item in node.args]
            if name not in _METHODS.get(type(value), ()):
                raise Unknown(name)
            if name in _WIDE and any(isinstance(item, int) and item > _WIDEST for item in arguments):
                raise Unknown("a wide text")
            found = getattr(value, name)(*arguments, **keywords)
            return list(found) if name in ("keys", "values", "items") else found
    raise Unknown("a call")


def _isinstance(item: ast.expr, kinds: ast.expr, values: Values) -> bool:
    value = _plain(evaluate(item, values))
    names = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    known = [_TYPES.get(kind.id) if isinstance(kind, ast.Name) else None for kind in names]
    if None in known:
        raise Unknown("a class")
    return isinstance(value, tuple(kind for kind in known if kind is not None))


def _comprehension(node: ast.ListComp | ast.GeneratorExp | ast.SetComp, values: Values) -> Any:
    found = [evaluate(node.elt, inner) for inner in _rounds(node.generators, values)]
    return set(found) if isinstance(node, ast.SetComp) else found


def _dict_comprehension(node: ast.DictComp, values: Values) -> Any:
    rounds = _rounds(node.generators, values)
    return {evaluate(node.key, inner): evaluate(node.value, inner) for inner in rounds}


def _rounds(generators: list[ast.comprehension], values: Values) -> Iterator[Values]:
    first = generators[0]
    if len(generators) != 1 or first.is_async:
        raise Unknown("nested loops")
    items = _plain(evaluate(first.iter, values))
    for count, item in enumerate(items):
        if count >= _ITEMS:
            raise Unknown("a long loop")
        inner = {**values, **_bound(first.target, item)}
        if all(_plain(evaluate(test, inner)) for test in first.ifs):
            yield inner


def _bound(target: ast.expr, item: Any) -> dict[str, Any]:
    if isinstance(target, ast.Name):
        return {target.id: item}
    if isinstance(target, ast.Tuple) and isinstance(item, tuple | list) and len(item) == len(target.elts):
        found: dict[str, Any] = {}
        for inner, part in zip(target.elts, item, strict=True):
            found |= _bound(inner, part)
        return found
    raise Unknown("a target")


def _many(make: Callable[[Iterator[Any]], Any]) -> Callable[[Any, Values], Any]:
    return lambda node, values: make(evaluate(item, values) for item in node.elts)


_VISITORS: Final[Mapping[type[ast.AST], Callable[[Any, Values], Any]]] = {
    ast.Constant: lambda node, _: node.value,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.Subscript: _subscript,
    ast.Tuple: _many(tuple),
    ast.List: _many(list),
    ast.Set: _many(set),
    ast.Dict: _dict,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
    ast.Call: _call,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _dict_comprehension,
}


def observed(text: str) -> Any:
    """The value that an observation wrote: plain data, or an object with its attributes; raises Unknown."""
    if named := _BUILT_IN.fullmatch(text):
        kind = getattr(builtins, named[1], None)
        if isinstance(kind, type):
            return kind
    return _read(parsed(text[: _LONGEST + 1]))


def _read(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
        fields: dict[str, Any] = {}
        for item in node.keywords:
            if item.arg:
                fields |= _known(item.arg, item.value)
        return Record(node.func.id, fields)
    if any(isinstance(item, ast.Constant) and _is_cut(item.value) for item in ast.walk(node)):
        raise Unknown("cut short")
    return evaluate(node, {})


def _is_cut(value: object) -> bool:
    return value is ... or (isinstance(value, str) and "..." in value)


def _known(name: str, node: ast.expr) -> dict[str, Any]:
    try:
        return {name: _read(node)}
    except Unknown:
        return {}
