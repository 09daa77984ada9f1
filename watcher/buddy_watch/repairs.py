"""The red tests of one project: when they are worked on, what has come of it, what is kept of it."""

from collections.abc import Callable

from buddy_watch.board import Board
from buddy_watch.findings import Findings
from buddy_watch.fixing import Fixing
from buddy_watch.reactor import Reactor, Timer
from pytest_buddy.domain import Diagnosis, Event, NoticeGiven
from pytest_buddy.errors import BuddyError
from pytest_buddy.patch import Ledger

_PATIENCE = 1.0


class Repairs:
    """Has red tests worked on, once for each content of the files, and keeps what is proposed.

    The events of `fixing` are handed to `take`, which tells them on.
    """

    def __init__(
        self,
        fixing: Fixing,
        ledger: Ledger,
        board: Board,
        reactor: Reactor,
        tell: Callable[[Event], None],
        *,
        inherited: tuple[str, ...],
    ) -> None:
        self._fixing = fixing
        self._board = board
        self._reactor = reactor
        self._tell = tell
        self._inherited = inherited
        self._timer: Timer | None = None
        self.ledger = ledger
        self.findings = Findings()

    @property
    def busy(self) -> bool:
        """Whether red tests are being worked on now."""
        return self._fixing.busy and not self.findings.ended

    def start(self) -> None:
        """Prepare for the first red test, and tell of what a killed process has left half done."""
        try:
            for event in self.ledger.recover():
                self._tell(event)
        except BuddyError as error:
            self._tell(NoticeGiven(text=error.message, hint=error.hint))
        self._fixing.start()

    def close(self) -> None:
        """End the work and all its processes."""
        self._wait_no_more()
        self._fixing.close()

    def look_soon(self) -> None:
        """A test is red: do not wait for the end of a long run."""
        if self._timer is None:
            self._timer = self._reactor.later(_PATIENCE, self.look)

    def look(self) -> None:
        """Have the red tests worked on, unless exactly these are or were."""
        self._wait_no_more()
        if self.busy:
            return
        red = frozenset(item.test for item in self._board.listed() if not item.stale)
        about = (self._board.generation, red)
        if not red:
            self.findings = Findings()
        elif self.findings.about != about:
            baseline = self._board.baseline(self._inherited)
            known = Diagnosis(failures=baseline.failures, failed=len(red))
            self.findings = Findings(about=about, diagnosis=known)
            self._fixing.diagnose(baseline)

    def again(self) -> None:
        """Search once more for fixes of what is red now."""
        self.drop()
        self.look()

    def drop(self) -> None:
        """What was found out is about files as they were: end the work on it, show it no more."""
        self._wait_no_more()
        if self._fixing.busy:
            self._fixing.cancel()
        else:
            self._fixing.changed()
        self.findings = Findings()

    def take(self, event: Event) -> None:
        """An event of the work: keep what it proposes, tell it on."""
        if self.findings.take(event):
            try:
                self.ledger.keep(self.findings.diagnosis)
            except BuddyError as error:
                self._tell(NoticeGiven(text=error.message, hint=error.hint))
        self._tell(event)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
