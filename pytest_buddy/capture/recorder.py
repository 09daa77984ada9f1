"""The pytest plugin that watches a plain run; a green test costs it a dictionary entry.

Everything that is only needed for failures is loaded at the first one.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from pytest_buddy.capture.failures import FailureMaker
    from pytest_buddy.domain import Baseline, Comparison, Failure, Status

_MOST_DETAILED = 200
_ATTRIBUTE = "buddy_failure"
_NEAR = 30


class Recorder:
    """Registered for one session, in every xdist worker and in the controller.

    Where a test runs, its failure is written onto the report as text; where reports arrive, they are read.
    """

    def __init__(self, rootdir: Path) -> None:
        self._rootdir = rootdir
        self._maker: FailureMaker | None = None
        self._comparison: Comparison | None = None
        self._compared_at: frozenset[tuple[CodeType, int]] = frozenset()
        self._detailed = 0
        self._outcomes: dict[str, tuple[Status, float]] = {}
        self._failures: dict[tuple[str, str], Failure] = {}
        self.red = False
        self.problem = ""
        self.broken_off = False

    def baseline(self, args: tuple[str, ...], *, seconds: float) -> Baseline:
        """What the run showed; `args` are the arguments to inherit, `seconds` what it took."""
        from pytest_buddy.domain import Baseline, Outcome

        known = {failure.test: failure for failure in reversed(self._failures.values())}
        outcomes = [
            Outcome(
                test=test,
                status=status,
                seconds=spent,
                error_type=known[test].error_type if test in known else "",
                message=known[test].message[:300] if test in known else "",
            )
            for test, (status, spent) in self._outcomes.items()
        ]
        red = {test for test, (status, _) in self._outcomes.items() if status in ("failed", "error")}
        failures = tuple(failure for failure in self._failures.values() if failure.test in red)
        return Baseline(outcomes=tuple(outcomes), failures=failures, args=args, seconds=seconds)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Keep the two sides of the comparison that fails."""
        if self._detailed < _MOST_DETAILED:
            self._comparison = self._guarded(self._compared, op, left, right)
            self._compared_at = _places(inspect.currentframe())

    def _compared(self, op: str, left: object, right: object) -> Comparison:
        from pytest_buddy.capture.failures import compared

        return compared(op, left, right)

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any], report: Any
    ) -> None:
        """Keep the details of a failure; pytest calls this for failures only, after the report."""
        if call.excinfo is not None and not hasattr(report, _ATTRIBUTE):
            self._detail(node, call.excinfo.value, report)
            if hasattr(report, _ATTRIBUTE) and not isinstance(node, pytest.Collector):
                self._guarded(self._keep, report.nodeid, report.when, report)
        self._comparison = None

    def _detail(self, node: pytest.Item | pytest.Collector, error: BaseException, report: Any) -> None:
        """Write the failure onto its report, as long as there are not too many."""
        if self._detailed >= _MOST_DETAILED:
            return
        self._detailed += 1
        phase = "collect" if isinstance(node, pytest.Collector) else report.when
        compared = self._comparison if _raised_at(error) in self._compared_at else None
        text = self._guarded(
            self._described, node.nodeid, phase, error, comparison=compared, sections=report.sections
        )
        if text is not None:
            setattr(report, _ATTRIBUTE, text)

    def _described(self, *arguments: Any, **named: Any) -> str:
        from pytest_buddy.capture.failures import FailureMaker, text_of
        from pytest_buddy.workspace import Workspace

        if self._maker is None:
            self._maker = FailureMaker(Workspace(self._rootdir))
        return text_of(self._maker.make(*arguments, **named))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Notice that the person broke the run off; what pytest itself gave up is worked on."""
        self.broken_off = not issubclass(excinfo.type, pytest.Session.Interrupted)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep failed collections as outcomes of their own."""
        if report.failed:
            self.red = True
            self._guarded(self._keep, report.nodeid, "collect", report)
            self._outcomes[report.nodeid] = ("error", 0.0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how the test ended; set-up and tear-down count when they are not green."""
        outcome: str = report.outcome
        when, test = report.when, report.nodeid
        if outcome == "passed":
            if when == "call" and test not in self._outcomes:
                self._outcomes[test] = (
                    "xpassed" if hasattr(report, "wasxfail") else "passed",
                    report.duration,
                )
        elif outcome == "failed":
            self.red = True
            self._guarded(self._keep, test, when, report)
            spent = self._outcomes[test][1] if test in self._outcomes else 0.0
            self._outcomes[test] = ("failed" if when == "call" else "error", spent + report.duration)
        elif outcome == "skipped" and test not in self._outcomes:
            expected = hasattr(report, "wasxfail")
            self._outcomes[test] = ("xfailed" if expected else "skipped", report.duration)

    def _keep(self, test: str, phase: str, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Keep a failure; one with details takes the place of one without."""
        text = getattr(report, _ATTRIBUTE, None)
        place = (test, phase)
        if (place in self._failures and text is None) or len(self._failures) >= 2 * _MOST_DETAILED:
            return
        if text is None and len(self._failures) >= _MOST_DETAILED:
            return
        from pytest_buddy.capture.failures import kept

        failure = kept(test, phase, report, text)
        before = self._failures.get(place)
        if before is None or before.kind == "other" or (failure.subtest and not before.subtest):
            self._failures[place] = failure

    def _guarded(self, make: Any, *arguments: Any, **named: Any) -> Any:
        """Call our own code; a fault of ours becomes a problem to report, never the user's."""
        try:
            return make(*arguments, **named)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  the user's run goes on whatever went wrong here
            self.problem = f"{type(error).__name__}: {error}"
            return None


class WorkerRecorder(Recorder):
    """In an xdist worker the details must be on the report before it leaves for the controller."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Write the failure onto the report."""
        report = cast(Any, (yield))
        if call.excinfo is not None and report.failed:
            self._detail(item, call.excinfo.value, report)
        return cast(None, report)


def _places(frame: FrameType | None) -> frozenset[tuple[CodeType, int]]:
    """Where the calling functions are; the asserting one is a few calls of pytest's away."""
    found: list[tuple[CodeType, int]] = []
    while frame is not None and len(found) < _NEAR:
        found.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return frozenset(found)


def _raised_at(error: BaseException) -> tuple[CodeType, int] | None:
    """Where an assertion failed; a comparison made elsewhere has been caught and is none of its business."""
    trace = error.__traceback__ if isinstance(error, AssertionError) else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (trace.tb_frame.f_code, trace.tb_lineno) if trace is not None else None
