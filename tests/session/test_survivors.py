"""Which survivor comes first, and where the first suspects end up."""

import pytest

from pytest_buddy.domain import Edit, Fault, Patch, Suspect, Verdict
from pytest_buddy.judging import Judged
from pytest_buddy.source import Source
from pytest_buddy.survivors import proposal_of, ranked, with_fix_first

TEXT = b"""\
def price(net, rate, count):
    total = (net + rate).real
    if count < 10:
        return total
    return total * count
"""
SOURCE = Source(path="shop.py", module="shop", content=TEXT)
SOURCES = {"shop.py": SOURCE}
FAULT = Fault(id="f1", tests=("t::a",))


def judged(old, new, *, order=1, suspicion=0.0, fixed=("t::a",), confirmed=True):
    start = TEXT.index(old)
    edit = Edit(path="shop.py", digest=SOURCE.digest, start=start, end=start + len(old), replacement=new)
    patch = Patch(edits=(edit,), origin="template:x", suspicion=suspicion, function="shop.price")
    return Judged(patch, Verdict(outcome="fixed", fixed=fixed, confirmed=confirmed), order)


def best(*items):
    return ranked(items, FAULT, SOURCES)[0].patch.edits[0].replacement


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (judged(b"<", b"<=", order=50), judged(b"count < 10", b"True", order=1, suspicion=0.5)),
        (judged(b"<", b"<=", order=50), judged(b".real", b"", order=1)),
        (judged(b"+ rate", b"- rate", order=9), judged(b"net + rate", b"rate", order=1)),
        (judged(b"(net + rate)", b"net + rate", order=3), judged(b"<", b"<=", order=60)),
        (judged(b"total\n", b"total or 0\n        net = 0\n", order=2), judged(b"<", b"<=", order=200)),
        (judged(b"net, rate", b"rate, net", order=5), judged(b"net", b"str(int(net))", order=5)),
        (judged(b"net", b"rate", order=3), judged(b"net", b"count", order=60)),
        (judged(b"<", b"<=", order=5), judged(b"count < 10", b"count + net < 10", order=5)),
        (judged(b"net", b"rate", order=90, fixed=("t::a", "t::b")), judged(b"net", b"count", order=1)),
        (
            judged(b"10", b"11", order=9),
            judged(b"10:\n", b"10:\n        net = 0\n        rate = 0\n", order=1),
        ),
    ],
)
def test_the_better_patch_comes_first(better, worse):
    assert best(worse, better) == better.patch.edits[0].replacement


def test_a_guard_that_passes_in_two_places_goes_last():
    guard = b"if net is None:\n        raise ValueError\n    "
    places = [TEXT.index(b"total ="), TEXT.index(b"if count")]
    items = [
        Judged(
            Patch(
                edits=(
                    Edit(path="shop.py", digest=SOURCE.digest, start=start, end=start, replacement=guard),
                ),
                origin="template:x",
                function="shop.price",
            ),
            Verdict(outcome="fixed", confirmed=True),
            order,
        )
        for start, order in zip(places, (1, 90), strict=True)
    ]
    assert ranked(items, FAULT, SOURCES)[0] is items[1]


def suspect(line, score, rank, tied=0):
    return Suspect(
        path="shop.py",
        line=line,
        end_line=line,
        function="shop.price",
        score=score,
        rank=rank,
        tied_with=tied,
    )


def test_a_confirmed_fix_moves_its_statement_to_the_front():
    fault = Fault(
        id="f1", tests=("t::a",), suspects=(suspect(2, 0.9, 1, 1), suspect(5, 0.9, 1, 1), suspect(3, 0.4, 3))
    )
    moved = with_fix_first(fault, proposal_of(judged(b"<", b"<="), SOURCES), SOURCES)
    assert [(item.line, item.rank) for item in moved.suspects] == [(3, 1), (2, 2), (5, 2)]
    assert moved.suspects[0].evidence == ("changing it as proposed makes 1 failing test pass",)
    assert moved.suspects[0].score > moved.suspects[1].score


def test_a_place_that_nobody_suspected_is_added():
    moved = with_fix_first(
        Fault(id="f1", tests=("t::a",), suspects=(suspect(2, 1.0, 1),)),
        proposal_of(judged(b"<", b"<="), SOURCES),
        SOURCES,
    )
    assert [(item.line, item.rank, item.function) for item in moved.suspects] == [
        (3, 1, "shop.price"),
        (2, 2, "shop.price"),
    ]
