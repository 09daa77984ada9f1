"""Whole frames of the watch screen, compared with golden files; REWRITE_GOLDEN=1 writes them anew."""

import os
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from buddy_watch.screen import draw
from buddy_watch.screen.frame import Painter
from buddy_watch.values import RedTest, Scene, Standing
from pytest_buddy.domain import Diagnosis, Failure
from pytest_buddy.redact import Redactor
from tests.watch.screen_scenes import DISCOUNT, SCENES

GOLDEN = Path(__file__).parent / "golden"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_OBEYED = ("Cc", "Cf", "Cs", "Zl", "Zp")
SMALL = ("fixed", "green", "broken", "help", "two_faults")


def _check(name: str, lines: tuple[str, ...]) -> None:
    path = GOLDEN / name
    text = "".join(line.rstrip() + "\n" for line in lines)
    if os.environ.get("REWRITE_GOLDEN") == "1":
        path.write_bytes(text.encode())
    assert path.read_bytes().decode() == text


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
@pytest.mark.parametrize("name", SCENES)
def test_the_frame_is_the_golden_one(name, size):
    width, height = size
    _check(f"{name}_{width}x{height}.txt", draw(SCENES[name], width=width, height=height).lines)


@pytest.mark.parametrize("name", SMALL)
def test_a_small_terminal_shows_what_matters_most(name):
    _check(f"{name}_40x10.txt", draw(SCENES[name], width=40, height=10).lines)


def test_ascii_frames_are_ascii():
    for name, scene in SCENES.items():
        lines = draw(scene, width=80, height=24, ascii=True).lines
        assert "".join(lines).isascii(), name
    _check("fixed_80x24_ascii.txt", draw(SCENES["fixed"], width=80, height=24, ascii=True).lines)


def test_colour_adds_styles_of_the_sixteen_and_nothing_else():
    for scene in SCENES.values():
        plain = draw(scene, width=80, height=24).lines
        colored = draw(scene, width=80, height=24, color=True).lines
        assert tuple(_STYLE.sub("", line).rstrip() for line in colored) == tuple(
            line.rstrip() for line in plain
        )
        assert "38;" not in "".join(colored)
        assert "48;" not in "".join(colored)
    _check("fixed_80x24.ansi", draw(SCENES["fixed"], width=80, height=24, color=True).lines)


def test_the_body_scrolls_to_its_end_and_no_further():
    scene = SCENES["long_diff"]
    top = draw(scene, width=80, height=24)
    assert top.scroll == 0
    assert top.most > 100
    end = draw(scene, width=80, height=24, scroll=10_000)
    assert end.scroll == end.most == top.most
    body = "\n".join(end.lines)
    assert "confirmed by a fresh pytest" in body
    assert "fault f1" not in body
    below = draw(scene, width=80, height=24, scroll=5)
    assert below.lines[3:10] == top.lines[8:15]


def test_the_end_of_a_long_breakdown_is_shown_first():
    output = "\n".join(f"line {number}" for number in range(200)) + "\nE   the reason"
    frame = draw(replace(SCENES["broken"], output=output), width=80, height=24)
    assert frame.scroll == frame.most > 0
    assert "E   the reason" in "\n".join(frame.lines)


def test_only_keys_that_make_sense_are_offered():
    def keys(name: str) -> str:
        return draw(SCENES[name], width=200, height=24).lines[-1]

    for name in ("green", "red", "no_fix", "searching", "broken"):
        assert "apply" not in keys(name)
    assert all(word in keys("fixed") for word in ("a apply", "s stage", "d discard"))
    assert "undo" not in keys("fixed")
    assert "u undo" in keys("applied")
    assert "apply" not in keys("applied")
    assert "n next" in keys("two_faults")
    assert "n next" not in keys("fixed")
    assert all("h help" in keys(name) and "q quit" in keys(name) for name in SCENES if name != "asking")


def test_all_is_said_to_pass_only_when_all_has_been_run():
    def said(**changes: object) -> str:
        return "\n".join(draw(replace(SCENES["green"], **changes), width=80, height=24).lines)

    assert "all 14 tests pass" in said()
    assert "all 1" not in said(known=15)
    assert "14 of 15 tests" in said(known=15)
    assert "all 1" not in said(passed=13, skipped=1)
    assert "tests pass" not in said(passed=0, skipped=0)
    assert "tests pass" not in said(passed=13, failed=1)


def test_a_note_is_told_once_and_has_room_below_a_fault():
    first, second = (
        "no fix yet: the load is 5.8.\nIt starts by itself.",
        "no fix yet: the load is 6.1: It starts by itself.",
    )
    scene = replace(SCENES["fixed"], notices=(first, second))
    frame = draw(scene, width=80, height=24)
    text = "\n".join(frame.lines)
    assert text.count("no fix yet") == 1
    assert frame.most == 0
    assert "// 100" in text


def test_secrets_are_not_shown():
    key = "AKIA" + "Q3EGTNLXH5WPZ7VY"
    scene = replace(
        SCENES["red"],
        red=(RedTest(test="tests/test_x.py::test_a", status="failed", message=f"key {key}"),),
        why=f"changed {key}",
        progress=key,
        message=key,
        background=key,
        keyword=key,
        project=key,
    )
    broken = replace(SCENES["broken"], output=f"E  {key}", standing=Standing(state="broken", reason=key))
    for one in (scene, broken, replace(scene, asking=("keyword", key)), replace(scene, notices=(key,))):
        assert key in "\n".join(draw(one, width=200, height=50).lines)
        assert key not in "\n".join(draw(one, width=200, height=50, redact=Redactor().redact).lines)


@st.composite
def scenes(choose: st.DrawFn) -> Scene:
    text = choose(
        st.text(max_size=60)
        | st.sampled_from(["\x1b[2J\u202e\x9b31m", "漢字" * 30, "👩‍👩‍👧e\u0301", "\t\r\n"])
    )
    base = SCENES[choose(st.sampled_from(sorted(SCENES)))]
    fault = replace(DISCOUNT, tests=(text, *DISCOUNT.tests), note=text)
    failure = Failure(test=text, phase="call", error_type=text, message=text)
    return replace(
        base,
        project=text,
        why=text,
        progress=choose(st.sampled_from(["", text])),
        message=choose(st.sampled_from(["", text])),
        background=text,
        output=text * 3,
        path_filter=text,
        notices=(text,) * choose(st.integers(0, 3)),
        standing=Standing(state=choose(st.sampled_from(["starting", "warm", "cold", "broken"])), reason=text),
        asking=choose(st.none() | st.just((text, text))),
        red=choose(
            st.sampled_from([(), base.red, (RedTest(test=text, status="crashed", message=text),) * 30])
        ),
        diagnosis=choose(
            st.sampled_from([None, base.diagnosis, Diagnosis(failures=(failure,), faults=(fault,) * 3)])
        ),
        focus=choose(st.integers(0, 5)),
        done=choose(st.integers(0, 99)),
        failed=choose(st.integers(0, 10**7)),
    )


@given(shown=st.lists(scenes() | st.sampled_from(list(SCENES.values())), min_size=2, max_size=6))
@settings(max_examples=20, deadline=None)
def test_what_is_kept_of_the_last_frame_never_shows_in_another(shown):
    painter = Painter()
    for scene in (*shown, *(replace(one, done=one.done + 1, passed=3, why="x") for one in shown)):
        assert painter.draw(scene, width=80, height=24) == draw(scene, width=80, height=24)


@given(
    scene=scenes(),
    width=st.integers(1, 220) | st.integers(1, 30),
    height=st.integers(1, 60) | st.integers(1, 13),
    scroll=st.none() | st.integers(-3, 300),
    color=st.booleans(),
    ascii_only=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_scene_fits_any_terminal_and_is_never_obeyed(scene, width, height, scroll, color, ascii_only):
    frame = draw(scene, width=width, height=height, scroll=scroll, color=color, ascii=ascii_only)
    assert len(frame.lines) == height
    assert 0 <= frame.scroll <= frame.most
    for line in frame.lines:
        left = _STYLE.sub("", line)
        assert color or left == line
        assert cell_len(left) <= width
        assert all(unicodedata.category(character) not in _OBEYED for character in left)
        assert left.isascii() or not ascii_only
