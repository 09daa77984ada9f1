"""One thread that waits for everything at once: descriptors that can be read, and moments that come."""

import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Callback = Callable[[], None]


@dataclass(order=True, slots=True)
class Timer:
    """A callback that is due at `when` on the monotonic clock, unless it is cancelled."""

    when: float
    number: int
    callback: Callback | None = field(compare=False)

    def cancel(self) -> None:
        """Never call it; cancelling twice does nothing."""
        self.callback = None


class Reactor:
    """Calls back in the thread that calls `run`, one callback at a time, until `stop`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._stopped = False

    def watch(self, readable: Any, callback: Callback) -> None:
        """Call back whenever the descriptor, or the object that has one, can be read."""
        self._selector.register(readable, selectors.EVENT_READ, callback)

    def unwatch(self, readable: Any) -> None:
        """Forget a descriptor; it must still be open."""
        self._selector.unregister(readable)

    def later(self, seconds: float, callback: Callback) -> Timer:
        """Call back once after so many seconds."""
        timer = Timer(time.monotonic() + seconds, next(self._numbers), callback)
        heapq.heappush(self._timers, timer)
        return timer

    def stop(self) -> None:
        """Make `run` return after the current callback."""
        self._stopped = True

    def run(self) -> None:
        """Wait and call back until stopped; what a callback raises comes out here."""
        self._stopped = False
        while not self._stopped:
            self.step()

    def step(self, timeout: float | None = None) -> None:
        """One round: wait for the first thing to happen, at most `timeout` seconds, and call back."""
        for key, _ in self._selector.select(self._patience(timeout)):
            callback: Callback = key.data
            if key.fd in self._selector.get_map():  # an earlier callback of this round may have ended it
                callback()
            if self._stopped:
                return
        now = time.monotonic()
        while self._timers and self._timers[0].when <= now and not self._stopped:
            due = heapq.heappop(self._timers).callback
            if due is not None:
                due()

    def close(self) -> None:
        """Let go of everything."""
        self._timers.clear()
        self._selector.close()

    def _patience(self, timeout: float | None) -> float | None:
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        if self._timers:
            left = max(0.0, self._timers[0].when - time.monotonic())
            timeout = left if timeout is None else min(timeout, left)
        return timeout
