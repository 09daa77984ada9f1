"""Without a sandbox candidates run only when the person says so: never because the project does."""

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.projects import RED

_NONE = '[tool.pytest-buddy]\nsandbox = "none"\n'
_REFUSED = "Candidate fixes are programs that nobody has read"


def _fixed(run) -> int:
    assert len(run.report["faults"]) == 1, run.out  # where and why is told in any case
    return run.report["summary"]["fixed"]


@pytest.mark.parametrize("ci", [None, "true"])
@pytest.mark.parametrize(
    ("files", "env"),
    [
        ({"pyproject.toml": _NONE}, {}),
        ({"pytest.ini": "[pytest]\naddopts = --buddy-sandbox none\n"}, {}),
        ({}, {"PYTEST_BUDDY_SANDBOX": "none"}),
    ],
    ids=["settings", "addopts", "variable"],
)
def test_settings_are_not_the_persons_word(tmp_path, files, env, ci):
    run = Project(tmp_path, RED | files).pytest("--buddy", env={"CI": ci, **env})
    assert _fixed(run) == 0
    assert _REFUSED in run.out
    assert "--buddy-sandbox none" in run.out


@pytest.mark.parametrize("words", [("--buddy-sandbox", "none"), ("--buddy-sandbox=none",)])
def test_the_command_line_is(tmp_path, words):
    run = Project(tmp_path, RED).pytest("--buddy", *words, env={"CI": "true"})
    assert _fixed(run) == 1
    assert run.report["sandbox"] == "none"
    assert _REFUSED not in run.out


def test_a_terminal_is_asked(tmp_path):
    project = Project(tmp_path, RED | {"pyproject.toml": _NONE})
    for answer, fixed in (("n", 0), ("y", 1)):
        with project.terminal("--buddy") as terminal:
            terminal.until("Run them anyway? [y/N]")
            terminal.type(f"{answer}\r")
            if fixed:
                terminal.until("[q]uit")
                terminal.type("q\r")
            assert _fixed(terminal.finish()) == fixed


def test_a_level_that_is_not_to_be_had_is_said_with_what_to_do(tmp_path):
    sitecustomize = (
        "import pytest_buddy.runner.sandbox.probing as probing\n"
        "probing.attack = lambda *_: ('unshare: Operation not permitted', '')\n"
    )
    project = Project(tmp_path, RED)
    Project(tmp_path, {"sitecustomize.py": sitecustomize}, name="hooks")
    env = {"PYTHONPATH": str(tmp_path / "hooks")}
    run = project.pytest("--buddy", "--buddy-sandbox", "full", env=env)
    assert run.exit == 1
    assert "buddy: The sandbox level 'full' is not to be had: full: unshare" in run.out
    assert "INTERNALERROR" not in run.out
    auto = project.pytest("--buddy", env=env)
    assert _fixed(auto) == 0
    assert _REFUSED in auto.out
