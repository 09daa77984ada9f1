"""The section after pytest's own output."""

import re
import subprocess
import sys
import unicodedata

import pytest
from rich.cells import cell_len

from pytest_buddy.domain import Diagnosis
from pytest_buddy.response import render_diagnosis

_STYLE = re.compile(r"\x1b\[[0-9;]*m")

CASES = [
    (name, 80, 0, False)
    for name in (
        "fixed",
        "tie",
        "no_fix",
        "exhausted",
        "several",
        "flaky",
        "thousands",
        "collection",
        "long_diff",
        "hostile",
        "wide",
    )
] + [
    ("fixed", 40, 0, False),
    ("wide", 40, 0, False),
    ("fixed", 200, 0, False),
    ("several", 80, -1, False),
    ("several", 80, -2, False),
    ("thousands", 80, -1, False),
    ("thousands", 80, -2, False),
    ("long_diff", 80, 1, False),
    ("several", 80, 0, True),
    ("wide", 80, 0, True),
]


@pytest.mark.parametrize(("name", "width", "verbosity", "ascii_only"), CASES)
def test_section_is_the_golden_one(samples, check_golden, name, width, verbosity, ascii_only):
    sample = samples[name]
    text = render_diagnosis(
        sample.diagnosis, sample.sources, width=width, verbosity=verbosity, ascii=ascii_only
    )
    suffix = "_ascii" if ascii_only else ""
    check_golden(f"{name}_{width}_{verbosity}{suffix}.txt", text)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("verbosity", [-2, -1, 0, 1])
def test_no_line_is_wider_than_asked(samples, width, verbosity):
    for sample in samples.values():
        text = render_diagnosis(sample.diagnosis, sample.sources, width=width, verbosity=verbosity)
        assert max(map(cell_len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 80, 200])
def test_section_stays_short_however_much_failed(samples, width):
    for sample in samples.values():
        text = render_diagnosis(sample.diagnosis, sample.sources, width=width)
        assert text.count("\n") <= 120


def test_colour_adds_styles_and_nothing_else(samples):
    for sample in samples.values():
        plain = render_diagnosis(sample.diagnosis, sample.sources)
        colored = render_diagnosis(sample.diagnosis, sample.sources, color=True)
        assert colored != plain
        assert _STYLE.sub("", colored) == plain


def test_coloured_section_is_the_golden_one(samples, check_golden):
    sample = samples["fixed"]
    check_golden("fixed_80_color.ansi", render_diagnosis(sample.diagnosis, sample.sources, color=True))


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("name", ["hostile", "fixed", "several"])
def test_text_of_the_program_is_never_obeyed(samples, name, color):
    sample = samples[name]
    text = render_diagnosis(sample.diagnosis, sample.sources, color=color)
    left = _STYLE.sub("", text).replace("\n", "")
    bad = [ch for ch in left if unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert bad == []
    text.encode()


def test_markup_is_shown_as_it_is(samples):
    sample = samples["hostile"]
    text = render_diagnosis(sample.diagnosis, sample.sources, width=200)
    assert "[blink]x[/blink]" in text
    assert "[link=x]y[/link]" in text


def test_ascii_section_is_ascii(samples):
    for sample in samples.values():
        text = render_diagnosis(sample.diagnosis, sample.sources, ascii=True, verbosity=1)
        assert text.isascii()


def test_nothing_is_said_of_a_green_run():
    assert render_diagnosis(Diagnosis(failures=()), {}) == ""


def test_environment_does_not_change_the_section(samples, monkeypatch):
    sample = samples["fixed"]
    before = render_diagnosis(sample.diagnosis, sample.sources, color=True)
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb"), ("COLUMNS", "33"), ("FORCE_COLOR", "")):
        monkeypatch.setenv(name, value)
    assert render_diagnosis(sample.diagnosis, sample.sources, color=True) == before


def test_every_text_of_the_program_is_redacted(samples):
    sample = samples["fixed"]
    text = render_diagnosis(
        sample.diagnosis, sample.sources, redact=lambda text: re.sub("clamp|smaller|test_x", "#", text)
    )
    assert not re.search("clamp|smaller|test_x", text)


def test_importing_the_room_leaves_rich_alone():
    code = "import sys, pytest_buddy.response; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
