"""Verdicts on candidates: at once in a warm child, for good by a fresh pytest on real files."""

import selectors
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pytest_buddy.capture import to_confirm
from pytest_buddy.domain import GREEN, Fault, Patch, Verdict, VerdictOutcome
from pytest_buddy.runner import AnyRunner, Confirmation, Launcher, Standby
from pytest_buddy.suite import Suite

_MOST_OTHERS = 20
_CONTROL_SECONDS = 30.0
_SHARE = 0.4


@dataclass(slots=True)
class Judged:
    """A candidate that turned tests green; `order` says when in the search it was tried."""

    patch: Patch
    verdict: Verdict
    order: int

    @property
    def offered(self) -> bool:
        """Whether it may be shown to people as a fix."""
        return self.verdict.outcome == "fixed" and self.verdict.confirmed


@dataclass(slots=True, kw_only=True)
class Judge:
    """Judges the candidates of one fault; `tests` are its failing ones that the runner has.

    The first confirming run is that of `standby`, when there is one.
    """

    runner: AnyRunner
    launcher: Launcher
    suite: Suite
    fault: Fault
    tests: Sequence[str]
    deadline: float
    heard: Callable[[Judged], None]
    standby: Standby | None = None
    _running: list[tuple[Judged, Confirmation]] = field(default_factory=list)
    _over: list[Confirmation] = field(default_factory=list)
    _green_without: dict[str, bool] = field(default_factory=dict)

    @property
    def _mine(self) -> frozenset[str]:
        return frozenset(self.fault.tests)

    def verdict(self, patch: Patch) -> Verdict:
        """All of the fault's tests, those of other faults and the affected green ones, in a fresh child."""
        others = [test for test in self.suite.sociable if test not in self._mine][:_MOST_OTHERS]
        cpu = self.suite.cpu(self.tests[0], 1) + 1.0
        trial = self.runner.judge(patch, [*self.tests, *others, *self.suite.affected(patch)], cpu=cpu)
        green = {outcome.test for outcome in trial.outcomes if outcome.status in GREEN}
        red = {outcome.test for outcome in trial.outcomes} - green
        fixed = tuple(sorted(green & set(self.suite.failing)))
        broken = tuple(sorted(red - set(self.suite.failing)))
        return Verdict(
            outcome=_outcome(fixed=len(self._mine & set(fixed)), of=len(self.tests), broken=len(broken)),
            fixed=fixed,
            broken=broken,
            ran=len(trial.outcomes),
            sandbox=self.launcher.level,
        )

    def confirm(self, judged: Judged) -> None:
        """Start a fresh pytest for a patch, unless one is under way; `poll` or `wait_for` hear of its end."""
        if any(item is judged for item, _ in self._running):
            return
        needed = {*self.tests, *self.suite.sociable, *self.suite.affected(judged.patch)}
        room = max(2.0, self.deadline - time.monotonic()) * _SHARE
        tests = to_confirm(self.suite.baseline, needed, also=self._mine - self.suite.unfit, seconds=room)
        contents = self.suite.contents(judged.patch)
        confirmation = Confirmation(self.launcher, contents, tests, standby=self.standby)
        self.standby = None
        self._running.append((judged, confirmation))

    def poll(self) -> None:
        """Take in what the confirming runs have said, without waiting."""
        for judged, confirmation in list(self._running):
            if confirmation.poll():
                self._running.remove((judged, confirmation))
                judged.verdict = self._confirmed(judged.patch, confirmation)
                self._over.append(confirmation)  # its process may take its time to end
                self.heard(judged)

    def wait_for(self, judged: Judged, limit: float) -> None:
        """Wait until the confirming run of a patch is over, at most `limit` seconds."""
        for item, confirmation in self._running:
            if item is judged:
                _wait(confirmation, time.monotonic() + limit)
        self.poll()

    def close(self) -> None:
        """End the confirming runs that are still under way."""
        for confirmation in (*self._over, *(confirmation for _, confirmation in self._running)):
            confirmation.close()
        self._running.clear()
        self._over.clear()

    def _confirmed(self, patch: Patch, confirmation: Confirmation) -> Verdict:
        ended = confirmation.outcomes
        was_red = {item.test for item in self.suite.baseline.outcomes if item.status not in GREEN}
        turned = tuple(test for test, end in ended.items() if end.status in GREEN and test in was_red)
        mine = [test for test in self.fault.tests if test in ended]
        suspicious = [test for test, end in ended.items() if end.status not in GREEN and test not in was_red]
        broken = tuple(test for test in suspicious if self._passes_unpatched(suspicious, test))
        loaded = set(patch.paths) <= confirmation.loaded
        return Verdict(
            outcome=_outcome(fixed=len(set(mine) & set(turned)), of=len(mine), broken=len(broken)),
            fixed=turned,
            broken=broken,
            ran=len(ended),
            confirmed=bool(loaded and mine and confirmation.complete),
            sandbox=self.launcher.level,
            seconds=confirmation.seconds,
        )

    def _passes_unpatched(self, tests: Sequence[str], test: str) -> bool:
        """Whether a test that a patch seems to break passes without it under the same conditions."""
        unknown = [name for name in tests if name not in self._green_without]
        if unknown:
            with Confirmation(self.launcher, {}, unknown) as control:
                _wait(control, time.monotonic() + _CONTROL_SECONDS)
                for name in unknown:
                    outcome = control.outcomes.get(name)
                    self._green_without[name] = outcome is not None and outcome.status in GREEN
        return self._green_without[test]


def _wait(confirmation: Confirmation, limit: float) -> None:
    while not confirmation.poll():
        remaining = limit - time.monotonic()
        if remaining <= 0:
            return
        with selectors.DefaultSelector() as selector:
            selector.register(confirmation.socket, selectors.EVENT_READ)
            selector.select(remaining)


def _outcome(*, fixed: int, of: int, broken: int) -> VerdictOutcome:
    if broken:
        return "breaks"
    if not fixed:
        return "no-change"
    return "fixed" if fixed == of else "partial"
