"""Processes that end together: a child dies with its parent, and what children leave behind is found."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 1000
_IDLE = 15

_prctl: Callable[..., Any] | None = None
if sys.platform == "linux":
    _prctl = ctypes.CDLL(None, use_errno=True).prctl


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    if _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """Be killed when the parent dies, at once when it is dead already."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def outlive_parent() -> None:
    """Take `die_with` back: whoever has children must end them before itself."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)


def threads() -> int:
    """How many threads this process has, native ones included; 1 where nobody can say."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208  a count, at every fork
    except OSError:
        return 1


def stand_back() -> None:
    """Leave the processor to everybody else."""
    with contextlib.suppress(OSError):
        os.nice(_IDLE)
        if hasattr(os, "SCHED_BATCH"):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def end(pid: int) -> int:
    """Kill a child and its group, and wait for it; its wait status, 0 when it is no child of ours."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0


def end_orphans(known: Collection[int] = ()) -> None:
    """Kill all children but the known ones, then the orphans that they leave to us, until there are none."""
    for _ in range(_ROUNDS):
        strangers = [pid for pid in _children() if pid not in known]
        if not strangers:
            return
        for pid in strangers:
            end(pid)


def _children() -> list[int]:
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return [int(pid) for pid in listing.read_text().split()]
    except OSError:
        return []
