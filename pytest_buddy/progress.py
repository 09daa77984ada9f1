"""How much nearer to passing a candidate brought the failing tests, from how they ended before and after."""

import ast
import difflib
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pytest_buddy.domain import GREEN, Outcome
from pytest_buddy.source import Source

_COMPARED = re.compile(r"assert (.{1,240}) == (.{1,240})")
_PASSED = 1.0
_LATER = 0.5
_PAST = 0.45
_NEARER = 0.4
_LONGEST = 200
_NOWHERE: Mapping[str, range] = MappingProxyType({})


def progress(
    before: Mapping[str, Outcome], after: Iterable[Outcome], within: Mapping[str, range] = _NOWHERE
) -> float:
    """The most progress of any test: passed, failed later, or with a smaller difference; 0 for none.

    `within` tells for a test the lines of the function that raised: what is raised further down is later.
    """
    ends = [end for end in after if end.test in before]
    return max((_of(before[end.test], end, within.get(end.test, range(0))) for end in ends), default=0.0)


def raising(before: Mapping[str, Outcome], sources: Mapping[str, Source]) -> dict[str, range]:
    """For each failing test the lines of the function of the project that raised."""
    found = {}
    for test, outcome in before.items():
        source = sources.get(outcome.path)
        if source is not None and 0 < outcome.line < len(source.line_starts):
            start = source.line_starts[outcome.line - 1]
            first, last = source.enclosing_lines(start, start)
            found[test] = range(first, last + 1)
    return found


def _of(before: Outcome, after: Outcome, within: range) -> float:
    if after.status in GREEN:
        return _PASSED
    if after.status not in ("failed", "error") or before.hung:
        return 0.0
    test_file = after.test.partition("::")[0]
    if before.path != test_file and after.path == test_file and after.error_type == "AssertionError":
        return _LATER
    if before.path == after.path and after.line > before.line:
        if after.path == test_file:
            return _LATER
        return _PAST if before.line in within and after.line in within else 0.0
    if before.path == after.path and before.line == after.line:
        gained = _distance(before.message) - _distance(after.message)
        return _NEARER * gained if gained > 0 else 0.0
    return 0.0


def _distance(message: str) -> float:
    """How far apart the two sides of a failed comparison are, 0 to 1; 1 when that is not known."""
    sides = compared(message)
    return difference(*sides) if sides is not None else 1.0


def compared(message: str) -> tuple[Any, Any] | None:
    """The two sides of a failed `==`, when both are plain values."""
    found = _COMPARED.match(message.partition("\n")[0])
    if found is None:
        return None
    left, right = _value(found[1]), _value(found[2])
    return (left, right) if left is not None and right is not None else None


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def difference(left: Any, right: Any) -> float:
    """How far apart two plain values are: 0 for equal ones, 1 for those that have nothing in common."""
    if left == right and type(left) is type(right):
        return 0.0
    if _is_number(left) and _is_number(right):
        gap = abs(left - right)
        return float(min(0.99, gap / (gap + max(1.0, abs(right)))))
    if isinstance(left, str) and isinstance(right, str):
        matcher = difflib.SequenceMatcher(a=left[:_LONGEST], b=right[:_LONGEST], autojunk=False)
        return 0.95 * (1 - matcher.ratio())
    if isinstance(left, dict) and isinstance(right, dict):
        keys = [*left.keys() | right.keys()]
        gaps = [difference(left[key], right[key]) if key in left and key in right else 1.0 for key in keys]
        return 0.95 * sum(gaps) / len(gaps) if gaps else 0.95
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        length = max(len(left), len(right))
        gaps = [difference(one, other) for one, other in zip(left, right, strict=False)]
        return 0.95 * (sum(gaps) + length - len(gaps)) / length if length else 0.95
    return 1.0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
