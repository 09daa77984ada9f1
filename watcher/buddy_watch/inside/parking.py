"""Stop points: a process waits on its channel, forks when told to, and goes on when it is given a run."""

import array
import gc
import os
import socket
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable
from typing import NoReturn

from buddy_watch.inside import kin
from pytest_buddy.messages import Inbox, Message, pack

_HARMLESS = frozenset({"pytest_rerunfailures"})  # only waits for connections that will never come
_MOST_AT_ONCE = 8
_PIECE = 1 << 16


def only_harmless_threads() -> bool:
    """Whether no thread of Python's runs here that a forked child would miss."""
    for thread in threading.enumerate():
        target = getattr(thread, "_target", None)
        if thread is not threading.main_thread() and getattr(target, "__module__", "") not in _HARMLESS:
            return False
    return True


class Line:
    """A socket to the watcher; a process that nobody listens to any more ends."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._inbox = Inbox()
        self.descriptors: deque[int] = deque()

    def exchange(self, channel: socket.socket) -> None:
        """Be another line, with nothing on it yet."""
        self._channel.close()
        for descriptor in self.descriptors:
            os.close(descriptor)
        self._channel = channel
        self._inbox = Inbox()
        self.descriptors.clear()

    def next(self) -> Message | None:
        """Wait for a message, and for `descriptors` that come along; None when there will be no more."""
        for message in self._inbox.feed(b""):
            return message
        space = socket.CMSG_SPACE(array.array("i").itemsize * _MOST_AT_ONCE)
        while True:
            try:
                data, ancillary, _, _ = self._channel.recvmsg(_PIECE, space)
            except OSError:
                return None
            if not data:
                return None
            for _, kind, content in ancillary:
                if kind == socket.SCM_RIGHTS:
                    received = array.array("i")
                    received.frombytes(content[: len(content) - len(content) % received.itemsize])
                    self.descriptors.extend(received)
            for message in self._inbox.feed(data):
                return message

    def say(self, message: Message) -> None:
        """Send a message."""
        try:
            self._channel.sendall(pack(message))
        except OSError:
            os._exit(1)


class Parking:
    """The channel of this process, and the children that it has forked; `prepare` makes a child ready.

    Threads are counted after each fork: well-behaved libraries end theirs before it.
    """

    def __init__(self, line: Line, prepare: Callable[[Message], None]) -> None:
        self._line = line
        self._prepare = prepare
        self._children: dict[int, int] = {}

    def wait(self) -> Message:
        """Serve until told to go on, in this process or in a child; what the run is to be."""
        kin.adopt_orphans()
        gc.collect()
        gc.freeze()
        while True:
            message = self._line.next()
            if message is None:
                self._leave()
            if "go" in message:
                run: Message = message["go"]
                return run
            if "fork" in message:
                self._fork(message)
            elif "end" in message:
                self._end(message["end"])

    def _leave(self) -> NoReturn:
        """Nobody is left to work for: end whatever was started here, then this process."""
        kin.end_orphans()
        os._exit(0)

    def _fork(self, message: Message) -> None:
        descriptor = self._line.descriptors.popleft()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # threads are our business, and reported below
            pid = os.fork()
        if pid == 0:
            self._become(message, descriptor, parent)
            return
        os.close(descriptor)
        self._children[message["fork"]] = pid
        safe = only_harmless_threads() and kin.threads() <= threading.active_count()
        self._line.say({"forked": message["fork"], "pid": pid, "safe": safe})

    def _become(self, message: Message, descriptor: int, parent: int) -> None:
        """Be a child: with a channel of its own and nothing of its parent's."""
        try:
            os.setsid()
            kin.die_with(parent)
            self._line.exchange(socket.socket(fileno=descriptor))
            self._children.clear()
            self._prepare(message)
        except BaseException:  # noqa: BLE001  a child that is not ready must not run on as its parent
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    def _end(self, number: int) -> None:
        """End a child with all that it has left behind, and say what became of it."""
        pid = self._children.pop(number, 0)
        status = kin.end(pid) if pid else 0
        kin.end_orphans(self._children.values())
        self._line.say({"ended": number, "status": status})
