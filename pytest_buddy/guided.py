"""Candidates made from values: first which value at which place helps, then what gives that value there."""

import time
from collections.abc import Iterator, Sequence
from itertools import islice

from pytest_buddy.coder import Angel, angels, synthesised, wants
from pytest_buddy.domain import GREEN, Patch, Suspect
from pytest_buddy.ports import Context
from pytest_buddy.runner import AnyRunner
from pytest_buddy.suite import Suite

_MOST_ANGELS = 240
_MOST_FAILING = 4
_MOST_PASSING = 6
_MOST_PLACES = 8
_SHARE = 0.2
_LONGEST = 3.0


def guided(
    context: Context, runner: AnyRunner, suite: Suite, tests: Sequence[str], *, deadline: float
) -> Iterator[Patch]:
    """Candidates whose values were worked out from runs of the failing tests and of passing ones.

    Takes a fifth of the time that is left at most, before the first one comes.
    """
    if any(suite.failing[test].hung for test in tests):
        return
    chosen = tests[:_MOST_FAILING]
    limit = time.monotonic() + min(_LONGEST, _SHARE * (deadline - time.monotonic()))
    found = wants(_green(context, runner, suite, chosen, limit))
    places = {
        (want.place.outline.source.path, want.place.statement.node.lineno): want.place.statement.header_end
        for want in found[:_MOST_PLACES]
    }
    if not places:
        return
    watched = [*chosen, *suite.passing_at(places, most=_MOST_PASSING)]
    suspects = [
        Suspect(path=path, line=line, end_line=last, function="", score=0.0, rank=1)
        for (path, line), last in places.items()
    ]
    seen = runner.observe(
        watched, suspects, cpu=suite.cpu(tests[0], 2), stop=lambda: time.monotonic() > limit
    )
    for patch in synthesised(context, found, seen):
        yield patch
        if time.monotonic() > limit + _LONGEST:
            return


def _green(
    context: Context, runner: AnyRunner, suite: Suite, tests: Sequence[str], limit: float
) -> list[tuple[Angel, frozenset[str]]]:
    """The angels that turned tests green, likeliest first, and which tests those were."""
    tried = {angel.patch.id: angel for angel in islice(angels(context), _MOST_ANGELS)}
    passed: dict[str, frozenset[str]] = {}
    cpu = suite.cpu(tests[0], 0)
    for trial in runner.trials(
        [angel.patch for angel in tried.values()],
        tests,
        cpu=cpu,
        wall=max(1.0, 10 * cpu),
        direct=suite.direct,
        every=True,
        stop=lambda: time.monotonic() > limit,
    ):
        green = frozenset(outcome.test for outcome in trial.outcomes if outcome.status in GREEN)
        if green:
            passed[trial.patch.id] = green
    return [(angel, passed[name]) for name, angel in tried.items() if name in passed]
