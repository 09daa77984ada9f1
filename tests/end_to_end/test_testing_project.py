"""The harness itself: it sees what it promises to see."""

import os
import signal
from pathlib import Path

import pytest

from pytest_buddy.errors import BuddyError
from pytest_buddy.testing import Project

MIXED = """\
import pytest


def test_passes():
    pass


def test_fails():
    assert 0


@pytest.mark.skip
def test_skipped():
    pass


@pytest.fixture
def broken():
    raise ValueError


def test_error(broken):
    pass
"""


@pytest.mark.parametrize("words", [(), ("-q",), ("--color=yes",)])
def test_counts_are_those_of_the_last_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    run = Project(tmp_path, {"test_it.py": MIXED}).pytest(*words)
    assert run.exit == 1
    if "--color=yes" not in words:
        assert run.counts == {"failed": 1, "passed": 1, "skipped": 1, "error": 1}
    with pytest.raises(BuddyError, match="no report"):
        run.report  # noqa: B018


def test_processes_that_stay_behind_are_seen(tmp_path: Path) -> None:
    leaver = """\
import subprocess, sys


def test_leaves():
    code = "print('ready', flush=True); import signal; signal.pause()"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout.readline() == b"ready\\n"
"""
    project = Project(tmp_path, {"test_it.py": leaver})
    other = Project(tmp_path / "other", {})
    assert project.pytest("-q", "-W", "ignore").exit == 0
    (left,) = project.processes()
    assert "signal.pause" in left
    assert other.processes() == ()
    os.kill(int(left.partition(":")[0]), signal.SIGKILL)


def test_changed_new_and_lost_files_are_seen(tmp_path: Path) -> None:
    project = Project(tmp_path, {"a.py": "A = 1\n", "b/c.txt": b"\xff", "test_it.py": MIXED})
    before = project.tree()
    project.pytest("-q")
    assert project.tree() == before == {"a.py": b"A = 1\n", "b/c.txt": b"\xff", "test_it.py": MIXED.encode()}
    project.write({"a.py": "A = 2\n", ".hidden": ""})
    assert project.tree() == {**before, "a.py": b"A = 2\n", ".hidden": b""}


def test_what_never_ends_is_ended(tmp_path: Path) -> None:
    project = Project(tmp_path, {})
    with pytest.raises(BuddyError, match=r"within 0\.5 s"):
        project.python("-c", "import signal; signal.pause()", timeout=0.5)
    assert project.processes() == ()


def test_a_terminal_tells_when_a_text_never_comes(tmp_path: Path) -> None:
    project = Project(tmp_path, {"test_it.py": "def test_it():\n    pass\n"})
    with project.terminal() as terminal:
        assert "test session starts" in terminal.until("collected")
        with pytest.raises(BuddyError, match="never shown"):
            terminal.until("no such text")
        run = terminal.finish()
    assert run.exit == 0
    assert "1 passed" in run.out


def test_the_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--absent")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    project = Project(tmp_path, {"test_it.py": "def test_it():\n    pass\n"})
    assert project.pytest("-q").exit == 0
    assert list(project.root.glob("__pycache__/test_it*.pyc"))
    assert not {"CI", "PYTEST_ADDOPTS"} & set(project.environment({}))
