"""Batches of changed paths, one for each save, told in the reactor's thread."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from buddy_watch.changes.feed import Feed, Turn, Watch
from buddy_watch.changes.tree import Tree
from buddy_watch.reactor import Reactor, Timer
from pytest_buddy.errors import BuddyError

_QUIET = 0.010
_LONGEST = 0.060
_MANY = 20  # more paths than a person saves: a checkout, a formatter
_QUIET_OF_MANY = 0.050
_LONGEST_OF_MANY = 0.500
_GRACE = 0.060  # editors delete and recreate, empty and write
_CHECK_AFTER = 1.0
_CHEAP_CHECK = 0.030
_BACK_AFTER = 0.3


class Watching:
    """Tells `changed` of every save in a project: paths relative to its root, once for each save.

    Contents are not compared: a path may be told although its bytes are what they were. `notice` is given
    what the person should know, and a hint. `watch` is watchfiles' own function unless given.
    """

    def __init__(
        self,
        root: Path,
        reactor: Reactor,
        changed: Callable[[tuple[str, ...]], None],
        *,
        ignored: Callable[[str], bool] | None,
        notice: Callable[[str, str], None],
        poll: bool = False,
        watch: Watch | None = None,
    ) -> None:
        self._reactor = reactor
        self._changed = changed
        self._notice = notice
        self._tree = Tree(root, ignored)
        self._readable, self._writable = -1, -1
        self._feed: Feed | None = None
        self._poll = poll
        self._watch = watch
        self._watched: dict[str, tuple[int, int]] = {}
        self._fresh: set[str] = set()
        self._moved: set[str] = set()
        self._pending: dict[str, bool] = {}
        self._found: set[str] = set()
        self._since = self._last = 0.0
        self._timer: Timer | None = None
        self._check: Timer | None = None
        self._check_cost = 0.0
        self._said: set[str] = set()

    def start(self) -> None:
        """Begin; what is saved from now on is told."""
        watch = self._watch or _watchfiles()
        self._tree.begin()
        self._readable, self._writable = os.pipe()
        os.set_blocking(self._readable, False)
        os.set_blocking(self._writable, False)
        self._reactor.watch(self._readable, self._heard)
        self._feed = Feed(watch, self._tree.walk, self._wake, root=self._tree.root, poll=self._poll)
        self._watched = dict(self._tree.known.directories)
        self._fresh = set(self._watched)
        self._feed.start(self._places())
        self._tell_odd()

    def close(self) -> None:
        """End the thread and let go of everything."""
        for timer in (self._timer, self._check):
            if timer is not None:
                timer.cancel()
        if self._feed is not None:
            self._feed.close()
            self._feed = None
            self._reactor.unwatch(self._readable)
            os.close(self._readable)
            os.close(self._writable)

    def _wake(self) -> None:
        try:
            os.write(self._writable, b"\0")
        except BlockingIOError:
            return  # as full as it is, it wakes the reactor

    def _heard(self) -> None:
        if self._feed is None:
            return
        try:
            os.read(self._readable, 65536)
        except BlockingIOError:
            return
        for word in self._feed.take():
            if isinstance(word, Turn):
                self._turn(word)
            else:
                self._gather(word.paths)

    def _turn(self, turn: Turn) -> None:
        if turn.state == "stopped":
            self._notice(
                f"files are no longer watched: {turn.reason}",
                "Press Enter to run, or start buddy-watch again.",
            )
        elif turn.state == "vanished":
            self._later(self._tree.differing())
            self._rewatch(force=True)
        else:
            if turn.state == "polling" and turn.reason:
                self._notice(
                    f"the system cannot watch the files, they are polled: {turn.reason}",
                    "Raise the limits: sysctl fs.inotify.max_user_watches fs.inotify.max_user_instances",
                )
            fresh, self._fresh = self._fresh, set()
            self._later(self._tree.differing() if turn.lost else dict.fromkeys(fresh, True))

    def _gather(self, paths: dict[str, bool]) -> None:
        """Take events whose paths are absolute."""
        root = self._tree.root
        inside = {
            path[len(root) + 1 :]: structural
            for path, structural in paths.items()
            if path == root or path.startswith(f"{root}/")
        }
        counting = {path: structural for path, structural in inside.items() if self._tree.counts(path)}
        self._moved.update(
            path for path, structural in counting.items() if structural and path in self._watched
        )
        self._later(counting)

    def _later(self, paths: dict[str, bool]) -> None:
        """Look at the paths when nothing has happened for a moment."""
        if not paths:
            return
        self._last = time.monotonic()
        if not self._pending and not self._found:
            self._since = self._last
        for path, structural in paths.items():
            self._pending[path] = self._pending.get(path, False) or structural
        many = len(self._pending) > _MANY
        quiet = _QUIET_OF_MANY if many else _QUIET
        longest = _LONGEST_OF_MANY if many else _LONGEST
        self._arm(min(quiet, self._since + longest - self._last))

    def _arm(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._reactor.later(max(0.0, seconds), self._settle)

    def _settle(self) -> None:
        if any(path.rpartition("/")[2] == ".gitignore" for path in self._pending):
            self._rules_changed()
        look = self._tree.look(self._pending)
        self._found |= look.changed
        unsure = look.gone | look.hollow
        self._pending = dict.fromkeys(unsure, False)
        patience = self._last + _GRACE - time.monotonic()
        self._rewatch()
        if unsure and patience > 0:
            self._arm(patience)
            return
        self._tree.accept(unsure)
        found = self._tree.names_of(self._found | unsure)
        self._pending, self._found = {}, set()
        self._check_later(many=len(found) > _MANY)
        if found:
            self._changed(found)

    def _rules_changed(self) -> None:
        """Files that were ignored and no longer are have changed; the others are forgotten without a word."""
        before = self._tree.known
        self._tree.begin()
        for path in before.files.keys() - self._tree.known.files.keys():
            self._pending.pop(path, None)
        self._found |= self._tree.known.files.keys() - before.files.keys()

    def _rewatch(self, *, force: bool = False) -> None:
        """Have the feed watch the directories that there are now."""
        self._tell_odd()
        now = self._tree.known.directories
        if self._feed is None or (now == self._watched and not self._moved and not force):
            return
        if not now:
            self._reactor.later(_BACK_AFTER, self._look_for_root)
            self._watched = {}
            return
        self._fresh |= {path for path, identity in now.items() if self._watched.get(path) != identity}
        self._fresh |= self._moved & now.keys()
        self._moved.clear()
        self._watched = dict(now)
        self._feed.rewatch(self._places())

    def _look_for_root(self) -> None:
        """Wait for a root that was deleted to come back."""
        if self._feed is None:
            return
        if Path(self._tree.root).is_dir():
            self._later({"": True})
        else:
            self._reactor.later(_BACK_AFTER, self._look_for_root)

    def _check_later(self, *, many: bool) -> None:
        """Look at everything a little later: queues of the system overflow without a word."""
        if self._check is not None:
            self._check.cancel()
        if many or self._check_cost < _CHEAP_CHECK:
            self._check = self._reactor.later(_CHECK_AFTER, self._check_now)

    def _check_now(self) -> None:
        start = time.monotonic()
        self._later(self._tree.differing())
        self._check_cost = time.monotonic() - start

    def _places(self) -> tuple[str, ...]:
        return tuple(f"{self._tree.root}/{path}" if path else self._tree.root for path in self._watched)

    def _tell_odd(self) -> None:
        for path in self._tree.known.odd:
            shown = path.encode("utf-8", "backslashreplace").decode()
            self._once(f"not watched: {shown}", "Its name is not UTF-8; rename it.")
        for path in self._tree.known.far:
            self._once(
                f"not watched: {path}", "It links to more directories outside of the project than is wise."
            )

    def _once(self, message: str, hint: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._notice(message, hint)


def _watchfiles() -> Watch:
    try:
        from watchfiles import watch
    except ImportError as error:
        raise BuddyError(
            "watching needs the package watchfiles", hint='pip install "pytest-buddy[watch]"'
        ) from error
    return watch
