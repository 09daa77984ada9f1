"""The self-attack: run inside a confinement, it tries to get out and says how far it came.

It is run with `-I -S` and imports nothing of ours. Every attempt ends in `blocked` or `through`, and none
harms anything if it gets through: the targets are made for it by the probe.
"""

import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator

_NUMBERS = {"x86_64": (101, 250, 425), "aarch64": (117, 219, 425)}  # ptrace, keyctl, io_uring_setup


def _system_call(number: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _read(path: str) -> None:
    with open(path, "rb") as stream:
        stream.read()


def _append(path: str) -> None:
    with open(path, "ab") as stream:
        stream.write(b"through")


def _connect(family: int, kind: int, address: tuple[str, int] | str) -> None:
    with socket.socket(family, kind) as client:
        client.settimeout(2)
        client.connect(address)
        client.send(b"through")


def _unshare() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(ctypes.c_int(0x10000000)) < 0:
        raise OSError(ctypes.get_errno(), "unshare")


def _trace_me(number: int) -> None:
    """Ask to be traced, in a child: its tracer would be this process, which a stop would not hold up."""
    child = os.fork()
    if child == 0:
        try:
            _system_call(number, 0, 0, 0, 0)
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, os.strerror(code))


def _leave_daemon() -> None:
    """Start a process that outlives this one if it may; it holds standard output open."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            import signal

            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            signal.alarm(20)
            signal.pause()
        os._exit(0)


def _connect_nearby(path: str) -> None:
    """By its bare name: whole paths of sockets must be short."""
    os.chdir(os.path.dirname(path))
    _connect(socket.AF_UNIX, socket.SOCK_STREAM, os.path.basename(path))


def _attempts(targets: dict[str, object]) -> Iterator[tuple[str, Callable[[], None]]]:
    victim, port = str(targets["file"]), int(str(targets["port"]))
    yield "read", lambda: _read(victim)
    yield "write", lambda: _append(victim)
    yield "create", lambda: _append(victim + ".new")
    yield "rename", lambda: os.rename(victim, victim + ".moved")
    yield "chmod", lambda: os.chmod(victim, 0o640)
    yield "workspace", lambda: _append(str(targets["workspace"]))
    yield "tcp", lambda: _connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port))
    yield "udp", lambda: _connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port))
    yield "unix", lambda: _connect_nearby(str(targets["unix"]))
    yield "signal", lambda: os.kill(int(str(targets["process"])), 0)
    if sys.platform != "linux":
        return
    ptrace, keyctl, io_uring = _NUMBERS[os.uname().machine]
    yield "abstract", lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + str(targets["abstract"]))
    yield "memory", lambda: _read(f"/proc/{targets['process']}/environ")
    yield "ptrace", lambda: _trace_me(ptrace)
    yield "keyring", lambda: _system_call(keyctl, 0, -3, 0)
    yield "io_uring", lambda: _system_call(io_uring, 1, 0)
    yield "namespace", _unshare


def main() -> None:
    """Try everything and write the outcomes as one line of JSON."""
    outcomes = {}
    for name, attempt in _attempts(json.loads(sys.argv[1])):
        try:
            attempt()
            outcomes[name] = "through"
        except OSError as error:
            outcomes[name] = f"blocked: {error.strerror}"
    sys.stdout.write(json.dumps(outcomes) + "\n")
    sys.stdout.flush()
    _leave_daemon()


if __name__ == "__main__":
    main()
