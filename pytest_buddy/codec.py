"""Frozen dataclasses to JSON and back, driven by their type hints alone."""

import base64
import binascii
import functools
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class CodecError(ValueError):
    """Data that does not fit the type it should become; the message names the place."""


def encode(value: Any) -> Any:
    """A dataclass, or what its fields may hold, as JSON data; bytes become base64."""
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, frozenset):
        return sorted(encode(item) for item in value)
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise CodecError(f"a {type(value).__name__} has no JSON form")


def decode(kind: type[T], data: Any) -> T:
    """The value of type `kind` that `data` stands for; raises CodecError, also for keys nobody knows."""
    value: T = _decode(kind, data, kind.__name__)
    return value


def _decode(kind: Any, data: Any, where: str) -> Any:
    if is_dataclass(kind):
        return _dataclass(kind, data, where)
    origin = typing.get_origin(kind)
    if origin is not None:
        return _generic(origin, typing.get_args(kind), data, where)
    if kind is bytes:
        return _bytes(data, where)
    if kind is float and type(data) is int:
        return float(data)
    if kind is types.NoneType:
        kind = type(None)
    if kind not in (str, int, float, bool, type(None)) or type(data) is not kind:
        raise CodecError(f"{where}: {type(data).__name__} instead of {getattr(kind, '__name__', kind)}")
    return data


def _dataclass(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise CodecError(f"{where}: {type(data).__name__} instead of an object")
    known = {field.name: field for field in fields(kind)}
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise CodecError(f"{where}: unknown key {unknown[0]!r}")
    required = (
        name
        for name, field in known.items()
        if field.default is MISSING and field.default_factory is MISSING and name not in data
    )
    if missing := next(required, None):
        raise CodecError(f"{where}: the key {missing!r} is missing")
    hints = _hints(kind)
    values = {name: _decode(hints[name], item, f"{where}.{name}") for name, item in data.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise CodecError(f"{where}: {error}") from error


@functools.cache
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def _generic(origin: Any, arguments: tuple[Any, ...], data: Any, where: str) -> Any:
    if origin is typing.Literal:
        if not any(data == choice and type(data) is type(choice) for choice in arguments):
            raise CodecError(f"{where}: {data!r} is none of {', '.join(map(repr, arguments))}")
        return data
    if origin in (typing.Union, types.UnionType):
        return _union(arguments, data, where)
    if origin in (tuple, frozenset):
        items = _expect(list, data, where)
        make: Callable[[Any], Any] = origin
        return make(_decode(arguments[0], item, f"{where}[{place}]") for place, item in enumerate(items))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        pairs = _expect(dict, data, where)
        return {key: _decode(arguments[1], item, f"{where}[{key!r}]") for key, item in pairs.items()}
    raise CodecError(f"{where}: no JSON form for {origin}")


def _union(arguments: tuple[Any, ...], data: Any, where: str) -> Any:
    if data is None and type(None) in arguments:
        return None
    choices = [argument for argument in arguments if argument is not type(None)]
    if len(choices) != 1:
        raise CodecError(f"{where}: only unions with None have a JSON form")
    return _decode(choices[0], data, where)


def _expect(kind: type[T], data: Any, where: str) -> T:
    if not isinstance(data, kind):
        raise CodecError(f"{where}: {type(data).__name__} instead of {kind.__name__}")
    return data


def _bytes(data: Any, where: str) -> bytes:
    try:
        return base64.b64decode(_expect(str, data, where), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CodecError(f"{where}: not base64") from error
