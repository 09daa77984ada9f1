"""The pytest plugin that watches a plain run: outcomes of all tests, details of the failures."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from pytest_buddy.capture.failures import FailureMaker, compared
from pytest_buddy.codec import decode, encode
from pytest_buddy.domain import Baseline, Comparison, Failure, Outcome, Phase, Status
from pytest_buddy.workspace import Workspace

_MOST_DETAILED = 200
_ATTRIBUTE = "buddy_failure"


class Recorder:
    """Registered for one session, in every xdist worker and in the controller.

    Where a test runs, its failure is written onto the report as text; where reports arrive, they are read.
    A green test costs a dictionary entry.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._maker = FailureMaker(workspace)
        self._comparison: Comparison | None = None
        self._detailed = 0
        self._outcomes: dict[str, tuple[Status, float, str, str]] = {}
        self._failures: dict[tuple[str, str], Failure] = {}
        self.seconds = 0.0
        self.problem = ""
        self.broken_off = False

    def baseline(self, args: tuple[str, ...]) -> Baseline:
        """What the run showed."""
        outcomes = tuple(
            Outcome(test=test, status=status, seconds=seconds, error_type=kind, message=message)
            for test, (status, seconds, kind, message) in self._outcomes.items()
        )
        return Baseline(
            outcomes=outcomes, failures=tuple(self._failures.values()), args=args, seconds=self.seconds
        )

    @property
    def red(self) -> bool:
        """Whether anything failed so far."""
        return any(entry[0] in ("failed", "error") for entry in self._outcomes.values())

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Keep the two sides of the comparison that fails."""
        if self._detailed < _MOST_DETAILED:
            self._comparison = self._guarded(compared, op, left, right)

    def pytest_runtest_setup(self) -> None:
        """Forget the comparison of the test before."""
        self._comparison = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Write the failure onto the report."""
        report = cast(Any, (yield))
        if call.excinfo is not None and report.failed and self._detailed < _MOST_DETAILED:
            self._detailed += 1
            comparison = self._comparison if isinstance(call.excinfo.value, AssertionError) else None
            failure = self._guarded(
                self._maker.make,
                item.nodeid,
                cast(Phase, report.when),
                call.excinfo.value,
                comparison=comparison,
                sections=report.sections,
            )
            self._comparison = None
            if failure is not None:
                setattr(report, _ATTRIBUTE, json.dumps(encode(failure)))
        return cast(None, report)

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any], report: Any
    ) -> None:
        """Write the failure of a collector onto its report."""
        collecting = isinstance(node, pytest.Collector) and call.excinfo is not None
        if collecting and self._detailed < _MOST_DETAILED:
            assert call.excinfo is not None
            self._detailed += 1
            failure = self._guarded(self._maker.make, node.nodeid, "collect", call.excinfo.value)
            if failure is not None:
                setattr(report, _ATTRIBUTE, json.dumps(encode(failure)))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Notice that the person broke the run off; what pytest itself gave up is worked on."""
        self.broken_off = not issubclass(excinfo.type, pytest.Session.Interrupted)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep failed collections as outcomes of their own."""
        if report.failed:
            self._guarded(self._keep, report.nodeid, "collect", report)
            self._outcomes[report.nodeid] = ("error", 0.0, *self._summary(report.nodeid, "collect"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how the test ended; set-up and tear-down count when they fail."""
        test, when = report.nodeid, report.when
        if report.failed:
            self._guarded(self._keep, test, when, report)
            status: Status = "failed" if when == "call" else "error"
            self._outcomes[test] = (status, self._spent(test, report), *self._summary(test, when))
        elif when == "call":
            before = self._outcomes.get(test)
            if before is None or before[0] not in ("failed", "error"):
                expected = hasattr(report, "wasxfail")
                passed: Status = "xpassed" if expected else "passed"
                status = passed if report.passed else "xfailed" if expected else "skipped"
                self._outcomes[test] = (status, report.duration, "", "")
        elif report.skipped:
            self._outcomes[test] = ("xfailed" if hasattr(report, "wasxfail") else "skipped", 0.0, "", "")

    def _spent(self, test: str, report: pytest.TestReport) -> float:
        before = self._outcomes.get(test)
        return report.duration + (before[1] if before is not None else 0.0)

    def _summary(self, test: str, phase: str) -> tuple[str, str]:
        failure = self._failures.get((test, phase))
        return (failure.error_type, failure.message[:300]) if failure is not None else ("", "")

    def _keep(self, test: str, phase: str, report: pytest.TestReport | pytest.CollectReport) -> None:
        text = getattr(report, _ATTRIBUTE, None)
        if len(self._failures) >= _MOST_DETAILED:
            return
        failure = decode(Failure, json.loads(text)) if text is not None else _bare(test, phase, report)
        context = getattr(report, "context", None)
        if context is not None:
            subtest = str(context.msg or dict(context.kwargs))
            failure = decode(Failure, {**encode(failure), "subtest": subtest})
        elif (test, phase) in self._failures:
            return
        self._failures.setdefault((test, phase), failure)

    def _guarded(self, make: Any, *arguments: Any, **named: Any) -> Any:
        """Call our own code; a fault of ours becomes a problem to report, never the user's."""
        try:
            return make(*arguments, **named)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  the user's run goes on whatever went wrong here
            self.problem = f"{type(error).__name__}: {error}"
            return None


def _bare(test: str, phase: str, report: pytest.TestReport | pytest.CollectReport) -> Failure:
    """What a report without details tells: a crashed worker, a plugin's own report."""
    text = report.longreprtext.strip()
    crashed = "crashed" in text and "worker" in text
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    return Failure(
        test=test,
        phase=cast(Phase, phase),
        error_type="Crash" if crashed else "Error",
        message=(last[2:] if last.startswith("E ") else last).strip()[:1000],
        kind="other",
    )
