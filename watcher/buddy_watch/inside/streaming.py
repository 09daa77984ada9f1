"""Reports of tests -> one message for each test, sent as soon as it has ended."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_buddy.capture import kept, text_of
from pytest_buddy.messages import Message

_FAILURE = "buddy_failure"
_PHASES = ("collect", "setup", "call", "teardown")
_FAILED = {"setup": "error", "call": "failed", "teardown": "error"}
_TOUCHED = "buddy_touched"


class Streamer:
    """Hears the reports of a run, those of distributed workers too."""

    def __init__(self, say: Callable[[Message], None]) -> None:
        self._say = say
        self._open: dict[str, Message] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected is an error of its own."""
        if report.failed:
            message = {"test": report.nodeid, "status": "error", "seconds": 0.0}
            self._say({"ran": {**message, "failure": _failure(report, "collect")}})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Merge set-up, call and tear-down; the first failure tells why."""
        test = report.nodeid
        message = self._open.setdefault(test, {"test": test, "status": "", "seconds": 0.0})
        message["seconds"] += report.duration
        status = _status(report)
        if status in ("failed", "error", "crashed"):
            message["status"] = status
            if "failure" not in message:
                message["failure"] = _failure(report, report.when)
        elif status == "rerun":
            self._open[test] = {"test": test, "status": "", "seconds": message["seconds"]}
        elif status and not message["status"]:
            message["status"] = status
        touched = getattr(report, _TOUCHED, None)
        if touched is not None:
            message["touched"] = touched
        if report.when not in _PHASES:
            self._send(test)  # a worker has crashed: nothing more will come

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """The test is over."""
        self._send(nodeid)

    def rest(self) -> None:
        """Send what never came to its end, as a run that is broken off leaves it."""
        for test in list(self._open):
            self._send(test)

    def _send(self, test: str) -> None:
        message = self._open.pop(test, None)
        if message is not None and message["status"]:
            self._say({"ran": message})


def _status(report: pytest.TestReport) -> str:
    """What this report alone makes of its test; nothing when it says nothing."""
    outcome: str = report.outcome
    expected = hasattr(report, "wasxfail")
    if outcome == "passed":
        return ("xpassed" if expected else "passed") if report.when == "call" else ""
    if outcome == "failed":
        return _FAILED.get(str(report.when), "crashed")
    if outcome == "skipped":
        return "xfailed" if expected else "skipped"
    return outcome


def _failure(report: Any, phase: str) -> str:
    """The failure as the text that the recorder has put on the report, or from what the report tells."""
    if phase not in _PHASES:
        phase = "call"
    text: str | None = getattr(report, _FAILURE, None)
    if text is not None and getattr(report, "context", None) is None:
        return text
    return text_of(kept(report.nodeid, phase, report, text))
