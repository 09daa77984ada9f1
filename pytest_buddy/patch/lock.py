"""One process at a time changes files, the index or the journal."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator

from pytest_buddy.errors import BuddyError
from pytest_buddy.workspace import Workspace

_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextlib.contextmanager
def locked(workspace: Workspace) -> Iterator[None]:
    """Hold the lock of a workspace; raises BuddyError at once when another process has it.

    The system gives the lock back when the process ends, however it ends. On a file system without locks
    the work goes on: the hashes in every edit still refuse a file that another process has changed.
    """
    path = workspace.prepare_state() / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise BuddyError(
            f"{path.relative_to(workspace.root)} cannot be opened: {error.strerror}",
            hint="Make the directory writable, or remove the file.",
        ) from error
    try:
        try:
            _take(descriptor)
        except OSError as error:
            if error.errno in _TAKEN:
                raise BuddyError(
                    "Another pytest-buddy is changing files of this project at this moment",
                    hint="Nothing was done. Try again when it is ready.",
                ) from error
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # exists on Windows only

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # exists on POSIX only

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
