"""Batches of changed paths, one for each save, told in the reactor's thread."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from buddy_watch.changes.batch import Batch
from buddy_watch.changes.feed import Feed, Seen, Turn, Watch
from buddy_watch.changes.tree import Tree
from buddy_watch.reactor import Reactor, Timer
from pytest_buddy.errors import BuddyError

_CHECK_AFTER = 1.0
_CHEAP_CHECK = 0.030
_BACK_AFTER = 0.3
_ONE_BY_ONE = sys.platform == "linux"  # elsewhere watching is for whole trees, or dear for each directory
_LIMITS = "Raise the limits with sysctl: fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"


class Watching:
    """Tells `changed` of every save in a project: paths relative to its root, once for each save.

    Contents are not compared: a path may be told although its bytes are what they were. `ignored` is asked
    of relative paths, also in another thread. `notice` is given what the person should know, and a hint.
    `watch` is watchfiles' own function unless given. To be closed before the reactor.
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
        self._said: set[str] = set()
        self._poll = poll
        self._watch = watch
        self._tree = Tree(root, ignored)
        self._feed: Feed | None = None
        self._readable, self._writable = -1, -1
        self._watched: dict[str, tuple[int, int]] = {}
        self._places: tuple[str, ...] = ()
        self._renewed: set[str] = set()  # directories to enter again once they are watched
        self._moved: set[str] = set()  # watched directories that came or went: their watches are dead
        self._again = False
        self._generation = 1
        self._batch = Batch()
        self._settling: Timer | None = None
        self._checking: Timer | None = None
        self._returning: Timer | None = None
        self._check_cost = 0.0

    def start(self) -> None:
        """Begin; what is saved from now on is told."""
        watch = self._watch or _watchfiles()
        start = time.monotonic()
        self._tree.begin()
        self._check_cost = time.monotonic() - start
        self._readable, self._writable = os.pipe()
        os.set_blocking(self._readable, False)
        os.set_blocking(self._writable, False)
        self._reactor.watch(self._readable, self._heard)
        self._feed = Feed(
            watch,
            self._tree.walk,
            self._wake,
            root=self._tree.root,
            poll=self._poll,
            recursive=not _ONE_BY_ONE,
        )
        self._watched = dict(self._tree.known.directories)
        self._places = self._tree.places(every=_ONE_BY_ONE)
        self._renewed = set(self._watched)
        self._feed.start(self._places)
        self._tell_odd()

    def close(self) -> None:
        """End the thread and let go of everything."""
        for timer in (self._settling, self._checking, self._returning):
            if timer is not None:
                timer.cancel()
        feed, self._feed = self._feed, None
        if feed is None:
            return
        self._reactor.unwatch(self._readable)
        if feed.close():  # else it hangs in the file system, and may still write into the pipe
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
        os.read(self._readable, 65536)
        for word in self._feed.take():
            if isinstance(word, Seen):
                self._gather(word)
            else:
                self._turn(word)

    def _gather(self, seen: Seen) -> None:
        paths = {
            path: structural for place, structural in seen.paths.items() for path in self._tree.named(place)
        }
        self._moved.update(path for path, structural in paths.items() if structural and path in self._watched)
        self._look_later(paths)

    def _turn(self, turn: Turn) -> None:
        if turn.state == "stopped":
            self._once(f"files are no longer watched: {turn.reason}", "Start buddy-watch again.")
        elif turn.state == "vanished":
            self._again = True
            self._look_later(self._tree.differing() or {"": True})
        else:
            if turn.reason:
                reason = turn.reason.partition(" about [")[0]  # what follows is for those who write Rust
                self._once(f"files are polled, for the system can't watch them: {reason}", _LIMITS)
            if turn.lost:
                self._look_later(self._tree.differing())
            if turn.generation == self._generation:
                renewed, self._renewed = self._renewed, set()
                self._look_later(dict.fromkeys(renewed, True))
            self._tell_odd()

    def _look_later(self, paths: dict[str, bool]) -> None:
        """Look at the paths when nothing has happened for a moment."""
        if paths:
            self._batch.add(paths, time.monotonic())
            self._settle_at(self._batch.look_at())

    def _settle_at(self, moment: float) -> None:
        if self._settling is not None:
            self._settling.cancel()
        self._settling = self._reactor.later(max(0.0, moment - time.monotonic()), self._settle)

    def _settle(self) -> None:
        """Tell a batch, unless something may be in the middle of a save."""
        batch = self._batch
        look = self._tree.look(batch.pending)
        batch.found |= look.changed
        if any(path.rpartition("/")[2] == ".gitignore" for path in look.changed | look.gone):
            rules = self._tree.rules_changed()
            batch.found |= rules.changed | rules.gone
            look.gone -= rules.gone
        self._rewatch()
        unsure = look.gone | look.hollow
        until = batch.unsure(unsure, time.monotonic())
        if until is not None:
            self._settle_at(until)
            return
        self._tree.accept(unsure)
        self._batch = Batch()
        self._check_later(many=batch.many)
        if batch.found or unsure:
            self._changed(self._tree.names_of(batch.found | unsure))

    def _rewatch(self) -> None:
        """Have the feed watch the directories that there are now."""
        now = self._tree.known.directories
        places = self._tree.places(every=_ONE_BY_ONE) if now else ()
        same = now == self._watched and places == self._places
        if self._feed is None or (same and not self._moved and not self._again):
            return
        self._renewed |= {path for path, identity in now.items() if self._watched.get(path) != identity}
        self._renewed |= self._moved & now.keys()
        self._moved.clear()
        self._again = False
        self._watched, self._places = dict(now), places
        self._tell_odd()
        if places:
            self._generation = self._feed.rewatch(places)
        else:
            self._look_for_root()

    def _look_for_root(self) -> None:
        """Wait for a root that was deleted to come back."""
        if Path(self._tree.root).is_dir():
            self._look_later({"": True})
        else:
            self._returning = self._reactor.later(_BACK_AFTER, self._look_for_root)

    def _check_later(self, *, many: bool) -> None:
        """Look at everything a little later: the system's queues overflow without a word."""
        if self._checking is not None:
            self._checking.cancel()
        if many or self._check_cost < _CHEAP_CHECK:
            self._checking = self._reactor.later(_CHECK_AFTER, self._check)

    def _check(self) -> None:
        start = time.monotonic()
        self._look_later(self._tree.differing())
        self._check_cost = time.monotonic() - start

    def _tell_odd(self) -> None:
        for path in self._tree.known.odd:
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            self._once(f"not watched: {shown}", "Its name is not UTF-8; rename it.")
        for path in self._tree.known.far:
            self._once(
                f"not watched: {path}", "Too many directories lie behind this link out of the project."
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
