"""Values a little different from a recorded one: empty, single, reversed, one more, one less."""

import copy
import datetime
import enum
from collections.abc import Iterator
from types import CodeType
from typing import Any

_LARGEST = 10_000
_MOST_CONSTANTS = 4
_LONGEST = 1_000


def variants(value: Any, constants: tuple[int, ...] = ()) -> Iterator[Any]:
    """Other values of the same type, the simplest first; none for types that are not known here.

    `constants` are numbers that the function compares with or computes with: its boundaries.
    """
    kind = type(value)
    if kind is bool:
        yield not value
    elif kind is int:
        near = (0, value + 1, value - 1, -value, *(n + step for n in constants for step in (0, 1, -1)))
        yield from dict.fromkeys(number for number in near if number != value)
    elif kind is float:
        yield from dict.fromkeys(
            number for number in (0.0, -value, value + 0.5, value * 2) if number != value
        )
    elif kind in (str, bytes, list, tuple):
        yield from _series(value)
    elif kind in (set, frozenset, dict) and value:
        yield kind()
        if kind is dict and len(value) > 1:
            yield dict(list(value.items())[:1])
    elif isinstance(value, enum.Enum):
        yield from [member for member in kind if member is not value][:2]
    elif isinstance(value, datetime.date):
        yield from (value + datetime.timedelta(days=1), value - datetime.timedelta(days=1))
    elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, type):
        yield from _objects(value)


def boundaries(code: CodeType) -> tuple[int, ...]:
    """The small whole numbers in a function's code."""
    found = [item for item in code.co_consts if type(item) is int and 0 < abs(item) <= _LARGEST]
    return tuple(found[:_MOST_CONSTANTS])


def _series(value: Any) -> Iterator[Any]:
    """Empty, the first element, one twice, in reverse; texts in other letters as well."""
    if not value:
        return
    yield value[:0]
    if len(value) > _LONGEST:
        return
    if len(value) > 1:
        yield value[:1]
    yield value + value[:1]
    if value[::-1] != value:
        yield value[::-1]
    if isinstance(value, str):
        yield f" {value}"
        if value.swapcase() != value:
            yield value.swapcase()


def _objects(value: Any) -> Iterator[Any]:
    """Copies of an object with one attribute made empty, or zero."""
    for name, attribute in list(vars(value).items()):
        simplest = next(variants(attribute), None) if _is_plain(attribute) else None
        if simplest is not None and not simplest:
            other = copy.copy(value)
            vars(other)[name] = simplest
            yield other


def _is_plain(value: object) -> bool:
    return type(value) in (bool, int, float, str, bytes, list, tuple, set, frozenset, dict)
