"""Landlock: what may be read and written is listed, everything else in the file system is refused."""

import ctypes
import os
import stat
from collections.abc import Iterable

from pytest_buddy.runner.sandbox import kernel

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIRECTORY = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_BASIC = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_READ = _EXECUTE | _READ_FILE | _READ_DIRECTORY
_SCOPES_SINCE = 6
TRUNCATION_SINCE = 3


def version() -> int:
    """The Landlock version of this kernel; 0 when it has none or it is switched off."""
    try:
        return kernel.syscall("landlock", _CREATE, None, 0, 1)
    except OSError:
        return 0


def _handled(abi: int) -> int:
    rights = _BASIC
    for since, right in ((2, _REFER), (TRUNCATION_SINCE, _TRUNCATE), (5, _IOCTL_DEVICE)):
        if abi >= since:
            rights |= right
    return rights


class _Rule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _allow(ruleset: int, path: bytes, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what isn't there needs no right
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= _FILE_RIGHTS
        rule = _Rule(rights, handle)
        kernel.syscall("landlock rule", _ADD, ruleset, 1, ctypes.byref(rule), 0)
    finally:
        os.close(handle)


def apply(
    *, readable: Iterable[bytes], writable: Iterable[bytes], devices: Iterable[bytes], network: bool
) -> None:
    """Confine this process and its children; without `network` no TCP port may be bound or reached.

    Signals and abstract sockets stay inside where the kernel can see to that.
    """
    abi = version()
    if abi < 1:
        raise OSError("Landlock is not available")
    handled = _handled(abi)
    ports = _BIND_TCP | _CONNECT_TCP if abi >= 4 and not network else 0
    scopes = _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS if abi >= _SCOPES_SINCE else 0
    words = (handled, ports, scopes)[: 1 if abi < 4 else 2 if abi < _SCOPES_SINCE else 3]
    attributes = (ctypes.c_uint64 * len(words))(*words)
    ruleset = kernel.syscall("landlock", _CREATE, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
    try:
        for path in readable:
            _allow(ruleset, path, handled & _READ)
        for path in writable:
            _allow(ruleset, path, handled & ~(_MAKE_CHAR | _MAKE_BLOCK))
        for path in devices:
            _allow(ruleset, path, handled & (_READ | _WRITE_FILE | _TRUNCATE | _IOCTL_DEVICE))
        kernel.syscall("landlock", _RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)
