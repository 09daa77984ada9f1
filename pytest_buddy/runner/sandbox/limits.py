"""Limits of one confinement: processes, file sizes, no core dumps, first to go when memory runs out."""

import os
import resource

_PROCESSES = 512
_FILE_SIZE = 256 << 20


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def tasks_of_user() -> int:
    """How many processes and threads this user has on the machine."""
    user = os.getuid()
    count = 0
    for name in os.listdir(b"/proc"):
        if name.isdigit():
            try:
                if os.stat(b"/proc/" + name).st_uid == user:
                    count += len(os.listdir(b"/proc/" + name + b"/task"))
            except OSError:
                continue  # ended meanwhile
    return count


def apply(*, own_users: bool, memory: int) -> None:
    """Set the limits; `own_users` when this process is in a user namespace that counts from zero."""
    _lower(resource.RLIMIT_NPROC, _PROCESSES + (0 if own_users else tasks_of_user()))
    _lower(resource.RLIMIT_FSIZE, _FILE_SIZE)
    _lower(resource.RLIMIT_CORE, 0)
    if memory:
        _lower(resource.RLIMIT_DATA, memory)


def volunteer_for_memory_shortage() -> None:
    """Let the kernel end this process before any of the person's own when memory runs out."""
    try:
        with open("/proc/self/oom_score_adj", "wb", buffering=0) as stream:
            stream.write(b"1000")
    except OSError:
        return  # a courtesy; some containers forbid it


def keep_niceness() -> None:
    """Let a new session be as nice as its founder: with autogroups, niceness counts inside a session only."""
    niceness = os.nice(0)
    if niceness > 0:
        try:
            with open("/proc/self/autogroup", "wb", buffering=0) as stream:
                stream.write(b"%d" % niceness)
        except OSError:
            return  # no autogroups, or too many changes of them at a time


def no_core() -> None:
    """Leave no core file when this process is about to end by a signal on purpose."""
    _lower(resource.RLIMIT_CORE, 0)
