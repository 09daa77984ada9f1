"""Run one collected test in this process and say how it ended."""

import copy
import os
import time
import unittest
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

import pytest

from pytest_buddy.messages import Message

_LONGEST_MESSAGE = 300
Around = Callable[[], Any]


class ReportLog:
    """A plugin that keeps the reports of the tests that run in this process."""

    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []
        self.errors: list[pytest.CollectReport] = []
        self.raised: BaseException | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report."""
        self.reports.append(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Keep the exception of the first phase that failed."""
        report = yield
        if call.excinfo is not None and self.raised is None and getattr(report, "failed", False):
            self.raised = call.excinfo.value
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep failed collections."""
        if report.failed:
            self.errors.append(report)


def _describe(error: BaseException) -> tuple[str, str]:
    try:
        message = str(error)
    except BaseException as problem:  # noqa: BLE001  the user's __str__ may raise anything
        message = f"<{type(problem).__name__} while writing the message>"
    return type(error).__name__, message[:_LONGEST_MESSAGE]


def _innermost(trace: TracebackType | None, prefix: str) -> tuple[str, int]:
    place = ("", 0)
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if filename.startswith(prefix) and "/site-packages/" not in filename:
            place = (filename[len(prefix) :].replace(os.sep, "/"), trace.tb_lineno)
        trace = trace.tb_next
    return place


def _outcome(status: str, seconds: float, error: BaseException | None, prefix: str) -> Message:
    message: Message = {"status": status, "seconds": round(seconds, 6)}
    if error is not None:
        message["error_type"], message["message"] = _describe(error)
        message["path"], message["line"] = _innermost(error.__traceback__, prefix)
    return message


class Execution:
    """Runs items of one collected session; `prefix` is the rootdir with a trailing separator."""

    def __init__(self, log: ReportLog, prefix: str) -> None:
        self._log = log
        self._prefix = prefix
        self._pristine: dict[str, Mapping[str, Any]] = {}
        self._used: set[str] = set()

    def by_protocol(self, item: pytest.Item, following: pytest.Item | None = None) -> Message:
        """Through pytest's own protocol, with reports: slow when red, right in every case."""
        self._prepare(item)
        self._log.reports.clear()
        self._log.raised = None
        before = time.process_time()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        seconds = time.process_time() - before
        return _outcome(self._status(item), seconds, self._log.raised, self._prefix)

    def _status(self, item: pytest.Item) -> str:
        status = "missing"
        for report in self._log.reports:
            if report.nodeid != item.nodeid:
                continue
            if report.failed:
                return "failed" if report.when == "call" else "error"
            expected = hasattr(report, "wasxfail")
            if report.skipped:
                status = "xfailed" if expected else "skipped"
            elif report.when == "call":
                status = "xpassed" if expected else "passed"
        return status

    def directly(self, item: pytest.Item) -> Message:
        """Through the set-up, call and tear-down hooks only: no reports, a quarter of the time."""
        self._prepare(item)
        self._log.reports.clear()
        before = time.process_time()
        error: BaseException | None = None
        status = "passed"
        try:
            item.ihook.pytest_runtest_setup(item=item)
            # Fixtures such as tmp_path look at the report of the set-up when they are torn down.
            nothing = pytest.CallInfo.from_call(lambda: None, "setup")
            item.ihook.pytest_runtest_makereport(item=item, call=nothing)
            item.ihook.pytest_runtest_call(item=item)
        except (pytest.skip.Exception, unittest.SkipTest) as skipped:
            status, error = "skipped", skipped
        except BaseException as raised:  # noqa: BLE001  whatever a test raises is its outcome
            status, error = "failed", raised
        try:
            item.ihook.pytest_runtest_teardown(item=item, nextitem=None)
        except BaseException as raised:  # noqa: BLE001
            status, error = "error", error or raised
        recorded = getattr(item, "_excinfo", None)
        if recorded:
            status, error = "failed", recorded[0].value
            item.__dict__.pop("_excinfo", None)
        if status == "passed" and any(report.failed for report in self._log.reports):
            status = "failed"
        return _outcome(status, time.process_time() - before, error, self._prefix)

    def _prepare(self, item: pytest.Item) -> None:
        """Give the item a fresh request, and fresh copies of its parameters, when it has run before."""
        specification = getattr(item, "callspec", None)
        if specification is not None and item.nodeid not in self._pristine:
            self._pristine[item.nodeid] = _copied(specification.params)
        if item.nodeid in self._used:
            if specification is not None:
                specification.params.update(_copied(self._pristine[item.nodeid]))
            initialise = getattr(item, "_initrequest", None)
            if initialise is not None:
                initialise()
        self._used.add(item.nodeid)


def _copied(parameters: Mapping[str, Any]) -> dict[str, Any]:
    copies: dict[str, Any] = {}
    for name, value in parameters.items():
        try:
            copies[name] = copy.deepcopy(value)
        except Exception:  # noqa: BLE001  a user's value may refuse; then all runs share it, as in pytest
            copies[name] = value
    return copies
