"""The section after pytest's own output."""

import re
import subprocess
import sys
import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from pytest_buddy.domain import Diagnosis, Failure, Fault, Patch, Proposal, Verdict
from pytest_buddy.redact import Redactor
from pytest_buddy.response import render_diagnosis
from pytest_buddy.source import Source

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
        "huge",
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


def test_huge_texts_cost_little(samples):
    sample = samples["huge"]
    started = time.process_time()
    render_diagnosis(sample.diagnosis, sample.sources, color=True)
    assert time.process_time() - started < 2


def test_a_secret_of_several_lines_is_redacted_in_diff_and_code(samples):
    body = "\n".join("aB3" * 20 + str(number) for number in range(6))
    key = f"KEY = '''-----BEGIN RSA PRIVATE {'KEY'}-----\n{body}\n-----END RSA PRIVATE {'KEY'}-----'''\n"
    fault = samples["fixed"].diagnosis.faults[0]
    lines = "".join(f"+{line}\n" for line in key.splitlines())
    diff = f"--- a/pkg/x.py\n+++ b/pkg/x.py\n@@ -0,0 +1,8 @@\n{lines}"
    suspect = replace(fault.suspects[0], line=1, end_line=8)
    fault = replace(fault, suspects=(suspect,), proposals=(replace(fault.proposals[0], diff=diff),))
    diagnosis = replace(samples["fixed"].diagnosis, faults=(fault,))
    source = Source(path="pkg/x.py", module="pkg.x", content=key.encode())
    shown = render_diagnosis(diagnosis, {"pkg/x.py": source}, redact=Redactor().redact)
    assert "aB3" not in shown
    assert shown.count("<SECRET:private_key:") == 2


@given(text=st.text(), width=st.integers(20, 100), color=st.booleans(), ascii_only=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_text_is_shown_within_the_lines(text, width, color, ascii_only):
    failure = Failure(test=text, phase="call", error_type=text[:9], message=text)
    patch = Patch(edits=(), origin="template:x", rationale=(text,))
    verdict = Verdict(outcome="fixed", confirmed=True)
    diff = f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{text}\n+{text}x\n"
    fault = Fault(
        id="f1",
        tests=(text,),
        note=text,
        proposals=(Proposal(patch=patch, diff=diff, verdict=verdict, changed_lines=1),),
    )
    diagnosis = Diagnosis(failures=(failure,), faults=(fault,), notices=(text,))
    shown = _STYLE.sub("", render_diagnosis(diagnosis, {}, width=width, color=color, ascii=ascii_only))
    for line in shown.split("\n"):
        assert cell_len(line) <= width
        assert all(unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for ch in line)
        assert line.isascii() or not ascii_only


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


def test_failures_without_a_fault_are_said_to_be():
    text = render_diagnosis(Diagnosis(failures=(), failed=3, notices=("the runner stopped\nRun again.",)), {})
    assert text == (
        "3 failing tests · no fault located · 0.0 s\n\nnote: the runner stopped\n      Run again.\n"
    )


@pytest.mark.parametrize("verbosity", [-2, -1])
def test_a_quiet_section_still_tells_of_ties_and_failed_searches(samples, verbosity):
    for name, words in (("no_fix", "no fix found"), ("tie", "buddy apply")):
        sample = samples[name]
        assert words in render_diagnosis(sample.diagnosis, sample.sources, verbosity=verbosity)
    tie = render_diagnosis(samples["tie"].diagnosis, samples["tie"].sources, verbosity=-1)
    assert "one of 4 lines that coverage cannot tell apart" in tie


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
