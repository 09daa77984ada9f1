"""A process that has begun to collect stops again where the file that is likely to change is imported."""

import sys
from collections.abc import Callable
from typing import Any


class Gate:
    """First in line of the import system, until somebody asks for a module that may be in the file.

    Stopping too early does no harm: names are compared, not files.
    """

    def __init__(self, path: str, reached: Callable[[], None]) -> None:
        folder, _, name = path.rpartition("/")
        stem = name.partition(".")[0]
        self._name = folder.rpartition("/")[2] if stem == "__init__" else stem
        self._reached = reached

    def close(self) -> None:
        """Stand in the way of the next import."""
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Wait here; the file is found by others, as it is by then."""
        del path, target
        if self._name and name.rpartition(".")[2] == self._name:
            self._name = ""  # and no more: to leave the list while it is gone through would hide who is next
            self._reached()

    def open(self) -> None:
        """Leave the import system."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
