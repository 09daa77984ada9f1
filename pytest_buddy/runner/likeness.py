"""Which values are alike: digests that are equal for equal values, wherever these lie in memory."""

import collections
import enum
import hashlib
import math
import types
from collections.abc import Iterator
from typing import Any

_NODES = 4000
_DEPTH = 20
_DIGITS = 12


def likeness(*values: object) -> str:
    """A digest of plain data and of objects by their attributes; sets and dictionaries in any order.

    Numbers that are equal but for rounding are alike, of whatever type. May run code of the user's.
    """
    text = "\0".join(_Likeness().of(value, _DEPTH) for value in values)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


class _Likeness:
    """Writes one value; counts nodes, so that endless structures end."""

    def __init__(self) -> None:
        self._nodes = 0
        self._open: set[int] = set()

    def of(self, value: Any, depth: int) -> str:
        self._nodes += 1
        if self._nodes > _NODES or not depth:
            return "..."
        if value is None or isinstance(value, bool | bytes):
            return repr(value)
        if isinstance(value, enum.Enum):
            return f"{type(value).__qualname__}.{value.name}"
        if isinstance(value, int | float):
            return _number(value)
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | types.ModuleType):
            return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value.__name__)}"
        if id(value) in self._open:
            return "<again>"
        self._open.add(id(value))
        try:
            return f"{type(value).__qualname__}({self._inside(value, depth - 1)})"
        finally:
            self._open.discard(id(value))

    def _inside(self, value: Any, depth: int) -> str:
        own = {name: self.of(item, depth) for name, item in _attributes(value)}
        parts = [f"{name}={own[name]}" for name in sorted(own)]
        if isinstance(value, str):
            parts.append(str.__repr__(value))
        elif isinstance(value, list | tuple | collections.deque):
            parts += [self.of(item, depth) for item in value]
        elif isinstance(value, set | frozenset):
            parts += sorted(self.of(item, depth) for item in value)
        elif isinstance(value, dict):
            parts += self._items(value, depth)
        elif isinstance(value, BaseException):
            parts += [self.of(item, depth) for item in value.args]
        elif not parts and _writes_itself(value):
            text = repr(value)
            parts.append(text if " at 0x" not in text else "")
        return ",".join(parts)

    def _items(self, value: dict[Any, Any], depth: int) -> list[str]:
        pairs = [f"{self.of(key, depth)}:{self.of(item, depth)}" for key, item in dict.items(value)]
        return pairs if isinstance(value, collections.OrderedDict) else sorted(pairs)


def _writes_itself(value: object) -> bool:
    return any("__repr__" in cls.__dict__ for cls in type(value).__mro__[:-1])


def _number(value: float) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            return repr(float(value))
        if value != int(value):
            return f"{value:.{_DIGITS}g}"
    return str(int(value)) if abs(value) < 10**300 else f"{value:x}"


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    yield from list(getattr(value, "__dict__", {}).items())
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)
