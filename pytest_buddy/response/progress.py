"""Events -> the one line that says what is being done right now."""

from pytest_buddy.domain import (
    Event,
    FaultLocated,
    FixConfirmed,
    SearchAdvanced,
    StepStarted,
    WorkEnded,
    WorkStarted,
)
from pytest_buddy.response.escape import fitted, one_line, visible
from pytest_buddy.response.words import count, seconds

_STEPS = {
    "confirm": "running the failing tests again",
    "collect": "seeing which lines each test runs",
    "localize": "ranking the suspects",
    "propose": "trying fixes",
}


class ProgressLine:
    """Says what to show after each event; the front decides whether and where to show it."""

    def __init__(self, *, width: int = 80, ascii: bool = False) -> None:  # noqa: A002
        self._width = width
        self._ascii = ascii
        self._fixed: set[str] = set()

    def update(self, event: Event) -> str | None:
        """The text of the line, at most `width` long; empty to clear it; None to leave it as it is."""
        parts = self._parts(event)
        if parts is None:
            return None
        if not parts:
            return ""
        if self._fixed:
            parts = (*parts, f"{len(self._fixed)} fixed")
        line = f"buddy: {(' - ' if self._ascii else ' · ').join(parts)}"
        return fitted(visible(line, ascii=self._ascii), self._width - 1)

    def _parts(self, event: Event) -> tuple[str, ...] | None:
        if isinstance(event, WorkStarted):
            return (f"looking at {count(event.failed, 'failing test')}",)
        if isinstance(event, StepStarted):
            detail = one_line(event.detail, limit=40)
            return (_STEPS[event.step], detail) if detail else (_STEPS[event.step],)
        if isinstance(event, FaultLocated):
            return (f"located {event.fault.id}",)
        if isinstance(event, SearchAdvanced):
            tried, passing = f"{event.candidates:,} tried", f"{event.passing:,} pass"
            return (f"trying fixes for {event.fault}", tried, passing, seconds(event.seconds))
        if isinstance(event, FixConfirmed):
            self._fixed.add(event.fault)
            return (f"{event.fault} has a fix",)
        return () if isinstance(event, WorkEnded) else None
