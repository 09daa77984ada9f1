"""System calls that the standard library lacks, through ctypes; failures are OSErrors that name the call."""

import ctypes
import errno
import os
from collections.abc import Callable

MACHINE = os.uname().machine

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
_ATTR_READ_ONLY, _ATTR_NOSUID, _ATTR_NODEV = 0x1, 0x2, 0x4
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_SECUREBITS = 1, 4, 22, 24, 28
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47

_MOUNT_SETATTR = 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def _checked(what: str, function: Callable[..., int], *arguments: object) -> int:
    result = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(what: str, number: int, *arguments: object) -> int:
    """A system call by number; integers are passed as machine words."""
    words = (ctypes.c_long(word) if isinstance(word, int) else word for word in arguments)
    return _checked(what, _libc.syscall, ctypes.c_long(number), *words)


def prctl(what: str, option: int, *arguments: int) -> int:
    """`prctl(2)`, unused arguments zero."""
    return _checked(what, _libc.prctl, option, *arguments, *(0,) * (4 - len(arguments)))


def prctl_pointer(what: str, option: int, argument: int, structure: ctypes.Structure) -> int:
    """`prctl(2)` with a pointer to a structure as the third argument."""
    return prctl(what, option, argument, ctypes.addressof(structure))


def unshare(flags: int) -> None:
    """Move this process into new namespaces (a new pid namespace: its children)."""
    _checked("unshare", _libc.unshare, ctypes.c_int(flags))


def mount(source: bytes, target: bytes, kind: bytes | None, flags: int, options: bytes | None = None) -> None:
    """`mount(2)`."""
    what = "mount " + os.fsdecode(kind or b"bind")
    _checked(f"{what} on {os.fsdecode(target)}", _libc.mount, source, target, kind, flags, options)


def restrict_mount(target: bytes, *, read_only: bool, recursive: bool) -> None:
    """Take set-id bits and devices, and on request writing, from a mount and those below it."""
    wanted = _ATTR_NOSUID | _ATTR_NODEV | (_ATTR_READ_ONLY if read_only else 0)
    attributes = (ctypes.c_uint64 * 4)(wanted, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    size = ctypes.sizeof(attributes)
    what = f"mount_setattr on {os.fsdecode(target)}"
    syscall(what, _MOUNT_SETATTR, _AT_FDCWD, target, flags, ctypes.byref(attributes), size)


def pivot_root(new: bytes, old: bytes) -> None:
    """`pivot_root(2)`."""
    syscall("pivot_root", _PIVOT_ROOT[MACHINE], new, old)


def detach(target: bytes) -> None:
    """Unmount lazily."""
    _checked("umount", _libc.umount2, target, ctypes.c_int(MNT_DETACH))


def raise_loopback() -> None:
    """Switch on the loopback interface of this network namespace."""
    handle = _checked("socket", _libc.socket, 2, 2, 0)
    try:
        request = (ctypes.c_uint8 * 40)(*b"lo")
        _checked("loopback", _libc.ioctl, handle, ctypes.c_ulong(_SIOCGIFFLAGS), request)
        flags = int.from_bytes(bytes(request[16:18]), "little") | _IFF_UP
        request[16:18] = list(flags.to_bytes(2, "little"))
        _checked("loopback", _libc.ioctl, handle, ctypes.c_ulong(_SIOCSIFFLAGS), request)
    finally:
        os.close(handle)


def drop_capabilities() -> None:
    """Give up every capability, for good: bounding, ambient, inheritable, permitted and effective."""
    attempts = [("bounding set", PR_CAPBSET_DROP, number) for number in range(64)]
    attempts.append(("securebits", PR_SET_SECUREBITS, 0x2F))  # being root gains nothing by exec, locked
    for what, option, value in attempts:
        try:
            prctl(what, option, value)
        except OSError as error:
            # There is no such capability, or no right to drop any: then there is none to drop.
            if error.errno not in (errno.EINVAL, errno.EPERM):
                raise
    prctl("ambient set", PR_CAP_AMBIENT, 4)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    _checked("capset", _libc.capset, header, data)


def no_new_privileges() -> None:
    """Make set-id programs and file capabilities ineffective from here on."""
    prctl("no_new_privs", PR_SET_NO_NEW_PRIVS, 1)
