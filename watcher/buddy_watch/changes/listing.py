"""A walk through a project: files with signatures that change when they are written, directories to watch."""

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from buddy_watch.changes import names

Ignored = Callable[[str], bool]
Signature = tuple[int, int, int, int, bool]

_TICK_NS = 10_000_000  # changes are stamped no finer than the kernel's timer ticks
_MOST_OUTSIDE = 500


@dataclass(slots=True)
class Listing:
    """What a walk found, by path relative to the root; "" is the root itself.

    `aliases` are further names that links inside the project give to a file or directory. `odd` are names
    that cannot be written as text, `far` links to more directories outside than can be watched.
    """

    files: dict[str, Signature] = field(default_factory=dict)
    directories: dict[str, tuple[int, int]] = field(default_factory=dict)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    far: list[str] = field(default_factory=list)


def signature(status: os.stat_result) -> Signature:
    """What is different after a file was written; the last item says whether that can be relied on.

    It cannot when the file was written a moment ago: what is written next may get the same time stamp.
    """
    settled = time.time_ns() - status.st_ctime_ns > _TICK_NS
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, settled)


def same(old: Signature | None, new: Signature | None) -> bool:
    """Whether a file is certainly as it was."""
    return old == new and (new is None or new[4])


def is_text(name: str) -> bool:
    """Whether a file name can be written as UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def join(directory: str, name: str) -> str:
    """The path of a name in a directory, both relative to the root."""
    return f"{directory}/{name}" if directory else name


def parent(path: str) -> str:
    """The directory that holds a path."""
    return path.rpartition("/")[0]


def walk(root: str, start: str, ignored: Ignored) -> Listing:
    """Everything at and below `start` that is not ignored; links to directories are followed last."""
    return _Walk(root, ignored).made(start)


class _Walk:
    def __init__(self, root: str, ignored: Ignored) -> None:
        self._root = root
        self._ignored = ignored
        self._listing = Listing()
        self._places: dict[tuple[int, int], str] = {}
        self._links: list[str] = []

    def made(self, start: str) -> Listing:
        self._descend(start, ())
        while self._links:
            self._follow(self._links.pop())
        return self._listing

    def _descend(self, start: str, beside: Collection[str], most: int | None = None) -> bool:
        """Enter a directory and those below; False when there are more than `most`."""
        waiting = [(start, beside)]
        while waiting:
            directory, neighbours = waiting.pop()
            entries = self._enter(directory, neighbours)
            below = {entry.name for entry in entries}
            waiting.extend((path, below) for entry in entries if (path := self._take(directory, entry)))
            if most is not None and entries:
                most -= 1
                if most < 0:
                    return False
        return True

    def _enter(self, directory: str, beside: Collection[str]) -> list[os.DirEntry[str]]:
        """The entries of a directory that is to be watched."""
        place = f"{self._root}/{directory}" if directory else self._root
        try:
            status = Path(place).stat()
            with os.scandir(place) as scan:
                entries = list(scan)
        except OSError:  # gone meanwhile, or not to be read: nothing there can be watched
            return []
        identity = (status.st_dev, status.st_ino)
        name = directory.rpartition("/")[2]
        if identity in self._places or (directory and names.closed(name, beside, {e.name for e in entries})):
            return []
        self._places[identity] = directory
        self._listing.directories[directory] = identity
        return entries

    def _take(self, directory: str, entry: os.DirEntry[str]) -> str | None:
        """List a file, keep a link for later, give back a directory to enter."""
        path = join(directory, entry.name)
        if not is_text(entry.name):
            self._listing.odd.append(path)
            return None
        try:
            if entry.is_dir(follow_symlinks=False):
                return None if self._ignored(path) else path
            if names.passing(entry.name) or names.generated(entry.name) or self._ignored(path):
                return None
            if entry.is_file():
                self._listing.files[path] = signature(entry.stat())
                if entry.is_symlink():
                    self._call(os.path.realpath(entry.path), path)
            elif entry.is_symlink() and entry.is_dir():
                self._links.append(path)
        except OSError:
            return None
        return None

    def _follow(self, link: str) -> None:
        place = f"{self._root}/{link}"
        try:
            status = Path(place).stat()
        except OSError:
            return
        known = self._places.get((status.st_dev, status.st_ino))
        if known is not None:
            self._call(f"{self._root}/{known}" if known else self._root, link)
            return
        before = set(self._listing.directories)
        if not self._descend(link, (), _MOST_OUTSIDE):
            self._listing.far.append(link)
            self._drop(link, before)

    def _call(self, target: str, link: str) -> None:
        """Note that what happens to `target` happens to `link` too."""
        if target == self._root or not target.startswith(f"{self._root}/"):
            return
        known = target[len(self._root) + 1 :]
        if not link.startswith(f"{known}/"):
            self._listing.aliases[known] = (*self._listing.aliases.get(known, ()), link)

    def _drop(self, link: str, before: set[str]) -> None:
        for directory in set(self._listing.directories) - before:
            del self._places[self._listing.directories.pop(directory)]
        for path in [path for path in self._listing.files if path.startswith(f"{link}/")]:
            del self._listing.files[path]
