"""The project's files as they were when last looked at, and what is different now."""

import os
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from buddy_watch.changes import names
from buddy_watch.changes.git_rules import ignored_by_git
from buddy_watch.changes.listing import (
    Ignored,
    Listing,
    above,
    inside,
    is_text,
    parent,
    same,
    signature,
    walk,
)

_MOST_ANSWERS = 10_000


@dataclass(slots=True)
class Look:
    """What a look at some paths found: files that `changed`, and those that may be in the middle of a save.

    `gone` are files that are no longer there, `hollow` those that have become empty.
    """

    changed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    hollow: set[str] = field(default_factory=set)


class Tree:
    """Knows every file of the project that counts, though not what is in it."""

    def __init__(self, root: Path, ignored: Ignored | None) -> None:
        self.root = os.path.abspath(root)  # noqa: PTH100  compared with the strings of events
        self.known = Listing()
        self._real_root = os.path.realpath(root)
        self._caller_ignores: Ignored = ignored or (lambda _: False)
        self._hidden: frozenset[str] = frozenset()
        self._answers: dict[str, bool] = {}

    def begin(self) -> None:
        """Ask git anew what it ignores, and list all files."""
        self._answers.clear()
        self._hidden = ignored_by_git(Path(self.root))
        self.known = self.walk()

    def walk(self, start: str = "") -> Listing:
        """A fresh listing, compared with nothing; safe in another thread."""
        return walk(self.root, start, self.ignores)

    def ignores(self, path: str) -> bool:
        """Whether git or the caller ignores a path, as far as git has been asked."""
        if not path:
            return False
        return path in self._hidden or self._answers.get(path, False) or self._caller_ignores(path)

    def places(self, *, every: bool) -> tuple[str, ...]:
        """Absolute paths of the directories in which something can happen that counts.

        Not `every` one, but those below which are all.
        """
        own = [self.place(path) for path in self.known.directories]
        if not every:
            own = [place for place in own if place == self.root or Path(place).is_symlink()]
        beyond = {parent(target) for target in self.known.links.values() if inside(self.root, target) is None}
        return (*own, *sorted(beyond.difference(own)))

    def place(self, path: str) -> str:
        """The absolute path."""
        return f"{self.root}/{path}" if path else self.root

    def named(self, place: str) -> tuple[str, ...]:
        """What counts of an absolute path: its own relative one, or those of links that lead there."""
        path = inside(self.root, place)
        if path is None:
            path = inside(self._real_root, place)
        if path is None:
            return tuple(link for link, target in self.known.links.items() if target == place)
        return (path,) if self._counts(path) else ()

    def names_of(self, paths: Collection[str]) -> tuple[str, ...]:
        """The paths, and the names that links inside the project give to them."""
        found = set(paths)
        for link, target in self.known.links.items():
            path = inside(self.root, target)
            if path is None or path in above(link):
                continue
            found.update(link + p[len(path) :] for p in paths if p == path or p.startswith(f"{path}/"))
        return tuple(sorted(found))

    def differing(self) -> dict[str, bool]:
        """Paths where a fresh listing differs from what is known, as `look` takes them."""
        now = self.walk()
        old = self.known
        old.odd, old.far = now.odd, now.far
        paths = {
            path: False
            for path in old.files.keys() | now.files.keys()
            if not same(old.files.get(path), now.files.get(path))
        }
        moved = old.directories.items() ^ now.directories.items() | old.links.items() ^ now.links.items()
        return {**paths, **{path: True for path, _ in moved}}

    def look(self, paths: Mapping[str, bool]) -> Look:
        """Look at paths again, and remember what is there now.

        The value says whether the path itself came or went: then it is entered if it is a directory.
        """
        states = {path: self._status(path) for path in paths}
        self._ask_git(path for path, state in states.items() if state and path not in self.known.files)
        found = Look()
        moved: set[str] = set()
        for path, state in states.items():
            if self.ignores(path):
                continue
            if paths[path]:
                self._follow_link(path, state, found)
            if state is not None and stat.S_ISREG(state.st_mode):
                self._look_at_file(path, state, found)
            elif path in self.known.files:
                found.gone.add(path)
            if self._moved(path, state, structural=paths[path]):
                moved.add(path)
        if moved:
            self._enter(moved, found)
        return found

    def accept(self, paths: Iterable[str]) -> None:
        """Remember files as they are now, be they gone or empty."""
        for path in paths:
            state = self._status(path)
            if state is not None and stat.S_ISREG(state.st_mode):
                self.known.files[path] = signature(state)
            else:
                self.known.files.pop(path, None)

    def rules_changed(self) -> Look:
        """Begin again after a change of what git ignores; forget without a word what is ignored now."""
        old = self.known.files
        self.begin()
        now = self.known.files
        found = Look(changed={path for path, state in now.items() if not same(old.get(path), state)})
        found.gone.update(path for path in old.keys() - now.keys() if self._status(path) is None)
        return found

    def _look_at_file(self, path: str, state: os.stat_result, found: Look) -> None:
        old = self.known.files.get(path)
        if state.st_size == 0 and (old is None or old[2] > 0):
            found.hollow.add(path)
        else:
            self.known.files[path] = signature(state)
            found.changed.add(path)

    def _moved(self, path: str, state: os.stat_result | None, *, structural: bool) -> bool:
        if state is None:
            return path in self.known.directories
        return structural and stat.S_ISDIR(state.st_mode) and path not in self.known.links

    def _follow_link(self, path: str, state: os.stat_result | None, found: Look) -> None:
        """What is behind a link that came, went or was turned elsewhere has changed by the link's name."""
        before = self.known.links.pop(path, None)
        if state is not None and Path(self.place(path)).is_symlink():
            self.known.links.update(walk(self.root, path, self.ignores).links)
        for target in {before, self.known.links.get(path)} - {None}:
            behind = inside(self.root, target or "")
            if behind is not None and behind in self.known.directories:
                start = f"{behind}/" if behind else ""
                found.changed.update(
                    f"{path}/{p[len(start) :]}" for p in self.known.files if p.startswith(start)
                )

    def _enter(self, moved: set[str], found: Look) -> None:
        """Compare whole directories, which came or went, with what is known of them."""
        tops = {path for path in moved if moved.isdisjoint(above(path))}
        old = {path for path in self.known.files if not tops.isdisjoint(above(path))}
        for path in [path for path in self.known.directories if not tops.isdisjoint((path, *above(path)))]:
            del self.known.directories[path]
        for top in tops:
            now = self.walk(top)
            found.changed.update(
                path for path, state in now.files.items() if not same(self.known.files.get(path), state)
            )
            self.known.files.update(now.files)
            self.known.directories.update(now.directories)
            self.known.links.update(now.links)
            self.known.odd.extend(now.odd)
            old -= now.files.keys()
        found.gone |= old

    def _counts(self, path: str) -> bool:
        """Whether an event can matter, the answer of git aside."""
        name = path.rpartition("/")[2]
        if path and (names.passing(name) or names.generated(name) or names.closed(name) or not is_text(path)):
            return False
        at_home = not path or path in self.known.directories or parent(path) in self.known.directories
        return at_home and not self.ignores(path)

    def _ask_git(self, paths: Iterable[str]) -> None:
        known = self.known.directories
        new = [path for path in paths if path and path not in self._answers and path not in known]
        if not new:
            return
        if len(self._answers) > _MOST_ANSWERS:
            self._answers.clear()
        self._answers.update(dict.fromkeys(new, False))
        self._answers.update(dict.fromkeys(ignored_by_git(Path(self.root), new), True))

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return Path(self.place(path)).stat()
        except (OSError, ValueError):
            return None
