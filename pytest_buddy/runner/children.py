"""Forked children that work through a job's units one by one, watched and cleaned up after."""

import ctypes
import os
import resource
import selectors
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pytest_buddy.messages import Inbox, Message, write

_PR_SET_CHILD_SUBREAPER = 36
_MEMORY = 1536 * 1024 * 1024
_FILE_SIZE = 256 * 1024 * 1024

Tell = Callable[[Message], None]
Work = Callable[["Job", Tell], None]


@dataclass(slots=True, kw_only=True)
class Job:
    """Units to be worked through in order; `position` is the first that has no answer yet.

    `cpu` and `wall` are limits in seconds for one unit; `fresh` gives each unit a child of its own.
    """

    id: int
    operation: str
    request: Message
    units: list[Message]
    cpu: float
    wall: float
    fresh: bool = False
    position: int = 0

    @property
    def done(self) -> bool:
        """Whether every unit has its answer."""
        return self.position >= len(self.units)


class Escape(BaseException):
    """Raised by the work of a child that is to return to the caller of the pool instead of ending."""


@dataclass(slots=True)
class _Child:
    pid: int
    pipe: int
    handle: int
    job: Job
    deadline: float
    started: int
    inbox: Inbox = field(default_factory=Inbox)


class Pool:
    """Runs jobs in forked children, at most `size` at a time, and answers through `tell`.

    Every unit is answered exactly once: by its child, or with status `crashed` or `timeout` when the child
    died of it. What a dead child leaves behind is killed; `keep` is a process that is spared until `close`.
    """

    def __init__(self, work: Work, tell: Tell, *, size: int, keep: int = 0) -> None:
        self._work = work
        self._tell = tell
        self._size = size
        self._keep = keep
        self._waiting: deque[Job] = deque()
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._listeners: list[int] = []
        _become_subreaper()

    def listen(self, descriptor: int) -> None:
        """Make `wait` return when there is something to read on the descriptor."""
        self._selector.register(descriptor, selectors.EVENT_READ)
        self._listeners.append(descriptor)

    def submit(self, job: Job) -> None:
        """Start a job, or queue it when all places are taken."""
        self._waiting.append(job)
        self._fill()

    def cancel(self, identifier: int) -> None:
        """Drop a job; its remaining units get no answer."""
        self._waiting = deque(job for job in self._waiting if job.id != identifier)
        for child in [child for child in self._children.values() if child.job.id == identifier]:
            self._end(child)
        self._fill()

    def wait(self) -> bool:
        """Handle what the children say; whether a listened descriptor has something to read."""
        now = time.monotonic()
        timeout = min((child.deadline - now for child in self._children.values()), default=None)
        events = self._selector.select(None if timeout is None else max(0.0, timeout))
        heard = False
        for key, _ in events:
            if key.fd in self._listeners:
                heard = True
            elif key.data in self._children:
                child = self._children[key.data]
                self._read(child, died=key.fd == child.handle)
        self._expire()
        return heard

    def close(self) -> None:
        """Kill all children and what they left."""
        self._waiting.clear()
        for child in list(self._children.values()):
            self._end(child)
        if self._keep:
            _kill_group(self._keep)
            _reap(self._keep)
            self._keep = 0
        self._kill_orphans()

    def _fill(self) -> None:
        while self._waiting and len(self._children) < self._size:
            job = self._waiting.popleft()
            if job.done:
                self._tell({"job": job.id, "done": True})
            else:
                self._spawn(job)

    def _spawn(self, job: Job) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # 3.12 warns of threads; a child that hangs is killed and answered for
            pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._run_child(job, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        handle = os.pidfd_open(pid) if sys.platform == "linux" else -1
        child = _Child(pid, reading, handle, job, time.monotonic() + job.wall, job.position)
        self._children[pid] = child
        self._selector.register(reading, selectors.EVENT_READ, pid)
        if handle >= 0:
            self._selector.register(handle, selectors.EVENT_READ, pid)

    def _run_child(self, job: Job, writing: int) -> NoReturn:
        try:
            os.setpgid(0, 0)  # a session of its own would not be as nice to others as its parent is
            os.nice(5)
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            for child in self._children.values():
                os.close(child.pipe)
            for descriptor in self._listeners:
                os.close(descriptor)
            _limit_resources()
            self._work(job, lambda message: write(writing, message))
        except Escape:
            raise
        except BaseException:  # noqa: BLE001  whatever happens, a child must not run the server's code
            os._exit(1)
        os._exit(0)

    def _read(self, child: _Child, *, died: bool) -> None:
        ended = died
        while True:
            try:
                data = os.read(child.pipe, 1 << 20)
            except BlockingIOError:
                break
            if not data:
                ended = True
                break
            try:
                for message in child.inbox.feed(data):
                    self._progress(child, message)
            except (ValueError, TypeError):
                self._end(child)
                self._lost(child.job, "crashed")
                return
        if ended:
            self._finished(child)

    def _progress(self, child: _Child, message: Message) -> None:
        job = child.job
        child.deadline = time.monotonic() + job.wall
        self._tell({"job": job.id, "unit": job.position, **message})
        if message.get("last", True):
            job.position += 1

    def _finished(self, child: _Child) -> None:
        job = child.job
        status = self._end(child)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and job.position > child.started:
            self._again(job)
        elif os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
            self._lost(job, "timeout")
        else:
            self._lost(job, "crashed")

    def _expire(self) -> None:
        now = time.monotonic()
        for child in [child for child in self._children.values() if child.deadline <= now]:
            self._end(child)
            self._lost(child.job, "timeout")

    def _lost(self, job: Job, status: str) -> None:
        if not job.done:
            self._tell({"job": job.id, "unit": job.position, "lost": status})
            job.position += 1
        self._again(job)

    def _again(self, job: Job) -> None:
        self._waiting.appendleft(job)
        self._fill()

    def _end(self, child: _Child) -> int:
        for descriptor in (child.pipe, child.handle):
            if descriptor >= 0:
                self._selector.unregister(descriptor)
                os.close(descriptor)
        del self._children[child.pid]
        _kill_group(child.pid)
        _, status = os.waitpid(child.pid, 0)
        self._kill_orphans()
        return status

    def _kill_orphans(self) -> None:
        known = {child.pid for child in self._children.values()} | {self._keep}
        for _ in range(1000):
            orphans = [pid for pid in _own_children() if pid not in known]
            if not orphans:
                return
            for pid in orphans:
                _kill_group(pid)
                _reap(pid)


def _become_subreaper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _own_children() -> Iterator[int]:
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        yield from (int(pid) for pid in listing.read_text().split())
    except OSError:
        return


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, most in ((resource.RLIMIT_DATA, _MEMORY + _data_size()), (resource.RLIMIT_FSIZE, _FILE_SIZE)):
        _, hard = resource.getrlimit(kind)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def _data_size() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 0
