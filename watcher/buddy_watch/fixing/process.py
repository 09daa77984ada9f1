"""The screen's side of one proposer: started early, told once what to work on, killed at any moment."""

import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from buddy_watch.fixing.wire import Setting
from buddy_watch.reactor import Reactor
from pytest_buddy import processes
from pytest_buddy.codec import encode
from pytest_buddy.messages import Inbox, Message, pack

_PIECE = 1 << 20
_TAIL = 2000

Heard = Callable[[Message], None]
Ended = Callable[["ProposerProcess"], None]


class ProposerProcess:
    """One process; `heard` gets its messages until it is killed, `ended` is called when it is no more."""

    def __init__(self, setting: Setting, reactor: Reactor, *, heard: Heard, ended: Ended) -> None:
        self._reactor = reactor
        self._heard = heard
        self._tell_end = ended
        self._killed = False
        self.ready = False
        self.gave_up = False
        self._level = ""
        self._inbox = Inbox()
        self._unsent = bytearray()
        self.directory: str = tempfile.mkdtemp(prefix="buddy-watch-")
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        ours, theirs = socket.socketpair()
        try:
            self._process = processes.python(
                [
                    *("-P", "-m", "buddy_watch.fixing.proposer"),
                    *(str(theirs.fileno()), str(os.getpid()), self.directory),
                ],
                cwd=Path(setting.root),
                environment={**os.environ, "PYTHONSAFEPATH": "1"},
                pass_fds=[theirs.fileno()],
                stderr=self._log,
            )
        except BaseException:
            ours.close()
            self._log.close()
            Path(self.directory).rmdir()
            raise
        finally:
            theirs.close()
        self._socket = ours
        ours.setblocking(False)
        reactor.watch(ours, self._read)
        self.send({"setting": encode(setting)})

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, message: Message) -> None:
        """Say something, without waiting for it to be heard."""
        self._unsent += pack(message)
        self._flush()

    def _flush(self) -> None:
        while self._unsent and not self._killed:
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                self._reactor.later(0.005, self._flush)
                return
            except OSError:
                return  # it has ended, and will be heard to have ended
            del self._unsent[:sent]

    def kill(self) -> None:
        """End it and everything below it at once; nothing of it is heard from now on.

        The launchers of sandboxes see to that, too, one after the other and when it is their turn to run.
        Where they have to clean up they are left to do so.
        """
        self._killed = True
        self._unsent.clear()
        doomed = [self._process.pid]
        for launcher in _children(self._process.pid):
            doomed += [launcher] if self._level == "full" else []
            doomed += _below(launcher)
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill it, wait until it has ended and leave nothing of it; `ended` is not called."""
        self.kill()
        self._let_go()
        shutil.rmtree(self.directory, ignore_errors=True)

    def last_words(self) -> str:
        """The last line that it printed before it ended."""
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace")
        return tail.strip().rpartition("\n")[2]

    def _read(self) -> None:
        try:
            data = self._socket.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._tell_end(self)
            self._let_go()
            return
        for message in self._inbox.feed(data):
            if "ready" in message:
                self.ready, self._level = True, message["ready"]
            self.gave_up = self.gave_up or "failed" in message
            if not self._killed:  # also by whoever heard the message before
                self._heard(message)

    def _let_go(self) -> None:
        """It has ended, or will at once: what it held is the kernel's to close before its channel is."""
        self._reactor.unwatch(self._socket)
        self._socket.close()
        self._process.wait()
        self._log.close()


def _children(pid: int) -> tuple[int, ...]:
    """The direct children of a process, where the system tells."""
    try:
        return tuple(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except OSError:
        return ()


def _below(pid: int) -> list[int]:
    """All descendants of a process."""
    found = [*_children(pid)]
    for child in found:
        found += _children(child)
    return found
