"""A private file system: read-only system and interpreter, throw-away workspace, home and temporary space."""

import os

from pytest_buddy.runner.sandbox import kernel
from pytest_buddy.runner.sandbox.plan import Plan

_BASE = b"/tmp"  # covered inside this mount namespace only, and only until the root is swapped
_OLD, _NEW, _LOWER, _SCRATCH = b"/old", b"/new", b"/lower", b"/scratch"
_DEVICES = (b"null", b"zero", b"full", b"random", b"urandom", b"tty")
_SCRATCH_OPTIONS = b"size=512m,nr_inodes=100k,mode=0755"


def _below(path: bytes, parent: bytes) -> bool:
    return path == parent or path.startswith(parent.rstrip(b"/") + b"/")


def _make_target(target: bytes, *, directory: bool) -> None:
    os.makedirs(target if directory else os.path.dirname(target), exist_ok=True)
    if not directory and not os.path.lexists(target):
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def _bind(source: bytes, target: bytes, *, read_only: bool) -> None:
    _make_target(target, directory=os.path.isdir(source))
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)
    kernel.restrict_mount(target, read_only=read_only, recursive=True)


def _scratch(name: bytes, target: bytes, mode: int) -> None:
    source = _SCRATCH + b"/" + name
    os.mkdir(source)
    os.chmod(source, mode)
    _make_target(target, directory=True)
    kernel.mount(source, target, None, kernel.MS_BIND)
    kernel.restrict_mount(target, read_only=False, recursive=False)


def _workspace(plan: Plan) -> None:
    target = _NEW + plan.root
    if not plan.overlay:
        _bind(_OLD + plan.root, target, read_only=True)
        return
    os.mkdir(_LOWER)
    kernel.mount(_OLD + plan.root, _LOWER, None, kernel.MS_BIND | kernel.MS_REC)
    upper = _SCRATCH + b"/upper"
    os.mkdir(upper)
    os.chmod(upper, os.stat(_LOWER).st_mode & 0o7777)
    os.mkdir(_SCRATCH + b"/work")
    _make_target(target, directory=True)
    options = b"lowerdir=/lower,upperdir=/scratch/upper,workdir=/scratch/work,userxattr"
    kernel.mount(b"overlay", target, b"overlay", kernel.MS_NOSUID | kernel.MS_NODEV, options)


def _devices() -> None:
    directory = _NEW + b"/dev"
    os.makedirs(directory, exist_ok=True)
    for name in _DEVICES:
        source = _OLD + b"/dev/" + name
        if os.path.exists(source):
            _make_target(directory + b"/" + name, directory=False)
            kernel.mount(source, directory + b"/" + name, None, kernel.MS_BIND)
    os.mkdir(directory + b"/pts")
    flags = kernel.MS_NOSUID | kernel.MS_NOEXEC
    kernel.mount(b"devpts", directory + b"/pts", b"devpts", flags, b"newinstance,ptmxmode=0666,mode=620")
    os.symlink(b"pts/ptmx", directory + b"/ptmx")
    os.symlink(b"/proc/self/fd", directory + b"/fd")
    for number, name in enumerate((b"stdin", b"stdout", b"stderr")):
        os.symlink(b"/proc/self/fd/%d" % number, directory + b"/" + name)


def _processes() -> None:
    """Mount a new /proc while the old one is still visible: afterwards the kernel would refuse."""
    target = _NEW + b"/proc"
    os.mkdir(target)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount(b"proc", target, b"proc", flags)


def _hide(path: bytes) -> None:
    target = _NEW + path
    if os.path.isdir(target):
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_RDONLY
        kernel.mount(b"tmpfs", target, b"tmpfs", flags, b"size=4k,mode=0755")
    elif os.path.exists(target):
        kernel.mount(_OLD + b"/dev/null", target, None, kernel.MS_BIND)


def _populate(plan: Plan) -> None:
    """Mount everything, parents first."""
    entries = [(path, "readable") for path in plan.readable]
    entries += [(path, "writable") for path in plan.writable]
    entries += [(plan.temporary, "temporary"), (plan.home, "home"), (b"/dev/shm", "shm")]
    entries += [(plan.root, "workspace")]
    for path, kind in sorted(entries, key=lambda entry: entry[0].rstrip(b"/") + b"/"):
        target = _NEW + path
        if kind == "workspace":
            _workspace(plan)
        elif kind == "readable":
            _bind(_OLD + path, target, read_only=True)
        elif kind == "writable":
            _bind(_OLD + path, target, read_only=False)
        else:
            _scratch(kind.encode(), target, 0o700 if kind == "home" else 0o1777)


def _link(links: tuple[tuple[bytes, bytes], ...]) -> None:
    for link, target in links:
        place = _NEW + link
        if not os.path.lexists(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(target, place)


def _limit_processes_of_root() -> None:
    """Cap the pid namespace, where the kernel can: RLIMIT_NPROC never binds the system's root user.

    Before Linux 6.14 the same file would change the whole machine, so it isn't touched there.
    """
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    if os.geteuid() == 0 and release >= (6, 14):
        handle = os.open(b"/proc/sys/kernel/pid_max", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(handle, b"1024")
        finally:
            os.close(handle)


def enter(plan: Plan) -> None:
    """Make the plan's view of the file system this process's only one."""
    kernel.mount(b"none", b"/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount(b"tmpfs", _BASE, b"tmpfs", flags, b"size=4m,mode=0755")
    os.mkdir(_BASE + _OLD)
    kernel.pivot_root(_BASE, _BASE + _OLD)
    os.chdir(b"/")
    for name in (_NEW, _SCRATCH):
        os.mkdir(name)
    kernel.mount(b"tmpfs", _SCRATCH, b"tmpfs", flags, _SCRATCH_OPTIONS)
    kernel.mount(b"tmpfs", _NEW, b"tmpfs", flags, b"size=4m,mode=0755")
    _devices()
    _processes()
    _populate(plan)
    _link(plan.links)
    if not os.path.isdir(_NEW + plan.directory):
        os.makedirs(_NEW + plan.directory)  # where a person works may be outside the workspace: empty here
    for path in plan.hidden:
        _hide(path)
    os.chdir(_NEW)
    kernel.pivot_root(b".", b".")
    kernel.detach(b".")
    os.chdir(b"/")
    _limit_processes_of_root()
    kernel.restrict_mount(b"/proc", read_only=True, recursive=False)
    kernel.restrict_mount(b"/", read_only=True, recursive=False)


def replace(plan: Plan) -> None:
    """Give files of the workspace new content, and remove what was compiled from the old."""
    for name, content in plan.files:
        path = os.path.realpath(os.path.join(plan.root, name))
        if not _below(path, plan.root):
            raise OSError(f"{os.fsdecode(name)} is outside the workspace")
        cache = os.path.join(os.path.dirname(path), b"__pycache__")
        if plan.overlay:
            _overwrite(path, content)
            _forget_bytecode(cache, os.path.basename(path).removesuffix(b".py") + b".")
        else:
            _cover(path, content, os.path.join(plan.temporary, b"replaced"))
            if os.path.isdir(cache):
                kernel.mount(b"tmpfs", cache, b"tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, b"size=4k")


def _overwrite(path: bytes, content: bytes) -> None:
    existed = os.path.exists(path)
    mode = os.stat(path).st_mode & 0o7777 if existed else 0o644
    if existed:
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _write(path, content, mode)


def _cover(path: bytes, content: bytes, scratch: bytes) -> None:
    """Mount a file with the content over one that can't be written."""
    _write(scratch, content, os.stat(path).st_mode & 0o7777)
    kernel.mount(scratch, path, None, kernel.MS_BIND)
    kernel.restrict_mount(path, read_only=True, recursive=False)
    os.unlink(scratch)


def _write(path: bytes, content: bytes, mode: int) -> None:
    with open(path, "wb") as stream:
        stream.write(content)
    os.chmod(path, mode)


def _forget_bytecode(cache: bytes, stem: bytes) -> None:
    for name in os.listdir(cache) if os.path.isdir(cache) else ():
        if name.startswith(stem) and name.endswith(b".pyc"):
            os.unlink(os.path.join(cache, name))
