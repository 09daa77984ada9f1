"""Ranks and ties of suspects whose scores have moved."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pytest_buddy.domain import Suspect


def ranked(moved: Sequence[Suspect], before: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Ordered anew; ties with suspects beyond those kept, as counted in `before`, stay counted."""
    beyond = _beyond(before)
    ordered = sorted(moved, key=lambda suspect: -suspect.score)
    equal = Counter(suspect.score for suspect in ordered)
    found: list[Suspect] = []
    for position, suspect in enumerate(ordered):
        rank = found[-1].rank if found and found[-1].score == suspect.score else position + 1
        tied = equal[suspect.score] - 1 + beyond.get(suspect.score, 0)
        found.append(replace(suspect, rank=rank, tied_with=tied))
    return tuple(found)


def _beyond(suspects: Sequence[Suspect]) -> dict[float, int]:
    """Score -> how many ties it has that are not among the suspects kept."""
    kept = Counter(suspect.score for suspect in suspects)
    return {suspect.score: suspect.tied_with + 1 - kept[suspect.score] for suspect in suspects}
