"""Templates on the arguments of calls."""

import ast
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions
from pytest_buddy.coder.ingredients import arity
from pytest_buddy.coder.names import likeness
from pytest_buddy.coder.outline import FunctionNode
from pytest_buddy.coder.precedence import LAMBDA
from pytest_buddy.coder.site import Site


def _callee(site: Site, node: ast.Call) -> tuple[FunctionNode | None, bool]:
    """The function of the same file that is called, and whether it is called on an object."""
    name, bound = "", False
    if isinstance(node.func, ast.Name):
        name = node.func.id
        if name in site.outline.classes:
            made = [item for item in site.outline.classes[name].body if isinstance(item, FunctionNode)]
            return next((item for item in made if item.name == "__init__"), None), True
    elif isinstance(node.func, ast.Attribute):
        name, bound = node.func.attr, True
    found = site.outline.functions.get(name, ())
    return (found[0] if found else None), bound


def insertion(site: Site, node: ast.Call, text: str) -> Splice | None:
    """Put one more argument behind those of a call; None where that cannot be done."""
    end = site.source.span(node)[1] - 1
    last: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    if not last:
        return Splice(end, end, text)
    if any(isinstance(item, ast.GeneratorExp) for item in node.args):
        return None
    place = max(site.source.span(item)[1] for item in last)
    between = site.source.content[place:end]
    if between.strip() not in (b"", b","):
        return None
    return Splice(place, place, f", {text}")


@on_expressions("add-argument", 0.15, ast.Call)
def add_argument(site: Site, node: ast.Call) -> Iterator[Change]:
    """One more argument: a variable in scope, by position or by the callee's name for it."""
    function, bound = _callee(site, node)
    given = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    values = site.names_at(node)
    if function is not None:
        yield from _by_signature(site, node, function, values, bound=bound)
    if function is not None and len(node.args) >= arity(function, bound=bound)[1]:
        return
    if isinstance(node.func, ast.Name) and node.func.id in _ONE_ARGUMENT and node.args:
        return
    for name, likelihood in values.items():
        if likelihood >= 0.35 and name not in given and name != site.scope.instance and not node.keywords:
            splice = insertion(site, node, name)
            unread = 4.0 if name not in site.scope.reads and likelihood == 1.0 else 1.0
            if splice is not None:
                yield Change(
                    splices=(splice,), rationale=f"passes `{name}`", prior=0.25 * likelihood * unread
                )


@on_expressions("usual-argument", 0.08, ast.Call)
def usual_argument(site: Site, node: ast.Call) -> Iterator[Change]:
    """An argument that is often forgotten with this builtin or method."""
    if isinstance(node.func, ast.Name):
        known = _KNOWN_EXTRA.get(node.func.id, ())
    elif isinstance(node.func, ast.Attribute):
        known = tuple((text, "") for text in _KNOWN_METHOD_EXTRA.get(node.func.attr, ()))
    else:
        return
    passed = {item.arg for item in node.keywords}
    for text, signal in known:
        splice = insertion(site, node, text)
        if splice is not None and text.partition("=")[0] not in passed:
            yield Change(splices=(splice,), rationale=f"passes `{text}`", prior=0.6, signal=signal)


_ONE_ARGUMENT: Final = frozenset(
    {"len", "str", "list", "tuple", "set", "sorted", "abs", "bool", "float", "ord", "chr", "repr", "any",
     "all", "reversed", "hash", "id", "type", "callable", "dict", "frozenset", "bytes", "iter", "next"}
)  # fmt: skip
_KNOWN_EXTRA: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "sorted": (("reverse=True", "reversed"), ("key=len", ""), ("key=str.lower", "")),
    "enumerate": (("1", "+1"), ("start=1", "+1")),
    "int": (("2", ""), ("16", "")),
    "round": (("2", ""), ("1", ""), ("3", "")),
    "zip": (("strict=True", ""),),
    "max": (("default=None", ""), ("default=0", "")),
    "min": (("default=None", ""), ("default=0", "")),
    "next": (("None", ""),),
    "getattr": (("None", ""),),
    "open": (('encoding="utf-8"', ""),),
    "sum": (("[]", ""),),
}
_KNOWN_METHOD_EXTRA: Final = {
    "get": ("0", "None", '""', "[]", "{}"),
    "pop": ("0", "None", "-1"),
    "split": ("1", '","'),
    "rsplit": ("1",),
    "replace": ("1",),
    "sort": ("reverse=True",),
    "dumps": ("sort_keys=True", "indent=2"),
    "mkdir": ("exist_ok=True", "parents=True"),
    "setdefault": ("[]", "{}"),
    "group": ("1", "0"),
}


def _by_signature(
    site: Site, node: ast.Call, function: FunctionNode, values: dict[str, float], *, bound: bool
) -> Iterator[Change]:
    positional = [*function.args.posonlyargs, *function.args.args][1 if bound else 0 :]
    passed = {item.arg for item in node.keywords}
    for place, argument in enumerate([*positional, *function.args.kwonlyargs]):
        if argument.arg in passed or (place < len(node.args)):
            continue
        by_position = place == len(node.args) and place < len(positional) and not node.keywords
        own = f"{site.scope.instance}.{argument.arg}"
        candidates = {argument.arg: 3.0} if argument.arg in values else {}
        if argument.arg in site.scope.data_attributes and site.scope.instance:
            candidates[own] = 2.0
        if not candidates:
            candidates = {name: 0.2 * prior for name, prior in values.items() if prior >= 0.35}
            candidates.pop(site.scope.instance, None)
        for value, prior in candidates.items():
            texts = [(value, 1.0)] if by_position else []
            texts.append((f"{argument.arg}={value}", 1.0 if not by_position else 0.3))
            for text, share in texts:
                splice = insertion(site, node, text)
                if splice is not None:
                    why = f"passes `{text}` on to `{function.name}`"
                    yield Change(splices=(splice,), rationale=why, prior=prior * share)


@on_expressions("drop-argument", 0.08, ast.Call)
def drop_argument(site: Site, node: ast.Call) -> Iterator[Change]:
    """One argument fewer."""
    items: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    items.sort(key=lambda item: site.source.span(item))
    if any(isinstance(item, ast.GeneratorExp) for item in items) and len(items) == 1:
        return
    for splice, item in _without(site, items, site.source.span(node)[1] - 1):
        why = f"no longer passes `{site.text(item)}`"
        prior = 0.5 if isinstance(item, ast.keyword) or item is items[-1] else 0.3
        yield Change(splices=(splice,), rationale=why, prior=prior, suspicion=0.1)


def _without(
    site: Site, items: list[ast.expr | ast.keyword], end: int
) -> Iterator[tuple[Splice, ast.expr | ast.keyword]]:
    spans = [site.source.span(item) for item in items]
    for place, item in enumerate(items):
        if len(items) == 1:
            yield Splice(spans[0][0], end, ""), item
        elif place == 0:
            yield Splice(spans[0][0], spans[1][0], ""), item
        else:
            yield Splice(spans[place - 1][1], spans[place][1], ""), item


@on_expressions("swap-arguments", 0.12, ast.Call)
def swap_arguments(site: Site, node: ast.Call) -> Iterator[Change]:
    """Two arguments change places."""
    plain = [item for item in node.args if not isinstance(item, ast.Starred)]
    for left, right in list(combinations(plain, 2))[:6]:
        if site.text(left) == site.text(right):
            continue
        splices = (
            Splice(*site.source.span(left), site.operand(right, LAMBDA)),
            Splice(*site.source.span(right), site.operand(left, LAMBDA)),
        )
        why = f"swaps the arguments `{site.text(left)}` and `{site.text(right)}`"
        harmless = isinstance(node.func, ast.Name) and node.func.id in ("min", "max")
        mixed = isinstance(left, ast.Constant) != isinstance(right, ast.Constant)
        yield Change(splices=splices, rationale=why, prior=0.1 if harmless else 0.4 if mixed else 1.0)


@on_expressions("keyword-name", 0.06, ast.Call)
def keyword_name(site: Site, node: ast.Call) -> Iterator[Change]:
    """Another keyword of the callee's signature."""
    function, _ = _callee(site, node)
    if function is None:
        return
    known = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
    for keyword in node.keywords:
        for name in known:
            if keyword.arg is not None and name not in {item.arg for item in node.keywords} | {"self", "cls"}:
                start, _ = site.source.span(keyword)
                splice = Splice(start, start + len(keyword.arg.encode(site.source.encoding)), name)
                prior = 0.2 + likeness(name, keyword.arg)
                yield Change(splices=(splice,), rationale=f"passes it as `{name}`", prior=prior)


TEMPLATES: Final[tuple[Template, ...]] = (
    add_argument,
    usual_argument,
    drop_argument,
    swap_arguments,
    keyword_name,
)
