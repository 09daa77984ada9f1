"""The only door to other programs: a fixed list, no shell, hardened arguments."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pytest_buddy.errors import BuddyError

_GIT_HARDENING = (
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.pager=cat",
    "-c", "diff.external=",
    "-c", "protocol.allow=never",
)  # fmt: skip


def cores() -> int:
    """How many cores this process may run on: fewer than the machine has in a container or under taskset."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def git(root: Path, *arguments: str, stdin: bytes = b"", timeout: float = 10.0) -> bytes | None:
    """Standard output of a git command run in `root`, or None when git is absent, refuses or is too slow.

    A hostile repository's fsmonitor, hooks, pager, external diff and network protocols are switched off, and
    no lock is taken for reading.
    """
    completed = git_answer(root, *arguments, stdin=stdin, timeout=timeout)
    return completed.stdout if completed and completed.returncode == 0 else None


def git_answer(
    root: Path, *arguments: str, stdin: bytes = b"", timeout: float = 10.0
) -> "subprocess.CompletedProcess[bytes] | None":
    """What `git` came back with, exit status and messages included; None when it is absent or too slow."""
    program = shutil.which("git")
    if program is None:
        return None
    environment = {
        **os.environ,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "none",  # a repository's own protocol.NAME.allow would win over protocol.allow
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }
    try:
        return subprocess.run(  # noqa: S603  a fixed program, no shell
            [program, *_GIT_HARDENING, *arguments],
            cwd=root,
            env=environment,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def python(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    pass_fds: Sequence[int] = (),
    stdout: Any = subprocess.DEVNULL,
    stderr: Any = subprocess.DEVNULL,
    before: Sequence[str] = (),
    creation_flags: int = 0,
) -> "subprocess.Popen[bytes]":
    """Start the running interpreter with `arguments` in a session of its own, without standard input.

    `before`: macOS's sandbox-exec with its own arguments; `creation_flags` are those of Windows.
    """
    try:
        return subprocess.Popen(  # noqa: S603  our own interpreter, no shell
            [*before, sys.executable, *arguments],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
            creationflags=creation_flags,
        )
    except OSError as error:
        raise BuddyError(f"Python could not be started: {error}", hint="Run `buddy doctor`.") from error


def attached_python(arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> int:
    """Run the interpreter on this very terminal and wait for it; its exit status."""
    try:
        completed = subprocess.run(  # noqa: S603  our own interpreter, no shell
            [sys.executable, *arguments], cwd=cwd, env=dict(environment), check=False
        )
    except OSError as error:
        raise BuddyError(f"Python could not be started: {error}", hint="Run `buddy doctor`.") from error
    return completed.returncode


def attached_editor(command: Sequence[str], *, cwd: Path) -> int:
    """Run the editor that the person named on this very terminal and wait for it; its exit status."""
    try:
        completed = subprocess.run(list(command), cwd=cwd, check=False)  # noqa: S603  the person's own words, no shell
    except OSError as error:
        raise BuddyError(f"{command[0]} could not be started: {error}", hint="Look at $EDITOR.") from error
    return completed.returncode


def captured_python(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    interpreter: str = sys.executable,
    timeout: float = 60.0,
) -> "subprocess.CompletedProcess[bytes]":
    """Run a Python interpreter away from any terminal; past `timeout` it is killed and BuddyError says so.

    What it prints goes through files, so that processes it leaves behind cannot hold up the answer.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(  # noqa: S603  an interpreter, no shell
            [interpreter, *arguments],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=_hear_interrupts if os.name == "posix" else None,
        )
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise BuddyError(f"nothing came back within {timeout:g} s", hint=_tail(out)) from error
        finally:
            end_session(process)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
    return subprocess.CompletedProcess(process.args, process.returncode, texts[0], texts[1])


def _hear_interrupts() -> None:
    """Give a child its Ctrl-C back: under a background job it would inherit that the signal is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _tail(file: IO[bytes]) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - 2000))
    return file.read().decode("utf-8", "replace").strip()


def python_on_terminal(
    arguments: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    terminal: int,
    interpreter: str = sys.executable,
) -> "subprocess.Popen[bytes]":
    """Start the interpreter with the open terminal as its own: keys typed there reach it as from a person."""
    import fcntl
    import termios

    def take_terminal() -> None:
        """As a shell at a terminal does."""
        _hear_interrupts()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    return subprocess.Popen(  # noqa: S603  an interpreter, no shell
        [interpreter, *arguments],
        cwd=cwd,
        env=dict(environment),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=take_terminal,
    )


def end_session(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that has not ended yet, with all that is in its process group, and wait for it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
