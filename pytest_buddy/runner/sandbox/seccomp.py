"""A system-call filter: what ordinary programs do is allowed, what attacks kernel or others is refused."""

import ctypes
import errno

from pytest_buddy.runner.sandbox import kernel

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
MACHINES = tuple(_AUDIT)
_X32 = 0x40000000

# The first column is x86_64, the second aarch64.
_REFUSED = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    # keys
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # large kernel surfaces that tests of applications have no use for
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # mounts and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_tree_attr": (467, 467),
    "unshare": (272, 97), "setns": (308, 268),
    # files by handle, past every path rule
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    # the machine
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "acct": (163, 89),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "sethostname": (170, 161),
    "setdomainname": (171, 162), "syslog": (103, 116), "lookup_dcookie": (212, 18), "vhangup": (153, 58),
    "nfsservctl": (180, 42), "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
    "create_module": (174, None), "get_kernel_syms": (177, None), "query_module": (178, None),
    "uselib": (134, None), "ustat": (136, None), "sysfs": (139, None), "_sysctl": (156, None),
}  # fmt: skip
_CLONE3 = {"x86_64": 435, "aarch64": 435}
_CLONE = {"x86_64": 56, "aarch64": 220}
_IOCTL = {"x86_64": 16, "aarch64": 29}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_SOCKETPAIR = {"x86_64": 53, "aarch64": 199}
_PERSONALITY = {"x86_64": 135, "aarch64": 92}

_NEW_NAMESPACES = (
    kernel.CLONE_NEWNS | kernel.CLONE_NEWCGROUP | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
)  # fmt: skip
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_ORDINARY_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
FAMILIES_OWN_NETWORK = (_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK)
FAMILIES_SHARED_NETWORK = (_AF_UNIX,)
_PROTOCOLS = (0, 1, 6, 17, 58)  # any, ICMP, TCP, UDP, ICMPv6; others load kernel modules
_TRUNCATE = {"x86_64": 76, "aarch64": 45}
_OPEN = {"x86_64": (2, 1), "aarch64": None}  # with the position of its flags
_OPENAT = {"x86_64": (257, 2), "aarch64": (56, 2)}
_OPENAT2 = {"x86_64": 437, "aarch64": 437}
_O_ACCESS, _O_TRUNCATE = 0o3, 0o1000

Instruction = tuple[int, int, int, int]


def _refuse(number: int) -> Instruction:
    return (_RETURN, 0, 0, _REFUSE | number)


def _when(number: int, body: list[Instruction]) -> list[Instruction]:
    """Run `body`, which ends in a return, for one system call; the accumulator holds the call's number."""
    return [(_EQUAL, 0, len(body), number), *body]


def _argument(position: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * position)  # the low half, on little-endian machines


def _among(values: tuple[int, ...], otherwise: int) -> list[Instruction]:
    """Go on when the accumulator is one of the values, else refuse."""
    checks = [(_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [*checks, _refuse(otherwise)]


def _only(values: tuple[int, ...], otherwise: int) -> list[Instruction]:
    return [*_among(values, otherwise), (_RETURN, 0, 0, _ALLOW)]


def _no_truncation(machine: str) -> list[Instruction]:
    """Refuse to shorten files by name: Landlock sees to that only since its third version."""
    code = _when(_TRUNCATE[machine], [_refuse(errno.EACCES)])
    code += _when(_OPENAT2[machine], [_refuse(errno.ENOSYS)])  # its flags are out of a filter's sight
    for place in (_OPEN[machine], _OPENAT[machine]):
        if place is not None:
            number, position = place
            # For writing, opening is refused elsewhere; for reading, shortening has to be refused here.
            code += _when(number, [
                _argument(position), (_ANY_BIT, 2, 0, _O_ACCESS), (_ANY_BIT, 0, 1, _O_TRUNCATE),
                _refuse(errno.EACCES), (_RETURN, 0, 0, _ALLOW),
            ])  # fmt: skip
    return code


def program(machine: str, families: tuple[int, ...], *, truncation: bool = True) -> list[Instruction]:
    """The filter for one kind of processor, with the socket families that may be opened.

    Without `truncation`, files can only be shortened after having been opened for writing.
    """
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        code += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    column = MACHINES.index(machine)
    for numbers in _REFUSED.values():
        number = numbers[column]
        if number is not None:
            code += _when(number, [_refuse(errno.EPERM)])
    code += _when(_CLONE3[machine], [_refuse(errno.ENOSYS)])  # its flags are out of a filter's sight
    namespaces = [_argument(0), (_ANY_BIT, 0, 1, _NEW_NAMESPACES), _refuse(errno.EPERM)]
    code += _when(_CLONE[machine], [*namespaces, (_RETURN, 0, 0, _ALLOW)])
    injections = [_argument(1), (_EQUAL, 1, 0, _TIOCSTI), (_EQUAL, 0, 1, _TIOCLINUX), _refuse(errno.EPERM)]
    code += _when(_IOCTL[machine], [*injections, (_RETURN, 0, 0, _ALLOW)])
    kinds = [_argument(2), *_only(_PROTOCOLS, errno.EPROTONOSUPPORT)]
    for call in (_SOCKET[machine], _SOCKETPAIR[machine]):
        code += _when(call, [_argument(0), *_among(families, errno.EAFNOSUPPORT), *kinds])
    oddities = [_argument(0), *_only(_ORDINARY_PERSONALITIES, errno.EPERM)]
    code += _when(_PERSONALITY[machine], oddities)
    if not truncation:
        code += _no_truncation(machine)
    return [*code, (_RETURN, 0, 0, _ALLOW)]


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def apply(families: tuple[int, ...], *, truncation: bool = True) -> None:
    """Filter this process and its children from here on; needs no_new_privs."""
    raw = b"".join(
        operation.to_bytes(2, "little") + bytes((hit, miss)) + value.to_bytes(4, "little")
        for operation, hit, miss, value in program(kernel.MACHINE, families, truncation=truncation)
    )
    code = ctypes.create_string_buffer(raw, len(raw))
    structure = _Filter(len(raw) // 8, ctypes.addressof(code))
    kernel.prctl_pointer("seccomp", kernel.PR_SET_SECCOMP, 2, structure)
