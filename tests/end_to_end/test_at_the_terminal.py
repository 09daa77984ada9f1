"""A person at a terminal: progress that goes away, one question, Ctrl-C, colour only where it is wanted."""

import contextlib
import os
import re
import select
import signal
import sys
from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, check_clean
from tests.end_to_end.projects import CLAMP, FIXED

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HOPELESS = {
    "shop.py": """\
import hashlib


def secret(word, salt, rounds, extra):
    result = word + salt
    for index in range(rounds):
        result = hashlib.sha256((result + extra + str(index)).encode()).hexdigest()
        if index % 3 == 1 and word > salt:
            result = result[::-1] + salt
        elif index % 5 == 2 or rounds < 7:
            result = extra + result.upper()
    return result


def other(first, second):
    total = first * 3 + second - 1
    if total > first and second < 10:
        total = total - first * 2
    return secret(str(total), str(first), total % 50, str(second))
""",
    "test_shop.py": """\
from shop import other, secret


def test_secret():
    assert secret("a", "b", 40, "c") == "no such text"


def test_other():
    assert other(4, 5) == "nor this"


def test_text():
    assert isinstance(secret("a", "b", 2, "c"), str)
""",
}


def shown_at_the_end(text: str) -> str:
    """What stays on the screen: erased lines and colours taken out."""
    return ESCAPE.sub("", "\n".join(line.rpartition("\r\x1b[K")[2] for line in text.split("\n")))


@pytest.mark.parametrize(
    ("keys", "content", "said"),
    [
        pytest.param("a\r", FIXED, "applied", id="apply"),
        pytest.param("d\r", CLAMP, "discarded", id="discard"),
        pytest.param("\x04", CLAMP, "", id="end_of_input"),
        pytest.param("\x03\r", CLAMP, "", id="ctrl_c"),  # return, for an input() that is not reading yet
        pytest.param("x\re\rA\r", FIXED, "Type one letter", id="explain_then_apply"),
    ],
)
def test_the_question_and_its_answers(red: Project, keys: str, content: str, said: str) -> None:
    with red.terminal(*QUICK) as terminal:
        before = terminal.until("[a]pply")
        assert "trying fixes for f1" in before
        terminal.until("> ")
        for key in keys.splitlines(keepends=True):
            terminal.type(key)
            if key != keys.splitlines(keepends=True)[-1]:
                terminal.until("[q]uit > ")
        run = terminal.finish()
    assert run.exit == 1
    assert said in run.out
    assert red.read("shop/clamp.py") == content
    visible = shown_at_the_end(run.out)
    assert "buddy: trying" not in visible
    assert "buddy: running" not in visible
    assert "internal error" not in visible
    assert "Traceback" not in visible
    assert red.processes() == ()


@pytest.mark.parametrize("how", ["key", "signal"])
def test_ctrl_c_while_searching_shows_what_is_known(tmp_path: Path, how: str) -> None:
    project = Project(tmp_path, HOPELESS)
    before = project.tree()
    with project.terminal("--tb=no", "--buddy", "--buddy-budget", "50") as terminal:
        terminal.until("trying fixes")
        if how == "key":
            terminal.interrupt()
        else:
            terminal.signal(signal.SIGINT)
        run = terminal.finish(timeout=20)
    assert run.exit == 1
    assert run.seconds < 30
    visible = shown_at_the_end(run.out)
    assert "interrupted" in visible
    assert "shop.py:" in visible
    assert "internal error" not in visible
    assert "Traceback" not in visible
    assert run.report["summary"]["failed"] == 2
    assert run.report["faults"]
    check_clean(project, before)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to be told of a process's end")
def test_nothing_survives_when_pytest_is_killed(tmp_path: Path) -> None:
    project = Project(tmp_path, HOPELESS)
    before = project.tree()
    with project.terminal("--tb=no", "--buddy", "--buddy-budget", "50") as terminal:
        terminal.until("trying fixes for f1")
        running = []
        for line in project.processes():
            with contextlib.suppress(ProcessLookupError):
                running.append(os.pidfd_open(int(line.partition(":")[0])))
        assert len(running) > 1
        terminal.signal(signal.SIGKILL)
        for handle in running:
            ended, _, _ = select.select([handle], [], [], 20)
            os.close(handle)
            assert ended
        assert terminal.finish().exit == -signal.SIGKILL
    assert not project.processes()
    assert project.tree() == before


@pytest.mark.parametrize(
    ("environment", "arguments", "coloured", "asked"),
    [
        pytest.param({}, (), True, True, id="terminal"),
        pytest.param({"NO_COLOR": "1"}, (), False, True, id="no_color"),
        pytest.param({}, ("--color=no",), False, True, id="color_no"),
        pytest.param({"CI": "true"}, (), True, False, id="ci"),
        pytest.param({"TERM": "dumb"}, (), False, False, id="dumb"),
    ],
)
def test_colour_and_questions_only_where_they_are_wanted(
    red: Project, environment: dict[str, str], arguments: tuple[str, ...], *, coloured: bool, asked: bool
) -> None:
    with red.terminal(*QUICK, *arguments, env=environment) as terminal:
        if asked:
            terminal.until("[q]uit > ")
            terminal.type("q\r")
        run = terminal.finish()
    assert run.exit == 1
    assert ("\x1b[3" in run.out) == coloured
    assert ("\x1b[K" in run.out) == asked
    assert ("[a]pply" in run.out) == asked
    assert "buddy apply" in run.out


def test_no_escape_codes_when_piped(red: Project) -> None:
    for environment in ({}, {"TERM": "xterm-256color", "COLORTERM": "truecolor"}):
        run = red.pytest(*QUICK, env=environment)
        assert "\x1b" not in run.out + run.err
        assert "\r" not in run.out
        assert "[a]pply" not in run.out
    shown = red.buddy("show", env={"TERM": "xterm-256color"})
    assert "\x1b" not in shown.out
