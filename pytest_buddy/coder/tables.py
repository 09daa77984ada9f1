"""Templates on tables: entries and items that are missing or odd among the others."""

import ast
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from pytest_buddy.coder.by_values import last_column, written
from pytest_buddy.coder.change import Change, Splice, Template, on_expressions
from pytest_buddy.coder.site import Site

Rule = Callable[[Any], Any]
_ESCAPES: Final = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0",
    "\\": "\\", "'": "'", '"': '"', "/": "/",
}  # fmt: skip
_RULES: Final[tuple[tuple[type, Rule], ...]] = (
    (str, lambda key: key), (str, str.upper), (str, str.lower), (str, str.title), (str, str.capitalize),
    (str, _ESCAPES.__getitem__), (str, lambda key: key[:1]),
    (str, lambda key: key[:3]), (str, len), (str, ord), (str, int),
    (str, lambda key: key[::-1]),
    (int, lambda key: key), (int, str), (int, chr), (int, lambda key: -key),
)  # fmt: skip
_LEAST: Final = 3
_MOST_SIZE: Final = 200
_MOST_NEW: Final = 12
_LONGEST: Final = 30
_SHARE: Final = 0.75  # of the entries must follow the rule


def rule_of(pairs: Sequence[tuple[Any, Any]]) -> Rule | None:
    """How the values of a table follow from its keys, where nearly all do."""
    for kind, rule in _RULES:
        hits = sum(1 for key, value in pairs if type(key) is kind and _by(rule, key) == (value,))
        if len(pairs) >= _LEAST and hits >= max(_LEAST - 1, _SHARE * len(pairs)):
            return rule
    return None


def _by(rule: Rule, key: Any) -> tuple[Any, ...]:
    try:
        return (rule(key),)
    except (ValueError, TypeError, OverflowError, KeyError):
        return ()


def _constants(nodes: Sequence[ast.expr | None]) -> list[Any] | None:
    """The values of constants; None when one is something else."""
    if not all(isinstance(node, ast.Constant) for node in nodes):
        return None
    return [node.value for node in nodes if isinstance(node, ast.Constant)]


@on_expressions("entry-by-analogy", 0.3, ast.Dict)
def entry_by_analogy(site: Site, node: ast.Dict) -> Iterator[Change]:
    """The value that an entry has by the rule of the others; an entry by that rule for a missing key."""
    keys = _constants(node.keys)
    values = _constants(node.values)
    if keys is None or values is None or not _LEAST <= len(keys) <= _MOST_SIZE:
        return
    rule = rule_of(list(zip(keys, values, strict=True)))
    if rule is None:
        return
    for key, value, place in zip(keys, values, node.values, strict=True):
        for right in _by(rule, key):
            if right != value or type(right) is not type(value):
                why = f"the entry for {key!r} is {right!r}, by the rule of the others"
                yield site.change(place, written(right), why, prior=2.0)
    new = [key for key in _asked(site, type(keys[0])) if key not in keys]
    for key in new[:_MOST_NEW]:
        for value in _by(rule, key):
            if value is not None and type(value) is type(values[0]) and key != value:
                yield _entry(site, node, key, value)


def _entry(site: Site, node: ast.Dict, key: Any, value: Any) -> Change:
    end = site.source.span(node.values[-1])[1]
    own_lines = len({item.lineno for item in node.values}) == len(node.values) > 1
    joint = f",\n{' ' * last_column(node)}" if own_lines else ", "
    return Change(
        splices=(Splice(end, end, f"{joint}{written(key)}: {written(value)}"),),
        rationale=f"adds the entry {key!r}, by the rule of the others",
        prior=0.6,
    )


def _asked(site: Site, kind: type) -> list[Any]:
    """What was looked up or handled when the tests failed: keys that may be missing, shortest first."""
    hints = site.hints
    found = dict.fromkeys((*hints.keys, *sorted(hints.unknown)))
    shorter = sorted((*hints.subjects, *(pair[1] for pair in hints.texts)), key=len)
    found |= dict.fromkeys(text for text in shorter if 0 < len(text) <= _LONGEST)
    found |= dict.fromkeys(value for value in hints.wished if isinstance(value, int | str))
    return [key for key in found if type(key) is kind]


@on_expressions("missing-item", 0.12, ast.List, ast.Tuple, ast.Set, spread=3)
def missing_item(site: Site, node: ast.List | ast.Tuple | ast.Set) -> Iterator[Change]:
    """An item that a list of constants lacks: what was looked for, or what a list like it has."""
    items = _constants(node.elts)
    if items is None or not 2 <= len(items) <= _MOST_SIZE or len({type(item) for item in items}) != 1:
        return
    found: dict[Any, float] = {}
    for item in _beside(site, node, items):
        found[item] = 1.5
    for item in _asked(site, type(items[0])):
        found.setdefault(item, 1.5 if item in site.hints.unknown or item in site.hints.keys else 0.4)
    if isinstance(items[0], int) and not isinstance(items[0], bool) and len(items) > 2:
        for item in _gaps(items):
            found.setdefault(item, 0.8)
    end = site.source.span(node.elts[-1])[1]
    own_lines = len({item.lineno for item in node.elts}) == len(node.elts)
    joint = f",\n{' ' * node.elts[-1].col_offset}" if own_lines else ", "
    new = [(item, prior) for item, prior in found.items() if item not in items]
    for item, prior in sorted(new, key=lambda pair: -pair[1])[:_MOST_NEW]:
        yield Change(
            splices=(Splice(end, end, f"{joint}{written(item)}"),),
            rationale=f"adds {item!r}, which the others come with",
            prior=prior,
            suspicion=0.1,
        )


def _beside(site: Site, node: ast.expr, items: Sequence[Any]) -> Iterator[Any]:
    """What other lists and tables of the file hold that share most of their items with this one."""
    mine = set(items)
    for other in site.outline.nodes:
        nodes: Sequence[ast.expr | None] = ()
        if other is not node and isinstance(other, ast.List | ast.Tuple | ast.Set):
            nodes = other.elts
        elif isinstance(other, ast.Dict):
            nodes = other.keys
        held = _constants(nodes) if len(nodes) > 1 else None
        if held and 2 * len(mine & set(held)) >= len(mine):
            yield from (item for item in held if item not in mine and type(item) is type(items[0]))


def _gaps(numbers: Sequence[int]) -> Iterator[int]:
    """The numbers that an even row of numbers lacks: one inside it, or its next."""
    steps = [right - left for left, right in pairwise(numbers)]
    step = min(steps)
    if step > 0 and all(width % step == 0 for width in steps):
        yield from (number for number in range(numbers[0], numbers[-1], step) if number not in numbers)
        yield from (numbers[-1] + step, numbers[0] - step)


TEMPLATES: Final[tuple[Template, ...]] = (entry_by_analogy, missing_item)
