"""The launcher: builds a confinement, runs one program in it, and ends every process in it with itself."""

import marshal
import os
import select
import signal
import stat
import sys
from collections.abc import Callable
from types import FrameType

from pytest_buddy.runner.sandbox import descendants, kernel, landlock, limits, root, seccomp
from pytest_buddy.runner.sandbox.plan import Plan

FAILED = 125
_NAMESPACES = (
    kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
)  # fmt: skip
_SHARED_DEVICES = (b"null", b"zero", b"full", b"random", b"urandom", b"tty", b"ptmx", b"pts")
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Report = tuple[str, int | str]


def launch(handle: int) -> int:
    """Do what the plan behind a descriptor says; the program's exit status, or FAILED with a message."""
    with open(handle, "rb") as stream:
        plan = Plan.load(stream.read())
    made = None
    try:
        _answer_signals(_give_up)
        if plan.level != "none" and not (kernel.MACHINE in seccomp.MACHINES and sys.maxsize > 1 << 32):
            raise OSError(f"no system-call filter is written for {kernel.MACHINE}")
        parent = _watch_parent(plan.parent)
        _refuse_directories(plan.keep)
        if plan.level == "full":
            _enter_namespaces()
        else:
            kernel.prctl("subreaper", kernel.PR_SET_CHILD_SUBREAPER, 1)
            made = _make_temporary(plan)
        report, status = _supervise(plan, parent)
    except OSError as error:
        report, status = ("error", _said(error)), 0
    if made is not None:
        _remove(made)
    return _conclude(report, status)


def _answer_signals(answer: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    for number in _ENDING:
        signal.signal(number, answer)


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise InterruptedError("ended before it began")


def _make_temporary(plan: Plan) -> bytes:
    """A temporary directory with a home in it, for a program that shares the file system."""
    directory = os.path.join(plan.temporary, b"buddy-" + os.urandom(6).hex().encode())
    home = os.path.join(directory, b"home")
    os.mkdir(directory, 0o700)
    os.mkdir(home, 0o700)
    plan.temporary = plan.environment[b"TMPDIR"] = directory
    if plan.level != "none":
        plan.home = plan.environment[b"HOME"] = home
    return directory


def _watch_parent(parent: int) -> int | None:
    """A descriptor that becomes readable when the process that asked for this ends."""
    try:
        handle: int | None = os.pidfd_open(parent)
    except OSError:
        kernel.prctl("death signal", kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
        handle = None
    if os.getppid() != parent:
        raise OSError("the process that asked for it has ended")
    return handle


def _refuse_directories(keep: tuple[int, ...]) -> None:
    for handle in (0, 1, 2, *keep):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(f"descriptor {handle} is a directory, a way out of the sandbox")


def _enter_namespaces() -> None:
    """Unshare, with the ids outside mapped to themselves."""
    user, group = os.geteuid(), os.getegid()
    _forget_groups()
    kernel.unshare(_NAMESPACES)
    for name, content in (
        ("setgroups", b"deny"),
        ("uid_map", b"%d %d 1" % (user, user)),
        ("gid_map", b"%d %d 1" % (group, group)),
    ):
        with open("/proc/self/" + name, "wb", buffering=0) as stream:
            stream.write(content)


def _forget_groups() -> None:
    """Be in no further group, where that is allowed; where not, what they open isn't visible inside."""
    try:
        os.setgroups([])
    except PermissionError:
        return


class _Reporter:
    """The pipe by which those inside tell the launcher how it went; the program itself never holds it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    def tell(self, kind: str, value: int | str) -> None:
        """Report; the first report counts."""
        os.write(self.writing, marshal.dumps((kind, value)))

    def listen(self) -> Report:
        """The first report; `killed` when those inside ended without one."""
        with open(self.reading, "rb") as stream:
            message = stream.read()
        return marshal.loads(message) if message else ("killed", 0)  # noqa: S302  our own child's bytes


def _supervise(plan: Plan, parent: int | None) -> tuple[Report, int]:
    """Run the program inside; what was reported of it, and the status of the first process inside."""
    reporter = _Reporter()
    ready, go = os.pipe()
    first = os.fork()
    if first == 0:
        _inside(plan, reporter, ready, go)
    os.close(ready)
    os.close(reporter.writing)

    def end(_number: int, _frame: FrameType | None) -> None:
        try:
            os.kill(first, signal.SIGKILL)
        except ProcessLookupError:
            return

    _answer_signals(end)
    _let_go(plan.keep)
    os.write(go, b"!")
    status = _wait(first, parent)
    _answer_signals(signal.SIG_IGN)
    if plan.level != "full":
        descendants.end_all()
    return reporter.listen(), status


def _let_go(keep: tuple[int, ...]) -> None:
    """Hold nothing whose end the other side may be waiting for, nor any directory of the person's."""
    null = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1):
        os.dup2(null, handle)
    for handle in (null, *keep):
        os.close(handle)
    os.chdir(b"/")


def _wait(first: int, parent: int | None) -> int:
    """Reap until `first` has ended, which is killed when the parent ends before it."""
    if parent is not None:
        poll = select.poll()
        poll.register(parent, select.POLLIN)
        poll.register(os.pidfd_open(first), select.POLLIN)
        ready = [handle for handle, _ in poll.poll()]
        if parent in ready:
            os.kill(first, signal.SIGKILL)
    return os.waitpid(first, 0)[1]


def _remove(directory: bytes) -> None:
    import shutil  # only the levels that leave something to remove pay for it

    shutil.rmtree(directory, ignore_errors=True)


def _conclude(report: Report, status: int) -> int:
    """End as the program ended."""
    kind, value = report
    if kind == "error":
        sys.stderr.write(f"sandbox: {value}\n")
        return FAILED
    if kind == "status":
        status = int(value)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        limits.no_core()
        os.kill(os.getpid(), number)
    return os.waitstatus_to_exitcode(status)


def _inside(plan: Plan, reporter: _Reporter, ready: int, go: int) -> None:
    """The forked child: prepares and becomes, or starts, the program; never returns."""
    code = FAILED
    try:
        _answer_signals(signal.SIG_DFL)
        kernel.prctl("death signal", kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.close(go)
        if os.read(ready, 1):  # else the launcher ended before it could be watched
            os.setsid()
            limits.keep_niceness()
            _close_all_but((0, 1, 2, reporter.writing, *plan.keep))
            _confine(plan)
            if plan.level == "full":
                code = _rule(plan, reporter)
            else:
                _become(plan)
    except BaseException as error:  # noqa: BLE001  a forked child that must not return into its parent's code
        reporter.tell("error", _said(error))
    finally:
        os._exit(code)


def _said(error: BaseException) -> str:
    if not isinstance(error, OSError):
        return f"{type(error).__name__}: {error}"
    place = "" if error.filename is None else f": {os.fsdecode(error.filename)}"
    return f"{error.strerror or error}{place}"


def _rule(plan: Plan, reporter: _Reporter) -> int:
    """Be the first process of the namespace: start the program, reap, end (and with it all) when it ends."""
    kernel.prctl("dumpable", kernel.PR_SET_DUMPABLE, 0)
    program = os.fork()
    if program == 0:
        try:
            _become(plan)
        except BaseException as error:  # noqa: BLE001  as above
            reporter.tell("error", _said(error))
        finally:
            os._exit(FAILED)
    _close_all_but((reporter.writing,))
    while True:
        ended, status = os.wait()
        if ended == program:
            reporter.tell("status", status)
            return 0


def _become(plan: Plan) -> None:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execve(plan.arguments[0], plan.arguments, plan.environment)  # noqa: S606  no shell, our own interpreter


def _close_all_but(keep: tuple[int, ...]) -> None:
    low = 0
    for handle in sorted(set(keep)):
        if low < handle:  # an empty range would be taken for an endless one
            os.closerange(low, handle)
        low = handle + 1
    os.closerange(low, 1 << 20)


def _confine(plan: Plan) -> None:
    limits.volunteer_for_memory_shortage()
    if plan.level == "full":
        kernel.raise_loopback()
        root.enter(plan)
        root.replace(plan)
    os.chdir(plan.directory)
    limits.apply(own_users=plan.level == "full", memory=plan.memory)
    if plan.level == "none":
        return
    kernel.no_new_privileges()
    kernel.drop_capabilities()
    writable = [plan.temporary, plan.home, b"/dev/shm", *plan.writable]
    if plan.level == "full":
        if landlock.version():
            writable.append(plan.root)
            landlock.apply(readable=[b"/"], writable=writable, devices=[b"/dev"], network=True)
        seccomp.apply(seccomp.FAMILIES_OWN_NETWORK)
    else:
        readable = [*plan.readable, plan.root, b"/proc"]
        devices = [b"/dev/" + name for name in _SHARED_DEVICES]
        landlock.apply(readable=readable, writable=writable, devices=devices, network=False)
        truncation = landlock.version() >= landlock.TRUNCATION_SINCE
        seccomp.apply(seccomp.FAMILIES_SHARED_NETWORK, truncation=truncation)
