"""A person at the full screen: keys are pressed, what is shown is read."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_buddy import processes
from pytest_buddy.testing import Project, Terminal
from tests.watch.test_watch_end_to_end import BROKEN, FILES, SHOP

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@contextmanager
def at_the_screen(project, *arguments, env=None):
    import pty

    ours, theirs = pty.openpty()
    processes_environment = project.environment(
        {"TERM": "xterm-256color", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": None, **(env or {})}
    )
    process = processes.python_on_terminal(
        ["-P", "-m", "buddy_watch", *arguments],
        cwd=project.root,
        environment=processes_environment,
        terminal=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours, project._run)
    finally:
        processes.end_session(process)
        os.close(ours)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, FILES)


def test_a_fix_is_applied_with_one_key_and_taken_back_with_another(project):
    project.write({"shop.py": BROKEN})
    with at_the_screen(project) as screen:
        screen.until("2 failed")
        screen.until("fix  ")
        screen.until("a apply")
        screen.type("a")
        screen.until("all 4 tests pass")
        assert project.read("shop.py") == SHOP
        screen.type("u")
        screen.until("2 failed")
        assert project.read("shop.py") == BROKEN
        screen.type("q")
        assert screen.finish().exit == 0
    assert project.processes(patience=5.0) == ()


def test_keys_choose_what_runs(project):
    project.write({"shop.py": BROKEN})
    with at_the_screen(project) as screen:
        screen.until("2 failed")
        screen.type("f")
        screen.until("failed only")
        screen.type("f")
        screen.type("k")
        screen.type("cheapest\r")
        screen.until("filter:cheapest")
        screen.type("A")
        screen.until("all 4 tests")
        screen.type("h")
        screen.until("write the fix into the files")
        screen.interrupt()
        assert screen.finish().exit == 0


def test_the_editor_is_opened_at_the_first_suspect(project, tmp_path):
    noted = tmp_path / "noted"
    editor = tmp_path / "vim"
    editor.write_text(f'#!/bin/sh\necho "$@" > "{noted}"\n')
    editor.chmod(0o755)
    project.write({"shop.py": BROKEN})
    with at_the_screen(project, env={"EDITOR": str(editor)}) as screen:
        screen.until("shop.py:7")
        screen.type("o")
        screen.until("tests")
        screen.type("q")
        screen.finish()
    line, _, path = noted.read_text().strip().partition(" ")
    assert line == "+7"
    assert Path(path) == project.root / "shop.py"


def test_without_a_fix_the_keys_say_so(project):
    with at_the_screen(project) as screen:
        screen.until("all 4 tests pass")
        screen.type("a")
        screen.until("no fix")
        screen.type("o")
        screen.until("no suspect")
        screen.type("q")
        assert screen.finish().exit == 0
