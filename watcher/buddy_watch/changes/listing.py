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

    Directories come with what identifies them. `links` lead to files anywhere and to directories inside the
    root, by their absolute places; directories outside are entered. `odd` are names that are no text, `far`
    links to more directories outside than can be watched.
    """

    files: dict[str, Signature] = field(default_factory=dict)
    directories: dict[str, tuple[int, int]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
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


def parent(path: str) -> str:
    """The directory that holds a path."""
    return path.rpartition("/")[0]


def above(path: str) -> list[str]:
    """The directories that hold a path, the nearest first, the root last."""
    found = []
    while path:
        path = parent(path)
        found.append(path)
    return found


def inside(root: str, place: str) -> str | None:
    """An absolute path relative to the root; None when it is elsewhere."""
    if place == root:
        return ""
    return place[len(root) + 1 :] if place.startswith(f"{root}/") else None


def walk(root: str, start: str, ignored: Ignored) -> Listing:
    """Everything at and below `start` that is not ignored; links to directories outside come last."""
    return _Walk(root, ignored).made(start)


class _Walk:
    def __init__(self, root: str, ignored: Ignored) -> None:
        self._root = root
        self._real_root = os.path.realpath(root)
        self._ignored = ignored
        self._listing = Listing()
        self._places: set[tuple[int, int]] = set()
        self._outside: list[str] = []

    def made(self, start: str) -> Listing:
        if start and Path(self._root, start).is_symlink():
            self._link(start)
        else:
            self._descend(start)
        while self._outside:
            self._go_outside(self._outside.pop())
        return self._listing

    def _descend(self, start: str, most: int | None = None) -> bool:
        """Enter a directory and those below; False when there are more than `most`."""
        waiting: list[tuple[str, Collection[str]]] = [(start, ())]
        entered = 0
        while waiting:
            directory, beside = waiting.pop()
            entries = self._enter(directory, beside)
            entered += entries is not None
            if most is not None and entered > most:
                return False
            below = {entry.name for entry in entries or ()}
            waiting.extend((path, below) for entry in entries or () if (path := self._take(directory, entry)))
        return True

    def _enter(self, directory: str, beside: Collection[str]) -> list[os.DirEntry[str]] | None:
        """The entries of a directory; None when it is not to be watched."""
        name = directory.rpartition("/")[2]
        if directory and names.closed(name):
            return None
        place = self._place(directory)
        try:
            status = Path(place).stat()
            with os.scandir(place) as scan:
                entries = list(scan)
        except OSError:  # gone meanwhile, or not to be read: it can't be watched either
            return None
        identity = (status.st_dev, status.st_ino)
        if identity in self._places or (directory and names.closed(name, beside, {e.name for e in entries})):
            return None
        self._places.add(identity)
        self._listing.directories[directory] = identity
        return entries

    def _take(self, directory: str, entry: os.DirEntry[str]) -> str | None:
        """List a file or a link; give back a directory that is to be entered."""
        path = f"{directory}/{entry.name}" if directory else entry.name
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
                self._link(path)
        except OSError:
            return None
        return None

    def _link(self, path: str) -> None:
        target = os.path.realpath(self._place(path))
        if Path(target).is_dir() and inside(self._real_root, target) is None:
            self._outside.append(path)
        else:
            known = inside(self._real_root, target)
            self._listing.links[path] = target if known is None else self._place(known)

    def _go_outside(self, link: str) -> None:
        before = set(self._listing.directories)
        if self._descend(link, _MOST_OUTSIDE):
            return
        self._listing.far.append(link)
        for directory in set(self._listing.directories) - before:
            self._places.discard(self._listing.directories.pop(directory))
        for path in [path for path in self._listing.files if path.startswith(f"{link}/")]:
            del self._listing.files[path]

    def _place(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root
