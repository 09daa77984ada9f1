"""The files of a project as they are now, looked at a few at a time."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from buddy_watch.affected.notes import Known
from buddy_watch.affected.shapes import Shape, digest_of, shape_of

_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "__pypackages__", "__pycache__"})
_LARGE = 8 << 20
_MOST_SHAPES = 4000
_COMPILED = (".so", ".pyd", ".dylib")
_CONFIGURATION = frozenset({"pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"})


class Inventory:
    """Reads and lists what lies below a root; `watched` says which files count."""

    def __init__(self, root: Path, watched: Callable[[str], bool]) -> None:
        self._root = root
        self._watched = watched
        self._shapes: dict[str, Shape] = {}  # of contents that were replaced: a branch may come back

    def below(self, directory: str = "") -> Iterator[str]:
        """Every file that counts below a directory; a step for each directory entry."""
        pending = [directory]
        while pending:
            directory = pending.pop()
            prefix = f"{directory}/" if directory else ""
            for name, is_directory in self._entries(directory):
                path = prefix + name
                if not is_directory:
                    if self.counts(path):
                        yield path
                elif self._enters(path):
                    pending.append(path)

    def counts(self, path: str) -> bool:
        """Whether a file may matter to tests, going by its path alone."""
        *directories, name = path.split("/")
        if any(part.startswith(".") or part in _FOREIGN for part in directories):
            return False
        if name.startswith(".") and name not in _CONFIGURATION:
            return False
        return not name.endswith((".pyc", "~")) and self._watched(path)

    def names(self, directory: str) -> str:
        """A digest of the names in a directory."""
        names = sorted(name for name, _ in self._entries("" if directory == "." else directory))
        return digest_of("\0".join(names).encode("utf-8", "surrogateescape"))

    def status(self, path: str) -> tuple[int, int] | None:
        """Size and time of the last change, None when it is no file."""
        try:
            status = (self._root / path).stat()
        except (OSError, ValueError):
            return None
        return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory of that name."""
        return (self._root / path).is_dir()

    def look(self, path: str, before: Known | None) -> Known | None:
        """A file as it is; with equal bytes `before`'s shape is not made again. None when it is not there."""
        status = self.status(path)
        if status is None:
            return None
        size, changed = status
        python = path.endswith(".py")
        if size > _LARGE and not python:
            return Known(size=size, changed=changed, digest=f"{size}:{changed}")
        try:
            content = (self._root / path).read_bytes()
        except OSError:
            return Known(size=size, changed=changed, digest=f"unreadable:{changed}")
        digest = digest_of(content)
        if not python:
            return Known(size=size, changed=changed, digest=digest)
        if before is not None and before.shape is not None:
            self._shapes[before.digest] = before.shape
        shape = self._shapes.pop(digest, None) or shape_of(content)
        while len(self._shapes) > _MOST_SHAPES:
            del self._shapes[next(iter(self._shapes))]
        return Known(size=size, changed=changed, digest=digest, shape=shape)

    def _entries(self, directory: str) -> list[tuple[str, bool]]:
        try:
            with os.scandir(self._root / directory) as entries:
                return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except (OSError, ValueError):
            return []

    def _enters(self, directory: str) -> bool:
        name = directory.rpartition("/")[2]
        if name.startswith(".") or name in _FOREIGN or not self._watched(f"{directory}/__init__.py"):
            return False
        return not (self._root / directory / "pyvenv.cfg").exists()


def rules_everything(path: str) -> bool:
    """Whether the file decides how all tests run: pytest's configuration, a compiled module."""
    return path in _CONFIGURATION or path.endswith(_COMPILED)
