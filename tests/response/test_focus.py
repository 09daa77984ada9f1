"""One fault on a screen: as much of it as has room."""

import importlib

import pytest

from pytest_buddy import response
from pytest_buddy.response import FaultView, Page
from pytest_buddy.response.diffs import lines_of, narrowed

DIFF = """\
--- a/x.py
+++ b/x.py
@@ -1,6 +1,6 @@
 one
 two
-three
+3
 four

 five
"""


def _shown(sample, *, rows: int, width: int = 80, **options: object) -> list[str]:
    page = Page(width=width)
    fault = sample.diagnosis.faults[0]
    failures = {failure.test: failure for failure in sample.diagnosis.failures}
    FaultView(fault=fault).add(page, failures, sample.sources, rows=rows, **options)
    return page.render().splitlines()


def test_a_change_is_shown_with_as_many_neighbours_as_asked():
    def texts(context: int) -> list[str]:
        return [line.text for line in narrowed(lines_of(DIFF), context)]

    assert texts(0) == ["-three", "+3"]
    assert texts(1) == [" two", "-three", "+3", " four"]
    assert texts(2) == [" one", " two", "-three", "+3", " four"]
    assert texts(9) == [" one", " two", "-three", "+3", " four", "", " five"]


def test_headers_stay_where_they_say_something():
    other = DIFF.replace("x.py", "y.py")
    kinds = [line.kind for line in narrowed(lines_of(DIFF + other), 0)]
    assert kinds == ["header", "header", "hunk", "removed", "added"] * 2
    hunks = DIFF + "@@ -20 +20 @@\n-a\n+b\n"
    assert [line.kind for line in narrowed(lines_of(hunks), 0)] == ["hunk", "removed", "added"] * 2


def test_a_note_on_the_last_newline_is_kept():
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
    assert [line.kind for line in narrowed(lines_of(diff), 0)] == ["removed", "note", "added"]


@pytest.mark.parametrize("rows", range(10, 60, 3))
def test_less_is_shown_where_there_is_less_room(samples, rows):
    lines = _shown(samples["fixed"], rows=rows)
    text = "\n".join(lines)
    assert "smaller = min(value, high)" in text
    assert "confirmed by a fresh pytest" in text
    assert len(lines) <= max(rows, 14)
    assert len(lines) <= len(_shown(samples["fixed"], rows=rows + 3))


def test_the_whole_does_not_ask_for_room(samples):
    whole = _shown(samples["fixed"], rows=5, whole=True)
    assert len(whole) > len(_shown(samples["fixed"], rows=25))
    assert whole == _shown(samples["fixed"], rows=1000, whole=True)


def test_a_long_diff_is_never_cut(samples):
    text = "\n".join(_shown(samples["long_diff"], rows=20))
    assert all(f"new = {number} + offset" in text for number in range(200))


def test_the_fix_can_stand_beside_the_reasons(samples):
    beside = Page(width=80)
    reasons = "\n".join(_shown(samples["fixed"], rows=40, beside=beside))
    fix = beside.render()
    assert "smaller = min(value, high)" in fix
    assert "smaller = min(value, high)" not in reasons
    assert "where" in reasons


def test_a_fault_on_one_line_says_what_became_of_its_fix(samples):
    def line(sample: str, **options: object) -> str:
        page = Page(width=120)
        FaultView(fault=samples[sample].diagnosis.faults[0], **options).add_line(page)
        return page.render()

    assert "fix +1 -1" in line("fixed")
    assert "applied" in line("fixed", status="applied")
    assert "no fix" in line("exhausted", looking=True)
    assert "looking for a fix" not in line("exhausted", looking=True)


def test_what_needs_rich_is_there_on_demand_and_nothing_else_is():
    assert response.Page is importlib.import_module("pytest_buddy.response.page").Page
    with pytest.raises(AttributeError):
        _ = response.nothing_of_this_name
