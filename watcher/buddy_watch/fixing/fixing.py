"""Proposals without being asked: one proposer at work at most, one that stands ready."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from buddy_watch.fixing.machine import Machine
from buddy_watch.fixing.process import ProposerProcess
from buddy_watch.fixing.wire import Learned, Setting, event_from_message
from buddy_watch.reactor import Reactor, Timer
from pytest_buddy.codec import decode, encode
from pytest_buddy.config import Config
from pytest_buddy.domain import Baseline, Event, FixConfirmed, NoticeGiven, WorkEnded
from pytest_buddy.errors import BuddyError
from pytest_buddy.messages import Message
from pytest_buddy.workspace import Workspace

_SPARE_AFTER = 1.5
_QUIET = 0.15
_SOON = 0.05
_LOOK_AGAIN = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Red tests to work on; without `repairs` only where the fault is and why."""

    baseline: Baseline
    repairs: bool
    jobs: int


class Fixing:
    """Works on red tests in a process of its own; `emit` is told what comes of it, in the reactor's thread.

    `inherited` are the arguments of the repair runner, `paths` those that pytest is called with as far as
    they are known; `unconfined` is the person's own word, from the command line, that candidates may run
    where there is no sandbox.
    """

    def __init__(
        self,
        workspace: Workspace,
        config: Config,
        *,
        cwd: Path,
        here_first: bool,
        inherited: tuple[str, ...],
        reactor: Reactor,
        emit: Callable[[Event], None],
        machine: Machine | None = None,
        paths: tuple[str, ...] = (),
        unconfined: bool = False,
    ) -> None:
        self._setting = Setting(
            root=str(workspace.root),
            cwd=str(cwd),
            here_first=here_first,
            inherited=inherited,
            config=config,
            unconfined=unconfined,
            paths=paths,
        )
        self._reactor = reactor
        self._emit = emit
        self._machine = machine or Machine()
        self._spare: ProposerProcess | None = None
        self._working: ProposerProcess | None = None
        self._living: set[ProposerProcess] = set()
        self._leftovers: tuple[str, ...] = ()
        self._task: _Task | None = None
        self._finished = False
        self._timers: dict[str, Timer] = {}
        self._said = ""
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether there is work in progress, or waiting for the machine to have room for it."""
        return self._task is not None

    @property
    def ready(self) -> bool:
        """Whether a proposer stands ready, everything imported."""
        return self._spare is not None and self._spare.ready

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that have not ended yet; the one at work, if any, is the last."""
        return tuple(process.pid for process in sorted(self._living, key=lambda item: item is self._working))

    @property
    def learned(self) -> Learned:
        """What proposers are prepared with, from what the last one found; for the next session's `start`."""
        return Learned(preload=self._setting.preload, paths=self._setting.paths)

    def start(self) -> None:
        """Prepare a proposer, so that nothing has to be started when a test turns red."""
        if self._spare is None and not self._closed:
            self._spare = self._begin()

    def diagnose(self, baseline: Baseline) -> None:
        """Work on these red tests and on no others."""
        self.cancel()
        room = self._machine.room()
        if not room.jobs:
            text = f"no fix is looked for while {room.reason}"
            self._emit(NoticeGiven(text=text, hint="It starts by itself when there is room for it."))
        self._assign(_Task(baseline=baseline, repairs=bool(room.jobs), jobs=max(1, room.jobs)))

    def cancel(self) -> None:
        """End the work in progress at once, with all its processes; nothing of it is heard any more."""
        self._stop_timer("room")
        self._task = None
        working, self._working = self._working, None
        if working is not None:
            working.kill()
            self._after(_SOON, "spare", self.start)  # what cancels the work has more urgent things to start

    def changed(self) -> None:
        """Files have changed: make sure that what stands ready has seen nothing old of them."""
        self._after(_QUIET, "check", self._check)

    def close(self) -> None:
        """End everything and leave nothing."""
        self._closed = True
        for name in tuple(self._timers):
            self._stop_timer(name)
        self._task = self._working = self._spare = None
        for process in self._living:
            process.close()
        self._living.clear()

    def _assign(self, task: _Task) -> None:
        self._stop_timer("check")  # whoever works looks for itself
        self.start()
        self._task, self._working, self._spare = task, self._spare, None
        self._finished = False
        if self._working is None:
            self._task = None
            return
        self._working.send(
            {
                "operation": "work",
                "baseline": encode(task.baseline),
                "repairs": task.repairs,
                "jobs": task.jobs,
            }
        )
        self._after(_SPARE_AFTER, "spare", self.start)

    def _check(self) -> None:
        if self._spare is not None:
            self._spare.send({"operation": "check"})

    def _begin(self) -> ProposerProcess | None:
        setting = replace(self._setting, leftovers=self._leftovers)
        try:
            process = ProposerProcess(setting, self._reactor, heard=self._hear, ended=self._ended)
        except (BuddyError, OSError) as error:
            self._complain("fixes cannot be looked for", str(error))
            return None
        self._leftovers = ()
        self._living.add(process)
        return process

    def _hear(self, message: Message) -> None:
        if "learned" in message:
            learned = decode(Learned, message["learned"])
            self._setting = replace(
                self._setting,
                preload=learned.preload or self._setting.preload,
                paths=learned.paths or self._setting.paths,
            )
        elif "failed" in message:
            self._complain(*message["failed"])
        elif "event" in message:
            event = event_from_message(message)
            if isinstance(event, FixConfirmed | WorkEnded):
                self.start()
            if isinstance(event, WorkEnded):
                self._said = ""
                self._finish()
            self._emit(event)

    def _finish(self) -> None:
        """The work is over; with repairs left out for lack of room, look for room now and then."""
        task, self._task, self._finished = self._task, None, True
        if task is not None and not task.repairs:
            self._task = task
            self._after(_LOOK_AGAIN, "room", self._look_for_room)

    def _look_for_room(self) -> None:
        room, task = self._machine.room(), self._task
        if task is None:
            return
        if not room.jobs:
            self._after(_LOOK_AGAIN, "room", self._look_for_room)
            return
        self._assign(replace(task, repairs=True, jobs=room.jobs))

    def _ended(self, process: ProposerProcess) -> None:
        """A proposer is no more: as it should be, or to be told."""
        self._living.discard(process)
        try:
            Path(process.directory).rmdir()
        except FileNotFoundError:
            pass  # it has cleaned up itself
        except OSError:
            self._leftovers = (*self._leftovers, process.directory)
        if process is self._spare:
            self._spare = None
            if not process.gave_up:
                self._complain("the process that looks for fixes does not start", process.last_words())
        elif process is self._working:
            self._working = None
            if not self._finished:
                self._task = None
            if not self._finished and not process.gave_up:
                self._complain("the process that looks for fixes has ended", process.last_words())
            self.start()

    def _complain(self, text: str, hint: str) -> None:
        """Say what is wrong with us, once in a row."""
        if text != self._said:
            self._said = text
            self._emit(NoticeGiven(text=text, hint=hint))

    def _after(self, seconds: float, name: str, callback: Callable[[], None]) -> None:
        self._stop_timer(name)
        self._timers[name] = self._reactor.later(seconds, callback)

    def _stop_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
