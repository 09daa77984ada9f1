"""Events on plain lines and as JSON."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import get_args

import pytest

from buddy_watch.screen import EventLines
from pytest_buddy.domain import (
    Event,
    FaultLocated,
    FaultSettled,
    FixConfirmed,
    Intent,
    NoticeGiven,
    PatchHandled,
    RunEnded,
    RunStarted,
    SearchAdvanced,
    StepStarted,
    VerdictReached,
    WorkEnded,
    WorkStarted,
)
from pytest_buddy.redact import Redactor
from tests.watch.screen_scenes import DISCOUNT, DISCOUNT_FIX, HIGH, SCENES

EVENTS: tuple[Event, ...] = (
    RunStarted(run=3, selected=2, of=14, why="changed:shop/cart.py"),
    VerdictReached(run=3, test=HIGH, status="failed", seconds=0.0123, message="assert 0 == 900"),
    RunEnded(run=3, passed=1, failed=1, seconds=0.041),
    WorkStarted(failed=1, passed=13),
    StepStarted(step="confirm"),
    FaultLocated(fault=DISCOUNT),
    SearchAdvanced(fault="f1", candidates=20, passing=1, seconds=0.2),
    FixConfirmed(fault="f1", proposal=DISCOUNT_FIX),
    FaultSettled(fault=DISCOUNT),
    WorkEnded(diagnosis=SCENES["fixed"].diagnosis),
    PatchHandled(action="applied", patch=DISCOUNT_FIX.patch.id, paths=("shop/cart.py",)),
    NoticeGiven(text="looking every second", hint="raise the limit"),
)


def _written(*events: Event, json: bool = False) -> list[str]:
    stream, heard = io.StringIO(), []
    lines = EventLines(stream, heard.append, json=json, redactor=Redactor())
    for event in events:
        lines.event(event)
    assert heard == []
    return stream.getvalue().splitlines()


def test_every_kind_of_event_is_tried():
    assert {type(event) for event in EVENTS} == set(get_args(Event))


def test_plain_lines_are_what_is_promised():
    assert _written(*EVENTS[:3], *EVENTS[5:6], *EVENTS[7:8]) == [
        "run START selected=2 of=14 why=changed:shop/cart.py",
        f"verdict failed {HIGH} 12",
        "run END passed=1 failed=1 ms=41",
        "fault f1 shop/cart.py:21 shop.cart.discounted",
        f"fix {DISCOUNT_FIX.patch.id} confirmed shop/cart.py +1 -1",
    ]


def test_every_event_is_one_json_object_with_its_kind():
    lines = _written(*EVENTS, json=True)
    assert [json.loads(line)["kind"] for line in lines] == [event.kind for event in EVENTS]
    fix = json.loads(lines[7])["proposal"]
    assert fix["patch"]["id"] == DISCOUNT_FIX.patch.id
    assert fix["diff"] == DISCOUNT_FIX.diff
    assert "replacement" not in lines[7]
    assert json.loads(lines[0]) == {
        "kind": "run-started",
        "run": 3,
        "selected": 2,
        "of": 14,
        "why": "changed:shop/cart.py",
        "background": False,
    }


@pytest.mark.parametrize("as_json", [False, True])
def test_secrets_and_control_characters_stay_in(as_json):
    key = "AKIA" + "Q3EGTNLXH5WPZ7VY"
    diff = DISCOUNT_FIX.diff.replace("// 100", f"// '{key}'")
    events = (
        VerdictReached(run=1, test="tests/test_x.py::test_a[\x1b[2J]", status="failed", message=key),
        NoticeGiven(text=f"key {key}", hint=key),
        FixConfirmed(fault="f1", proposal=replace(DISCOUNT_FIX, diff=diff)),
        WorkEnded(diagnosis=replace(SCENES["fixed"].diagnosis, notices=(key,))),
    )
    written = "\n".join(_written(*events, json=as_json))
    assert key not in written
    assert "\x1b" not in written


@pytest.mark.parametrize("as_json", [False, True])
def test_odd_text_is_written_on_a_narrow_encoding(as_json):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    lines = EventLines(stream, [].append, json=as_json)
    lines.event(NoticeGiven(text="漢字 \udce9 é"))
    assert len(raw.getvalue().splitlines()) == 1


class Gone(io.StringIO):
    """A stream that nobody reads."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_closed_pipe_ends_the_loop_once():
    heard: list[Intent] = []
    lines = EventLines(Gone(), heard.append)
    for event in EVENTS:
        lines.event(event)
    assert [intent.verb for intent in heard] == ["quit"]


_PROGRAM = """
import sys
from buddy_watch.screen import EventLines
from pytest_buddy.domain import NoticeGiven
heard = []
lines = EventLines(sys.stdout, heard.append)
lines.event(NoticeGiven(text="one"))
sys.stdin.readline()
while not heard:
    lines.event(NoticeGiven(text="two"))
print("more that nobody reads")
"""


def test_lines_are_flushed_and_a_reader_that_leaves_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": ""},
    ) as program:
        assert program.stdout.readline() == b"notice one\n"
        program.stdout.close()
        program.stdin.write(b"\n")
        program.stdin.close()
        assert program.stderr.read() == b""
        assert program.wait(20) == 0
