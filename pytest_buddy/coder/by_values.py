"""Templates that work out a constant or an entry of a table from what came and what was expected."""

import ast
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.precedence import PRIMARY, UNARY
from pytest_buddy.coder.site import Site

Number = int | float
_MOST_NUMBERS: Final = 60
_FEW: Final = 4
_MOST_DIGITS: Final = 9
_MOST_ENTRIES: Final = 12
_LONGEST_VALUE: Final = 60
_USUAL: Final = 2.0  # a round number is likelier than its neighbours


def numbers_for(old: Number, actual: Number, expected: Number) -> Iterator[Number]:
    """What the constant `old` would have to be for `actual` to become `expected`, by the shape of its use."""
    if old == actual:
        yield expected
    yield old + (expected - actual)
    yield old - (expected - actual)
    if actual:
        yield old * expected / actual
    if expected:
        yield old * actual / expected


def _tidy(value: Number, like: Number) -> Number | None:
    """The number without the dirt of binary fractions, of the kind of `like`; None when it is not neat."""
    if not math.isfinite(value):
        return None
    short = round(value, _MOST_DIGITS)
    if isinstance(like, int) and not isinstance(short, int):
        return int(short) if short.is_integer() else (short if len(repr(short)) <= 6 else None)
    return short if len(repr(short)) <= _MOST_DIGITS + 2 else None


def _number(node: ast.AST) -> tuple[Number, ...]:
    value = node.value if isinstance(node, ast.Constant) else None
    return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else ()


@on_statement("number-by-values", 0.4)
def number_by_values(site: Site) -> Iterator[Change]:
    """The number that turns what came into what was expected; the more tests agree on it, the likelier."""
    if not site.hints.numbers:
        return
    count = 0
    held = tuple(_numbers(site))
    came = {actual for actual, _ in site.hints.numbers}
    is_table = site.statement.owner.function is None and len(held) > _FEW
    for node, held_number in held:
        parent = site.parents.get(node)
        negative = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)
        place = parent if negative and isinstance(parent, ast.expr) else node
        old = -held_number if negative else held_number
        if is_table and old not in came:
            continue  # which of many entries is meant would be a guess
        votes: Counter[Number] = Counter()
        for actual, expected in site.hints.numbers:
            wanted = {_tidy(value, old) for value in numbers_for(old, actual, expected)} - {None, old}
            votes.update(value for value in wanted if value is not None)
        for new, agreeing in votes.most_common(8):
            count += 1
            if count > _MOST_NUMBERS:
                return
            share = agreeing / len(site.hints.numbers)
            literal = repr(new)
            plain = len(literal.strip("-0.")) <= 1
            yield site.change(
                place,
                literal,
                f"uses {new} instead of {old}, which gives what the test expects",
                level=UNARY if new < 0 else PRIMARY,
                prior=share * (_USUAL if plain else 1.0),
                suspicion=0.0 if share > 1 / len(site.hints.numbers) or plain else 0.1,
                structural=place not in site.parents,
            )


def _numbers(site: Site) -> Iterator[tuple[ast.Constant, Number]]:
    """The numbers of the statement; of a table, also those that other templates leave out."""
    known: set[ast.AST] = set()
    for node in site.nodes_of(ast.Constant):
        known.add(node)
        yield from ((node, value) for value in _number(node))
    value = site.node.value if isinstance(site.node, ast.Assign | ast.AnnAssign) else None
    came = {actual for actual, _ in site.hints.numbers}
    for inner in ast.walk(value) if value is not None else ():
        if isinstance(inner, ast.Constant) and inner not in known:
            yield from ((inner, number) for number in _number(inner) if number in came)


@on_expressions("entry-by-values", 0.2, ast.Dict)
def entry_by_values(site: Site, node: ast.Dict) -> Iterator[Change]:
    """An entry that the table lacks: the key that was not found or looked up, with the expected value."""
    if not node.values or not all(isinstance(key, ast.Constant) for key in node.keys):
        return
    kinds = {type(value.value) for value in node.values if isinstance(value, ast.Constant)}
    if len(kinds) != 1 or not all(isinstance(value, ast.Constant) for value in node.values):
        return
    old = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    alike = {type(key) for key in old}
    missing = [key for key in site.hints.keys if type(key) in alike and key not in old]
    keys = missing or [text for text in site.hints.subjects if str in alike and text not in old and text]
    values = [value for value in site.hints.wished if {type(value)} == kinds]
    made = 0
    for key in keys:
        for value in values:
            if value == key or len(repr(key)) > _LONGEST_VALUE or made >= _MOST_ENTRIES:
                continue
            made += 1
            yield _with_entry(site, node, key, value, prior=1.0 if missing else 0.3)


def _with_entry(site: Site, node: ast.Dict, key: Any, value: Any, *, prior: float) -> Change:
    last = node.values[-1]
    end = site.source.span(last)[1]
    own_lines = len({item.lineno for item in node.values}) == len(node.values) > 1
    joint = f",\n{' ' * last_column(node)}" if own_lines else ", "
    return Change(
        splices=(Splice(end, end, f"{joint}{written(key)}: {written(value)}"),),
        rationale=f"adds the entry {key!r}, which the table lacks",
        prior=prior,
        suspicion=0.2,
    )


def last_column(node: ast.Dict) -> int:
    """The column at which the last entry begins."""
    key = node.keys[-1]
    return key.col_offset if key is not None else node.values[-1].col_offset


def written(value: object) -> str:
    """A value as a literal, with double quotes where it is a text."""
    text = repr(value)
    return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text and "\\'" not in text else text


TEMPLATES: Final[tuple[Template, ...]] = (number_by_values, entry_by_values)
