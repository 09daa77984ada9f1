"""The thread that waits for the operating system to say that something changed."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

from buddy_watch.changes.listing import Listing, same

Changes = Iterator[AbstractSet[tuple[int, str]]]
Watch = Callable[..., Changes]

ADDED, MODIFIED, DELETED = 1, 2, 3

_STEP_MS = 3
_DEBOUNCE_MS = 20
_TURN_MS = 50
_POLL_SECONDS = 0.3
_POLL_SHARE = 10  # a look at everything takes at most this part of the time
_MOST_FAULTS = 20  # in a minute
_MOST_TRIES = 5  # to open it
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Paths at which something happened; True where they came or went."""

    paths: dict[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The feed has changed its ways.

    It is `ready` to tell of the directories of a generation; one of them has `vanished` before it could be
    watched; it is `polling` from now on, or has `stopped`, for `reason`. After `lost`, anything may have been
    missed.
    """

    state: Literal["ready", "vanished", "polling", "stopped"]
    generation: int
    lost: bool = False
    reason: str = ""


class Feed:
    """One daemon thread around `watch`; `take` gives in any thread what it has put down.

    `wake` is called in the feed's thread whenever there is something to take. `listed` lists everything anew,
    for polling.
    """

    def __init__(
        self,
        watch: Watch,
        listed: Callable[[], Listing],
        wake: Callable[[], None],
        *,
        root: str,
        poll: bool,
        recursive: bool,
    ) -> None:
        self._watch = watch
        self._listed = listed
        self._wake = wake
        self._root = root
        self._poll = poll
        self._recursive = recursive
        self._put: queue.SimpleQueue[Seen | Turn] = queue.SimpleQueue()
        self._wanted: tuple[int, tuple[str, ...]] = (0, ())
        self._stop = threading.Event()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._work, name="buddy-watch-changes", daemon=True)
        self._faults: list[float] = []

    def start(self, directories: tuple[str, ...]) -> None:
        """Begin to watch directories."""
        self._wanted = (1, directories)
        self._thread.start()

    def rewatch(self, directories: tuple[str, ...]) -> int:
        """Watch other directories from now on; the number of this generation."""
        self._wanted = (self._wanted[0] + 1, directories)
        self._asked.set()
        return self._wanted[0]

    def take(self) -> list[Seen | Turn]:
        """Everything put down since the last time."""
        return [self._put.get_nowait() for _ in range(self._put.qsize())]

    def close(self) -> bool:
        """End the thread and wait for it; False when it hangs."""
        self._stop.set()
        self._asked.set()
        self._thread.join(_PATIENCE)
        return not self._thread.is_alive()

    def _say(self, word: Seen | Turn) -> None:
        self._put.put(word)
        self._wake()

    def _work(self) -> None:
        try:
            reason = "" if self._poll else self._serve()
            if reason is None:
                return
            self._say(Turn(state="polling", generation=self._wanted[0], lost=True, reason=reason))
            self._poll_on()
        except BaseException as error:  # noqa: BLE001  a thread has nobody to raise to
            self._say(Turn(state="stopped", generation=self._wanted[0], reason=f"{error}"))

    def _serve(self) -> str | None:
        """Tell what `watch` tells until the end; the reason if it cannot go on.

        It raises RuntimeError and is dead as soon as it meets a name that is not UTF-8, even while it opens.
        """
        running: Changes | None = None
        lost = False
        tries = 0
        while not self._stop.is_set():
            self._asked.clear()
            generation, directories = self._wanted
            try:
                following = self._opened(directories)
            except (FileNotFoundError, PermissionError) as error:
                if not self._bearable():
                    return f"{error}"
                self._say(Turn(state="vanished", generation=generation))
                self._asked.wait()
                continue
            except OSError as error:
                return f"{error}"
            except RuntimeError as error:
                tries += 1
                if tries == _MOST_TRIES:
                    return f"{error}"
                lost = True
                continue
            tries = 0
            if running is not None and not self._drained(running):
                lost = True
            self._say(Turn(state="ready", generation=generation, lost=lost))
            running, lost = following, False
            try:
                self._tell(running)
            except (OSError, RuntimeError) as error:
                if not self._bearable():
                    return f"{error}"
                running, lost = None, True
        if running is not None:
            _close(running)
        return None

    def _opened(self, directories: tuple[str, ...]) -> Changes:
        changes = self._watch(
            *directories,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=self._stop,
            rust_timeout=_TURN_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=False,
            recursive=self._recursive,
            # It would hide every other error too, the limit of watches among them.
            ignore_permission_denied=False,
        )
        self._pass_on(next(changes, set()))
        return changes

    def _tell(self, changes: Changes) -> None:
        while not self._asked.is_set():
            found = next(changes, None)
            if found is None:
                if self._stop.is_set():
                    return
                raise RuntimeError("the watch has ended by itself")
            self._pass_on(found)

    def _drained(self, changes: Changes) -> bool:
        """Take what the watch of an earlier generation has still to tell; False when that fails."""
        try:
            self._pass_on(next(changes, set()))
        except (OSError, RuntimeError):
            return False
        _close(changes)
        return True

    def _pass_on(self, found: AbstractSet[tuple[int, str]]) -> None:
        if found:
            paths: dict[str, bool] = {}
            for change, path in found:
                paths[path] = paths.get(path, False) or change != MODIFIED
            self._say(Seen(paths=paths))

    def _bearable(self) -> bool:
        now = time.monotonic()
        self._faults = [*(when for when in self._faults if now - when < 60), now]
        return len(self._faults) <= _MOST_FAULTS

    def _poll_on(self) -> None:
        before = self._listed()
        seconds = _POLL_SECONDS
        while not self._stop.wait(seconds):
            start = time.monotonic()
            now = self._listed()
            paths = {
                f"{self._root}/{path}": False
                for path in before.files.keys() | now.files.keys()
                if not same(before.files.get(path), now.files.get(path))
            }
            for path, _ in before.directories.items() ^ now.directories.items():
                paths[f"{self._root}/{path}" if path else self._root] = True
            if paths:
                self._say(Seen(paths=paths))
            before = now
            seconds = max(_POLL_SECONDS, _POLL_SHARE * (time.monotonic() - start))


def _close(changes: Any) -> None:
    close = getattr(changes, "close", None)
    if close is not None:
        close()
