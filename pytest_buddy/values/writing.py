"""Any value -> short text that resembles its repr, without running code of the user's."""

import collections
import enum
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from pytest_buddy.domain import Variable
from pytest_buddy.values.anatomy import (
    attributes,
    bases_of,
    has_attributes,
    instance_dict,
    is_a,
    is_exactly,
    namespace_of,
    type_name,
)
from pytest_buddy.values.familiar import array, code, integer, standard

MORE = "..."
_DEPTH = 3
_ELEMENTS = 8
_NODES = 60
_INNER_TEXT = 80
_ODD = (RuntimeError, AttributeError, TypeError, ValueError, LookupError, ArithmeticError, MemoryError)

_KINDS = (str, int, float, bool, bytes, list, tuple, dict, set, frozenset, complex, type(None))


def describe(value: object, *, limit: int = 200) -> str:
    """The value as at most `limit` characters; a text that holds `...` has been shortened."""
    try:
        return shorten(_Writer(limit).write(value, _DEPTH), limit)
    except _ODD:
        return shorten(f"<{type_name(value)}>", limit)


def variables(
    mapping: Mapping[str, object], names: Iterable[str] | None = None, *, most: int = 12
) -> tuple[Variable, ...]:
    """The plain data among a frame's locals: those of `names` in that order, or all; at most `most`.

    Modules, functions, classes but for those of plain data, dunder names and pytest's own temporaries are
    passed over.
    """
    try:
        found = _entries(mapping)
    except _ODD:
        return ()
    chosen = found if names is None else dict.fromkeys(names)
    kept = (name for name in chosen if name in found and _is_data(name, found[name]))
    return tuple(
        Variable(name=name, value=describe(found[name]), type=type_name(found[name]))
        for name in islice(kept, most)
    )


def shorten(text: str, limit: int) -> str:
    """The text with its middle left out when it is longer than `limit`."""
    if len(text) <= limit:
        return text
    tail = max(limit - len(MORE), 0) // 3
    head = max(limit - len(MORE) - tail, 0)
    return f"{text[:head]}{MORE}{text[len(text) - tail :]}"[: max(limit, 0)]


def _entries(mapping: Any) -> dict[str, object]:
    if is_a(mapping, dict):
        pairs = list(dict.items(mapping))
    elif type(mapping) is type(sys._getframe().f_locals):  # noqa: SLF001  a proxy from Python 3.13 on
        pairs = list(mapping.items())
    else:
        return {}
    return {name: value for name, value in pairs if type(name) is str}


def _is_data(name: str, value: object) -> bool:
    if not name.isidentifier() or (name.startswith("__") and name.endswith("__")):
        return False
    if type(value) is type and any(value is kind for kind in _KINDS):
        return True
    return not is_a(value, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)


def _joined(items: list[str], size: int) -> str:
    """The items, and how many were left out."""
    while len(items) > 1 and items[-1] == items[-2] == MORE:
        items.pop()
    if items and items[-1] == MORE:
        items.pop()
    left_out = size - len(items)
    return ", ".join([*items, f"{MORE} +{left_out} more"] if left_out > 0 else items)


class _Writer:
    """Writes one value; counts nodes, so that wide and deep values end early, and notices cycles."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.nodes = 0
        self.open: set[int] = set()

    def write(self, value: Any, depth: int) -> str:
        """The text of one value at `depth` levels above the deepest that is shown."""
        self.nodes += 1
        if self.nodes > _NODES:
            return MORE
        if is_exactly(value, bool, float, complex, type(None), type(...), type(NotImplemented)):
            return repr(value)
        if type(value) is int:
            return integer(value)
        known = code(value)
        if known is not None:
            return known
        if id(value) in self.open:
            return f"<the same {type_name(value)} again>"
        self.open.add(id(value))
        try:
            return self.compound(value, depth)
        finally:
            self.open.discard(id(value))

    def compound(self, value: Any, depth: int) -> str:
        """A value that may hold others."""
        if is_a(value, enum.Enum):
            return self.member(value, depth)
        for base in bases_of(type(value)):
            write = _BY_BASE.get(id(base))
            if write is not None:
                return array(value) or write(self, value, depth)
        return array(value) or standard(value) or self.instance(value, depth)

    def characters(self, base: Any, value: Any, depth: int) -> str:
        """Texts and bytes; the middle of long ones is left out between two literals."""
        room = self.limit if depth == _DEPTH else min(_INNER_TEXT, self.limit)
        size = base.__len__(value)
        if size <= room:
            text = repr(base.__getitem__(value, slice(None)))
            if len(text) <= room:
                return text if type(value) is base else f"{type_name(value)}({text})"
        head = repr(base.__getitem__(value, slice(max(room * 2 // 3 - 8, 1))))
        tail = repr(base.__getitem__(value, slice(max(size - room // 4, 0), size)))
        return f"{shorten(head, room)}{MORE}{shorten(tail, room // 2)}"

    def number(self, base: Any, value: Any, depth: int) -> str:  # noqa: ARG002  one signature for all
        """Instances of subclasses of numbers."""
        return f"{type_name(value)}({integer(value) if base is int else base.__repr__(value)})"

    def member(self, value: Any, depth: int) -> str:
        """Members of enumerations and flags."""
        own = instance_dict(value)
        name = dict.get(own, "_name_")
        if type(name) is str:
            return f"{type_name(value)}.{name}"
        return f"{type_name(value)}({self.write(dict.get(own, '_value_'), depth - 1)})"

    def elements(self, base: Any, value: Any, depth: int) -> str:
        """The inside of a list, tuple, set, deque or view."""
        size = base.__len__(value)
        if depth <= 0 and size:
            return MORE
        return _joined(
            [self.write(item, depth - 1) for item in islice(base.__iter__(value), _ELEMENTS)], size
        )

    def sequence(self, base: type, value: Any, depth: int) -> str:
        """Lists, sets, deques and views of dictionaries."""
        inner = self.elements(base, value, depth)
        if type(value) is list:
            return f"[{inner}]"
        if type(value) is set and inner:
            return f"{{{inner}}}"
        if base is set or base is frozenset:
            return f"{type_name(value)}({{{inner}}})" if inner else f"{type_name(value)}()"
        return f"{type_name(value)}([{inner}])"

    def record(self, value: Any, depth: int) -> str:
        """Tuples, named ones with their names."""
        size = tuple.__len__(value)
        spaces = (namespace_of(cls) for cls in bases_of(type(value)))
        fields = next((space["_fields"] for space in spaces if "_fields" in space), None)
        if type(fields) is tuple and len(fields) == size and all(type(name) is str for name in fields):
            return self.call(value, zip(fields, tuple.__iter__(value), strict=True), size, depth)
        inner = self.elements(tuple, value, depth)
        written = f"({inner},)" if size == 1 and inner != MORE else f"({inner})"
        return written if type(value) is tuple else f"{type_name(value)}({written})"

    def mapping(self, value: Any, depth: int) -> str:
        """Dictionaries of any kind."""
        size = dict.__len__(value)
        if depth <= 0 and size:
            inner = MORE
        else:
            pairs = islice(dict.items(value), _ELEMENTS)
            texts = [(self.write(key, depth - 1), self.write(item, depth - 1)) for key, item in pairs]
            inner = _joined([MORE if key == MORE else f"{key}: {item}" for key, item in texts], size)
        return f"{{{inner}}}" if type(value) is dict else f"{type_name(value)}({{{inner}}})"

    def exception(self, value: Any, depth: int) -> str:
        """Exceptions with their arguments."""
        arguments = BaseException.__dict__["args"].__get__(value)
        items = [self.write(item, depth - 1) for item in arguments[:_ELEMENTS]]
        return f"{type_name(value)}({_joined(items, len(arguments))})"

    def bounds(self, value: Any, depth: int) -> str:
        """Ranges and slices."""
        parts = [self.write(part, depth - 1) for part in (value.start, value.stop, value.step)]
        if type(value) is range and parts[2] == "1":
            parts.pop()
        return f"{type_name(value)}({', '.join(parts)})"

    def instance(self, value: object, depth: int) -> str:
        """Anything else, by its attributes, one level less deep than containers."""
        if not has_attributes(value):
            return f"<{type_name(value)}>"
        own = attributes(value)
        return self.call(value, own.items(), len(own), min(depth, _DEPTH - 1))

    def call(self, value: object, pairs: Iterable[tuple[str, object]], size: int, depth: int) -> str:
        """A type's name with named values in parentheses."""
        if depth <= 0 and size:
            return f"{type_name(value)}({MORE})"
        texts = [(name, self.write(item, depth - 1)) for name, item in islice(pairs, _ELEMENTS)]
        inner = _joined([MORE if text == MORE else f"{name}={text}" for name, text in texts], size)
        return f"{type_name(value)}({inner})"


def _with(method: Callable[..., str], base: type) -> Callable[[_Writer, Any, int], str]:
    return lambda writer, value, depth: method(writer, base, value, depth)


_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_BY_BASE: dict[int, Callable[[_Writer, Any, int], str]] = {
    id(BaseException): _Writer.exception,
    id(dict): _Writer.mapping,
    id(tuple): _Writer.record,
    id(range): _Writer.bounds,
    id(slice): _Writer.bounds,
    **{
        id(base): _with(_Writer.sequence, base) for base in (list, set, frozenset, collections.deque, *_VIEWS)
    },
    **{id(base): _with(_Writer.characters, base) for base in (str, bytes, bytearray)},
    **{id(base): _with(_Writer.number, base) for base in (int, float, complex)},
}
