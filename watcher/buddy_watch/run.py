"""A run that is going on, and the events that tell of it."""

from dataclasses import dataclass
from typing import Literal

from buddy_watch.values import Ran, RunRequest
from pytest_buddy.domain import RED, RunEnded, RunStarted, Status, VerdictReached

_PASSED: frozenset[Status] = frozenset({"passed", "xfailed", "xpassed"})


@dataclass(slots=True)
class Run:
    """What was asked for, when, as of which generation of the files, and how far it has come."""

    request: RunRequest
    generation: int
    why: str
    asked_at: float
    started: bool = False
    selected: int = 0
    done: int = 0
    passed: int = 0
    failed: int = 0

    def begun(self, selected: int, *, known: int) -> RunStarted:
        """It has collected."""
        self.started, self.selected = True, selected
        return RunStarted(
            run=self.request.run,
            selected=selected,
            of=max(known, selected),
            why=self.why,
            background=self.request.background,
        )

    def reached(self, ran: Ran) -> VerdictReached:
        """One more of its tests has ended."""
        self.done += 1
        self.passed += ran.status in _PASSED
        self.failed += ran.status in RED
        lines = ran.failure.message.splitlines() if ran.failure is not None else []
        return VerdictReached(
            run=ran.run,
            test=ran.test,
            status=ran.status,
            seconds=ran.seconds,
            message=lines[0] if lines else "",
        )

    def ended(self, seconds: float, outcome: Literal["done", "cancelled", "broken"], detail: str) -> RunEnded:
        """It is over."""
        return RunEnded(
            run=self.request.run,
            passed=self.passed,
            failed=self.failed,
            seconds=seconds,
            outcome=outcome,
            detail=detail,
            background=self.request.background,
        )
