"""Templates that put a call around an expression, or take one away."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Template, on_expressions, on_statement
from pytest_buddy.coder.names import likeness
from pytest_buddy.coder.precedence import AWAIT, LAMBDA, PRIMARY, level_of
from pytest_buddy.coder.site import Site

_WRAPPERS: Final = {
    "str": 1.0, "int": 0.9, "len": 0.8, "list": 0.8, "sorted": 0.7, "set": 0.4, "abs": 0.6, "float": 0.4,
    "tuple": 0.4, "max": 0.0, "min": 0.0, "round": 0.3, "sum": 0.2, "bool": 0.2, "reversed": 0.3, "dict": 0.2,
}  # fmt: skip
_CHAINED: Final = {
    "strip()": ("strip", 0.6), "lower()": ("lower", 0.6), "upper()": ("upper", 0.3), "copy()": ("copy", 0.4),
    "items()": ("items", 0.4), "values()": ("values", 0.4), "keys()": ("keys", 0.2),
    "split()": ("split", 0.2),
    "rstrip()": ("rstrip", 0.2), "lstrip()": ("lstrip", 0.1), "title()": ("title", 0.1),
    "capitalize()": ("capitalize", 0.1), "encode()": ("encode", 0.2), "decode()": ("decode", 0.2),
}  # fmt: skip
_ALIKE: Final = 0.4
_OF_DICT: Final = frozenset({"items()", "values()", "keys()"})


def _wrappable(site: Site) -> Iterator[tuple[ast.expr, float]]:
    for node in site.loads:
        parent = site.parent(node)
        if isinstance(
            node, ast.Constant | ast.Lambda | ast.JoinedStr | ast.NamedExpr | ast.Yield | ast.Await
        ):
            continue
        if isinstance(node, ast.Name) and node.id == site.scope.instance:
            continue
        if isinstance(parent, ast.Call) and parent.func is node:
            continue
        if isinstance(parent, ast.Attribute | ast.Starred):
            continue
        match parent:
            case ast.Return() | ast.For() | ast.Yield():
                yield node, 1.0
            case ast.Assign() | ast.comprehension() | ast.keyword():
                yield node, 0.7
            case ast.Call() | ast.Compare() | ast.Dict() | ast.Tuple():
                yield node, 0.6
            case ast.BinOp() | ast.ListComp() | ast.GeneratorExp() | ast.AugAssign():
                yield node, 0.5
            case _:
                yield node, 0.2


@on_statement("wrap-call", 0.12, spread=5)
def wrap_call(site: Site) -> Iterator[Change]:
    """A conversion or helper called on the value."""
    for node, place in _wrappable(site):
        inner = site.text(node)
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if isinstance(node, ast.GeneratorExp) and inner.startswith("("):
            inner = inner[1:-1]
        elif level_of(node) < LAMBDA:
            inner = f"({inner})"
        for wrapper, prior in (*_WRAPPERS.items(), *((name, 0.25) for name in site.ingredients.helpers)):
            if prior and wrapper != called:
                signal = wrapper
                why = f"takes `{wrapper}(...)` of `{site.text(node)}`"
                yield site.change(node, f"{wrapper}({inner})", why, prior=prior * place, signal=signal)
        yield from _reversing(site, node, place)


def _reversing(site: Site, node: ast.expr, place: float) -> Iterator[Change]:
    if isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.ListComp | ast.Subscript):
        text = site.text(node)
        yield site.change(node, f"{text}[::-1]", f"reverses `{text}`", prior=0.3 * place, signal="reversed")
        for index, signal in (
            ("0", "first"),
            ("-1", "last"),
            ("1:", "without-first"),
            (":-1", "without-last"),
        ):
            why = f"takes `[{index}]` of `{text}`"
            yield site.change(node, f"{text}[{index}]", why, prior=0.2 * place, signal=signal)


@on_expressions("unwrap-call", 0.09, ast.Call)
def unwrap_call(site: Site, node: ast.Call) -> Iterator[Change]:
    """The argument alone, without the call around it."""
    for argument in node.args[:3]:
        if isinstance(argument, ast.Starred) or (isinstance(argument, ast.Constant) and len(node.args) > 1):
            continue
        plain = isinstance(node.func, ast.Name) and len(node.args) == 1
        yield site.change(
            node,
            site.text(argument),
            f"uses `{site.text(argument)}` without the call of `{site.text(node.func)}`",
            level=level_of(argument),
            prior=1.0 if plain else 0.3,
            suspicion=0.0 if plain else 0.1,
        )


@on_statement("add-method-call", 0.07, spread=6)
def add_method_call(site: Site) -> Iterator[Change]:
    """A method such as `.strip()`, `.items()` or `.copy()` called on the value."""
    for node, place in _wrappable(site):
        if isinstance(
            node, ast.BinOp | ast.Compare | ast.BoolOp | ast.ListComp | ast.GeneratorExp | ast.IfExp
        ):
            continue
        iterated = isinstance(site.parent(node), ast.For | ast.comprehension)
        for text, (signal, prior) in _CHAINED.items():
            if (text in _OF_DICT) and not iterated:
                prior *= 0.3
            if iterated and text in _OF_DICT:
                prior *= 2
            why = f"calls `.{text}` on `{site.text(node)}`"
            yield site.change(
                node, f"{site.operand(node, PRIMARY)}.{text}", why, prior=prior * place, signal=signal
            )


@on_expressions("drop-method-call", 0.07, ast.Call)
def drop_method_call(site: Site, node: ast.Call) -> Iterator[Change]:
    """The object itself, without the method called on it."""
    if isinstance(node.func, ast.Attribute) and not isinstance(site.parent(node), ast.Expr):
        value = node.func.value
        known = site.scope.names.get(value.id) if isinstance(value, ast.Name) else None
        if known is not None and (known.kind in ("import", "callable") or known.id == site.scope.instance):
            return
        why = f"uses `{site.text(value)}` without calling `.{node.func.attr}`"
        yield site.change(node, site.text(value), why, level=level_of(value))


@on_statement("call-parentheses", 0.06)
def call_parentheses(site: Site) -> Iterator[Change]:
    """A call where the method itself is named, or the reverse."""
    for node in site.nodes_of(ast.Attribute):
        parent = site.parent(node)
        if isinstance(parent, ast.Call) and parent.func is node:
            if not parent.args and not parent.keywords and not isinstance(site.parent(parent), ast.Expr):
                yield site.change(
                    parent, site.text(node), f"drops the parentheses after `{node.attr}`", prior=0.5
                )
        elif isinstance(node.ctx, ast.Load) and not isinstance(parent, ast.Attribute):
            known = node.attr in site.outline.attributes[1] or node.attr in site.outline.functions
            why = f"calls `{node.attr}` instead of naming it"
            yield site.change(node, f"{site.text(node)}()", why, prior=1.5 if known else 0.4, signal="call")
    for name in site.nodes_of(ast.Name):
        if name.id in site.outline.functions and isinstance(name.ctx, ast.Load):
            if isinstance(parent := site.parent(name), ast.Call) and parent.func is name:
                continue
            yield site.change(name, f"{name.id}()", f"calls `{name.id}` instead of naming it", signal="call")


@on_statement("await", 0.1)
def missing_await(site: Site) -> Iterator[Change]:
    """An `await` that is missing, or one too many."""
    for node in site.nodes_of(ast.Await):
        yield site.change(node, site.text(node.value), "drops `await`", level=level_of(node.value), prior=0.3)
    if not isinstance(site.statement.owner.node, ast.AsyncFunctionDef):
        return
    for call in site.nodes_of(ast.Call):
        if isinstance(site.parent(call), ast.Await):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        functions = site.outline.functions.get(name, ())
        known = any(isinstance(function, ast.AsyncFunctionDef) for function in functions)
        if functions and not known:
            continue
        why = f"awaits `{site.text(call.func)}(...)`"
        text = f"await {site.text(call)}"
        yield site.change(call, text, why, level=AWAIT, prior=2.0 if known else 0.3, signal="await")


def _of_alike(site: Site) -> Iterator[Change]:
    for name in site.nodes_of(ast.Name):
        place = site.parent(name)
        if not isinstance(name.ctx, ast.Load) or (isinstance(place, ast.Call) and place.func is name):
            continue
        if not isinstance(place, ast.Tuple | ast.Call | ast.Assign | ast.Return):
            continue
        for other, likelihood in site.names_at(name).items():
            alike = likeness(name.id, other)
            if other != name.id and likelihood == 1.0 and alike >= _ALIKE:
                for word in ("max", "min"):
                    why = f"takes the {word}imum of `{other}` and `{name.id}`"
                    yield site.change(name, f"{word}({other}, {name.id})", why, prior=alike)


@on_statement("best-of", 0.06)
def best_of(site: Site) -> Iterator[Change]:
    """The larger or smaller of the old and the new value."""
    yield from _of_alike(site)
    node = site.node
    if (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name | ast.Attribute)
    ):
        target = site.text(node.targets[0])
        for name in ("max", "min"):
            text = f"{name}({target}, {site.operand(node.value, LAMBDA)})"
            yield site.change(node.value, text, f"keeps the {name}imum of `{target}` and the new value")
    if isinstance(node, ast.Return) and isinstance(node.value, ast.expr):
        for name in ("max", "min"):
            text = f"{name}({site.operand(node.value, LAMBDA)}, 0)"
            yield site.change(
                node.value, text, f"returns at {'least' if name == 'max' else 'most'} 0", prior=0.4
            )


TEMPLATES: Final[tuple[Template, ...]] = (
    wrap_call,
    unwrap_call,
    add_method_call,
    drop_method_call,
    call_parentheses,
    missing_await,
    best_of,
)
