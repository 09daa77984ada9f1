"""The bench of real fixes: places of a release, and what is told without an offer."""

from pathlib import Path

import pytest
from packages import Package
from releases_pair import Fix, Pair, Trees, as_diff, changed_lines, trees
from releases_report import report
from releases_row import told

OLDER = "def low(value):\n    return value\n\n\ndef high(value):\n    return value\n"
NEWER = "def low(value):\n    return value - 1\n\n\ndef high(value):\n    check(value)\n    return value\n"


def _fix(*places: str) -> Fix:
    return Fix(places=places, red=1, about="one too high")


def _package(version: str) -> Package:
    return Package(name="thing", version=version, sha256="", sources="thing")


@pytest.fixture
def found(tmp_path: Path) -> Trees:
    for version, text, test in (("1", OLDER, "old"), ("2", NEWER, "new")):
        root = tmp_path / "untouched" / f"thing-{version}" / "pristine"
        for name, content in (("thing/code.py", text), ("thing/tests/test_code.py", f"# {test}\n")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")
    pair = Pair(older=_package("1"), newer=_package("2"), tests="thing/tests", fixes=())
    return trees(pair, tmp_path)


def test_older_code_is_put_beside_newer_tests(found: Trees) -> None:
    assert (found.mixed / "thing/code.py").read_text(encoding="utf-8") == OLDER
    assert (found.mixed / "thing/tests/test_code.py").read_text(encoding="utf-8") == "# new\n"
    assert [hunk.line for hunk in found.changes["thing/code.py"]] == [2, 6]
    assert list(found.changes) == ["thing/code.py"]


def test_fix_is_its_places_alone(found: Trees) -> None:
    fixed = found.fixed(_fix("thing/code.py:6"))
    assert fixed == {"thing/code.py": NEWER.replace("value - 1", "value")}
    assert changed_lines(fixed, found.mixed) == 1
    assert "+    check(value)\n" in as_diff(fixed, found.mixed)
    assert "value - 1" not in as_diff(fixed, found.mixed)


def test_place_that_was_not_changed_is_refused(found: Trees) -> None:
    with pytest.raises(ValueError, match=r"nothing was changed at thing/code.py:\[3\]"):
        found.fixed(_fix("thing/code.py:3"))


def test_true_statements_are_those_that_the_fix_replaces(found: Trees) -> None:
    (fault,) = found.faults(_fix("thing/code.py:2"))
    assert fault.true_statements(OLDER) == ((2, 2),)
    assert fault.faulty(found.fixed(_fix("thing/code.py:2"))["thing/code.py"]) == OLDER


def _row(**changed: object) -> dict[str, object]:
    row: dict[str, object] = {
        "fix": "thing-1..2:code.py:2",
        "red": ["t"],
        "lines": 1,
        "places": ["thing/code.py:2"],
        "total": 2.0,
        "bullets": ["a", "b", "c", "d"],
        "report": True,
        "offers": 0,
        "right": False,
        "right_together": False,
        "origin": "",
        "stopped": "exhausted",
        "note": "",
        "standings": {
            "final": {unit: {"above": 1, "tied": 2, "true": 1} for unit in ("statement", "function")}
        },
        "told": {"suspects": True, "explanation": True},
    }
    return {**row, **changed}


def test_what_is_missing_without_an_offer_is_named() -> None:
    assert told(_row()) == "all that is known"
    assert told(_row(told={"suspects": True, "explanation": False})) == "without explanation"


def test_report_counts_offers_and_what_was_told_without_one() -> None:
    text = report([_row(), _row(offers=1, right=True, right_together=True, origin="template:x")])
    assert "a confirmed offer: 1 of 2 (50 %)" in text
    assert "no offer, and told all that is known: 1 of 1 (100 %)" in text
    assert "2.5/3" in text
    assert "no fix (exhausted); told all that is known" in text
