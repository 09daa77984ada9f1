"""Which file imports which while tests are collected."""

import inspect
import sys
from types import FrameType
from typing import Any

from buddy_watch.inside.place import Place

_PASSED_OVER = ("<frozen importlib", __file__)


class ImportEdges:
    """First in line of the import system; finds nothing, and remembers who asked for what."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._asked: list[tuple[str, str]] = []
        self._before: set[str] = set()

    def start(self) -> None:
        """Begin to watch."""
        self._before = set(sys.modules)
        sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Watch no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Note the importing file and let the others find the module."""
        del path, target
        frame: FrameType | None = inspect.currentframe()
        while frame is not None and frame.f_code.co_filename.startswith(_PASSED_OVER):
            frame = frame.f_back
        if frame is not None:
            self._asked.append((frame.f_code.co_filename, name))

    def edges(self) -> list[tuple[str, str]]:
        """Pairs of project files: who imported, what was imported."""
        found: set[tuple[str, str]] = set()
        for importer, name in self._asked:
            here = self._place.relative(importer)
            if here is None:
                continue
            there = self._place.relative(getattr(sys.modules.get(name), "__file__", None))
            if there is not None and there != here:
                found.add((here, there))
        return sorted(found)

    def foreign(self) -> list[str]:
        """The modules from elsewhere that were imported since the start, in the order of their imports."""
        return [name for name in list(sys.modules) if name not in self._before and self._foreign(name)]

    def _foreign(self, name: str) -> bool:
        module = sys.modules.get(name)
        spec = getattr(module, "__spec__", None)
        if spec is None or spec.origin is None:
            return False
        return self._place.relative(getattr(module, "__file__", None)) is None
