"""In which order candidates come once others have been tried."""

from itertools import count, islice

import pytest

from pytest_buddy.domain import Edit, Outcome, Patch, Trial
from pytest_buddy.leads import Leads
from pytest_buddy.source import Source

TEXT = b"def f(a):\n    b = a + 1\n    c = b + 2\n    return c\n"
SOURCE = Source(path="m.py", module="m", content=TEXT)
TEST = "tests/t.py::test_it"
RED = Outcome(
    test=TEST,
    status="failed",
    error_type="AssertionError",
    message="assert 3 == 9",
    path="tests/t.py",
    line=9,
)


def patch_at(line, name, *, prior=0.5, function="m.f"):
    start = SOURCE.line_starts[line - 1] + 4
    edit = Edit(path="m.py", digest=SOURCE.digest, start=start, end=start, replacement=name.encode())
    return Patch(edits=(edit,), origin="template:it", prior=prior, function=function)


def moved(message, *, path="tests/t.py", line=9):
    return Outcome(
        test=TEST, status="failed", error_type="AssertionError", message=message, path=path, line=line
    )


def names(patches):
    return [patch.edits[0].replacement.decode() for patch in patches]


@pytest.fixture
def leads():
    return Leads({TEST: RED}, {"m.py": SOURCE})


def test_functions_where_nothing_is_felt_come_later(leads):
    dead, other = patch_at(2, "dead"), patch_at(3, "other", function="m.g")
    for number in range(20):
        leads.hear(Trial(patch=patch_at(2, f"d{number}"), outcomes=(RED,)), 0.0)
    assert leads.weight(leads.place(dead)) < leads.weight(leads.place(other))


def test_progress_counts_more_than_being_felt_and_both_more_than_raising_in_the_own_file(leads):
    for line, outcome, progress in (
        (2, moved("assert 8 == 9"), 0.3),
        (3, moved("assert 0 == 9"), 0.0),
        (4, moved("oops", path="m.py", line=4), 0.0),
    ):
        leads.hear(Trial(patch=patch_at(line, "x", function=f"m.f{line}"), outcomes=(outcome,)), progress)
    nearer, felt, broken = (
        leads.weight(leads.place(patch_at(line, "y", function=f"m.f{line}"))) for line in (2, 3, 4)
    )
    assert nearer > felt > broken


def test_what_says_nothing_is_not_counted(leads):
    patch = patch_at(2, "x")
    before = leads.weight(leads.place(patch))
    leads.hear(Trial(patch=patch, outcomes=()), 0.0)
    leads.hear(Trial(patch=patch, outcomes=(Outcome(test=TEST, status="timeout"),)), 0.0)
    assert leads.weight(leads.place(patch)) == before


def test_all_come_once_and_as_they_were_until_something_is_known(leads):
    patches = [patch_at(2 + number % 3, f"n{number}", prior=1 / (1 + number)) for number in range(40)]
    assert names(leads.followed(patches)) == names(patches)


def test_the_promising_place_comes_first_and_the_others_do_not_starve(leads):
    dull = [patch_at(2, f"dull{number}", prior=0.4) for number in range(30)]
    good = [patch_at(3, f"good{number}", prior=0.3) for number in range(30)]
    order = []
    for patch in leads.followed([patch for pair in zip(dull, good, strict=True) for patch in pair]):
        order.append(patch)
        near = patch.edits[0].replacement.startswith(b"good")
        ended = moved("assert 8 == 9") if near else RED
        leads.hear(Trial(patch=patch, outcomes=(ended,)), 0.3 if near else 0.0)
    places = names(order)
    assert sorted(places) == sorted(names([*dull, *good]))
    assert places.index("good29") < places.index("dull20")
    assert any(name.startswith("dull") for name in places[10:20])


def test_no_more_is_drawn_than_has_been_given(leads):
    drawn = count()

    def endless():
        for number in drawn:
            yield patch_at(2, f"n{number}")

    followed = leads.followed(endless())
    next(followed)
    assert next(drawn) == 1
    assert len([*islice(followed, 5)]) == 5
    assert next(drawn) < 20
