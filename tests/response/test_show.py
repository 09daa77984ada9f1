"""Kept proposals, plain events, the progress line, diffs line by line."""

from dataclasses import replace

import pytest

from pytest_buddy.domain import (
    Fault,
    FaultLocated,
    FaultSettled,
    FixConfirmed,
    NoticeGiven,
    PatchHandled,
    SearchAdvanced,
    StepStarted,
    WorkEnded,
    WorkStarted,
)
from pytest_buddy.response import ProgressLine, render_event, render_list, render_proposal
from pytest_buddy.response.diffs import changed, lines_of


@pytest.fixture
def fault(samples) -> Fault:
    return samples["fixed"].diagnosis.faults[0]


@pytest.mark.parametrize("status", ["open", "applied", "discarded"])
def test_proposal_is_the_golden_one(check_golden, fault, status):
    text = render_proposal(fault.proposals[0], fault=fault, status=status)
    check_golden(f"show_{status}.txt", text)


def test_proposal_shows_the_whole_diff(samples):
    proposal = samples["long_diff"].diagnosis.faults[0].proposals[0]
    assert "new = 199 + offset" in render_proposal(proposal)


def test_list_is_the_golden_one(check_golden, samples):
    first, second, third = samples["several"].diagnosis.faults
    near = samples["no_fix"].diagnosis.faults[0].proposals
    faults = (first, second, third, replace(second, id="f4", proposals=near))
    statuses = {first.proposals[0].patch.id: "applied", third.proposals[0].patch.id: "discarded"}
    check_golden("show_list.txt", render_list(faults, statuses))


def test_proposals_and_lists_are_redacted(fault):
    options = {"redact": lambda text: text.replace("smaller", "#").replace("clamp", "#")}
    assert "smaller" not in render_proposal(fault.proposals[0], fault=fault, **options)
    assert "clamp" not in render_list((fault,), {}, **options)


def test_empty_list_says_what_to_do():
    assert render_list((), {}) == "no proposals are kept: run pytest --buddy first\n"


def test_events_are_the_lines_of_the_plain_format(fault, samples):
    proposal = fault.proposals[0]
    known = {
        WorkStarted(failed=4, passed=8): "work START failed=4 passed=8",
        StepStarted(step="collect", detail="12 tests"): "step collect 12 tests",
        SearchAdvanced(fault="f1", candidates=4, passing=1, seconds=0.2): "search f1 candidates=4 passing=1",
        NoticeGiven(text="no git", hint="install it"): "notice no git (install it)",
        PatchHandled(action="applied", patch="ab12", paths=("pkg/x.py",)): "applied ab12 pkg/x.py",
    }
    for event, line in known.items():
        assert render_event(event) == line
    assert render_event(FaultLocated(fault=fault)) == "fault f1 pkg/x.py:8 pkg.x.clamp"
    confirmed = render_event(FixConfirmed(fault="f1", proposal=proposal))
    assert confirmed == f"fix {proposal.patch.id} confirmed pkg/x.py +1 -1"
    assert render_event(FaultSettled(fault=fault)) == f"settled f1 fixed {proposal.patch.id}"
    failed = samples["exhausted"].diagnosis
    assert render_event(FaultSettled(fault=failed.faults[0])) == (
        "settled f1 no-fix candidates=96 stopped=exhausted"
    )
    assert render_event(WorkEnded(diagnosis=failed)) == "work END failed=4 flaky=0 faults=1 fixed=0 ms=2800"


def test_an_event_is_one_line_whatever_it_holds(samples):
    hostile = samples["hostile"].diagnosis.faults[0]
    for event in (
        NoticeGiven(text="a\nb\r\x1b[2J\u2028c"),
        FaultLocated(fault=replace(hostile, suspects=())),
    ):
        line = render_event(event)
        assert len(line.splitlines()) == 1
        assert line.isprintable()


def test_progress_tells_what_is_going_on(fault, samples):
    line = ProgressLine()
    assert line.update(WorkStarted(failed=4, passed=8)) == "buddy: looking at 4 failing tests"
    assert line.update(StepStarted(step="localize")) == "buddy: ranking the suspects"
    advanced = SearchAdvanced(fault="f1", candidates=412, passing=2, seconds=1.24)
    assert line.update(advanced) == "buddy: trying fixes for f1 · 412 tried · 2 pass · 1.2 s"
    assert line.update(FixConfirmed(fault="f1", proposal=fault.proposals[0])) == (
        "buddy: f1 has a fix · 1 fixed"
    )
    assert line.update(advanced).endswith("1.2 s · 1 fixed")
    assert line.update(NoticeGiven(text="x")) is None
    assert line.update(WorkEnded(diagnosis=samples["fixed"].diagnosis)) == ""


def test_progress_fits_its_line():
    line = ProgressLine(width=20, ascii=True).update(StepStarted(step="collect", detail="\x1b[2J漢" * 30))
    assert len(line) == 19
    assert line.isascii()
    assert line.isprintable()


def test_content_of_a_diff_cannot_pose_as_a_header():
    body = "--- a/y.py\n+++ b/y.py\n same\n\\ No newline at end of file\n"
    diff = f"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n{body}"
    assert [line.kind for line in lines_of(diff)] == [
        "header",
        "header",
        "hunk",
        "removed",
        "added",
        "context",
        "note",
    ]
    assert changed(diff) == (1, 1)


def test_carriage_returns_are_hidden_only_when_every_line_has_one():
    same = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\r\n+b\r\n"
    assert [line.text for line in lines_of(same)][-2:] == ["-a", "+b"]
    mixed = same.replace("+b\r", "+b")
    assert [line.text for line in lines_of(mixed)][-2:] == ["-a\r", "+b"]
