"""Which files belong to the project, and which of them ask for something, told fast enough for every call."""

# ruff: noqa: PTH100, PTH110, PTH118, PTH206  strings: this is asked at every file that is opened
import os
from pathlib import Path
from types import FrameType

_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "__pypackages__", "__pycache__"})
_MOST_REMEMBERED = 20_000


class Territory:
    """The person's own files below the rootdir: no hidden, installed or compiled ones."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self._prefix = self.root.rstrip(os.sep) + os.sep
        given = str(root).rstrip(os.sep) + os.sep
        self._prefixes = tuple({self._prefix, given})
        self._known: dict[str, str | None] = {}
        self._environments: dict[str, bool] = {}

    def relative(self, filename: str) -> str | None:
        """The posix path of a project file relative to the rootdir, None for everything else."""
        try:
            return self._known[filename]
        except KeyError:
            if len(self._known) > _MOST_REMEMBERED:
                self._known.clear()
            found = self._known[filename] = self._resolved(filename)
            return found

    def listed(self, directory: str) -> str | None:
        """The same for a directory; the rootdir itself is `.`."""
        if os.path.realpath(directory) == self.root:
            return "."
        return self.relative(directory)

    def absolute(self, filename: str) -> str:
        """A path as it is meant from the current directory."""
        return filename if filename.startswith(os.sep) else os.path.abspath(filename)

    def asking(self, frame: FrameType | None) -> str | None:
        """The project file nearest to a frame, the frame's own included."""
        while frame is not None:
            path = self.relative(frame.f_code.co_filename)
            if path is not None:
                return path
            frame = frame.f_back
        return None

    def importing(self, frame: FrameType | None) -> str | None:
        """The project file nearest to a frame whose module body is running, the frame's own included."""
        while frame is not None:
            code = frame.f_code
            if code.co_name == "<module>" and (path := self.relative(code.co_filename)) is not None:
                return path
            frame = frame.f_back
        return None

    def _resolved(self, filename: str) -> str | None:
        if filename.startswith("<"):
            return None
        absolute = os.path.abspath(filename)
        if not absolute.startswith(self._prefixes):
            return None
        absolute = os.path.realpath(absolute)
        if not absolute.startswith(self._prefix):
            return None
        parts = absolute[len(self._prefix) :].split(os.sep)
        if any(part.startswith(".") or part in _FOREIGN for part in parts):
            return None
        for depth in range(1, len(parts)):
            if self._is_environment(os.sep.join(parts[:depth])):
                return None
        return "/".join(parts)

    def _is_environment(self, directory: str) -> bool:
        known = self._environments.get(directory)
        if known is None:
            known = os.path.exists(os.path.join(self.root, directory, "pyvenv.cfg"))
            self._environments[directory] = known
        return known
