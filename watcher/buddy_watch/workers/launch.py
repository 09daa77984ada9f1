"""How pytest is called in the watched project, and how its processes are started."""

import contextlib
import os
import secrets
import signal
import socket
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pytest_buddy import processes
from pytest_buddy.errors import BuddyError
from pytest_buddy.messages import Message

if TYPE_CHECKING:
    import subprocess

_MARK = "BUDDY_WATCH"
_INTERACTIVE = ("--pdb", "--trace")
_MOST_SHOWN = 8000
_ROUNDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """`arguments` are what the person typed for pytest; `here_first` puts `cwd` on the import path."""

    cwd: Path
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    here_first: bool = False

    def check(self) -> None:
        """Raise BuddyError for arguments that only make sense with somebody at the terminal."""
        for word in self.arguments:
            if word in _INTERACTIVE:
                raise BuddyError(
                    f"{word} cannot be used while watching",
                    hint=f"Run `pytest {word} TEST` beside the watcher.",
                )


class Output:
    """The file that all test processes print to."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed with the workers
        os.set_blocking(self._file.fileno(), True)
        _append(self._file.fileno())

    def fileno(self) -> int:
        """The descriptor that processes inherit."""
        return self._file.fileno()

    def clear(self) -> None:
        """Forget what was printed."""
        self._file.truncate(0)

    def end(self) -> str:
        """The last that was printed."""
        size = os.fstat(self._file.fileno()).st_size
        return os.pread(self._file.fileno(), _MOST_SHOWN, max(0, size - _MOST_SHOWN)).decode(
            "utf-8", "replace"
        )

    def close(self) -> None:
        """Let go of it."""
        self._file.close()


def _append(descriptor: int) -> None:
    import fcntl

    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)


class Started:
    """A process of ours; a mark in its environment finds whatever descends from it."""

    def __init__(self, process: "subprocess.Popen[bytes]", mark: str) -> None:
        self._process = process
        self._mark = f"{_MARK}={mark}".encode()
        self.pid = process.pid

    def end(self) -> int:
        """Kill it and all that it has started; its exit status, negative for a signal."""
        processes.end_session(self._process)
        self.end_leftovers()
        return self._process.returncode

    def end_leftovers(self) -> None:
        """Kill every process that carries the mark."""
        for _ in range(_ROUNDS):
            left = list(self._marked())
            if not left:
                return
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def _marked(self) -> Iterator[int]:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
            except OSError:  # it has ended meanwhile, or is another user's
                continue


class Starter:
    """Starts the processes of one watcher."""

    def __init__(self, launch: Launch, output: Output) -> None:
        self._launch = launch
        self._output = output

    def start(self, theirs: socket.socket) -> Started:
        """Start a process that takes its first message from the other side of `theirs`."""
        mark = secrets.token_hex(8)
        process = processes.python(
            ["-P", "-m", "buddy_watch.inside", str(theirs.fileno())],
            cwd=self._launch.cwd,
            environment={**self._launch.environment, _MARK: mark},
            pass_fds=[theirs.fileno()],
            stdout=self._output.fileno(),
            stderr=self._output.fileno(),
        )
        return Started(process, mark)

    def setup(self, **more: object) -> Message:
        """The first message to a process."""
        return {
            "parent": os.getpid(),
            "cwd": str(self._launch.cwd),
            "here_first": self._launch.here_first,
            "arguments": list(self._launch.arguments),
            **more,
        }
