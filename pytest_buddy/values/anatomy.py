"""What a value is made of, read only through C-level slots and descriptors: no code of the user's runs.

Even `isinstance`, `==` between classes and attribute access can end up in a metaclass or a property, so types
are compared by identity and attributes are fetched by the descriptors that CPython itself puts into classes.
"""

import dataclasses
import sys
import types
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

bases_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
namespace_of: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
_name_of: Callable[[type], str] = type.__dict__["__name__"].__get__
_qualname_of: Callable[[type], str] = type.__dict__["__qualname__"].__get__
_module_of: Callable[[type], object] = type.__dict__["__module__"].__get__
_MOST_ATTRIBUTES = 32


def type_name(value: object) -> str:
    """The name of the value's real type, whatever its `__class__` says."""
    return plain(_name_of(type(value)))


def class_name(cls: type) -> str:
    """The qualified name of a class."""
    return plain(_qualname_of(cls))


def home(cls: type) -> str:
    """The name of the module a class says it comes from; empty when it does not say."""
    module = _module_of(cls)
    return plain(module) if is_a(module, str) else ""  # type: ignore[arg-type]


def is_a(value: object, *kinds: type) -> bool:
    """`isinstance`, asking only the real type."""
    return any(base is kind for base in bases_of(type(value)) for kind in kinds)


def is_exactly(value: object, *kinds: type) -> bool:
    """Whether the real type is one of `kinds`."""
    return any(type(value) is kind for kind in kinds)


def is_from(cls: type, module: str) -> bool:
    """Whether `cls` is that very public class of an already imported module."""
    loaded = sys.modules.get(module)
    return type(loaded) is types.ModuleType and loaded.__dict__.get(plain(_name_of(cls))) is cls


def plain(text: str) -> str:
    """The same characters as an exact `str`."""
    return text if type(text) is str else str.__getitem__(text, slice(None))


def instance_dict(value: object) -> dict[Any, object]:
    """The instance's own dictionary, also when its class hides `__dict__`; empty when it has none."""
    for cls in bases_of(type(value)):
        descriptor: Any = namespace_of(cls).get("__dict__")
        if is_exactly(descriptor, types.GetSetDescriptorType, types.MemberDescriptorType):
            found = descriptor.__get__(value)
            return found if is_a(found, dict) else {}
    return {}


def attributes(value: object) -> dict[str, object]:
    """The instance's slots and then its dictionary, without fields that a dataclass keeps from its repr."""
    found: dict[str, object] = {}
    hidden: set[str] = set()
    for cls in reversed(bases_of(type(value))):
        namespace = namespace_of(cls)
        hidden |= _hidden_fields(namespace)
        if "__slots__" in namespace:
            found |= _slots(value, namespace)
    for name, attribute in islice(dict.items(instance_dict(value)), _MOST_ATTRIBUTES):
        if type(name) is str:
            found[name] = attribute
    return {name: attribute for name, attribute in found.items() if name not in hidden}


def has_attributes(value: object) -> bool:
    """Whether instances of the type can hold attributes of their own."""
    spaces = [namespace_of(cls) for cls in bases_of(type(value))]
    return any("__slots__" in space for space in spaces) or any(
        type(space.get("__dict__")) is types.GetSetDescriptorType for space in spaces
    )


def native(value: object, name: str) -> object:
    """An attribute that the type provides in C; None when it has none or Python code provides it."""
    for cls in bases_of(type(value)):
        namespace = namespace_of(cls)
        if name in namespace:
            descriptor = namespace[name]
            if is_exactly(descriptor, types.GetSetDescriptorType, types.MemberDescriptorType):
                return descriptor.__get__(value)
            return None
    return None


def _slots(value: object, namespace: Mapping[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, descriptor in namespace.items():
        if type(name) is str and type(descriptor) is types.MemberDescriptorType:
            try:
                found[name] = descriptor.__get__(value)
            except AttributeError:
                continue  # an empty slot
    return found


def _hidden_fields(namespace: Mapping[str, Any]) -> set[str]:
    declared = namespace.get("__dataclass_fields__")
    if type(declared) is not dict:
        return set()
    return {
        name
        for name, field in declared.items()
        if type(name) is str and type(field) is dataclasses.Field and field.repr is False
    }
