"""Notices when a candidate has left traces in the process, so that the next one gets a fresh child."""

import os
import sys
from types import ModuleType
from typing import Any

_CONTAINERS = (list, dict, set)
# What unittest itself leaves at the classes of its tests, anew after each.
_BY_UNITTEST = frozenset({"tearDown_exceptions", "_classSetupFailed", "_class_cleanups"})
_Shape = tuple[int, int]


def _shape(value: Any) -> _Shape:
    kind = type(value)
    return id(value), len(value) if kind in _CONTAINERS else 0


class StateGuard:
    """A cheap fingerprint of the project's modules, the environment and the current directory.

    It sees rebound globals and class attributes and containers that grew or shrank; deeper changes escape it,
    which is why a pass is always repeated in a fresh child.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._modules = self._loaded()
        self._before = self._take()

    def changed(self) -> bool:
        """Whether the fingerprint differs from that of the start."""
        return len(self._loaded()) != len(self._modules) or self._take() != self._before

    def _loaded(self) -> list[ModuleType]:
        """The project's modules; others are loaded once and do no harm."""
        return [
            module
            for module in list(sys.modules.values())
            if (getattr(module, "__file__", None) or "").startswith(self._prefix)
        ]

    def _take(self) -> list[Any]:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        shapes: list[Any] = [os.getcwd(), variables, len(sys.path)]  # noqa: PTH109  a plain comparison
        for module in self._modules:
            for name, value in vars(module).items():
                if name.startswith("@py_"):
                    continue
                shapes.append(_shape(value))
                if isinstance(value, type) and value.__module__ == module.__name__:
                    mine = type.__getattribute__(value, "__dict__")
                    shapes.extend(_shape(item) for key, item in mine.items() if key not in _BY_UNITTEST)
        return shapes
