"""Suspects ranked anew by what probes did to the tests.

For a mutant m that was run on F failing tests:

    weight(m) = k / sqrt(F x (k + broken)),   k = turned green

which is Ochiai with "the mutant turned the test" in the place of "the test ran the statement". That a failing
test turns green, and no passing one red, happens almost only at the fault (MUSE); that it fails differently
happens wherever a value is lost, at the fault no more often than elsewhere, and so is told but not counted. A
time-out or a crash counts as no change. A statement has the weight of its best mutant, and its score moves by
1.0 x (its weight - the mean weight of all probed ones), on the scale of the ranking: an experiment outweighs
any of the hints that join the coverage. What was not probed moves by 0.15 x the same for the best mutant of
its function, if one was probed there.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from pytest_buddy.domain import GREEN, RED, Fault, Outcome, Suspect, Trial
from pytest_buddy.localize.standing import ranked
from pytest_buddy.localize.weights import PROBE, PROBE_FUNCTION, TOTAL
from pytest_buddy.source import Source

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    """What one mutant did: numbers of tests."""

    text: str
    failing: int
    fixed: int
    changed: int
    broken: int

    @property
    def weight(self) -> float:
        return self.fixed / sqrt(self.failing * (self.fixed + self.broken)) if self.fixed else 0.0


def weigh(
    fault: Fault,
    trials: Sequence[Trial],
    sources: Mapping[str, Source],
    *,
    baseline: Mapping[str, Outcome],
) -> Fault:
    """The fault with its suspects in the order that coverage and probes give together.

    `baseline` holds how each test ended unpatched under the conditions of the trials. Trials of patches that
    edit none of the suspects, or that ran none of the fault's tests, are passed over. To be called once, with
    all trials: every call moves the scores.
    """
    effects: dict[int, list[_Effect]] = {}
    for trial in trials:
        position = _probed(trial, fault.suspects, sources)
        if position is not None:
            shown = fault.suspects[position].function.endswith(".__repr__")
            effect = _effect(trial, frozenset(fault.tests), baseline, shown=shown)
            if effect.failing:
                effects.setdefault(position, []).append(effect)
    if not effects:
        return fault
    best = {position: max(found, key=lambda e: (e.weight, e.changed)) for position, found in effects.items()}
    mean = sum(effect.weight for effect in best.values()) / len(best)
    functions = _functions(best, fault.suspects)
    moved = [
        _moved(suspect, best[position], len(effects[position]), mean)
        if position in best
        else _carried(suspect, functions.get((suspect.path, suspect.function), mean) - mean)
        for position, suspect in enumerate(fault.suspects)
    ]
    return replace(fault, suspects=ranked(moved, fault.suspects))


def _probed(trial: Trial, suspects: Sequence[Suspect], sources: Mapping[str, Source]) -> int | None:
    """The position of the suspect that holds the first edit: the shortest of several."""
    edit = min(trial.patch.edits, key=lambda edit: edit.start)
    source = sources.get(edit.path)
    if source is None:
        return None
    line = bisect_right(source.line_starts, edit.start, hi=len(source.line_starts) - 1)
    holding = [
        (suspect.end_line - suspect.line, position)
        for position, suspect in enumerate(suspects)
        if suspect.path == edit.path and suspect.line <= line <= suspect.end_line
    ]
    return min(holding)[1] if holding else None


def _effect(
    trial: Trial, failing: frozenset[str], baseline: Mapping[str, Outcome], *, shown: bool
) -> _Effect:
    """What a trial did; other messages do not count where it only changes how objects are `shown`."""
    fixed = changed = broken = ran = 0
    for outcome in trial.outcomes:
        before = baseline.get(outcome.test)
        if outcome.test in failing:
            ran += 1
            fixed += outcome.status in GREEN
            changed += (
                outcome.status in ("failed", "error")
                and before is not None
                and _differs(before, outcome, shown=shown)
            )
        elif before is not None and before.status in GREEN:
            broken += outcome.status in RED
    return _Effect(
        text=" ".join(trial.patch.rationale[:1]), failing=ran, fixed=fixed, changed=changed, broken=broken
    )


def _differs(before: Outcome, after: Outcome, *, shown: bool) -> bool:
    if (before.error_type, before.path, before.line) != (after.error_type, after.path, after.line):
        return True
    return not shown and _ADDRESS.sub("", before.message) != _ADDRESS.sub("", after.message)


def _functions(best: Mapping[int, _Effect], suspects: Sequence[Suspect]) -> Mapping[tuple[str, str], float]:
    """Per function, the weight of the best mutant in it."""
    found: dict[tuple[str, str], float] = {}
    for position, effect in best.items():
        function = suspects[position].path, suspects[position].function
        found[function] = max(found.get(function, 0.0), effect.weight)
    return found


def _carried(suspect: Suspect, more: float) -> Suspect:
    """What was not probed goes a part of the way of the function that it is in."""
    return replace(suspect, score=_bounded(suspect.score + PROBE_FUNCTION * more / TOTAL))


def _bounded(score: float) -> float:
    return round(min(1.0, max(0.0, score)), _DIGITS)


def _moved(suspect: Suspect, effect: _Effect, count: int, mean: float) -> Suspect:
    score = suspect.score + PROBE * (effect.weight - mean) / TOTAL
    told = _told(effect, count)
    return replace(
        suspect,
        score=_bounded(score),
        evidence=(*suspect.evidence, told) if told else suspect.evidence,
    )


def _told(effect: _Effect, count: int) -> str:
    if effect.fixed:
        tests = f"{effect.fixed} failing test{'s' if effect.fixed > 1 else ''} pass"
        if effect.fixed == 1:
            tests = "1 failing test pass"
        breaks = f" but breaks {effect.broken} passing" if effect.broken else ""
        return f"{effect.text} makes {tests}{breaks}"
    if effect.changed:
        return f"{effect.text} changes how {effect.changed} of {effect.failing} failing tests fail"
    ways = "in one way" if count == 1 else f"in {count} ways"
    return f"changing it {ways} makes no difference to the failing tests"
