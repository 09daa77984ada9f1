"""One terminal: progress while work goes on, the diagnosis, and a single question at the end."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pytest_buddy.domain import Diagnosis, Event, Fault, NoticeGiven, Proposal, StepStarted
from pytest_buddy.errors import BuddyError, SourceError
from pytest_buddy.patch import Ledger
from pytest_buddy.redact import Redactor
from pytest_buddy.response import ProgressLine, render_diagnosis, render_event, render_proposal
from pytest_buddy.source import Source
from pytest_buddy.workspace import Workspace

_ERASE = "\r\x1b[K"
_QUESTION = "[a]pply  [s]tage  [d]iscard  [e]xplain more  [n]ext  [q]uit"
_EITHER = "[1] or [2] as asked above"
_CHOICES = {"a": "apply", "s": "stage", "d": "discard", "e": "explain", "n": "next", "q": "quit", "": "quit"}


@dataclass(slots=True, kw_only=True)
class Screen:
    """Shows events and diagnoses through `write`, asks through `ask_line`.

    `interactive` allows progress on one line and the question; without it nothing is drawn over. `ascii` is
    for terminals whose encoding has no more than that.
    """

    write: Callable[[str], object]
    width: int = 80
    color: bool = False
    interactive: bool = False
    ascii: bool = False
    verbosity: int = 0
    _line: str = ""
    _progress: ProgressLine | None = None
    _noticed: set[str] = field(default_factory=set)
    _redactor: Redactor = field(default_factory=lambda: Redactor(environment=os.environ))

    def event(self, event: Event) -> None:
        """Show where the work is, on a line that is erased again."""
        if not self.interactive or self.verbosity < -1:
            return
        if self._progress is None:
            self._progress = ProgressLine(width=self.width, ascii=self.ascii)
        shown = self._redactor.cleaned(event) if isinstance(event, StepStarted) else event  # others: ids only
        line = self._progress.update(shown)
        if line is not None and line != self._line:
            self._line = line
            self.write(f"{_ERASE}{line}")

    def clear(self) -> None:
        """Erase the progress line."""
        if self._line:
            self.write(_ERASE)
            self._line = ""

    def diagnosis(self, diagnosis: Diagnosis, workspace: Workspace) -> None:
        """Show the whole section."""
        self.clear()
        text = render_diagnosis(
            diagnosis,
            sources_of(diagnosis, workspace),
            width=self.width,
            color=self.color,
            verbosity=self.verbosity,
            ascii=self.ascii,
            redact=self._redactor.redact,
        )
        if text:
            self.write(text if text.endswith("\n") else text + "\n")

    def notice(self, text: str, hint: str = "") -> None:
        """Show something the person must know, once."""
        if text in self._noticed:
            return
        self._noticed.add(text)
        self.clear()
        self.write(render_event(self._redactor.cleaned(NoticeGiven(text=text, hint=hint))) + "\n")

    def confirm(self, question: str, ask_line: Callable[[str], str] = input) -> bool:
        """Ask a yes-or-no question; anything but yes is no."""
        self.clear()
        try:
            answer = ask_line(f"buddy: {self._redactor.redact(question)} [y/N] ")
            return answer.strip().lower() in ("y", "yes")
        except (EOFError, KeyboardInterrupt):
            self.write("\n")
            return False

    def ask(self, diagnosis: Diagnosis, ledger: Ledger, ask_line: Callable[[str], str]) -> None:
        """Ask once for each fix what to do with it; end of input or Ctrl-C leaves everything as it is."""
        offered = [(fault, fault.fix) for fault in diagnosis.faults if fault.fix is not None]
        for position, (fault, fix) in enumerate(offered, start=1):
            assert fix is not None
            place = f"fix {fix.patch.id} for {fault.id}" + (
                f" ({position} of {len(offered)})" if offered[1:] else ""
            )
            if not self._settle(place, fault, fix, ledger, ask_line):
                return

    def _settle(
        self, place: str, fault: Fault, fix: Proposal, ledger: Ledger, ask_line: Callable[[str], str]
    ) -> bool:
        """Ask until one fix is settled; false when the person wants no more questions."""
        while True:
            try:
                either = f"{_EITHER}  " if fault.question else ""
                answer = ask_line(f"buddy: {place}  {either}{_QUESTION} > ").strip().lower()
            except (EOFError, KeyboardInterrupt):
                self.write("\n")
                return False
            verb = _CHOICES.get(answer) or next(
                (choice for choice in _CHOICES.values() if answer and choice.startswith(answer)), None
            )
            if other := _answered(fault, answer):
                if self._act("apply", other, ledger):
                    return True
                continue
            if verb == "quit":
                return False
            if verb == "next":
                return True
            if verb == "explain":
                text = render_proposal(
                    fix,
                    fault=fault,
                    width=self.width,
                    color=self.color,
                    ascii=self.ascii,
                    redact=self._redactor.redact,
                )
                self.write(text + "\n")
            elif verb is None:
                self.write("Type one letter: a, s, d, e, n or q.\n")
            elif self._act(verb, fix, ledger):
                return True

    def _act(self, verb: str, fix: Proposal, ledger: Ledger) -> bool:
        actions = {"apply": ledger.apply, "stage": ledger.stage, "discard": ledger.discard}
        try:
            handled = actions[verb](fix.patch.id)
        except BuddyError as error:
            self.notice(error.message, error.hint)
            return False
        self.write(render_event(self._redactor.cleaned(handled)) + "\n")
        return True


def _answered(fault: Fault, answer: str) -> Proposal | None:
    """The proposal that a number chooses, when the fault comes with a question."""
    answers = fault.question.answers if fault.question else ()
    chosen = {str(number): item.patch for number, item in enumerate(answers, start=1)}.get(answer)
    return next((item for item in fault.proposals if item.patch.id == chosen), None)


def sources_of(diagnosis: Diagnosis, workspace: Workspace) -> Mapping[str, Source]:
    """The files that a diagnosis shows, as they are now; unreadable ones are left out."""
    paths = {suspect.path for fault in diagnosis.faults for suspect in fault.suspects}
    paths |= {path for fault in diagnosis.faults for item in fault.proposals for path in item.patch.paths}
    found: dict[str, Source] = {}
    for path in paths:
        try:
            found[path] = workspace.source(path)
        except SourceError:
            continue
    return found


def draws(stream_is_tty: bool) -> bool:  # noqa: FBT001
    """Whether lines may be drawn over: a terminal that is not dumb, and nobody's build log."""
    dumb = os.environ.get("TERM", "") in ("", "dumb")
    building = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return stream_is_tty and not dumb and not building
