"""A pytest plugin that writes outcome and `buddy_touched` of every test to $BENCH_TOUCHED, as JSON lines."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_RANK = {"passed": 0, "skipped": 1, "failed": 2}


class TouchedLog:
    """Collects reports; of several for one test the worst outcome counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, str] = {}
        self.touched: dict[str, Any] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        known = self.outcomes.get(report.nodeid, "passed")
        self.outcomes[report.nodeid] = max(known, report.outcome, key=_RANK.__getitem__)
        self.touched[report.nodeid] = getattr(report, "buddy_touched", None)

    def pytest_sessionfinish(self) -> None:
        rows = ([test, outcome, self.touched[test]] for test, outcome in self.outcomes.items())
        self.path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.pop("BENCH_TOUCHED", "")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(TouchedLog(Path(path)))
