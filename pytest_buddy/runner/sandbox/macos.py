"""Level `partial` of macOS, by sandbox-exec. Written from its documentation and not tested by us.

It is used only where the self-attack, run by the probe on the person's own machine, finds it to hold.
"""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_buddy import processes

if TYPE_CHECKING:
    import subprocess

PROGRAM = "/usr/bin/sandbox-exec"
_SYSTEM = ("/usr", "/bin", "/sbin", "/System", "/Library", "/opt", "/private/etc", "/private/var/db", "/dev")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/dtracehelper")
_RULES = """\
(version 1)
(deny default)
(import "system.sb")
(allow process-fork process-exec)
(allow process-info* (target same-sandbox))
(allow signal (target same-sandbox))
(allow sysctl-read)
(allow ipc-posix*)
(allow file-read-metadata)
(deny network*)
(allow network* (local ip "localhost:*") (remote ip "localhost:*"))
"""


def profile(*, readable: Iterable[str], writable: Iterable[str], hidden: Iterable[str]) -> str:
    """The rules in sandbox-exec's language; of two that fit a path the later one counts."""
    lines = [_RULES]
    lines += [f"(allow file-read* (subpath {_quoted(path)}))" for path in (*_SYSTEM, *readable)]
    lines += [f"(allow file-write* (literal {_quoted(path)}))" for path in _DEVICES]
    lines += [f"(deny file-read* file-write* (subpath {_quoted(path)}))" for path in hidden]
    lines += [f"(allow file-read* file-write* (subpath {_quoted(path)}))" for path in writable]
    return "\n".join(lines)


def start(
    arguments: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    readable: Sequence[str],
    writable: Sequence[str],
    hidden: Sequence[str],
    pass_fds: Sequence[int],
    stdout: Any,
    stderr: Any,
) -> "subprocess.Popen[bytes]":
    """Start the interpreter inside, with a temporary directory of its own that goes when the process does."""
    temporary = os.path.realpath(tempfile.mkdtemp(prefix="buddy-"))
    rules = profile(readable=readable, writable=(*writable, temporary), hidden=hidden)
    process = processes.python(
        arguments,
        before=(PROGRAM, "-p", rules),
        cwd=directory,
        environment={**environment, "TMPDIR": temporary, "PYTHONDONTWRITEBYTECODE": "1"},
        pass_fds=pass_fds,
        stdout=stdout,
        stderr=stderr,
    )
    weakref.finalize(process, shutil.rmtree, temporary, ignore_errors=True)
    return process


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
