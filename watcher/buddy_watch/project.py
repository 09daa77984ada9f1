"""One rootdir: its tests, its changes, its fixes. Events and values in; runs, searches and events out."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from buddy_watch.board import Board, Filters
from buddy_watch.changes import Watching
from buddy_watch.fixing import Fixing, Machine
from buddy_watch.places import below, ignoring, scope
from buddy_watch.reactor import Reactor, Timer
from buddy_watch.repairs import Repairs
from buddy_watch.run import Run
from buddy_watch.stock import Stock
from buddy_watch.values import (
    Collected,
    FileChange,
    Heard,
    Hello,
    Over,
    Ran,
    RunRequest,
    Selection,
    Standing,
)
from buddy_watch.workers import Launch, Workers
from pytest_buddy.config import Config, load
from pytest_buddy.domain import (
    RED,
    Event,
    NoticeGiven,
)
from pytest_buddy.errors import ConfigError
from pytest_buddy.patch import Ledger
from pytest_buddy.workspace import Workspace

_CALM = 1.0
_AFTERMATH = 0.3
_AT_ONCE = 25
_SCAN_STEP = 0.002


class Project:
    """Runs what changes affect, and has red tests worked on; `tell` hears every event.

    `refresh` is called whenever something that a screen shows may have changed; `numbers` are for runs.
    """

    def __init__(
        self,
        launch: Launch,
        reactor: Reactor,
        tell: Callable[[Event], None],
        refresh: Callable[[], None],
        *,
        numbers: Iterator[int],
        flags: Mapping[str, object],
        poll: bool = False,
    ) -> None:
        self._launch = launch
        self._reactor = reactor
        self._tell = tell
        self._refresh = refresh
        self._flags = flags
        self._poll = poll
        self._workers = Workers(launch, reactor, self._heard)
        self._machine = Machine()
        self._ended_last = (0, 0.0)
        self._numbers = numbers
        self._rerun: RunRequest | None = None
        self._stock: Stock | None = None
        self._early: set[str] = set()
        self._unread: list[str] = []
        self._watching: Watching | None = None
        self._timer: Timer | None = None
        self._likely = ""
        self._begun = False
        self._scanned = False
        self.workspace: Workspace | None = None
        self.standing = Standing(state="starting")
        self.board = Board()
        self.repairs: Repairs | None = None
        self.scope: tuple[str, ...] = ()
        self.filters = Filters()
        self.paused = False
        self.run: Run | None = None
        self.last: Run | None = None
        self.output = ""
        self.seconds = 0.0

    @property
    def name(self) -> str:
        """The project's directory."""
        return (self.workspace.root if self.workspace else Path(self._launch.cwd)).name

    @property
    def background(self) -> Run | None:
        """The run of the rest of the suite, when it is going on."""
        return self.run if self.run is not None and self.run.request.background else None

    def start(self) -> None:
        """Bring up pytest; everything else follows from what it says of the project."""
        self._workers.start()

    def close(self) -> None:
        """End every process and keep what is known."""
        for part in (self._watching, self.repairs, self._workers, self._stock):
            if part is not None:
                part.close()

    # What the test processes say.

    def _heard(self, heard: Heard) -> None:
        match heard:
            case Hello():
                self._introduced(heard)
            case Standing():
                self._stands(heard)
            case Collected():
                self._collected(heard)
            case Ran():
                self._ran(heard)
            case Over():
                self._over(heard)
        self._refresh()

    def _introduced(self, hello: Hello) -> None:
        root = Path(hello.rootdir)
        if self.workspace is not None and self.workspace.root == root:
            return
        for part in (self._watching, self.repairs):
            if part is not None:
                part.close()
        self.workspace = workspace = Workspace(root)
        paths = () if "--pyargs" in hello.arguments else hello.paths
        self.scope = scope(root, Path(self._launch.cwd), paths, hello.testpaths)
        self.filters = Filters(scope=self.scope)
        config = self._config(root)
        ignored = ignoring(hello.norecursedirs)
        self._stock = Stock(
            workspace,
            self.board,
            self._notice,
            scope=self.filters,
            python_files=hello.python_files,
            ignored=ignored,
        )
        fixing = Fixing(
            workspace,
            config,
            cwd=Path(self._launch.cwd),
            here_first=hello.here_first,
            inherited=hello.inherited,
            reactor=self._reactor,
            emit=self._worked,
            paths=below(root, Path(self._launch.cwd), hello.paths) or hello.testpaths,
            unconfined=self._flags.get("sandbox") == "none",
        )
        ledger = Ledger(workspace, exclude=config.exclude)
        self.repairs = Repairs(
            fixing, ledger, self.board, self._reactor, self._tell, inherited=hello.inherited
        )
        self._watching = Watching(
            workspace.root,
            self._reactor,
            self._changed,
            ignored=ignored,
            poll=self._poll,
            notice=self._notice,
        )
        self._watching.start()
        steps = self._stock.scan()
        self._reactor.later(0.0, lambda: self._scan(steps))

    def _watch(
        self, root: Path, changed: Callable[[tuple[str, ...]], None], ignored: Callable[[str], bool] | None
    ) -> None:
        self._watching = Watching(
            root, self._reactor, changed, ignored=ignored, poll=self._poll, notice=self._notice
        )
        self._watching.start()

    def _config(self, root: Path) -> Config:
        try:
            return load(root, flags=self._flags)
        except ConfigError as error:
            self._notice(error.message, error.hint)
            return Config()

    def _scan(self, steps: Iterator[bool]) -> None:
        """Take stock of the sources, a little at a time, then run what has changed since the last session."""
        until = time.monotonic() + _SCAN_STEP
        for begun in steps:
            if begun and not self._begun:
                self._begun = True
                self._go()
            if time.monotonic() > until:
                self._reactor.later(0.0, lambda: self._scan(steps))
                return
        self._begun = self._scanned = True
        if self.repairs is not None:
            self.repairs.start()
        early, self._early = tuple(self._early), set()
        self._changed(early)
        self._proceed()

    def _stands(self, standing: Standing) -> None:
        self.standing = standing
        if standing.state == "broken":
            self.output = standing.reason
            if self._watching is None:
                self._watch(Path(self._launch.cwd), self._mended, None)
            self._notice("pytest cannot start", _telling_line(standing.reason))
        elif standing.state in ("warm", "cold"):
            self.output = ""
            if standing.state == "cold":
                self._notice("tests run in a fresh pytest each time", standing.reason)
            self._proceed()

    def _collected(self, collected: Collected) -> None:
        run = self.run
        if run is None or run.request.run != collected.run:
            return
        assert self._stock is not None
        self._stock.knowledge.collected(collected)
        self.board.collected(run.request, collected)
        self._tell(run.begun(len(collected.tests), known=len(self.board.statuses)))

    def _ran(self, ran: Ran) -> None:
        run = self.run
        if run is None or run.request.run != ran.run:
            return
        assert self._stock is not None
        self.board.ran(ran, generation=run.generation)
        self._stock.knowledge.learn(ran)
        self._tell(run.reached(ran))
        if ran.status in RED and self.repairs is not None:
            self.repairs.look_soon()

    def _over(self, over: Over) -> None:
        run = self.run
        if run is None or run.request.run != over.run:
            return
        self.run, self.last = None, self.last if run.request.background else run
        self.output = over.output if over.outcome == "broken" else ""
        if over.outcome == "done":
            self.board.over(run.request)
        if self._stock is not None:
            self._stock.knowledge.save()  # first: whoever hears of the end may at once change what was read
        self._ended(run, over.outcome, detail=_telling_line(self.output))
        if over.outcome == "done":
            self._proceed()

    def _ended(self, run: Run, outcome: Literal["done", "cancelled", "broken"], *, detail: str = "") -> None:
        now = time.monotonic()
        seconds, self._ended_last = now - run.asked_at, (run.request.run, now)
        if not run.request.background:
            self.seconds = seconds
        if run.started or outcome != "cancelled":
            self._tell(run.ended(seconds, outcome, detail))

    # What the files say.

    def _changed(self, paths: tuple[str, ...]) -> None:
        at = time.monotonic()
        if self._stock is None or not self._scanned:
            self._early.update(paths)
        elif self._unread or len(paths) > _AT_ONCE:
            reading, self._unread = bool(self._unread), [*self._unread, *paths]
            if not reading:
                self.cancel()
                self._read_on([], at)
        else:
            self._take(self._stock.look(paths), at)

    def _read_on(self, changes: list[FileChange], at: float) -> None:
        """Many files at once, as from a checkout: some at a time, so that keys are heard meanwhile."""
        assert self._stock is not None
        changes += self._stock.look(self._unread[:_AT_ONCE])
        del self._unread[:_AT_ONCE]
        if self._unread:
            self._reactor.later(0.0, lambda: self._read_on(changes, at))
        else:
            self._take(tuple(changes), at)

    def _take(self, changes: tuple[FileChange, ...], at: float) -> None:
        """Run what the changes are seen by, and let go of what is out of date."""
        assert self._stock is not None
        number, ended = self._ended_last
        recent = number if at - ended < _AFTERMATH else None
        save = self._stock.save(changes, run=self.run.request.run if self.run is not None else recent)
        if save is None:
            self._proceed()
            return
        if save.outdated:
            self.cancel()
        self._likely = save.sources[0] if save.sources else self._likely
        self._workers.changed(save.paths, likely=self._likely)
        self._stock.forget_bytecode(save.paths)
        started = self._go(at if save.outdated else None)
        if save.outdated and self.repairs is not None:
            self.repairs.drop()  # after the run has been sent: that is what the person waits for
        if not started:
            self._settle()
        self._refresh()

    def _mended(self, _: tuple[str, ...]) -> None:
        """Something changed where pytest has never come up: try again."""
        self._workers.restart()

    # What to do next.

    def cancel(self) -> None:
        """End the run that is going on, at once; its remaining tests are still owed."""
        run, self.run = self.run, None
        self._workers.cancel()
        if run is not None:
            self._ended(run, "cancelled")

    def ask(self, selection: Selection) -> None:
        """Run tests because the person says so."""
        self.cancel()
        self.board.ask(selection)
        self._proceed()

    def again(self) -> None:
        """The last run once more; what is owed otherwise."""
        last = self._rerun
        if self.board.owing or last is None:
            self.ask(Selection(everything=not self.board.owing, why="asked"))
        else:
            self.ask(
                Selection(
                    tests=last.tests,
                    files=last.files,
                    everything=last.everything,
                    why="asked: the same again",
                )
            )

    def everything(self) -> None:
        """Run all tests, and let no filter stand in the way from now on."""
        self.filters = Filters(scope=self.scope)
        self.board.release()
        self.ask(Selection(everything=True, why="all"))

    def narrow(self, filters: Filters) -> None:
        """Run only what the filters admit from now on, and that at once when they have become narrower."""
        before, self.filters = self.filters, filters
        self.board.release()
        if filters != before and (filters.paths or filters.keyword or filters.failed_only):
            why = "failed only" if filters.failed_only else f"filter:{filters.paths or filters.keyword}"
            self.ask(Selection(tests=frozenset(self.board.admitted(self.board.statuses, filters)), why=why))
        else:
            self._proceed()

    def _go(self, at: float | None = None) -> bool:
        """Start what is owed as soon as tests can be started; whether a run is going on for it now."""
        if self.run is not None and not self.run.request.background and at is None:
            return True
        if self._unread or not self._begun or self.standing.state not in ("warm", "cold"):
            return True
        request = self.board.request(0, self.filters)
        if request is not None:
            self._start(request, self.board.why, at)
        return request is not None or self.run is not None

    def _settle(self) -> None:
        """Nothing is owed: look into what is red, and run the rest after a while."""
        if self.repairs is not None:
            self.repairs.look()
        self._calm_down()

    def _proceed(self) -> None:
        """Whatever comes next: what is owed, or else what can be done about it."""
        if not self._go():
            self._settle()

    def _start(self, request: RunRequest, why: str, at: float | None = None) -> None:
        if self.run is not None:
            self.cancel()
        if self._timer is not None:
            self._timer.cancel()
        request = replace(request, run=next(self._numbers))
        if not request.background:
            self._rerun = replace(request, first=())
        asked_at = at if at is not None else time.monotonic()
        self.run = Run(request=request, generation=self.board.generation, why=why, asked_at=asked_at)
        self._workers.run(request)

    def _calm_down(self) -> None:
        """Have the rest of the suite run when nothing has happened for a moment."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._reactor.later(_CALM, self._run_rest)

    def _run_rest(self) -> None:
        if self.run is not None or self._unread or self.paused or self.board.request(0, self.filters):
            return
        if self.standing.state not in ("warm", "cold"):
            return
        if (self.repairs and self.repairs.busy) or not self._machine.room().jobs:
            self._calm_down()
            return
        request = self.board.rest(0, self.filters)
        if request is not None:
            self._start(request, "the rest")
            self._refresh()

    def pause(self) -> None:
        """Stop or resume what runs in the background."""
        self.paused = not self.paused
        if self.paused and self.background is not None:
            self.cancel()
        elif not self.paused:
            self._calm_down()

    def _worked(self, event: Event) -> None:
        assert self.repairs is not None
        self.repairs.take(event)
        if event.kind == "work-ended":
            self._proceed()
        self._refresh()

    def _notice(self, text: str, hint: str) -> None:
        self._tell(NoticeGiven(text=text, hint=hint))


def _telling_line(text: str) -> str:
    """The line of what pytest printed that says most likely what is wrong: the last that names an error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or [""])[-1]
