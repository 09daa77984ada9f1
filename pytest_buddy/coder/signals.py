"""What lies between the value that came and the one that was expected."""

from collections.abc import Callable
from typing import Any, Final

STRONG: Final = 6.0
WEAK: Final = 2.5

_CONVERSIONS: Final[tuple[tuple[str, Callable[[Any], Any]], ...]] = (
    ("str", str), ("int", int), ("float", float), ("list", list), ("tuple", tuple), ("set", set),
    ("frozenset", frozenset), ("len", len), ("sum", sum), ("abs", abs), ("sorted", sorted), ("max", max),
    ("min", min), ("bool", bool), ("round", round), ("negate", lambda value: -value),
    ("reversed", lambda value: value[::-1]), ("strip", lambda value: value.strip()),
    ("lower", lambda value: value.lower()), ("upper", lambda value: value.upper()),
    ("title", lambda value: value.title()), ("capitalize", lambda value: value.capitalize()),
    ("rstrip", lambda value: value.rstrip()), ("lstrip", lambda value: value.lstrip()),
    ("unique", lambda value: list(dict.fromkeys(value))), ("values", lambda value: list(value.values())),
    ("keys", list), ("items", lambda value: list(value.items())), ("first", lambda value: value[0]),
    ("last", lambda value: value[-1]), ("without-first", lambda value: value[1:]),
    ("without-last", lambda value: value[:-1]), ("encode", lambda value: value.encode()),
    ("decode", lambda value: value.decode()),
    ("none-dropped", lambda value: [item for item in value if item is not None]),
    ("sorted-down", lambda value: sorted(value, reverse=True)),
)  # fmt: skip


def value_signals(actual: Any, expected: Any) -> dict[str, float]:
    """Signal -> factor, of what would turn the value that came into the expected one."""
    found: dict[str, float] = {}
    for name, convert in _CONVERSIONS:
        try:
            result = convert(actual)
        except (TypeError, ValueError, AttributeError, IndexError, KeyError, OverflowError):
            continue
        same = type(actual) is type(expected) and actual == expected
        if type(result) is type(expected) and result == expected and not same:
            found[name] = STRONG
    if isinstance(actual, bool) or isinstance(expected, bool):
        found["truth"] = WEAK
    elif isinstance(actual, int | float) and isinstance(expected, int | float):
        found.update(_number_signals(actual, expected))
    if actual is None and expected is not None:
        found["return"] = STRONG
    if expected is None and actual is not None:
        found["none"] = STRONG
    if isinstance(actual, list | tuple | dict | set | str) and type(actual) is type(expected):
        found.update(_size_signals(actual, expected))
    return found


def _number_signals(actual: float, expected: float) -> dict[str, float]:
    found: dict[str, float] = {}
    if expected - actual == 1:
        found["+1"] = WEAK
    elif actual - expected == 1:
        found["-1"] = WEAK
    if type(actual) is float and actual // 1 == expected:
        found["floor"] = STRONG
    if type(expected) is float and type(actual) is int:
        found["true-division"] = WEAK
    return found


def _size_signals(actual: Any, expected: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    if len(expected) == len(actual) + 1:
        found["longer"] = WEAK
    elif len(expected) + 1 == len(actual):
        found["shorter"] = WEAK
    if len(actual) == 0 < len(expected):
        found["filled"] = WEAK
    if isinstance(actual, list | tuple) and len(actual) == len(expected):
        inner = [
            value_signals(left, right)
            for left, right in zip(actual[:5], expected[:5], strict=True)
            if left != right
        ]
        for signals in inner:
            for name, factor in signals.items():
                found.setdefault(name, 1 + (factor - 1) * 0.6)
    return found
