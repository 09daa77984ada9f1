"""The only door to the user's files."""

import contextlib
import errno
import fnmatch
import os
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from pytest_buddy.errors import BuddyError, PatchError, SourceError
from pytest_buddy.source import Source

STATE = ".buddy"
_FOREIGN = frozenset({"site-packages", "dist-packages", "node_modules", "__pypackages__"})
_CONFIGURATION = frozenset({"conftest.py", "setup.py", "noxfile.py", "sitecustomize.py", "usercustomize.py"})
_MARKERS = {
    ".gitignore": b"# Made by pytest-buddy.\n*\n",
    "CACHEDIR.TAG": (
        b"Signature: 8a477f597d28d172789f06886806bc55\n"
        b"# This directory holds what pytest-buddy keeps between runs; without it, nothing can be undone.\n"
    ),
}
_CAN_HOLD = {os.open, os.stat, os.rename, os.unlink} <= os.supports_dir_fd
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


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

    def names(self, folder: str) -> frozenset[str]:
        """The names in a directory, exactly as they are there; none when it cannot be listed."""
        try:
            return frozenset(os.listdir(self.root / folder))  # noqa: PTH208  names are all that is wanted
        except (OSError, ValueError):
            return frozenset()

    def source(self, path: str) -> Source:
        """A Python file of the workspace; raises SourceError when it cannot be read.

        Nothing else is ever read into what others may see, through a link's name neither: no `.env`, no keys.
        """
        if not all(name.endswith(".py") for name in (path, os.path.realpath(self.root / path))):
            raise SourceError(f"{path} is not a Python file")
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
        """Whether a patch must not touch the file; see `is_protected`."""
        return is_protected(path, exclude=exclude)

    def prepare_state(self, *parts: str) -> Path:
        """Create `.buddy/`, which ignores itself in git, and a directory in it; raises BuddyError."""
        directory = self.state
        try:
            for part in ("", *parts):
                directory = directory / part
                directory.mkdir(exist_ok=True)
                if directory.is_symlink() or not directory.is_dir():
                    raise BuddyError(
                        f"{directory.relative_to(self.root)} is not a directory of its own",
                        hint="Remove it: pytest-buddy writes only inside the project.",
                    )
            for name, content in _MARKERS.items():
                if not os.path.lexists(self.state / name):
                    self.write_state(name, content)
        except OSError as error:
            raise BuddyError(
                f"{directory.relative_to(self.root)} cannot be written: {error.strerror}",
                hint="Proposals are kept there for `buddy apply`; make the project's directory writable.",
            ) from error
        return directory

    def write_state(self, name: str, content: bytes) -> None:
        """Replace a file under `.buddy/` durably and in one step; raises OSError, the old file then stays."""
        target = self.state / name
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        flush_directory(target.parent)

    @contextlib.contextmanager
    def held(self, path: str) -> Iterator["HeldFile"]:
        """A file reached through an open directory, without following a symbolic link; raises OSError.

        Raises PatchError on a system that cannot work relative to an open directory.
        """
        if not _CAN_HOLD:
            raise PatchError(
                "Files cannot be replaced safely on this system", hint="Apply the diff with `git apply`."
            )
        *parents, name = PurePosixPath(path).parts
        descriptor = os.open(self.root, _DIRECTORY)
        try:
            for part in parents:
                inner = os.open(part, _DIRECTORY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield HeldFile(path=path, name=name, directory=descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFile:
    """One file reached through the open descriptor of its directory, so that no swapped link redirects it."""

    path: str
    name: str
    directory: int

    def read(self) -> bytes:
        """The content; raises OSError, and PatchError for a file that must not be replaced."""
        descriptor = os.open(self.name, os.O_RDONLY | _PLAIN, dir_fd=self.directory)
        with os.fdopen(descriptor, "rb") as file:
            self._check(os.fstat(descriptor))
            return file.read()

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise PatchError(f"{self.path} is not a regular file", hint="Only regular files are edited.")
        if status.st_nlink > 1:
            raise PatchError(
                f"{self.path} has {status.st_nlink} hard links, and replacing it would part them",
                hint="Make the change by hand, or replace the links by copies.",
            )
        if not status.st_mode & 0o222:
            raise PatchError(f"{self.path} is read-only", hint=f"Make it writable: chmod u+w {self.path}")

    def write_beside(self, temporary: str, content: bytes) -> None:
        """Write a file in the same directory with this one's mode, owner and extended attributes; OSError.

        Its modification time is at least a second after this one's, because Python recognises stale bytecode
        by size and whole seconds alone.
        """
        status = os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN
        descriptor = os.open(temporary, flags, 0o600, dir_fd=self.directory)
        try:
            _write_all(descriptor, content)
            own = os.fstat(descriptor)
            if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))  # last: writing and chown clear setgid
            self._copy_attributes(descriptor)
            later = (int(status.st_mtime) + 1) * 1_000_000_000
            os.utime(descriptor, ns=(status.st_atime_ns, max(time.time_ns(), later)))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _copy_attributes(self, target: int) -> None:
        if not hasattr(os, "listxattr"):
            return
        source = os.open(self.name, os.O_RDONLY | _PLAIN, dir_fd=self.directory)
        try:
            for name in os.listxattr(source):
                if not name.startswith("security."):  # given by the system, not by the person
                    os.setxattr(target, name, os.getxattr(source, name))
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                raise
        finally:
            os.close(source)

    def replace_by(self, temporary: str) -> None:
        """Put the file written beside in this one's place and remove its compiled forms; raises OSError."""
        os.rename(temporary, self.name, src_dir_fd=self.directory, dst_dir_fd=self.directory)
        with contextlib.suppress(OSError):  # the newer modification time already outdates ordinary bytecode
            self._remove_bytecode()

    def _remove_bytecode(self) -> None:
        cache = os.open("__pycache__", _DIRECTORY, dir_fd=self.directory)
        try:
            stem = self.name.removesuffix(".py")
            for name in os.listdir(cache):  # noqa: PTH208  a descriptor has no Path
                if name.startswith(f"{stem}.") and name.endswith(".pyc"):
                    os.unlink(name, dir_fd=cache)
        finally:
            os.close(cache)

    def remove_beside(self, temporary: str) -> None:
        """Remove a file written beside, when it is there; raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=self.directory)

    def flush(self) -> None:
        """Make a replacement survive a loss of power; raises OSError."""
        os.fsync(self.directory)


def is_test(path: str) -> bool:
    """Whether the name is that of a file of tests."""
    pure = PurePosixPath(path)
    return pure.name.startswith("test_") or pure.stem.endswith("_test")


@lru_cache(maxsize=256)
def is_protected(path: str, *, exclude: tuple[str, ...] = ()) -> bool:
    """Whether a patch must not touch the file: tests, conftest, configuration, CI, `exclude` globs."""
    pure = PurePosixPath(path)
    if pure.suffix != ".py" or pure.name in _CONFIGURATION:
        return True
    if any(part.startswith(".") or part == ".." for part in pure.parts) or pure.is_absolute():
        return True
    return is_test(path) or any(fnmatch.fnmatch(path, pattern) for pattern in exclude)


def flush_directory(directory: Path) -> None:
    """Make the names in a directory survive a loss of power; raises OSError."""
    descriptor = os.open(directory, _DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
