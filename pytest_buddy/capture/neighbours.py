"""Which failing tests stand for the others, and which tests are near them."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from pytest_buddy.domain import RED, Baseline, Failure, Outcome

_NUMBER = re.compile(r"\d+")


def file_of(test: str) -> str:
    """The path part of a node id."""
    return test.split("::", 1)[0]


def representatives(baseline: Baseline, *, most: int = 24, each: int = 4) -> tuple[str, ...]:
    """Red tests to work on: a few of each kind of failure, quick ones first, in the order of the run.

    Failures are of one kind when exception type, innermost project frame and the shape of the message agree.
    """
    kinds: dict[tuple[str, ...], list[str]] = {}
    durations = {outcome.test: outcome.seconds for outcome in baseline.outcomes}
    for failure in baseline.failures:
        kinds.setdefault(_shape(failure), []).append(failure.test)
    chosen: list[str] = []
    for depth in range(each):
        for tests in kinds.values():
            ordered = sorted(dict.fromkeys(tests), key=lambda test: durations.get(test, 0.0))
            if depth < len(ordered) and len(chosen) < most:
                chosen.append(ordered[depth])
    picked = set(chosen)
    return tuple(outcome.test for outcome in baseline.outcomes if outcome.test in picked)


def _shape(failure: Failure) -> tuple[str, ...]:
    inner = failure.project_frames[-1:]
    place = f"{inner[0].path}:{inner[0].line}" if inner else ""
    return failure.error_type, place, _NUMBER.sub("#", failure.message[:80])


def nearest(baseline: Baseline, failing: Sequence[str], *, seconds: float, most: int) -> tuple[str, ...]:
    """Green tests near the failing ones: same class, then same file, then the same folder, then the rest.

    Ends at `most` tests or when their durations in the plain run add up to `seconds`. Within each ring one
    case of every test goes first, then a second of each: a thousand parameters of one test would tell little
    of what the others run. Quick ones go before slow ones.
    """
    rings = [
        {test.rpartition("::")[0] for test in failing},
        {file_of(test) for test in failing},
        {file_of(test).rpartition("/")[0] for test in failing},
    ]
    passed = [outcome for outcome in baseline.outcomes if outcome.status == "passed"]

    def ring(outcome: Outcome) -> int:
        file = file_of(outcome.test)
        parts = outcome.test.rpartition("::")[0], file, file.rpartition("/")[0]
        return next((i for i, (part, names) in enumerate(zip(parts, rings, strict=True)) if part in names), 3)

    quick = sorted(passed, key=lambda item: item.seconds)
    cases = Counter[str]()
    turns: dict[str, int] = {}
    for outcome in quick:
        name = outcome.test.partition("[")[0]
        turns[outcome.test] = cases[name]
        cases[name] += 1
    chosen: list[str] = []
    spent = 0.0
    for outcome in sorted(quick, key=lambda item: (ring(item), turns[item.test])):
        spent += outcome.seconds
        if len(chosen) >= most or spent > seconds:
            break
        chosen.append(outcome.test)
    return tuple(chosen)


def in_order(baseline: Baseline, tests: Iterable[str]) -> tuple[str, ...]:
    """The tests in the order in which the plain run ran them."""
    wanted = set(tests)
    return tuple(outcome.test for outcome in baseline.outcomes if outcome.test in wanted)


def to_confirm(
    baseline: Baseline, needed: Iterable[str], *, also: Collection[str] = (), seconds: float
) -> tuple[str, ...]:
    """The tests of the last confirming run, in original order.

    All that are needed, then red ones of `also` and what was green, quick ones first, as far as the
    durations of the plain run fit into `seconds`.
    """
    wanted = set(needed)
    for outcome in sorted(baseline.outcomes, key=lambda item: item.seconds):
        if outcome.test in wanted or (outcome.status in RED and outcome.test not in also):
            continue
        seconds -= outcome.seconds + 0.001
        if seconds < 0:
            break
        wanted.add(outcome.test)
    return in_order(baseline, wanted)
