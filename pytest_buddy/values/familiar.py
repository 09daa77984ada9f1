"""Well-known values that hold no containers, as short text: numbers, code, dates, paths, arrays."""

import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from pytest_buddy.values.anatomy import (
    attributes,
    bases_of,
    class_name,
    home,
    instance_dict,
    is_a,
    is_exactly,
    is_from,
    namespace_of,
    native,
    plain,
    type_name,
)

_LONG_INT_BITS = 1000
_SMALL_ARRAY = 8
_ARRAYS = {"numpy", "pandas", "polars", "torch", "tensorflow", "jax", "jaxlib", "pyarrow", "xarray", "scipy"}
_LETTERS = {"f": "float", "i": "int", "u": "uint", "c": "complex", "b": "bool"}


def integer(value: int) -> str:
    """The digits, or how many there are about when they are too many to read."""
    bits = int.bit_length(value)
    if bits <= _LONG_INT_BITS:
        return int.__repr__(value)
    sign = "-" if int.__lt__(value, 0) else ""
    return f"<int {sign}... of about {bits * 30103 // 100000 + 1} digits>"


def code(value: Any) -> str | None:
    """Functions, classes, modules and the like by name; None for anything else."""
    if is_exactly(value, types.FunctionType):
        return f"<function {_dotted(value.__module__, value.__qualname__)}>"
    if is_exactly(value, types.BuiltinFunctionType):
        return f"<built-in {plain(value.__name__)}>"
    if is_exactly(value, types.MethodType):
        inner = value.__func__
        return f"<method {plain(inner.__qualname__)}>" if type(inner) is types.FunctionType else "<method>"
    if is_exactly(value, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType):
        return f"<{type_name(value)} {plain(value.__qualname__)}>"
    if is_a(value, type):
        return f"<class {_dotted(home(value), class_name(value))}>"
    if is_a(value, types.ModuleType):
        name = dict.get(instance_dict(value), "__name__")
        return f"<module {plain(name)}>" if is_a(name, str) else "<module>"  # type: ignore[arg-type]
    return None


def standard(value: Any) -> str | None:
    """Dates, paths and other types of the standard library; None for anything else."""
    cls = type(value)
    module = home(cls).removesuffix("._local")
    write = _STANDARD.get(f"{module}.{type_name(value)}")
    return write(value) if write and is_from(cls, module) else None


def array(value: Any) -> str | None:
    """Arrays, tables and their scalars by type, shape and element type; None for anything else.

    The elements are shown only when they are few, and plain numbers.
    """
    if home(type(value)).partition(".")[0] not in _ARRAYS:
        return None
    name, shape, dtype = type_name(value), native(value, "shape"), native(value, "dtype")
    letter, width = native(dtype, "kind"), native(dtype, "itemsize")
    if not (type(shape) is tuple and type(letter) is str and type(width) is int):
        return f"<{name}>"
    element = f"{_LETTERS.get(letter, letter)}{'' if letter == 'b' else 8 * width}"
    size = native(value, "size")
    spaces = (namespace_of(cls) for cls in bases_of(type(value)))
    convert = next((space["tolist"] for space in spaces if "tolist" in space), None)
    if type(convert) is types.MethodDescriptorType and type(size) is int and size <= _SMALL_ARRAY:
        elements = convert(value) if letter in _LETTERS else None
        if is_exactly(elements, int, float, complex, bool):
            return f"{name}({elements!r})"
        if type(elements) is list:
            return f"{name}({elements!r}, dtype={element})"
    return f"<{name} shape={shape!r} dtype={element}>"


def _dotted(module: object, name: str) -> str:
    short = plain(name).replace("<locals>.", "")
    return f"{module}.{short}" if type(module) is str and module not in ("builtins", "__main__") else short


def _moment(value: Any) -> str:
    naive = repr(value.replace(tzinfo=None))
    return naive if value.tzinfo is None else f"{naive[:-1]}, tzinfo={_zone(value.tzinfo)})"


def _zone(zone: Any) -> str:
    fixed = sys.modules["datetime"].timezone
    if zone is fixed.utc:
        return "datetime.timezone.utc"
    if type(zone) is fixed:
        return f"datetime.timezone({fixed.utcoffset(zone, None)!r})"
    if is_from(type(zone), "zoneinfo") and type(zone.key) is str:
        return f"zoneinfo.ZoneInfo(key={zone.key!r})"
    return f"<{type_name(zone)}>"


def _decimal(value: Any) -> str | None:
    return repr(value) if -_LONG_INT_BITS < value.adjusted() < _LONG_INT_BITS else None


def _fraction(value: Any) -> str | None:
    parts = attributes(value)
    top, bottom = parts.get("_numerator"), parts.get("_denominator")
    both = type(top) is int and type(bottom) is int
    return f"Fraction({integer(top)}, {integer(bottom)})" if both else None  # type: ignore[arg-type]


def _uuid(value: Any) -> str | None:
    number = attributes(value).get("int")
    if type(number) is not int:
        return None
    digits = f"{number:032x}"
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return f"UUID('{'-'.join(parts)}')"


def _pattern(value: Any) -> str | None:
    return f"re.compile({value.pattern[:200]!r})" if is_exactly(value.pattern, str, bytes) else None


def _path(value: Any) -> str | None:
    raw = attributes(value).get("_raw_paths", [])
    if type(raw) is not list or not all(type(part) is str for part in raw):
        return None
    return repr(value)


_STANDARD: Mapping[str, Callable[[Any], str | None]] = {
    "datetime.date": repr,
    "datetime.timedelta": repr,
    "datetime.datetime": _moment,
    "datetime.time": _moment,
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    "uuid.UUID": _uuid,
    "re.Pattern": _pattern,
    "pathlib.PosixPath": _path,
    "pathlib.WindowsPath": _path,
    "pathlib.PurePosixPath": _path,
    "pathlib.PureWindowsPath": _path,
}
