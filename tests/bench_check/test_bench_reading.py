"""Ranks and offers as they are read from a report."""

import json
from pathlib import Path
from typing import Any

import pytest
import reading

SOURCE = """\
def first(a):
    b = a
    return b


def second(a):
    return a
"""


def suspect(line: int, score: float, rank: int, tied_with: int = 0, file: str = "m.py") -> dict[str, Any]:
    return {
        "file": file,
        "line": line,
        "end_line": line,
        "score": score,
        "rank": rank,
        "tied_with": tied_with,
        "function": "not read",
    }


def test_worst_and_expected_rank_count_ties() -> None:
    suspects = [suspect(2, 0.9, 1), suspect(3, 0.5, 2, 1), suspect(7, 0.5, 2, 1)]
    found = reading.ranks(suspects, "m.py", [(3, 3)], {"m.py": SOURCE})
    assert found == reading.Ranks(best=2, expected=2.5, worst=3, function=1)


def test_a_function_is_ranked_by_its_best_statement_behind_its_equals() -> None:
    suspects = [suspect(2, 0.5, 1, 1), suspect(7, 0.5, 1, 1)]
    found = reading.ranks(suspects, "m.py", [(7, 7)], {"m.py": SOURCE})
    assert found == reading.Ranks(best=1, expected=1.5, worst=2, function=2)


def test_a_statement_that_is_not_listed_has_no_rank() -> None:
    suspects = [suspect(2, 0.5, 1), suspect(3, 0.9, 1, file="other.py")]
    found = reading.ranks(suspects, "m.py", [(3, 3)], {"m.py": SOURCE})
    assert found == reading.Ranks(best=None, expected=None, worst=None, function=2)
    assert reading.best_of([found, reading.NOWHERE]) == found


def patch(name: str, rank: int, outcome: str = "fixed", *, confirmed: bool = True) -> dict[str, Any]:
    verdict = {"outcome": outcome, "confirmed": confirmed}
    return {
        "id": name,
        "rank": rank,
        "diff": "",
        "origin": "template:x",
        "changed_lines": 1,
        "verdict": verdict,
    }


def test_the_first_offer_is_the_best_ranked_confirmed_fix() -> None:
    patches = [
        patch("d", 4),
        patch("a", 1, "partial"),
        patch("b", 2, confirmed=False),
        patch("c", 3),
    ]
    offers = reading.offers({"faults": [{"patches": patches}, {"patches": patches[1:3]}]})
    assert [offer.id for offer in offers] == ["c"]


def test_a_report_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert reading.read(path) is None
    path.write_text(json.dumps({"schema": "pytest-buddy/2"}))
    with pytest.raises(ValueError, match="pytest-buddy/2"):
        reading.read(path)
