"""What Windows gives: a Job object. Written from its documentation and not tested by us.

It ends and limits processes and keeps them from the desktop. Files and the network stay open, so the probe
answers `none` and candidates run only when the person says so.
"""

import ctypes
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_buddy import processes
from pytest_buddy.errors import RunnerError

if TYPE_CHECKING:
    import subprocess

_SUSPENDED = 0x4
_ALL_ACCESS = 0x1FFFFF
_MOST_PROCESSES = 512
_EXTENDED_LIMITS, _UI_LIMITS = 9, 4  # JOBOBJECTINFOCLASS
_ACTIVE_PROCESS, _PROCESS_MEMORY = 0x8, 0x100
_DIE_ON_EXCEPTION, _KILL_ON_CLOSE = 0x400, 0x2000
_EVERY_UI_LIMIT = 0xFF
_LIBRARY: Any = vars(ctypes).get("WinDLL")


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("active_processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
        ("io_counters", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("peak_process_memory", ctypes.c_size_t),
        ("peak_job_memory", ctypes.c_size_t),
    )


def limits(memory: int) -> _Limits:
    """The limits of a job: everything ends with its last handle, `memory` bytes a process, 0 for any."""
    flags = _ACTIVE_PROCESS | _DIE_ON_EXCEPTION | _KILL_ON_CLOSE | (_PROCESS_MEMORY if memory else 0)
    return _Limits(flags=flags, active_processes=_MOST_PROCESSES, process_memory=memory)


def start(
    arguments: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    memory: int,
    stdout: Any,
    stderr: Any,
) -> "subprocess.Popen[bytes]":
    """Start the interpreter inside a job before it runs its first instruction."""
    process = processes.python(
        arguments,
        cwd=directory,
        environment=environment,
        stdout=stdout,
        stderr=stderr,
        creation_flags=_SUSPENDED,
    )
    try:
        job = _confine(process.pid, memory)
    except BaseException:
        process.kill()
        raise
    weakref.finalize(process, _close, job)
    return process


def _confine(process: int, memory: int) -> int:
    """Put a suspended process into a new job and let it run; the job's handle."""
    if _LIBRARY is None:
        raise RunnerError("Job objects are a thing of Windows", hint="Run `buddy doctor`.")
    kernel = _LIBRARY("kernel32", use_last_error=True)
    for name in ("CreateJobObjectW", "OpenProcess"):
        getattr(kernel, name).restype = ctypes.c_void_p
    wanted = limits(memory)
    forbidden = ctypes.c_uint32(_EVERY_UI_LIMIT)
    job = kernel.CreateJobObjectW(None, None)
    handle = kernel.OpenProcess(_ALL_ACCESS, False, process)
    resume = _LIBRARY("ntdll").NtResumeProcess
    done = (
        job
        and handle
        and kernel.SetInformationJobObject(
            ctypes.c_void_p(job), _EXTENDED_LIMITS, ctypes.byref(wanted), ctypes.sizeof(wanted)
        )
        and kernel.SetInformationJobObject(
            ctypes.c_void_p(job), _UI_LIMITS, ctypes.byref(forbidden), ctypes.sizeof(forbidden)
        )
        and kernel.AssignProcessToJobObject(ctypes.c_void_p(job), ctypes.c_void_p(handle))
        and resume(ctypes.c_void_p(handle)) == 0
    )
    if handle:
        kernel.CloseHandle(ctypes.c_void_p(handle))
    if not done:
        _close(job or 0)
        raise RunnerError("The process could not be put into a job", hint="Run `buddy doctor`.")
    return int(job)


def _close(job: int) -> None:
    if _LIBRARY is not None and job:
        _LIBRARY("kernel32").CloseHandle(ctypes.c_void_p(job))
