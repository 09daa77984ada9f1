"""Which single edits count as progress, and which patches are made of them."""

import pytest

from pytest_buddy.combining import Combiner, combined
from pytest_buddy.domain import Edit, Outcome, Patch, Trial
from pytest_buddy.progress import compared, difference, progress, raising
from pytest_buddy.secant import secants
from pytest_buddy.source import Source

TEXT = b"""\
RATE = 0.0752

def surface(box):
    top = box.a + box.b
    front = box.a + box.c
    return round((top + front) * RATE, 2)
"""
SOURCE = Source(path="m.py", module="m", content=TEXT)
SOURCES = {"m.py": SOURCE}
TEST = "tests/t.py::test_it"


def edit_of(old, new, *, after=b"", origin="template:arithmetic", prior=0.5, suspicion=0.0):
    start = TEXT.index(old, TEXT.index(after))
    edit = Edit(path="m.py", digest=SOURCE.digest, start=start, end=start + len(old), replacement=new)
    return Patch(edits=(edit,), origin=origin, prior=prior, suspicion=suspicion, function="m.surface")


def ended(status="failed", message="", path="tests/t.py", line=9, error="AssertionError", test=TEST):
    return Outcome(test=test, status=status, error_type=error, message=message, path=path, line=line)


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        (ended(message="assert 3 == 9"), ended("passed"), True),
        (ended(message="assert 3 == 9"), ended(message="assert 8 == 9"), True),
        (ended(message="assert 8 == 9"), ended(message="assert 3 == 9"), False),
        (ended(message="assert 'a b' == 'a-b'"), ended(message="assert 'a.b' == 'a-b'"), False),
        (ended(message="assert [1] == [1, 2, 3]"), ended(message="assert [1, 2] == [1, 2, 3]"), True),
        (ended(message="assert {1: 1} == {1: 2, 2: 0}"), ended(message="assert {1: 2} == {1: 2, 2: 0}"), 1),
        (ended(path="m.py", line=4, error="KeyError"), ended(message="assert 1 == 2"), True),
        (ended(path="m.py", line=4, error="KeyError"), ended(path="m.py", line=4, error="KeyError"), False),
        (ended(line=9), ended(line=11), True),
        (ended(line=9), ended(line=7), False),
        (ended(line=9), ended("crashed"), False),
    ],
)  # fmt: skip
def test_progress(before, after, more):
    assert (progress({TEST: before}, [after]) > 0) is bool(more)


def test_what_is_raised_further_down_the_same_function_is_later():
    before = ended(path="m.py", line=4, error="TypeError")
    within = raising({TEST: before}, SOURCES)
    assert within == {TEST: range(3, 7)}
    for line, more in ((5, True), (6, True), (4, False), (3, False), (1, False)):
        after = ended(path="m.py", line=line, error="TypeError")
        assert (progress({TEST: before}, [after], within) > 0) is more
        assert progress({TEST: before}, [after]) == 0


@pytest.mark.parametrize(
    ("left", "right"), [(1, True), (1, "1"), ([], [1]), ("", "a"), ({}, {1: 2}), (0.0, 5), (None, 0)]
)
def test_different_values_are_some_way_apart(left, right):
    assert 0 < difference(left, right) <= 1
    assert difference(left, left) == 0


def test_only_plain_values_are_compared():
    assert compared("assert 1 == 2\n +  where 1 = f()") == (1, 2)
    assert compared("assert f(1) == 2") is None


def test_two_edits_that_made_progress_come_together_first():
    failing = {TEST: ended(message="assert 20 == 52")}
    combiner = Combiner(failing, SOURCES)
    top = edit_of(b"+", b"*")
    front = edit_of(b"+", b"*", after=b"front")
    dull = edit_of(b"top + front", b"front - top", prior=0.9)
    for patch in (dull, top, front):
        combiner.note(patch)
    for patch, message in ((top, "assert 28 == 52"), (front, "assert 30 == 52"), (dull, "assert 0 == 52")):
        trial = Trial(patch=patch, outcomes=(ended(message=message),))
        combiner.hear(trial, progress(failing, trial.outcomes))
    assert combiner.best == [front, top]
    pairs = [SOURCE.edited(patch.edits).content for patch in combiner.pairs()]
    assert pairs[0].count(b"*") == TEXT.count(b"*") + 2
    assert TEXT not in pairs


def test_an_edit_that_got_further_comes_with_edits_of_what_fails_then():
    before = ended(path="m.py", line=4, error="TypeError")
    combiner = Combiner({TEST: before}, SOURCES)
    further = edit_of(b"box.b", b"box.c")
    there, elsewhere = edit_of(b"box.a", b"box.b", after=b"front"), edit_of(b"2)", b"3)", prior=0.9)
    for patch in (elsewhere, further, there):
        combiner.note(patch)
    outcome = ended(path="m.py", line=5, error="TypeError")
    combiner.hear(Trial(patch=further, outcomes=(outcome,)), 0.4)
    (pair,) = combiner.pairs()
    assert {*pair.edits} == {*further.edits, *there.edits}
    assert [{*patch.edits} for patch in combiner.seconds()] == [
        {*further.edits, *there.edits},
        {*further.edits, *elsewhere.edits},
    ]


def test_equal_edits_in_a_function_are_one_patch():
    combiner = Combiner({}, SOURCES)
    combiner.note(edit_of(b"+", b"*"))
    combiner.note(edit_of(b"+", b"*", after=b"front"))
    combiner.note(edit_of(b"box.b", b"box.c"))
    (patch,) = combiner.pairs()
    assert len(patch.edits) == 2
    assert patch.origin == "template:arithmetic"


def test_what_overlaps_is_not_combined_and_what_looks_like_cheating_is_not_kept():
    assert not [*combined((edit_of(b"box.a + box.b", b"0"), edit_of(b"box.a", b"1")))]
    combiner = Combiner({TEST: ended()}, SOURCES)
    cheat = edit_of(b"box.a", b"0", suspicion=0.8)
    combiner.note(cheat)
    combiner.hear(Trial(patch=cheat, outcomes=(ended("passed"),)), 1.0)
    assert combiner.best == []


def test_a_number_is_worked_out_from_how_the_result_moved():
    failing = {TEST: ended(message="assert 75.2 == 72.5")}
    trial = Trial(patch=edit_of(b"0.0752", b"0.752"), outcomes=(ended(message="assert 752.0 == 72.5"),))
    found = [patch.edits[0].replacement for patch in secants(trial, failing, SOURCES)]
    assert b"0.0725" in found
    stuck = Trial(patch=edit_of(b"0.0752", b"0.1"), outcomes=(ended(message="assert 75.2 == 72.5"),))
    assert not [*secants(stuck, failing, SOURCES)]
