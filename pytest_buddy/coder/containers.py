"""Templates on tuples, lists, dictionaries, subscripts and slices."""

import ast
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.precedence import ADD, LAMBDA, OR, PRIMARY, level_of
from pytest_buddy.coder.site import Site

_MOST_ELEMENTS: Final = 12


def _elements(node: ast.AST) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else []


@on_expressions("swap-elements", 0.1, ast.Tuple, ast.List)
def swap_elements(site: Site, node: ast.expr) -> Iterator[Change]:
    """Two elements change places."""
    for left, right in list(combinations(_elements(node)[:6], 2)):
        if site.text(left) == site.text(right) or isinstance(left, ast.Starred) != isinstance(
            right, ast.Starred
        ):
            continue
        splices = (
            Splice(
                *site.source.span(left), site.operand(right, LAMBDA) if level_of(right) else site.text(right)
            ),
            Splice(
                *site.source.span(right), site.operand(left, LAMBDA) if level_of(left) else site.text(left)
            ),
        )
        yield Change(splices=splices, rationale=f"swaps `{site.text(left)}` and `{site.text(right)}`")


@on_expressions("drop-element", 0.05, ast.Tuple, ast.List, ast.Set)
def drop_element(site: Site, node: ast.expr) -> Iterator[Change]:
    """One element fewer."""
    items = _elements(node)
    if len(items) < 2 or isinstance(getattr(node, "ctx", None), ast.Store):
        return
    spans = [site.source.span(item) for item in items]
    for place, item in enumerate(items[:_MOST_ELEMENTS]):
        if len(items) == 2 and isinstance(node, ast.Tuple):
            kept = items[1 - place]
            why = f"uses `{site.text(kept)}` alone"
            yield site.change(node, site.text(kept), why, level=level_of(kept), prior=0.4)
            continue
        splice = (
            Splice(spans[place][0], spans[place + 1][0], "")
            if place == 0
            else Splice(spans[place - 1][1], spans[place][1], "")
        )
        yield Change(splices=(splice,), rationale=f"drops `{site.text(item)}`", signal="shorter", prior=0.4)


@on_expressions("add-element", 0.06, ast.Tuple, ast.List, ast.Set)
def add_element(site: Site, node: ast.expr) -> Iterator[Change]:
    """One more element: a variable, or a value that the test expects."""
    items = _elements(node)
    if isinstance(getattr(node, "ctx", None), ast.Store):
        return
    held = {site.text(item) for item in items}
    texts: dict[str, float] = {}
    if not items or any(isinstance(item, ast.Name) for item in items):
        for name, likelihood in site.names_at(node).items():
            if likelihood >= 1.0 and name != site.scope.instance:
                texts[name] = 0.5 * (3.0 if name not in site.scope.reads else 1.0)
    for item, found in site.ingredients.expressions.items():
        if items and type(found.node) is type(items[-1]):
            texts.setdefault(item, 0.3)
    end = site.source.span(items[-1])[1] if items else site.source.span(node)[1] - 1
    for text, prior in texts.items():
        if text not in held:
            splice = Splice(end, end, f", {text}" if items else text)
            yield Change(splices=(splice,), rationale=f"adds `{text}`", prior=prior, signal="longer")


@on_expressions("dict-entries", 0.08, ast.Dict)
def dict_entries(site: Site, node: ast.Dict) -> Iterator[Change]:
    """Two values or two keys of a dictionary change places."""
    pairs = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
    for (_, left), (_, right) in list(combinations(pairs[:8], 2)):
        if site.text(left) != site.text(right):
            splices = (
                Splice(*site.source.span(left), site.operand(right, LAMBDA)),
                Splice(*site.source.span(right), site.operand(left, LAMBDA)),
            )
            yield Change(splices=splices, rationale=f"swaps `{site.text(left)}` and `{site.text(right)}`")


@on_expressions("bounds", 0.17, ast.Slice)
def slice_bounds(site: Site, node: ast.Slice) -> Iterator[Change]:
    """Other bounds of a slice."""
    yield from _moved_bounds(site, node)
    for bound, name in ((node.lower, "lower"), (node.upper, "upper"), (node.step, "step")):
        if bound is not None:
            start, end = site.source.span(bound)
            why = f"drops the {name} bound of the slice" if name != "step" else "drops the step of the slice"
            yield Change(splices=(Splice(start, end, ""),), rationale=why, prior=0.4)
    start, end = site.source.span(node)
    if node.lower is None and start == end - len(site.text(node)):
        for text, prior in (("1", 0.5), ("-1", 0.1)):
            yield Change(
                splices=(Splice(start, start, text),), rationale=f"starts the slice at {text}", prior=prior,
                signal="without-first" if text == "1" else "",
            )  # fmt: skip
    if node.upper is None and node.step is None:
        for text, prior in (("-1", 0.5), ("1", 0.1)):
            yield Change(
                splices=(Splice(end, end, text),), rationale=f"ends the slice at {text}", prior=prior,
                signal="without-last" if text == "-1" else "",
            )  # fmt: skip


def _moved_bounds(site: Site, node: ast.Slice) -> Iterator[Change]:
    if node.step is None and (node.lower is None) != (node.upper is None):
        bound = node.lower or node.upper
        assert bound is not None
        text = site.text(bound)
        moved = f":{text}" if node.lower is not None else f"{text}:"
        yield Change(
            splices=(Splice(*site.source.span(node), moved),),
            rationale="takes the other side of the slice",
            prior=0.5,
        )
    if node.lower is not None and node.upper is not None:
        splices = (
            Splice(*site.source.span(node.lower), site.text(node.upper)),
            Splice(*site.source.span(node.upper), site.text(node.lower)),
        )
        yield Change(splices=splices, rationale="swaps the bounds of the slice", prior=0.3)


@on_expressions("index-or-slice", 0.06, ast.Subscript)
def index_or_slice(site: Site, node: ast.Subscript) -> Iterator[Change]:
    """A slice for an index, the other end, or the whole value."""
    if not isinstance(node.ctx, ast.Load):
        return
    index = node.slice
    if isinstance(index, ast.Slice | ast.Tuple):
        why = f"uses all of `{site.text(node.value)}`"
        yield site.change(node, site.text(node.value), why, level=level_of(node.value), prior=0.5)
        return
    if isinstance(index, ast.Constant) and isinstance(index.value, str):
        return
    text = site.text(index)
    why = f"takes a slice at `{text}`"
    yield site.change(index, f"{text}:", why, level=0, prior=0.4)
    yield site.change(index, f":{text}", why, level=0, prior=0.4)
    yield site.change(
        node,
        site.text(node.value),
        f"uses all of `{site.text(node.value)}`",
        level=level_of(node.value),
        prior=0.3,
    )
    if isinstance(index, ast.Name):
        why = f"counts `{text}` from the end"
        yield site.change(index, f"-{text}", why, prior=0.3)
        yield site.change(index, f"-{text} - 1", why, level=ADD, prior=0.2)


@on_expressions("dict-get", 0.1, ast.Subscript, spread=3)
def dict_get(site: Site, node: ast.Subscript) -> Iterator[Change]:
    """`get` with a default where a missing key would raise."""
    if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice | ast.Tuple | ast.UnaryOp):
        return
    if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
        return
    owner, key = site.operand(node.value, PRIMARY), site.text(node.slice)
    counting = isinstance(site.parent(node), ast.BinOp | ast.AugAssign)
    for default, prior in (
        ("", 1.0), (", 0", 1.2 if counting else 0.5), (', ""', 0.4), (", []", 0.4), (f", {key}", 0.4),
        (", {}", 0.2), (", ()", 0.2), (", False", 0.1),
    ):  # fmt: skip
        why = f"asks `{site.text(node.value)}` for `{key}` without failing when it is not there"
        yield site.change(node, f"{owner}.get({key}{default})", why, prior=prior)


@on_statement("default", 0.06, spread=4)
def default_value(site: Site) -> Iterator[Change]:
    """`x or default` where a value may be None or empty."""
    for node in site.loads:
        parent = site.parent(node)
        if not isinstance(node, ast.Name | ast.Attribute | ast.Call):
            continue
        if isinstance(node, ast.Name) and node.id == site.scope.instance:
            continue
        if (isinstance(parent, ast.Call) and parent.func is node) or isinstance(
            parent, ast.Subscript | ast.BoolOp
        ):
            continue
        if not isinstance(
            parent, ast.Return | ast.For | ast.Assign | ast.Call | ast.comprehension | ast.BinOp
        ):
            continue
        iterated = isinstance(parent, ast.For | ast.comprehension)
        text = site.operand(node, OR + 1)
        signals = {"0": "", '""': "str", "[]": "list", "{}": "dict", "()": "tuple", "1": "", "None": "none"}
        for value, signal in signals.items():
            prior = 1.0 if (value in ("[]", "()")) == iterated else 0.3
            why = f"uses `{value}` when `{site.text(node)}` is empty or None"
            yield site.change(node, f"{text} or {value}", why, level=OR, prior=prior * 0.5, signal=signal)


@on_statement("filter", 0.06)
def comprehension_filter(site: Site) -> Iterator[Change]:
    """A filter added to a comprehension, or dropped from it."""
    for node in site.nodes_of(ast.comprehension):
        for condition in node.ifs:
            start, end = site.source.span(condition)
            before = site.source.content.rfind(b"if", site.source.span(node.iter)[1], start)
            if before >= 0 and not site.source.content[before + 2 : start].strip(b" \t\r\n("):
                closing = end + (site.source.content[before + 2 : start].count(b"("))
                why = f"keeps all, not only those with `{site.text(condition)}`"
                while site.source.content[before - 1 : before] in (b" ", b"\t"):
                    before -= 1
                yield Change(
                    splices=(Splice(before, closing, ""),), rationale=why, prior=0.5, signal="filled"
                )
        end = max(site.source.span(item)[1] for item in (node.iter, *node.ifs))
        if isinstance(node.target, ast.Name):
            name = node.target.id
            for text, prior in ((name, 1.0), (f"{name} is not None", 1.0), (f"not {name}", 0.2)):
                why = f"keeps only those with `{text}`"
                joint = f" and {text}" if node.ifs else f" if {text}"
                yield Change(splices=(Splice(end, end, joint),), rationale=why, prior=prior, signal="shorter")


@on_statement("copy", 0.07, spread=2)
def copied(site: Site) -> Iterator[Change]:
    """A copy of a collection instead of the collection itself."""
    for node in site.loads:
        parent = site.parent(node)
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(
            parent, ast.Assign | ast.Return | ast.For | ast.Call | ast.AnnAssign
        ):
            continue
        if isinstance(parent, ast.Call) and parent.func is node:
            continue
        if isinstance(node, ast.Name) and node.id == site.scope.instance:
            continue
        text = site.text(node)
        why = f"works on a copy of `{text}`"
        prior = 2.0 if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name) else 0.5
        yield site.change(node, f"{text}.copy()", why, prior=prior)
        yield site.change(node, f"list({text})", why, prior=prior)
        yield site.change(node, f"dict({text})", why, prior=prior * 0.8)
        yield site.change(node, f"{text}[:]", why, prior=0.1)


TEMPLATES: Final[tuple[Template, ...]] = (
    swap_elements,
    drop_element,
    add_element,
    dict_entries,
    slice_bounds,
    index_or_slice,
    dict_get,
    default_value,
    comprehension_filter,
    copied,
)
