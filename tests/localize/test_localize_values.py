"""Values that failing tests have at a statement and passing ones have not."""

import pytest

from pytest_buddy.domain import Fault, Observation, Suspect, Variable
from pytest_buddy.localize import telling, weigh_values


def seen(test, line=3, *, failed=False, hits=1, result="", **values):
    return Observation(
        test=test,
        failed=failed,
        path="m.py",
        line=line,
        hits=hits,
        variables=tuple(
            Variable(name=name, value=repr(value), type=type(value).__name__)
            for name, value in values.items()
        ),
        result=result,
    )


def texts(*observations):
    return [(told.name, told.text) for told in telling(observations)]


@pytest.mark.parametrize(
    ("bad", "good", "text"),
    [
        (None, 3, "`x` is None in 1 of 1 failing and 0 of 2 passing tests"),
        ([], [1], "`x` is empty in 1 of 1 failing and 0 of 2 passing tests"),
        (0, 3, "`x` is zero in 1 of 1 failing and 0 of 2 passing tests"),
        (-1.5, 3, "`x` is negative in 1 of 1 failing and 0 of 2 passing tests"),
        (True, False, "`x` is True in 1 of 1 failing and 0 of 2 passing tests"),
        ("3", 3, "`x` is a str in 1 of 1 failing and 0 of 2 passing tests"),
        (3, "3", "`x` is an int in 1 of 1 failing and 0 of 2 passing tests"),
    ],
)
def test_properties_that_separate(bad, good, text):
    assert texts(seen("a", failed=True, x=bad), seen("b", x=good), seen("c", x=good)) == [("x", text)]


def test_other_values_of_one_kind_tell_nothing():
    assert texts(seen("a", failed=True, x=5, y="u"), seen("b", x=6, y="v"), seen("c", x=7, y="w")) == []


def test_one_value_that_all_failing_tests_share_tells():
    failing = [seen(test, failed=True, x="b", y=n) for n, test in enumerate("ab", start=1)]
    passing = [seen(test, x="a", y=n) for n, test in enumerate("cde", start=1)]
    assert texts(*failing, *passing) == [("x", "`x` is 'b' in 2 of 2 failing and 0 of 3 passing tests")]


def test_more_passing_tests_say_more():
    few = telling([seen("a", failed=True, x=None), seen("b", x=1)])
    many = telling([seen("a", failed=True, x=None), *(seen(f"b{n}", x=1) for n in range(9))])
    assert few[0].strength < many[0].strength < 1


def test_one_side_alone_tells_nothing():
    assert texts(seen("a", failed=True, x=None)) == []
    assert texts(seen("a", failed=True, x=None), seen("b", x=1, hits=0)) == []
    assert texts(seen("a", failed=True, x=None), seen("b", line=4, x=1)) == []


def fault(*scores):
    suspects = tuple(
        Suspect(
            path="m.py",
            line=line,
            end_line=line,
            function="m.f",
            score=score,
            rank=line,
            evidence=("run by 1 of 1 failing and 2 of 2 passing tests",),
            kind="assign",
        )
        for line, score in enumerate(scores, start=1)
    )
    return Fault(id="f1", tests=("a",), suspects=suspects)


def test_the_statement_that_makes_the_odd_value_goes_before_the_one_that_reads_it():
    before = fault(0.5, 0.49)
    observations = [
        seen("a", 1, failed=True, x=None),
        seen("b", 1, x=1),
        seen("c", 1, x=1),
        seen("a", 2, failed=True, y=1, result="None"),
        seen("b", 2, y=1, result="1"),
        seen("c", 2, y=1, result="1"),
    ]
    after = weigh_values(before, observations)
    assert [(suspect.line, suspect.rank) for suspect in after.suspects] == [(2, 1), (1, 2)]
    assert after.suspects[0].evidence[-1] == "its value is None in 1 of 1 failing and 0 of 2 passing tests"
    assert after.suspects[1].evidence[-1] == "`x` is None in 1 of 1 failing and 0 of 2 passing tests"


def test_a_value_that_was_odd_before_is_not_made_there():
    observations = [
        seen("a", 1, failed=True, x=None, result="None"),
        seen("b", 1, x=1, result="1"),
        seen("c", 1, x=1, result="1"),
    ]
    made = [seen("a", 1, failed=True, result="None"), *observations[1:]]
    before = fault(0.5)
    passed_on = weigh_values(before, observations).suspects[0].score
    assert 0.5 < passed_on < weigh_values(before, made).suspects[0].score


def test_nothing_seen_moves_nothing():
    before = fault(0.5, 0.4)
    assert weigh_values(before, ()) is before
