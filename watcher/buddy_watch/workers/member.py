"""One test process as the watcher sees it: a channel of its own, and what it has imported."""

import os
import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from buddy_watch.reactor import Reactor
from pytest_buddy.messages import Inbox, Message, pack

_PIECE = 1 << 18
_SETTINGS = frozenset({"conftest.py", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"})
_COMPILED = (".so", ".pyd")


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A process; `loaded` is None until it has stopped, `changed` what has changed before that."""

    number: int
    parent: "Member | None"
    channel: "Channel"
    pid: int = 0
    loaded: frozenset[str] | None = None
    changed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Whom processes tell what: a message of a run, its death, pytest's hello, readiness and refusal.

    `unsafe` is told once when forking turns out not to be safe.
    """

    said: Callable[[Member, Message], None]
    died: Callable[[Member], None]
    hello: Callable[[Message], None]
    ready: Callable[[], None]
    refused: Callable[[str], None]
    unsafe: Callable[[], None]


def touches_settings(paths: Iterable[str]) -> bool:
    """Whether pytest itself reads one of the files when it starts, or Python cannot import it again."""
    return any(path.rpartition("/")[2] in _SETTINGS or path.endswith(_COMPILED) for path in paths)


class Channel:
    """Our end of a process's socket; `hear` gets its messages, `lost` is called once when it has died."""

    def __init__(self, reactor: Reactor, hear: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._reactor = reactor
        self._hear = hear
        self._lost = lost
        self._inbox = Inbox()
        self._ours, self.theirs = socket.socketpair()
        self._handle = -1
        self._open = True
        reactor.watch(self._ours, self._readable)

    def handed_over(self) -> None:
        """Close our copy of their end, now that they have it."""
        self.theirs.close()

    def accompany(self, pid: int) -> None:
        """Notice the death of the process also when its children keep the channel open."""
        if self._open and hasattr(os, "pidfd_open"):
            try:
                self._handle = os.pidfd_open(pid)
            except OSError:
                return
            self._reactor.watch(self._handle, self._died)

    def send(self, message: Message, *, along: socket.socket | None = None) -> None:
        """Send a message, with a descriptor; what a dead process does not get is no loss."""
        try:
            data = pack(message)
            if along is None:
                self._ours.sendall(data)
            else:
                sent = socket.send_fds(self._ours, [data], [along.fileno()])
                self._ours.sendall(data[sent:])
        except OSError:
            return

    def wait_for(self, key: str, value: int, *, seconds: float) -> Message | None:
        """Wait for one message; others that come before it are heard afterwards, by way of the reactor."""
        deadline = time.monotonic() + seconds
        while self._open:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._ours], [], [], left)[0]:
                return None
            data = self._arrived()
            if data is None:
                continue
            if not data:
                self._reactor.later(0, self._end)
                return None
            found = None
            for message in self._inbox.feed(data):
                if message.get(key) == value:
                    found = message
                else:
                    self._reactor.later(0, partial(self._hear_later, message))
            if found is not None:
                return found
        return None

    def close(self) -> None:
        """Hear nothing more."""
        if not self._open:
            return
        self._open = False
        self._reactor.unwatch(self._ours)
        self._ours.close()
        self.theirs.close()
        if self._handle >= 0:
            self._reactor.unwatch(self._handle)
            os.close(self._handle)

    def _hear_later(self, message: Message) -> None:
        if self._open:
            self._hear(message)

    def _arrived(self) -> bytes | None:
        """What has come; nothing at the end, None when there is nothing yet."""
        try:
            return self._ours.recv(_PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _readable(self) -> None:
        data = self._arrived()
        if data is None:
            return  # `wait_for` was quicker
        if not data:
            self._end()
            return
        for message in self._inbox.feed(data):
            if not self._open:
                return
            self._hear(message)

    def _died(self) -> None:
        """Hear what the process has said before it died."""
        while self._open and select.select([self._ours], [], [], 0)[0]:
            self._readable()
        self._end()

    def _end(self) -> None:
        if self._open:
            self.close()
            self._lost()
