"""Pairs of what came and what was expected, read from failures down to single texts and numbers."""

import ast
import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytest_buddy.domain import Comparison, Failure

Pair = tuple[Any, Any]
_LONGEST_REPR: Final = 2_000
_LONGEST_TEXT: Final = 400
_MOST: Final = 40
_EQUAL: Final = frozenset({"==", "is", "equal", "!="})
_NO_MATCH: Final = re.compile(
    r"(?:Regex|Expected regex)[^:]*: (?P<expected>.+?)\n\s*(?:Input|Actual message): (?P<actual>.+)",
    re.DOTALL,
)
_SPECIAL: Final = re.compile(r"(?<!\\)(?:[$^*+?{}\[\]|()]|\.(?=[*+?{]))|\\[AbBdDsSwWZ]")
_QUOTED: Final = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")


def literal(text: str) -> tuple[Any, ...]:
    """The value that a repr writes, alone in a tuple; empty when it is no literal."""
    if not text or len(text) > _LONGEST_REPR:
        return ()
    try:
        return (ast.literal_eval(text),)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ()


def whole_pairs(failures: Iterable[Failure]) -> Iterator[Pair]:
    """What came and what was expected, of the comparisons whose two sides are literals."""
    for failure in failures:
        comparison = failure.comparison
        if comparison is not None and comparison.operator in (*_EQUAL, "in"):
            for actual in literal(comparison.left):
                for expected in literal(comparison.right):
                    yield actual, expected


def text_pairs(failures: Iterable[Failure]) -> tuple[tuple[str, str], ...]:
    """Texts that came and texts that were expected: compared, contained, held by others, or raised."""
    found: dict[tuple[str, str], None] = {}
    for failure in failures:
        for actual, expected in _texts_of(failure):
            if actual != expected and max(len(actual), len(expected)) <= _LONGEST_TEXT and len(found) < _MOST:
                found[actual, expected] = None
    return tuple(found)


def number_pairs(failures: Iterable[Failure]) -> tuple[tuple[float, float], ...]:
    """Numbers that came and numbers that were expected, those inside other values and texts too."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for failure in failures:
        for actual, expected in _numbers_of(failure):
            if actual != expected and len(found) < _MOST:
                found.setdefault((repr(actual), repr(expected)), (actual, expected))
    return tuple(found.values())


def _texts_of(failure: Failure) -> Iterator[tuple[str, str]]:
    if refused := _NO_MATCH.search(failure.message):
        for actual in literal(refused["actual"].strip()) or (refused["actual"].strip(),):
            for pattern in literal(refused["expected"].strip()) or (refused["expected"].strip(),):
                if isinstance(actual, str) and isinstance(pattern, str) and not _SPECIAL.search(pattern):
                    yield from _contained(re.sub(r"\\(.)", r"\1", pattern), actual)
    comparison = failure.comparison
    if comparison is None:
        return
    pair = _literal_pair(comparison)
    if comparison.operator == "in" and pair is not None:
        yield from _contained(*pair)
    elif comparison.operator in _EQUAL:
        pairs = texts_in(*pair) if pair is not None else _inside(comparison, _QUOTED)
        yield from pairs


def _literal_pair(comparison: Comparison) -> Pair | None:
    for actual in literal(comparison.left):
        for expected in literal(comparison.right):
            return actual, expected
    return None


def _contained(wanted: Any, text: Any) -> Iterator[tuple[str, str]]:
    """What stands in a text where something else was looked for."""
    if isinstance(text, list | tuple | dict | set | frozenset) and isinstance(wanted, str):
        near = difflib.get_close_matches(wanted, [item for item in text if isinstance(item, str)], 1, 0.5)
        yield from ((item, wanted) for item in near)
    if not isinstance(text, str) or not isinstance(wanted, str) or len(text) > 4 * _LONGEST_TEXT:
        return
    matcher = difflib.SequenceMatcher(a=text, b=wanted, autojunk=False)
    longest = matcher.find_longest_match()
    if longest.size < min(3, len(wanted)):
        return
    start = max(0, longest.a - longest.b)
    room = text[start : start + len(wanted) + 8]
    blocks = difflib.SequenceMatcher(a=room, b=wanted, autojunk=False).get_matching_blocks()[:-1]
    if blocks and 2 * sum(block.size for block in blocks) >= len(wanted):
        end = blocks[-1].a + blocks[-1].size + len(wanted) - blocks[-1].b - blocks[-1].size
        begin = max(0, blocks[0].a - blocks[0].b)
        yield room[begin:end], wanted


def texts_in(actual: object, expected: object) -> Iterator[tuple[str, str]]:
    """The pairs of texts at the same place of two values."""
    return ((left, right) for left, right in _aligned(actual, expected) if _both(left, right, str))


def _aligned(actual: Any, expected: Any) -> Iterator[Pair]:
    if isinstance(actual, list | tuple) and isinstance(expected, list | tuple):
        for left, right in zip(actual[:20], expected[:20], strict=False):
            yield from _aligned(left, right)
    elif isinstance(actual, dict) and isinstance(expected, dict):
        for key in [key for key in actual if key in expected][:20]:
            yield from _aligned(actual[key], expected[key])
        more = [key for key in expected if key not in actual]
        lost = [(key, other) for key in actual if key not in expected for other in more]
        for left, right in lost[:4]:
            yield from _aligned(left, right)
    elif isinstance(actual, set | frozenset) and isinstance(expected, set | frozenset):
        yield from [(left, right) for left in actual - expected for right in expected - actual][:4]
    else:
        yield actual, expected


def _both(left: object, right: object, *kinds: type) -> bool:
    return type(left) in kinds and type(right) in kinds


def _numbers_of(failure: Failure) -> Iterator[tuple[float, float]]:
    comparison = failure.comparison
    if comparison is None or comparison.operator not in _EQUAL:
        return
    pair = _literal_pair(comparison)
    if pair is None:
        yield from _inside(comparison, _NUMBER)
        return
    for left, right in _aligned(*pair):
        if _both(left, right, int, float):
            yield left, right
        elif isinstance(left, str) and isinstance(right, str):
            yield from _same_but(left, right, _NUMBER)


def _inside(comparison: Comparison, part: re.Pattern[str]) -> Iterator[Pair]:
    if max(len(comparison.left), len(comparison.right)) <= _LONGEST_REPR:
        yield from _same_but(comparison.left, comparison.right, part)


def _same_but(left: str, right: str, part: re.Pattern[str]) -> Iterator[Pair]:
    """The parts in which two texts differ that are alike but for such parts."""
    mine, theirs = part.findall(left), part.findall(right)
    if len(mine) != len(theirs) or part.split(left) != part.split(right):
        return
    for one, other in zip(mine, theirs, strict=True):
        for actual in literal(one):
            for expected in literal(other):
                if actual != expected:
                    yield actual, expected
