"""The only door to the user's files."""

import fnmatch
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pytest_buddy.errors import SourceError
from pytest_buddy.source import Source

STATE = ".buddy"
_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "__pypackages__"})


@dataclass(frozen=True)
class Workspace:
    """A project's directory; paths handed in or out are posix and relative to `root`, which is resolved."""

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(os.path.realpath(self.root)))

    @cached_property
    def state(self) -> Path:
        """The directory `.buddy/`, which may not exist yet."""
        return self.root / STATE

    def relative(self, path: str | os.PathLike[str]) -> str | None:
        """The path inside the workspace, or None for a file outside it or that is not the user's own.

        Virtual environments, hidden directories and installed packages inside the root are not the user's.
        """
        absolute = os.path.realpath(self.root / path)
        prefix = str(self.root).rstrip(os.sep) + os.sep
        if not absolute.startswith(prefix):
            return None
        relative = PurePosixPath(*Path(absolute[len(prefix) :]).parts)
        for depth, part in enumerate(relative.parts):
            if part.startswith(".") and part not in (".", ".."):
                return None
            if part in _FOREIGN:
                return None
            if depth < len(relative.parts) - 1 and self._is_environment(relative.parts[: depth + 1]):
                return None
        return str(relative)

    def _is_environment(self, parts: tuple[str, ...]) -> bool:
        return self.root.joinpath(*parts, "pyvenv.cfg").exists()

    def read(self, path: str) -> bytes:
        """The content of a file; raises OSError."""
        return (self.root / path).read_bytes()

    def source(self, path: str) -> Source:
        """A Python file of the workspace; raises SourceError when it cannot be read."""
        try:
            content = self.read(path)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from error
        return Source(path=path, module=self.module_name(path), content=content)

    def module_name(self, path: str) -> str:
        """The dotted import name of a file, from the `__init__.py` files above it."""
        pure = PurePosixPath(path)
        parts = [] if pure.name == "__init__.py" else [pure.stem]
        parent = pure.parent
        while parent.parts and (self.root / parent / "__init__.py").is_file():
            parts.insert(0, parent.name)
            parent = parent.parent
        return ".".join(parts) or pure.parent.name

    def protected(self, path: str, *, exclude: tuple[str, ...] = ()) -> bool:
        """Whether a patch must not touch the file: tests, conftest, configuration, CI, `exclude` globs."""
        pure = PurePosixPath(path)
        if pure.suffix != ".py" or pure.name in ("conftest.py", "setup.py", "noxfile.py"):
            return True
        if any(part.startswith(".") or part == ".." for part in pure.parts) or pure.is_absolute():
            return True
        if pure.name.startswith("test_") or pure.stem.endswith("_test"):
            return True
        return any(fnmatch.fnmatch(path, pattern) for pattern in exclude)
