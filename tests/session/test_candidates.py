"""In which order single edits, values and pairs come, and what a later candidate owes to earlier ones."""

import time

from pytest_buddy.candidates import Candidates
from pytest_buddy.domain import Baseline, Edit, Outcome, Patch, Spectrum, Suspect, Trial
from pytest_buddy.ports import Context
from pytest_buddy.source import Source
from pytest_buddy.suite import Suite

TEXT = b"def f(a, b):\n    c = a + b\n    d = c * b\n    return d\n" + b"\n".join(
    b"x%d = %d" % (number, number) for number in range(1000)
)
SOURCE = Source(path="m.py", module="m", content=TEXT)
TEST = "tests/t.py::test_it"
RED = Outcome(test=TEST, status="failed", error_type="TypeError", message="no", path="m.py", line=2)
LATER = Outcome(test=TEST, status="failed", error_type="TypeError", message="no", path="m.py", line=3)


def edit_of(old, new, function="m.f"):
    start = TEXT.index(old)
    edit = Edit(path="m.py", digest=SOURCE.digest, start=start, end=start + len(old), replacement=new)
    return Patch(edits=(edit,), origin="template:it", prior=0.01, function=function)


FIRST, SECOND = edit_of(b"a + b", b"a - b"), edit_of(b"c * b", b"c / b")
FILLERS = [edit_of(b"x%d =" % number, b"y%d =" % number, function="m") for number in range(900)]


class Scripted:
    """A coder that proposes what it was given."""

    name = "scripted"

    def __init__(self, patches):
        self.patches = patches

    def propose(self, _context):
        """Yield the patches."""
        yield from self.patches


class Idle:
    """A runner in which no value helps."""

    def trials(self, *_arguments, **_named):
        """No trial comes of it."""
        return iter(())


def candidates(patches, *, searched=lambda: True, seconds=60.0):
    suite = Suite(
        baseline=Baseline(outcomes=(), failures=()),
        failing={TEST: RED},
        direct=frozenset(),
        neighbours=(),
        spectrum=Spectrum(executions=()),
        sources={"m.py": SOURCE},
    )
    suspect = Suspect(path="m.py", line=2, end_line=2, function="m.f", score=1.0, rank=1)
    context = Context(
        failures=(), suspects=(suspect,), sources=suite.sources, editable=frozenset(suite.sources)
    )
    return Candidates(
        context,
        [Scripted(patches)],
        runner=Idle(),
        suite=suite,
        tests=(TEST,),
        deadline=time.monotonic() + seconds,
        searched=searched,
    )


def tried(source, ends):
    """All candidates in order, each told how it ended before the next is drawn."""
    order = []
    for patch in source:
        order.append(patch)
        source.hear(Trial(patch=patch, outcomes=(ends.get(patch.id, RED),)))
    return order


def test_two_edits_of_which_one_got_further_come_long_before_the_single_ones_are_over():
    order = tried(candidates([FIRST, SECOND, *FILLERS]), {FIRST.id: LATER, SECOND.id: LATER})
    places = [len(patch.edits) for patch in order]
    assert 2 in places[: 2 + 700]
    assert {*FIRST.edits, *SECOND.edits} == {*order[places.index(2)].edits}


def test_an_edit_is_tried_with_what_edits_the_place_that_fails_then():
    order = tried(candidates([FIRST, *FILLERS[:50], SECOND]), {FIRST.id: LATER})
    pairs = [patch for patch in order if len(patch.edits) == 2]
    assert {*pairs[0].edits} == {*FIRST.edits, *SECOND.edits}


def test_nothing_dear_is_begun_when_a_fix_is_there():
    order = tried(candidates([FIRST, SECOND, *FILLERS], searched=lambda: False), {FIRST.id: LATER})
    assert len(order) == 902
    assert {len(patch.edits) for patch in order} == {1}


def test_the_first_candidate_does_not_wait_for_others():
    drawn = []

    def drawing():
        for patch in FILLERS:
            drawn.append(patch)
            yield patch

    next(iter(candidates(drawing())))
    assert len(drawn) == 1
