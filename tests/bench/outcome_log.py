"""A pytest plugin that writes how every test ended to $BENCH_OUTCOMES, as one JSON object."""

import json
import os
from pathlib import Path

import pytest

_RANK = {"passed": 0, "skipped": 1, "failed": 2}


class OutcomeLog:
    """Collects reports; of several for one test the worst counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, str] = {}
        self.collection_errors: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        known = self.outcomes.get(report.nodeid, "passed")
        self.outcomes[report.nodeid] = max(known, report.outcome, key=_RANK.__getitem__)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.collection_errors.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        data = {"outcomes": self.outcomes, "collection_errors": self.collection_errors}
        self.path.write_text(json.dumps(data), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.pop("BENCH_OUTCOMES", "")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(OutcomeLog(Path(path)))
