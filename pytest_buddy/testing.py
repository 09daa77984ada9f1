"""Try pytest-buddy on a small project from a test: a project in a dictionary, a run, a look at what came out.

    project = Project(tmp_path, {"shop.py": "...", "test_shop.py": "..."})
    run = project.pytest("--buddy", "-q")
    assert run.exit == 1
    assert run.report["summary"]["fixed"] == 1
    assert project.buddy("apply").exit == 0
    assert project.pytest().exit == 0

Everything runs in processes of its own, with a clean environment and a time limit.
"""

import json
import os
import pty
import re
import secrets
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_buddy import processes
from pytest_buddy.errors import BuddyError

if TYPE_CHECKING:
    import subprocess

_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
_MADE_BY_PYTEST = frozenset({"__pycache__", ".pytest_cache"})
_STATE = ".buddy"
_MARK = "BUDDY_PROJECT"
_COUNTS = re.compile(
    r"^=* ?((?:\d+ [a-z]+(?:, )?)+|no tests ran|no tests collected.*) in [\d.]+s", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process came to: exit status, what it printed, and the JSON report when it wrote one."""

    exit: int
    out: str
    err: str
    seconds: float
    json: str = field(default="", repr=False)

    @property
    def report(self) -> dict[str, Any]:
        """The parsed JSON report; raises BuddyError when none was written."""
        if not self.json:
            raise BuddyError("no report was written", hint=self.out[-2000:] + self.err[-2000:])
        parsed: dict[str, Any] = json.loads(self.json)
        return parsed

    @property
    def counts(self) -> dict[str, int]:
        """Pytest's own last line as numbers, as in `{"failed": 1, "passed": 3}`."""
        lines = _COUNTS.findall(self.out)
        words = lines[-1].split(", ") if lines else []
        return {name: int(number) for number, name in (word.split() for word in words if word[0].isdigit())}


class Project:
    """A project below `directory`, made of `files` (path -> content).

    Only the pytest plugins that are named take part, by their entry points' names (`("xdist", "cov")`); with
    `plugins=None` all that are installed do. A home and a temporary directory of its own stand beside it, and
    the variable BUDDY_PROJECT marks its processes.
    """

    def __init__(
        self,
        directory: Path,
        files: Mapping[str, str | bytes],
        *,
        name: str = "project",
        plugins: Sequence[str] | None = (),
        interpreter: str = sys.executable,
    ) -> None:
        self.root = directory / name
        self.home = directory / "home"
        self.temporary = directory / "tmp"
        self._report = directory / "report.json"
        self._plugins = plugins
        self._interpreter = interpreter
        self._mark = secrets.token_hex(6)
        for folder in (self.root, self.home, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self.write(files)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Create or replace files."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def read(self, name: str) -> str:
        """A file as it is now."""
        return (self.root / name).read_bytes().decode()

    def tree(self) -> dict[str, bytes]:
        """All files of the project and their contents, without what pytest and pytest-buddy keep there."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in (*_MADE_BY_PYTEST, _STATE, ".git")]
            for name in names:
                path = Path(folder, name)
                found[path.relative_to(self.root).as_posix()] = (
                    str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
                )
        return found

    def pytest(
        self,
        *arguments: str,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        timeout: float = 60.0,
    ) -> Run:
        """Run pytest in the project; with `--buddy` the JSON report is asked for as well.

        `env` adds variables, or takes them away with None.
        """
        self._report.unlink(missing_ok=True)
        return self.python(*self._words(arguments), env=env, cwd=cwd, timeout=timeout)

    def buddy(self, *arguments: str, env: Mapping[str, str | None] | None = None) -> Run:
        """Run the `buddy` command in the project."""
        return self.python("-P", "-m", "pytest_buddy.cli", *arguments, env=env)

    def python(
        self,
        *arguments: str,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        timeout: float = 60.0,
    ) -> Run:
        """Run the interpreter in the project."""
        before = time.monotonic()
        done = processes.captured_python(
            arguments,
            cwd=cwd or self.root,
            environment=self.environment(env or {}),
            interpreter=self._interpreter,
            timeout=timeout,
        )
        return self._run(done.returncode, done.stdout, done.stderr, time.monotonic() - before)

    @contextmanager
    def terminal(
        self, *arguments: str, env: Mapping[str, str | None] | None = None, columns: int = 100
    ) -> "Iterator[Terminal]":
        """Run pytest on a terminal of its own, to type at."""
        self._report.unlink(missing_ok=True)
        environment = self.environment({"TERM": "xterm", "COLUMNS": str(columns), **(env or {})})
        ours, theirs = pty.openpty()
        try:
            process = processes.python_on_terminal(
                self._words(arguments),
                cwd=self.root,
                environment=environment,
                terminal=theirs,
                interpreter=self._interpreter,
            )
        finally:
            os.close(theirs)
        try:
            yield Terminal(process, ours, self._run)
        finally:
            processes.end_session(process)
            os.close(ours)

    def environment(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """The variables that every process of this project gets."""
        values: dict[str, str | None] = {
            **{name: os.environ.get(name) for name in _KEPT},
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            _MARK: self._mark,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": None if self._plugins is None else "1",
            **changes,
        }
        return {name: value for name, value in values.items() if value is not None}

    def processes(self, *, patience: float = 0.0) -> tuple[str, ...]:
        """The command lines of what is still running of this project (on Linux).

        `patience` is how many seconds to wait for what ends by itself, as daemons of the project's own tests.
        """
        deadline = time.monotonic() + patience
        running = self._running()
        for process in running:
            _await_end(process, deadline)
        return tuple(self._running().values()) if patience else tuple(running.values())

    def _running(self) -> dict[int, str]:
        mark = f"{_MARK}={self._mark}".encode()
        found: dict[int, str] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(entry.name)] = f"{entry.name}: {line.decode(errors='replace')}"
            except OSError:  # it has ended meanwhile, or is another user's
                continue
        return found

    def _words(self, arguments: Sequence[str]) -> list[str]:
        names = () if self._plugins is None else ("buddy", *self._plugins)
        words = ["-m", "pytest", *(word for name in names for word in ("-p", name)), *arguments]
        if "--buddy" in arguments:
            words += ["--buddy-report", f"json:{self._report}"]
        return words

    def _run(self, status: int, out: bytes, err: bytes, seconds: float) -> Run:
        report = self._report.read_text(encoding="utf-8") if self._report.exists() else ""
        return Run(
            exit=status,
            out=out.decode("utf-8", "backslashreplace"),
            err=err.decode("utf-8", "backslashreplace"),
            seconds=seconds,
            json=report,
        )


class Terminal:
    """A pytest on a terminal: wait for what it shows, type, see how it ends."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        descriptor: int,
        finished: Callable[[int, bytes, bytes, float], Run],
    ) -> None:
        self._process = process
        self._descriptor = descriptor
        self._finished = finished
        self._shown = b""
        self._position = 0
        self._started = time.monotonic()

    def until(self, text: str, *, timeout: float = 60.0) -> str:
        """Wait until `text` shows after what was waited for before; what was shown on the way there."""
        limit = time.monotonic() + timeout
        wanted = text.encode()
        while (found := self._shown.find(wanted, self._position)) < 0:
            if not self._read(limit):
                raise BuddyError(f"{text!r} was never shown", hint=self._shown.decode(errors="replace"))
        before, self._position = self._position, found + len(wanted)
        return self._shown[before : self._position].decode("utf-8", "backslashreplace")

    def type(self, keys: str) -> None:
        """Press keys; the return key sends a carriage return."""
        os.write(self._descriptor, keys.encode())

    def signal(self, number: int) -> None:
        """Send a signal to pytest alone."""
        os.kill(self._process.pid, number)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.type("\x03")

    def finish(self, *, timeout: float = 60.0) -> Run:
        """Wait for the end; everything that was shown is in `out`."""
        limit = time.monotonic() + timeout
        while self._read(limit):
            pass
        if time.monotonic() > limit:
            raise BuddyError("pytest did not end", hint=self._shown.decode(errors="replace"))
        self._process.wait(timeout)
        seconds = time.monotonic() - self._started
        return self._finished(self._process.returncode, self._shown, b"", seconds)

    def _read(self, limit: float) -> bool:
        """Take in what was shown; false when there will be no more, or the limit has passed."""
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, limit - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._descriptor, 1 << 16)
        except OSError:  # how Linux says that nobody has the other side open any more
            return False
        self._shown += data
        return bool(data)


def _await_end(process: int, deadline: float) -> None:
    """Wait until a process that is not our child has ended, at most until a time of the monotonic clock."""
    try:
        handle = os.pidfd_open(process)
    except OSError:  # it has ended
        return
    try:
        select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
    finally:
        os.close(handle)
