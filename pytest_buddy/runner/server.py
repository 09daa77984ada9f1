"""The warm server: pytest with everything imported and collected, forking a child for each request.

Two processes of the same program: the *zygote* is parked before collection and serves candidates that have
to be imported anew; the *collected* server, its first child, holds the collected tests and serves the rest.
"""

import base64
import functools
import gc
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pytest_buddy.domain import Edit
from pytest_buddy.errors import BuddyError
from pytest_buddy.messages import Inbox, Message, first_message, messages_from, write
from pytest_buddy.runner import import_overlay, parking
from pytest_buddy.runner.behaving import LONGEST, Call, Recorder, reactions
from pytest_buddy.runner.children import Escape, Job, Pool, Tell
from pytest_buddy.runner.execution import Execution, ReportLog
from pytest_buddy.runner.observing import observe
from pytest_buddy.runner.state_guard import StateGuard
from pytest_buddy.runner.swap import CodeSwap, LiveFunctions, NotSwappable, Swap
from pytest_buddy.runner.tracing import inside, line_tracer
from pytest_buddy.runner.wire import enter, pytest_arguments
from pytest_buddy.source import Source

_GREEN = ("passed", "skipped", "xfailed", "xpassed")


def _edits(unit: Message) -> tuple[Edit, ...]:
    return tuple(
        Edit(path=path, digest=digest, start=start, end=end, replacement=base64.b64decode(replacement))
        for path, digest, start, end, replacement in unit["edits"]
    )


class Server:
    """A pytest plugin whose collection and run loop serve requests instead."""

    def __init__(self, zygote_fd: int, collected_fd: int, setup: Message) -> None:
        self._zygote_fd = zygote_fd
        self._collected_fd = collected_fd
        self._setup = setup
        self._prefix = setup["root"].rstrip(os.sep) + os.sep
        self._size: int = setup["size"]
        self._nonce: str = setup["nonce"]
        self._before: frozenset[str] = frozenset()
        self._log = ReportLog()
        self._assigned: tuple[Job, Tell] | None = None
        self._items: dict[str, pytest.Item] = {}
        self._swaps: dict[str, CodeSwap] = {}
        self._sources: dict[str, Source] = {}
        self._live: LiveFunctions | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the log of reports."""
        config.pluginmanager.register(self._log, "pytest-buddy-log")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> object | None:
        """Become the zygote; return only in children, which go on to collect."""
        self._before = frozenset(sys.modules)
        if self._setup.get("parked"):
            self._park(session)
        pid = os.fork()
        if pid == 0:
            os.close(self._zygote_fd)
            self._zygote_fd = -1
            return None
        os.close(self._collected_fd)
        try:
            self._serve(self._zygote_fd, self._import_again, {"ready": "zygote"}, keep=pid)
        except Escape:
            assert self._assigned is not None
        else:
            os._exit(0)
        job, _ = self._assigned
        names = (test if isinstance(test, str) else test[0] for test in job.request["tests"])
        _aim(session, dict.fromkeys(name.split("::")[0] for name in names))
        self._install_overlay(job.units[job.position])
        return None

    def _park(self, session: pytest.Session) -> None:
        """Wait, with everything imported but the tests, to be told what to collect; end when it cannot be."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parking.preload(self._setup.get("preload", ()))
        seen = parking.Seen(self._prefix)
        tell = functools.partial(self._tell, self._zygote_fd)
        tell({"ready": "zygote", "parked": True})
        for message in messages_from(self._zygote_fd):
            wanted = message["operation"] == "collect"
            reason = seen.outdated_by(message["changed"], look=wanted)
            reason = reason or parking.unprepared(session.config, message["files"] if wanted else ())
            tell({"outdated": reason})
            if reason:
                break
            if wanted:
                parking.forget_bytecode(self._prefix, message["recent"], overlay=message["overlay"])
                _aim(session, message["files"])
                return
        os._exit(0)

    def _tell(self, descriptor: int, message: Message) -> None:
        write(descriptor, {**message, "nonce": self._nonce})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve requests on the collected tests, or run the tests of an assigned job and end."""
        self._items = {item.nodeid: item for item in session.items}
        if self._assigned is not None:
            self._run_assigned(*self._assigned)
        self._live = LiveFunctions(self._prefix)
        gc.collect()
        gc.freeze()
        gc.disable()
        ready = {
            "ready": "collected",
            "tests": list(self._items),
            "errors": [report.nodeid for report in self._log.errors],
            "threads": threading.active_count(),
            "imported": parking.installed_since(self._before),
        }
        self._serve(self._collected_fd, self._work, ready)
        os._exit(0)

    def _serve(self, descriptor: int, work: Any, ready: Message, keep: int = 0) -> None:
        tell = functools.partial(self._tell, descriptor)
        pool = Pool(work, tell, size=self._size, keep=keep)
        pool.listen(descriptor)
        inbox = Inbox()
        tell(ready)
        while True:
            if not pool.wait():
                continue
            data = os.read(descriptor, 1 << 20)
            if not data:
                pool.close()
                return
            for message in inbox.feed(data):
                self._handle(pool, message)

    def _handle(self, pool: Pool, message: Message) -> None:
        if message["operation"] == "cancel":
            pool.cancel(message["id"])
            return
        if self._live is not None and message["operation"] == "trials":
            self._prepare(message["units"])
        pool.submit(
            Job(
                id=message["id"],
                operation=message["operation"],
                request=message,
                units=message["units"],
                cpu=message["cpu"],
                wall=message["wall"],
                fresh=message.get("fresh", False),
            )
        )

    def _prepare(self, units: Iterable[Message]) -> None:
        """Parse the files that candidates edit here, so that no child has to."""
        for path in dict.fromkeys(edit[0] for unit in units for edit in unit["edits"]):
            try:
                self._swap(path)
            except (BuddyError, OSError):
                continue  # each child will find out again and answer for its candidate

    # The children of the collected server.

    def _work(self, job: Job, tell: Tell) -> None:
        _silence()
        gc.enable()
        execution = Execution(self._log, self._prefix)
        if job.operation == "trials":
            self._try_candidates(job, tell, execution)
        elif job.operation == "trace":
            self._trace(job, tell, execution)
        elif job.operation == "observe":
            self._observe(job, tell, execution)
        elif job.operation == "behave":
            self._behave(job, tell, execution)
        else:
            for unit in self._units(job):
                _limit_cpu(job.cpu)
                tell(self._one(execution, unit["test"], direct=bool(job.request.get("direct"))))

    def _units(self, job: Job) -> Iterable[Message]:
        return job.units[job.position : job.position + 1] if job.fresh else job.units[job.position :]

    def _one(self, execution: Execution, test: str, *, direct: bool) -> Message:
        item = self._items.get(test)
        if item is None:
            return {"test": test, "status": "missing", "seconds": 0.0}
        run = execution.directly if direct else execution.by_protocol
        return {"test": test, **run(item)}

    def _try_candidates(self, job: Job, tell: Tell, execution: Execution) -> None:
        assert self._live is not None
        guard = StateGuard(self._prefix) if len(list(self._units(job))) > 1 else None
        direct = frozenset(job.request.get("direct", ()))
        for unit in self._units(job):
            overlaid = False
            try:
                swaps = self._swaps_of(unit)
            except NotSwappable as refusal:
                if self._imported(unit):
                    tell({"refused": str(refusal)})
                    continue
                self._install_overlay(unit)
                swaps, overlaid = [], True
            except (SyntaxError, ValueError, RecursionError, BuddyError) as error:
                tell({"invalid": f"{type(error).__name__}: {error}"})
                continue
            undo = [swap.put() for swap in swaps]
            outcomes: list[Message] = []
            for test in job.request["tests"]:
                _limit_cpu(job.cpu)
                outcomes.append(self._one(execution, test, direct=test in direct))
                if outcomes[-1]["status"] not in _GREEN and not job.request.get("all"):
                    break
            _limit_cpu(0.0)
            for take_back in reversed(undo):
                take_back()
            self._live.clear_caches()
            tell({"outcomes": outcomes})
            if overlaid or guard is None or guard.changed():
                return

    def _swaps_of(self, unit: Message) -> list[Swap]:
        edits = _edits(unit)
        swaps: list[Swap] = []
        for path in dict.fromkeys(edit.path for edit in edits):
            swaps += self._swap(path).compile([edit for edit in edits if edit.path == path])
        return swaps

    def _swap(self, path: str) -> CodeSwap:
        if path not in self._swaps:
            assert self._live is not None
            self._swaps[path] = CodeSwap(self._source(path), self._prefix + path, self._live)
        return self._swaps[path]

    def _source(self, path: str) -> Source:
        if path not in self._sources:
            content = Path(self._prefix + path).read_bytes()
            self._sources[path] = Source(path=path, module="", content=content)
        return self._sources[path]

    def _imported(self, unit: Message) -> bool:
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        return any(self._prefix + edit[0] in files for edit in unit["edits"])

    def _install_overlay(self, unit: Message) -> None:
        edits = _edits(unit)
        paths = dict.fromkeys(edit.path for edit in edits)
        contents = {self._prefix + path: self._source(path).edited(edits).content for path in paths}
        import_overlay.install(contents, collected=True)

    def _trace(self, job: Job, tell: Tell, execution: Execution) -> None:
        tracer = line_tracer(self._prefix)
        for unit in self._units(job):
            _limit_cpu(job.cpu)
            tracer.start()
            message = self._one(execution, unit["test"], direct=bool(unit.get("direct")))
            tell({**message, "lines": inside(self._prefix, tracer.stop())})

    def _observe(self, job: Job, tell: Tell, execution: Execution) -> None:
        for unit in self._units(job):
            _limit_cpu(job.cpu)
            places = {
                (self._prefix + path, line): (path, line, end) for path, line, end in job.request["places"]
            }
            with observe(places) as seen:
                message = self._one(execution, unit["test"], direct=True)
            tell({**message, "seen": seen()})

    def _behave(self, job: Job, tell: Tell, execution: Execution) -> None:
        assert self._live is not None
        calls = self._recorded(job, execution, self._live)
        for unit in self._units(job):
            try:
                swaps = self._swaps_of(unit)
            except (NotSwappable, SyntaxError, ValueError, RecursionError, BuddyError) as refusal:
                tell({"refused": str(refusal)})
                continue
            pid = os.fork()  # recording once is cheaper than once for each candidate
            if pid == 0:
                self._react(calls, swaps, job.cpu, tell)
            if os.waitpid(pid, 0)[1]:
                tell({"calls": []})

    def _react(self, calls: list[Call], swaps: list[Swap], cpu: float, tell: Tell) -> NoReturn:
        try:
            _limit_cpu(cpu + LONGEST)
            for swap in swaps:
                swap.put()
            if self._live is not None:
                self._live.clear_caches()
            answer = reactions(calls)
        except BaseException:  # noqa: BLE001  whatever happens, a child must not run the server's code
            os._exit(1)
        tell({"calls": answer})
        os._exit(0)

    def _recorded(self, job: Job, execution: Execution, live: LiveFunctions) -> list[Call]:
        """The inputs that the job's tests give the functions at its places, and variants of them."""
        places = {self._prefix + path: lines for path, lines in job.request["places"].items()}
        recorder = Recorder(places, live.running)
        for test, green in job.request["tests"]:
            _limit_cpu(job.cpu)
            with recorder.recording(green=green):
                self._one(execution, test, direct=True)
        _limit_cpu(job.cpu)
        calls = recorder.calls()
        _limit_cpu(0.0)
        return calls

    # The children of the zygote.

    def _import_again(self, job: Job, tell: Tell) -> None:
        imported = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        if any(self._prefix + edit[0] in imported for edit in job.units[job.position]["edits"]):
            tell({"refused": "imported before collection"})
            return
        _silence()
        self._assigned = (job, tell)
        raise Escape

    def _run_assigned(self, job: Job, tell: Tell) -> NoReturn:
        execution = Execution(self._log, self._prefix)
        if job.operation == "behave":
            self._react(self._recorded(job, execution, LiveFunctions(self._prefix)), [], job.cpu, tell)
        failed = {report.nodeid for report in self._log.errors}
        direct = frozenset(job.request.get("direct", ()))
        outcomes: list[Message] = []
        for test in job.request["tests"]:
            if "::" not in test:
                status = "error" if test in failed else "passed"
                outcomes.append({"test": test, "status": status, "seconds": 0.0})
            else:
                _limit_cpu(job.cpu)
                outcomes.append(self._one(execution, test, direct=test in direct))
            if outcomes[-1]["status"] not in _GREEN and not job.request.get("all"):
                break
        tell({"outcomes": outcomes})
        os._exit(0)


def _aim(session: pytest.Session, files: Iterable[str]) -> None:
    """Make the session collect these files, relative to the rootdir."""
    here = session.config.invocation_params.dir
    session.config.args = [
        f".{os.sep}{os.path.relpath(session.config.rootpath / name, here)}" for name in files
    ]


def _silence() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _limit_cpu(seconds: float) -> None:
    """Let the kernel end this process after so much more CPU time, also inside C code; 0 lifts the limit."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def main() -> int:
    """Read the request for a session from the first descriptor and serve until it closes."""
    zygote_fd, collected_fd = int(sys.argv[1]), int(sys.argv[2])
    setup = first_message(zygote_fd)
    if setup is None:
        return 0
    enter(setup)
    server = Server(zygote_fd, collected_fd, setup)
    status = pytest.main(pytest_arguments(setup), plugins=[server])
    for descriptor in (zygote_fd, collected_fd):
        try:
            write(descriptor, {"failed": int(status), "nonce": setup["nonce"]})
        except OSError:
            continue
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
