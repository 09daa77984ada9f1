"""What the work on red tests has brought so far, as one diagnosis that grows with every event."""

from dataclasses import dataclass, field, replace

from pytest_buddy.domain import (
    Diagnosis,
    Event,
    Fault,
    FaultLocated,
    FaultSettled,
    FixConfirmed,
    NoticeGiven,
    Proposal,
    StepStarted,
    WorkEnded,
    WorkStarted,
)
from pytest_buddy.response import ProgressLine


@dataclass(slots=True)
class Findings:
    """`about` names the generation and the red tests worked on; `diagnosis` is all that is known."""

    about: tuple[int, frozenset[str]] = (-1, frozenset())
    diagnosis: Diagnosis = field(default_factory=lambda: Diagnosis(failures=()))
    progress: str = ""
    ended: bool = False
    _line: ProgressLine = field(default_factory=lambda: ProgressLine(width=200))

    def take(self, event: Event) -> bool:
        """Add what an event says; whether proposals are known that were not before."""
        if isinstance(event, WorkStarted | StepStarted) or event.kind == "search-advanced":
            self.progress = self._line.update(event) or self.progress
        match event:
            case WorkStarted():
                self.ended = False
            case FaultLocated():
                self._put(event.fault)
            case FixConfirmed():
                return self._offer(event.fault, event.proposal)
            case FaultSettled():
                self._put(event.fault)
                return bool(event.fault.proposals)
            case NoticeGiven():
                text = f"{event.text}. {event.hint}" if event.hint else event.text
                self.diagnosis = replace(self.diagnosis, notices=(*self.diagnosis.notices, text))
            case WorkEnded():
                self.diagnosis, self.progress, self.ended = event.diagnosis, "", True
                return True
        return False

    def _put(self, fault: Fault) -> None:
        faults = self.diagnosis.faults
        if any(known.id == fault.id for known in faults):
            faults = tuple(fault if known.id == fault.id else known for known in faults)
        else:
            faults = (*faults, fault)
        self.diagnosis = replace(self.diagnosis, faults=faults)

    def _offer(self, identifier: str, proposal: Proposal) -> bool:
        for fault in self.diagnosis.faults:
            if fault.id == identifier:
                others = tuple(item for item in fault.proposals if item.patch.id != proposal.patch.id)
                self._put(replace(fault, proposals=(proposal, *others)))
                return True
        return False
