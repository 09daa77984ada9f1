"""The project's files as they were when last looked at, and what is different now."""

import os
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from buddy_watch.changes import names
from buddy_watch.changes.git_rules import ignored_by_git
from buddy_watch.changes.listing import Ignored, Listing, is_text, parent, same, signature, walk

_MOST_ANSWERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at some paths found: files that `changed`, and those that may be in the middle of a save.

    `gone` are files that are no longer there, `hollow` those that have become empty.
    """

    changed: frozenset[str]
    gone: frozenset[str]
    hollow: frozenset[str]


class Tree:
    """Knows every file of the project that counts, without knowing what is in it."""

    def __init__(self, root: Path, ignored: Ignored | None) -> None:
        self.root = os.path.abspath(root)  # noqa: PTH100  strings: they are compared with those of events
        self.known = Listing()
        self._caller_ignores: Ignored = ignored or (lambda _: False)
        self._hidden: frozenset[str] = frozenset()
        self._answers: dict[str, bool] = {}

    def begin(self) -> None:
        """Forget everything, ask git what it ignores, and list all files."""
        self._answers.clear()
        self._hidden = ignored_by_git(Path(self.root))
        self.known = self.walk()

    def walk(self, start: str = "") -> Listing:
        """A fresh listing, compared with nothing; safe in another thread."""
        return walk(self.root, start, self.ignores)

    def ignores(self, path: str) -> bool:
        """Whether git or the caller ignores a path, as far as git has been asked."""
        return path in self._hidden or self._answers.get(path, False) or self._caller_ignores(path)

    def counts(self, path: str) -> bool:
        """Whether an event at a path can matter; the answer of git aside."""
        name = path.rpartition("/")[2]
        if path and (names.passing(name) or names.generated(name) or not is_text(path)):
            return False
        at_home = not path or path in self.known.directories or parent(path) in self.known.directories
        return at_home and not self.ignores(path)

    def differing(self) -> dict[str, bool]:
        """Paths where a fresh listing differs from what is known, as `look` takes them."""
        now = self.walk()
        self.known.odd, self.known.far = now.odd, now.far
        old = self.known
        paths = {
            path: False
            for path in old.files.keys() | now.files.keys()
            if not same(old.files.get(path), now.files.get(path))
        }
        for path, identity in old.directories.items() ^ now.directories.items():
            del identity
            paths[path] = True
        return paths

    def look(self, paths: Mapping[str, bool]) -> Look:
        """Look at paths again, and remember what is there now.

        The value says whether the path itself came or went: then it is entered if it is a directory.
        """
        self._ask_git(path for path in paths if path not in self.known.files)
        changed: set[str] = set()
        gone: set[str] = set()
        hollow: set[str] = set()
        moved: set[str] = set()
        for path, structural in paths.items():
            if self.ignores(path):
                continue
            now = self._status(path)
            if now is not None and stat.S_ISREG(now.st_mode):
                old = self.known.files.get(path)
                if now.st_size == 0 and (old is None or old[2] > 0):
                    hollow.add(path)
                else:
                    self.known.files[path] = signature(now)
                    changed.add(path)
            elif path in self.known.files:
                gone.add(path)
            if (structural and now is not None and stat.S_ISDIR(now.st_mode)) or (
                now is None and path in self.known.directories
            ):
                moved.add(path)
        if moved:
            entered = self._enter(moved)
            changed |= entered.changed
            gone |= entered.gone
        return Look(changed=frozenset(changed), gone=frozenset(gone), hollow=frozenset(hollow))

    def accept(self, paths: Iterable[str]) -> None:
        """Remember files as they are now, be they gone or empty."""
        for path in paths:
            now = self._status(path)
            if now is not None and stat.S_ISREG(now.st_mode):
                self.known.files[path] = signature(now)
            else:
                self.known.files.pop(path, None)

    def names_of(self, paths: Collection[str]) -> tuple[str, ...]:
        """The paths, and the names that links inside the project give to them."""
        if not self.known.aliases:
            return tuple(sorted(paths))
        found = set(paths)
        for path in paths:
            at = path
            while at:
                found.update(link + path[len(at) :] for link in self.known.aliases.get(at, ()))
                at = parent(at)
        return tuple(sorted(found))

    def _enter(self, moved: set[str]) -> Look:
        """Compare whole directories, which came or went, with what is known of them."""
        tops = {path for path in moved if not any(above in moved for above in _above(path))}
        old = {path for path in self.known.files if not tops.isdisjoint(_above(path))}
        for path in [path for path in self.known.directories if not tops.isdisjoint((path, *_above(path)))]:
            del self.known.directories[path]
        found: set[str] = set()
        changed: set[str] = set()
        for top in tops:
            now = self.walk(top)
            self.known.directories.update(now.directories)
            self.known.aliases.update(now.aliases)
            self.known.odd.extend(now.odd)
            found.update(now.files)
            changed.update(p for p, new in now.files.items() if not same(self.known.files.get(p), new))
            self.known.files.update(now.files)
        return Look(changed=frozenset(changed), gone=frozenset(old - found), hollow=frozenset())

    def _ask_git(self, paths: Iterable[str]) -> None:
        new = [
            path
            for path in paths
            if path and path not in self._answers and path not in self.known.directories
        ]
        if not new:
            return
        if len(self._answers) > _MOST_ANSWERS:
            self._answers.clear()
        self._answers.update(dict.fromkeys(new, False))
        self._answers.update(dict.fromkeys(ignored_by_git(Path(self.root), new), True))

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return Path(f"{self.root}/{path}" if path else self.root).stat()
        except OSError:
            return None


def _above(path: str) -> list[str]:
    """The directories that hold a path, the root among them, the nearest first."""
    found = []
    while path:
        path = parent(path)
        found.append(path)
    return found
