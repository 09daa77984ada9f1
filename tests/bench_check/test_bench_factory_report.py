"""The fault factory's report: causes of misses, shares and seconds, and the coders asked once more."""

import os
import subprocess
import sys
from typing import Any

import factory_causes
import factory_replay
import factory_report
import pytest
from factory_memory import below, mebibytes

from pytest_buddy.domain import Failure, Suspect
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

NEAR = {"statement": {"above": 1, "tied": 1, "true": 1}, "function": {"above": 0, "tied": 1, "true": 1}}
FAR = {"statement": {"above": 30, "tied": 1, "true": 1}, "function": {"above": 3, "tied": 2, "true": 1}}


def row(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "fault": "p:m.py:1:k",
        "package": "p",
        "kind": "dropped-line",
        "hunks": 1,
        "seen": 1,
        "unseen": 1,
        "report": True,
        "note": "",
        "notices": [],
        "faults_reported": 1,
        "flaky": 0,
        "standings": {"final": NEAR, "before": NEAR},
        "offers": 0,
        "right": False,
        "right_together": False,
        "same_program": False,
        "judged_by": "",
        "calls": 0,
        "calls_different": 0,
        "origin": "",
        "first_fix": None,
        "total": 4.0,
        "candidates": 100,
        "validated": 100,
        "search_seconds": 2.0,
        "stopped": "found",
        "cores": 2,
        "memory": 100.0,
        "replayed": {"tried": met(), "proposed": met(), "told": met()},
    }
    return usual | changes


def met(**found: Any) -> dict[str, Any]:
    return {"count": 100, "found": found}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"right": True, "offers": 1}, factory_causes.RIGHT),
        ({"offers": 1}, factory_causes.WRONG_OFFER),
        ({"report": False, "standings": {}, "replayed": {}}, factory_causes.FLAKY_OR_SANDBOX),
        ({"validated": 0, "stopped": "exhausted"}, factory_causes.FLAKY_OR_SANDBOX),
        ({"validated": 0, "stopped": "budget"}, factory_causes.NO_SEARCH),
        ({"notices": ["working with a fresh pytest for every step"]}, factory_causes.COLD),
        ({"replayed": {"tried": met(whole={}), "proposed": met(whole=7)}}, factory_causes.REFUSED),
        ({"replayed": {"tried": met(), "proposed": met(whole=7)}}, factory_causes.TOO_LATE),
        ({"standings": {"before": FAR}}, factory_causes.NOT_LOCALIZED),
        (
            {"standings": {"before": FAR}, "replayed": {"proposed": met(whole=9)}},
            factory_causes.NOT_LOCALIZED,
        ),
        ({}, factory_causes.NO_CANDIDATE),
        ({"kind": "two-places"}, factory_causes.HALF),
    ],
)
def test_a_miss_has_one_cause(changes: dict[str, Any], wanted: str) -> None:
    assert factory_causes.cause(row(**changes)) == wanted


def test_detail_says_where_the_original_text_stood() -> None:
    spot = {"place": 4, "seconds": 1.25, "ends": "f"}
    text = factory_causes.detail(row(replayed={"tried": met(whole=spot), "proposed": met(whole=4)}))
    assert text.startswith("statement 2, function 1; tried: whole as 4. (1.2 s, tests f) of 100")


def test_shares_are_of_all_faults_and_false_offers_of_offers() -> None:
    right = row(offers=1, right=True, right_together=True, first_fix=1.0)
    wrong = row(offers=1, first_fix=3.0)
    text = "\n".join(factory_report.repair([right, wrong, row(hunks=2), row(hunks=2)]))
    assert "a confirmed offer: 2 of 4 (50 %)" in text
    assert "a right first offer: 1 of 4 (25 %); of faults in one place: 1 of 2 (50 %)" in text
    assert "false offers among offers: 1 of 2 (50 %)" in text
    assert "first confirmed fix: median 2.0, p90 3.0, most 3.0" in text
    assert "candidates a second and core: median 25.0" in text


def test_a_fault_without_a_report_is_a_miss_of_localization_too() -> None:
    lost = row(report=False, standings={}, replayed={})
    lines = factory_report.localization([row(), lost])
    cells = lines[1].removeprefix("at the end").split("  ")
    assert [cell.strip() for cell in cells if cell] == [*["0 / 50 / 50"] * 2, *["50 / 50 / 50"] * 2]


def test_the_report_has_a_line_for_each_group_and_cause() -> None:
    text = factory_report.report([row(), row(package="q", offers=1)], every=True)
    assert "\np                           1" in text
    assert "   1  wrong offer" in text
    assert text.count("p:m.py:1:k") == 2


SOURCE = "def f(a, b):\n    return a - b\n"


def context() -> Context:
    failure = Failure(test="test_m.py::test_f", phase="call", error_type="AssertionError", message="")
    suspect = Suspect(path="m.py", line=2, end_line=2, function="m.f", score=1.0, rank=1)
    source = Source(path="m.py", module="m", content=SOURCE.encode())
    return Context(
        failures=(failure,),
        suspects=(suspect,),
        sources={"m.py": source},
        editable=frozenset({"m.py"}),
    )


def target(wanted: str) -> factory_replay.Target:
    job = {"file": "m.py", "faulty": SOURCE, "wanted": {"whole": wanted}, "places": [[2, 2]]}
    return factory_replay.Target(job)


def test_the_original_text_is_found_among_what_the_coders_propose() -> None:
    found = factory_replay.proposed(target("def f(a, b):\n    return (a + b)\n"), context(), 2000, 30.0)
    assert found["found"]["whole"] == found["count"]


def test_a_text_that_no_coder_writes_is_not_found() -> None:
    found = factory_replay.proposed(target("def f(a, b):\n    return QQ\n"), context(), 50, 30.0)
    assert found == {"count": 50, "found": {}}


def test_what_was_tried_is_counted_without_probes() -> None:
    start = SOURCE.index("-")
    right, wrong = (("m.py", start, start + 1, text) for text in (b"+", b"*"))
    watch = {
        "tried": [
            (0.1, True, (wrong,), "probe", "f"),
            (0.2, False, (wrong,), "template:x", "f"),
            (0.3, False, (right,), "template:x", "p"),
        ]
    }
    answer = factory_replay.tried(target("def f(a, b):\n    return a + b\n"), watch)
    assert answer["count"] == 2
    assert answer["found"]["whole"]["place"] == 2
    assert answer["found"]["whole"]["ends"] == "p"


def test_processes_below_one_have_memory() -> None:
    program = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as process:
        assert process.pid in set(below(os.getpid()))
        assert mebibytes(process.pid) > 0
        assert process.stdin is not None
        process.stdin.close()
    assert mebibytes(process.pid) == 0
