"""Where the notes lie: each watcher appends to a file of its own; the dead ones' are merged at the start.

A watcher holds a lock on its file, so that others see that it lives. Whoever merges holds another. Both
locks end with their process; a line that was not finished is none.
"""

import contextlib
import importlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from buddy_watch.affected.notes import HEADER, Notes, recall
from pytest_buddy.errors import BuddyError
from pytest_buddy.workspace import Workspace

# No such locks on Windows: there, notes are only ever added.
_fcntl: Any = importlib.import_module("fcntl") if os.name == "posix" else None
_BASE = "base.notes"
_ENOUGH_TO_REWRITE = 4 << 20
_ROOM_FOR_EACH = 1024  # bytes that a test or a file may take up before that


class Journal:
    """Reads what earlier watchers of a project knew, and adds to it; without a place to write, it forgets."""

    def __init__(self, workspace: Workspace) -> None:
        self._directory: Path | None = None
        self._own: int | None = None
        self._own_path: Path | None = None
        self._written = 0
        with contextlib.suppress(BuddyError):
            self._directory = workspace.prepare_state("watch")

    def load(self, notes: Notes) -> Iterator[None]:
        """Take in everything, in small steps; merge and remove the files of watchers that are no more."""
        if self._directory is None:
            return
        with _lock(self._directory / "lock") as merging:
            logs = sorted(self._directory.glob("log-*.notes"), key=_age)
            with contextlib.ExitStack() as opened:
                # The base last: what is merged meanwhile is in both then.
                files = [_open(path, opened) for path in (*logs, self._directory / _BASE)]
                for lines in (files[-1], *files[:-1]):
                    yield from recall(notes, lines)
            if merging and (dead := [log for log in logs if _is_dead(log)]):
                yield from self._merge(self._directory, notes, dead)
        notes.taken_lines()

    def write(self, notes: Notes) -> None:
        """Append what the notes were told since the last time."""
        lines = notes.taken_lines()
        if self._directory is None or not lines:
            return
        try:
            if self._own is None:
                self._open(self._directory)
            self._append(lines)
            entries = len(notes.verdicts) + len(notes.files)
            if self._written > _ENOUGH_TO_REWRITE + _ROOM_FOR_EACH * entries:
                self._start_over(self._directory, notes)
        except OSError:
            self.close()
            self._directory = None  # a disk that is full now would leave half a line

    def close(self) -> None:
        """Let go of the file."""
        own, self._own = self._own, None
        if own is not None:
            os.close(own)

    def _open(self, directory: Path) -> None:
        self._own_path = directory / f"log-{time.time_ns()}-{secrets.token_hex(4)}.notes"
        self._own = _create(self._own_path)
        self._append([HEADER])

    def _append(self, lines: Iterable[str]) -> None:
        assert self._own is not None
        content = "".join(lines).encode()
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._own, rest) :]
        self._written += len(content)

    def _start_over(self, directory: Path, notes: Notes) -> None:
        """Replace the own file, which has grown, by what is known now."""
        assert self._own_path is not None
        temporary = directory / f".{secrets.token_hex(4)}"
        fresh = _create(temporary)
        self.close()
        self._own = fresh
        self._append([HEADER, *notes.start_over()])
        temporary.replace(self._own_path)
        self._written = 0

    def _merge(self, directory: Path, notes: Notes, dead: Iterable[Path]) -> Iterator[None]:
        temporary = directory / f".{secrets.token_hex(4)}"
        try:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                file.write(HEADER)
                for line in notes.snapshot():
                    file.write(line)
                    yield
            temporary.replace(directory / _BASE)
            for path in (*dead, *filter(_is_dead, directory.glob(".????????"))):
                path.unlink(missing_ok=True)
        except OSError:
            return  # the notes are good without being tidy


def _create(path: Path) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    if _fcntl is not None:
        _fcntl.flock(descriptor, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
    return descriptor


def _open(path: Path, opened: contextlib.ExitStack) -> Iterable[str]:
    try:
        return opened.enter_context(path.open(encoding="ascii", newline="\n"))
    except OSError:
        return ()


def _age(path: Path) -> tuple[int, str]:
    """What was written to last comes last; of those that the clock can't tell apart, the youngest."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime_ns, path.name
    return 0, path.name


def _is_dead(log: Path) -> bool:
    with _lock(log) as free:
        return free


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Hold a lock; false when another holds it or there are no locks."""
    if _fcntl is None:
        yield False
        return
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        yield False
        return
    try:
        try:
            _fcntl.flock(descriptor, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
