"""Runs a program nobody has read: own session, CPU, memory, file and wall limits, nothing left behind."""

import contextlib
import os
import platform
import resource
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

GIB = 1 << 30
MARKER = "BENCH_RUN_ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a program ended: seconds of wall and CPU (its own and of children it waited for), its output.

    `left_running` counts processes it started that were still alive when it had ended; they were killed.
    """

    returncode: int
    stdout: str
    stderr: str
    wall: float
    cpu: float
    timed_out: bool
    left_running: int


def run(
    command: Iterable[str | os.PathLike[str]],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    wall: float = 120.0,
    cpu: int = 300,
    memory: int = 4 * GIB,
) -> Finished:
    """Run a command to its end or to its wall limit, then kill whatever is left of it."""
    run_id = uuid.uuid4().hex[:16]  # longer ones look like secrets to a sandbox
    environment = {**os.environ, **(env or {}), MARKER: run_id}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (GIB, GIB))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        before = _children_cpu()
        start = time.perf_counter()
        process = subprocess.Popen(
            [os.fspath(word) for word in command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=limit,
        )
        timed_out = False
        try:
            process.wait(timeout=wall)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            elapsed = time.perf_counter() - start
            left = _kill_rest(process, run_id)
        return Finished(
            returncode=process.returncode,
            stdout=_text(stdout.fileno()),
            stderr=_text(stderr.fileno()),
            wall=elapsed,
            cpu=_children_cpu() - before,
            timed_out=timed_out,
            left_running=left,
        )


def machine_line() -> str:
    """The interpreter and the cores that the figures below it were taken with."""
    load = os.getloadavg()[0]
    return (
        f"machine: {platform.python_implementation()} {platform.python_version()}, "
        f"{len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.machine()}, load {load:.1f}"
    )


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _text(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, min(size, 64 << 20), 0).decode("utf-8", "replace")


def _kill_rest(process: subprocess.Popen[bytes], run_id: str) -> int:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    left = 0
    for pid in _marked(run_id):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
            left += 1
    return left


def _marked(run_id: str) -> Iterator[int]:
    needle = f"{MARKER}={run_id}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environ = (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if needle in environ and state != "Z":
            yield int(entry.name)
