"""Ending everything that a process has started, for where no pid namespace does it."""

import os
import signal
import time

_PATIENCE = 10.0
_PAUSE = 0.02  # most between two rounds; the end of any child cuts it short


def _parents() -> dict[int, int]:
    parents = {}
    for name in os.listdir(b"/proc"):
        if name.isdigit():
            try:
                with open(b"/proc/" + name + b"/stat", "rb") as stream:
                    fields = stream.read().rpartition(b")")[2].split()
            except OSError:
                continue  # ended meanwhile
            parents[int(name)] = int(fields[1])
    return parents


def _found() -> set[int]:
    parents = _parents()
    family = {os.getpid()}
    grown = True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return family - {os.getpid()}


def _signal(processes: set[int], number: int) -> None:
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue


def _none_left() -> bool:
    """Reap who has ended; whether this process has no children any more, and so no descendants either."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return True
    return False


def end_all() -> None:
    """End and reap all descendants of this process, which must be their subreaper."""
    deadline = time.monotonic() + _PATIENCE
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while not _none_left() and time.monotonic() < deadline:
        living = _found()
        _signal(living, signal.SIGSTOP)  # so that they can't outrun the next line by forking
        _signal(living | _found(), signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, _PAUSE)
