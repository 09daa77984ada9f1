"""The pytest plugin that watches a plain run; a green test costs it a dictionary entry.

Everything that is only needed for failures is loaded at the first one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from pytest_buddy.capture.failures import FailureMaker
    from pytest_buddy.domain import Baseline, Comparison, Failure, Status

_MOST_DETAILED = 200
_ATTRIBUTE = "buddy_failure"


class Recorder:
    """Registered for one session, in every xdist worker and in the controller.

    Where a test runs, its failure is written onto the report as text; where reports arrive, they are read.
    """

    def __init__(self, rootdir: Path) -> None:
        self._rootdir = rootdir
        self._maker: FailureMaker | None = None
        self._comparison: Comparison | None = None
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
        failures = tuple(self._failures.values())
        return Baseline(outcomes=tuple(outcomes), failures=failures, args=args, seconds=seconds)

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> None:
        """Keep the two sides of the comparison that fails."""
        if self._detailed < _MOST_DETAILED:
            self._comparison = self._guarded(self._compared, op, left, right)

    def _compared(self, op: str, left: object, right: object) -> Comparison:
        from pytest_buddy.capture.failures import compared

        return compared(op, left, right)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Write the failure onto the report."""
        report = cast(Any, (yield))
        if call.excinfo is not None and report.failed and self._detailed < _MOST_DETAILED:
            error = call.excinfo.value
            compared = self._comparison if isinstance(error, AssertionError) else None
            self._detail(
                report, item.nodeid, report.when, error, comparison=compared, sections=report.sections
            )
        self._comparison = None
        return cast(None, report)

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[Any], report: Any
    ) -> None:
        """Write the failure of a collector onto its report."""
        collecting = isinstance(node, pytest.Collector) and call.excinfo is not None
        if collecting and self._detailed < _MOST_DETAILED:
            assert call.excinfo is not None
            self._detail(report, node.nodeid, "collect", call.excinfo.value)

    def _detail(self, report: Any, *arguments: Any, **named: Any) -> None:
        self._detailed += 1
        text = self._guarded(self._described, *arguments, **named)
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
        """Keep how the test ended; set-up and tear-down count when they fail."""
        test, when = report.nodeid, report.when
        if report.failed:
            self.red = True
            self._guarded(self._keep, test, when, report)
            spent = self._outcomes[test][1] if test in self._outcomes else 0.0
            self._outcomes[test] = ("failed" if when == "call" else "error", spent + report.duration)
        elif when == "call":
            before = self._outcomes.get(test)
            if before is None or before[0] not in ("failed", "error"):
                expected = hasattr(report, "wasxfail")
                passed: Status = "xpassed" if expected else "passed"
                status: Status = passed if report.passed else "xfailed" if expected else "skipped"
                self._outcomes[test] = (status, report.duration)
        elif report.skipped:
            self._outcomes[test] = ("xfailed" if hasattr(report, "wasxfail") else "skipped", 0.0)

    def _keep(self, test: str, phase: str, report: pytest.TestReport | pytest.CollectReport) -> None:
        if len(self._failures) >= _MOST_DETAILED:
            return
        from pytest_buddy.capture.failures import kept

        failure = kept(test, phase, report, getattr(report, _ATTRIBUTE, None))
        if failure.subtest or (test, phase) not in self._failures:
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
