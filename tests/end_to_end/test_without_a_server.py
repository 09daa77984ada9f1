"""Where the warm server cannot run, every step takes a fresh pytest, and the fix is found all the same."""

from pathlib import Path

from pytest_buddy.testing import Project
from tests.end_to_end.projects import RED

NO_FORK = "import os\nif hasattr(os, 'fork'):\n    del os.fork\n"


def test_no_fork(tmp_path: Path) -> None:
    project = Project(tmp_path, {**RED, "conftest.py": NO_FORK})
    run = project.pytest("-q", "--buddy", "--buddy-budget", "20", "--buddy-report", "json:.buddy/report.json")
    assert run.exit == 1
    report = run.report
    assert report["summary"]["fixed"] == 1
    assert report["faults"][0]["patches"][0]["verdict"]["confirmed"]
    assert report["faults"][0]["suspects"][0]["function"] == "shop.clamp.clamp"
    assert any("fresh pytest for every step" in notice for notice in report["notices"])
    assert project.processes() == ()
