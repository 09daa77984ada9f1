"""The loop: intents of the person, changes of files and news of runs come in; what is shown goes out."""

import itertools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Literal

from buddy_watch.editing import open_editor
from buddy_watch.findings import Findings
from buddy_watch.places import Place
from buddy_watch.project import Project
from buddy_watch.reactor import Reactor
from buddy_watch.repairs import Repairs
from buddy_watch.screen import EventLines, Terminal
from buddy_watch.values import Scene, Selection
from buddy_watch.workers import Launch
from pytest_buddy.domain import (
    RED,
    Diagnosis,
    Event,
    Fault,
    Intent,
    NoticeGiven,
    PatchHandled,
    Proposal,
    Status,
)
from pytest_buddy.errors import BuddyError
from pytest_buddy.redact import Redactor
from pytest_buddy.screen import sources_of
from pytest_buddy.source import Source

_PASSED: frozenset[Status] = frozenset({"passed", "xfailed", "xpassed"})
_SKIPPED: frozenset[Status] = frozenset({"skipped"})
_MOST_NOTICES = 3
_DONE = {"applied": "applied {id} to {paths}", "staged": "staged {id}", "discarded": "discarded {id}"}


class Loop:
    """Watches projects until the person quits; `view`: `plain`, `json`, or empty for what fits the output."""

    def __init__(
        self,
        places: Sequence[Place],
        *,
        view: str,
        flags: Mapping[str, object],
        poll: bool,
        here_first: bool,
    ) -> None:
        self._reactor = Reactor()
        self._terminal: Terminal | None = None
        self._lines: EventLines | None = None
        redactor = Redactor(environment=os.environ)
        if view or not Terminal.possible(os.environ):
            self._lines = EventLines(sys.stdout, self.intend, json=view == "json", redactor=redactor)
        else:
            encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
            self._terminal = Terminal(
                self._reactor,
                self.intend,
                color=not os.environ.get("NO_COLOR"),
                ascii=not encoding.startswith("utf"),
                redact=redactor.redact,
            )
        self._notices: tuple[str, ...] = ()
        self._message = ""
        self._focus = 0
        self._explained = False
        self._help = False
        self._active = 0
        self._handled: dict[str, str] = {}
        self._seen: tuple[Diagnosis | None, Mapping[str, Source], dict[str, str]] = (None, {}, {})
        numbers = itertools.count(1)
        self._projects = [
            Project(
                Launch(
                    cwd=place.cwd, arguments=place.words, environment=dict(os.environ), here_first=here_first
                ),
                self._reactor,
                self._teller(number),
                self._refresh,
                numbers=numbers,
                flags=flags,
                poll=poll,
            )
            for number, place in enumerate(places)
        ]

    def run(self) -> int:
        """Watch until the person quits; always 0, what the tests did is on the screen."""
        with ExitStack() as stack:
            stack.callback(self._close)
            if self._terminal is not None:
                stack.enter_context(self._terminal)
            with suppress(KeyboardInterrupt):
                for project in self._projects:
                    project.start()
                self._refresh()
                self._reactor.run()
        return 0

    def _close(self) -> None:
        for project in self._projects:
            project.close()
        self._reactor.close()

    @property
    def project(self) -> Project:
        """The project that the screen shows and that intents are about."""
        return self._projects[self._active]

    # Events.

    def _teller(self, number: int) -> Callable[[Event], None]:
        def tell(event: Event) -> None:
            self._told(number, event)

        return tell

    def _told(self, number: int, event: Event) -> None:
        if event.kind == "run-started" and not event.background:
            self._active = number
            self._focus = 0
            self._notices = ()
        if isinstance(event, NoticeGiven):
            text = f"{event.text}\n{event.hint}" if event.hint else event.text
            self._notices = (*(kept for kept in self._notices if kept != text), text)[-_MOST_NOTICES:]
        if self._lines is not None:
            self._lines.event(event)

    # Intents.

    def intend(self, intent: Intent) -> None:
        """Do what the person wants, wherever it came from."""
        acts: dict[str, Callable[[str], None]] = {
            "apply": self._handle("apply"),
            "stage": self._handle("stage"),
            "discard": self._handle("discard"),
            "undo": self._handle("undo"),
            "explain": self._explain,
            "test": self._test,
            "next": self._next,
            "rerun": lambda _: self.project.again(),
            "failed": self._failed_only,
            "all": self._all,
            "paths": lambda text: self._filter(paths=text),
            "keyword": lambda text: self._filter(keyword=text),
            "fix": lambda _: self._repairs().again(),
            "open": self._open,
            "pause": self._pause,
            "scroll": self._scroll,
            "voice": self._voice,
            "help": self._toggle_help,
            "quit": lambda _: self._reactor.stop(),
        }
        self._message = ""
        act = acts.get(intent.verb)
        if act is None:
            self._message = f"{intent.verb} is not to be had here"
        else:
            try:
                act(intent.argument)
            except BuddyError as error:
                self._message = f"{error.message}. {error.hint}" if error.hint else error.message
                if self._lines is not None:
                    self._lines.event(NoticeGiven(text=error.message, hint=error.hint))
        self._refresh()

    def _handle(self, action: str) -> Callable[[str], None]:
        def act(identifier: str) -> None:
            ledger = self._repairs().ledger
            chosen = identifier
            if not chosen and action != "undo":
                fix = self._fix
                if fix is None:
                    raise BuddyError(f"there is no fix to {action}")
                chosen = fix.patch.id
            handled: PatchHandled = getattr(ledger, action)(chosen)
            told = _DONE.get(handled.action, "took back {id}")
            self._message = told.format(id=handled.patch, paths=", ".join(handled.paths))
            self._handled[handled.patch] = handled.action
            if self._lines is not None:
                self._lines.event(handled)

        return act

    @property
    def _faults(self) -> tuple[Fault, ...]:
        repairs = self.project.repairs
        return repairs.findings.diagnosis.faults if repairs is not None else ()

    @property
    def _fault(self) -> Fault | None:
        return self._faults[self._focus] if self._focus < len(self._faults) else None

    @property
    def _fix(self) -> Proposal | None:
        return self._fault.fix if self._fault is not None else None

    def _repairs(self) -> Repairs:
        if self.project.repairs is None:
            raise BuddyError("nothing is known of the project yet")
        return self.project.repairs

    def _explain(self, _: str) -> None:
        self._explained = not self._explained

    def _toggle_help(self, _: str) -> None:
        self._help = not self._help

    def _test(self, tests: str) -> None:
        """Run the tests named, those of the fault looked at, or the failing ones."""
        chosen = frozenset(tests.split()) or frozenset(self._fault.tests if self._fault else ())
        chosen = chosen or frozenset(self.project.board.red)
        if not chosen:
            raise BuddyError("no test is failing", hint="A runs them all.")
        self.project.ask(Selection(tests=chosen, why="asked"))

    def _next(self, _: str) -> None:
        self._focus += 1
        if self._focus < len(self._faults):
            return
        self._focus = 0
        others = [*range(self._active + 1, len(self._projects)), *range(self._active + 1)]
        self._active = next((at for at in others if self._projects[at].board.red), self._active)

    def _failed_only(self, _: str) -> None:
        filters = self.project.filters
        if not filters.failed_only and not self.project.board.red:
            raise BuddyError("no test is failing", hint="A runs them all.")
        self.project.narrow(replace(filters, failed_only=not filters.failed_only))

    def _all(self, _: str) -> None:
        for project in self._projects:
            project.everything()

    def _filter(self, **changed: str) -> None:
        self.project.narrow(replace(self.project.filters, **changed))  # type: ignore[arg-type]

    def _pause(self, _: str) -> None:
        for project in self._projects:
            project.pause()

    def _open(self, _: str) -> None:
        fault, workspace = self._fault, self.project.workspace
        if workspace is None or fault is None or not fault.suspects:
            raise BuddyError("there is no suspect to open")
        first = fault.suspects[0]
        if self._terminal is None:
            raise BuddyError("an editor needs the terminal")
        with self._terminal.lent():
            open_editor(workspace.root / first.path, first.line, os.environ)

    def _voice(self, _: str) -> None:
        raise BuddyError("this version has no ears yet", hint="Every key is named on the page behind h.")

    def _scroll(self, argument: str) -> None:
        if self._terminal is not None:
            self._terminal.scroll(argument)

    # What is shown.

    def _refresh(self) -> None:
        if self._terminal is not None:
            self._terminal.show(self.scene())

    def scene(self) -> Scene:
        """Everything that is to be seen now."""
        project = self.project
        board = project.board
        shown = project.run if project.run is not None and project.background is None else project.last
        findings = project.repairs.findings if project.repairs is not None else Findings()
        known = findings.about[0] >= 0
        sources, statuses = self._look(project, findings.diagnosis) if known else ({}, {})
        return Scene(
            project=project.name,
            standing=project.standing,
            state=self._state(project),
            run=shown.request.run if shown else 0,
            selected=shown.selected if shown else 0,
            known=len(board.statuses),
            done=shown.done if shown else 0,
            passed=board.count(_PASSED),
            failed=board.count(RED),
            skipped=board.count(_SKIPPED),
            seconds=project.seconds,
            why=shown.why if shown else "",
            red=board.listed(),
            diagnosis=findings.diagnosis if known else None,
            focus=min(self._focus, max(0, len(self._faults) - 1)),
            progress=findings.progress,
            background=self._background(project),
            notices=self._notices,
            message=self._message,
            failed_only=project.filters.failed_only,
            paused=project.paused,
            path_filter=project.filters.paths,
            keyword=project.filters.keyword,
            explained=self._explained,
            help=self._help,
            output=project.output,
            statuses={**statuses, **self._handled},
            sources=sources,
        )

    def _state(self, project: Project) -> Literal["starting", "running", "idle", "broken"]:
        if project.output or project.standing.state == "broken":
            return "broken"
        if project.run is not None and project.background is None:
            return "running"
        return "starting" if project.standing.state == "starting" and project.last is None else "idle"

    def _background(self, project: Project) -> str:
        if project.paused:
            return "paused"
        run = project.background
        return f"{run.done} of {run.selected}" if run is not None and run.started else ""

    def _look(self, project: Project, diagnosis: Diagnosis) -> tuple[Mapping[str, Source], dict[str, str]]:
        """The files that a diagnosis speaks of, and what became of its proposals; looked up once."""
        if self._seen[0] is not diagnosis and project.workspace is not None and project.repairs is not None:
            ledger = project.repairs.ledger
            statuses: dict[str, str] = {}
            for proposal in (item for fault in diagnosis.faults for item in fault.proposals):
                with suppress(BuddyError):
                    statuses[proposal.patch.id] = ledger.status(proposal.patch.id)
            self._seen = (diagnosis, sources_of(diagnosis, project.workspace), statuses)
        return self._seen[1], self._seen[2]
