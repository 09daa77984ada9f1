"""Reads a JSON report of `pytest --buddy` from outside: ranks of the true statement, the first offer, timing.

Nothing of pytest-buddy is imported: the report is all that is trusted, and functions are found in the faulty
source itself, not by the names that the report gives them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import Span, innermost_function

SCHEMA = "pytest-buddy/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Where the true statement stands; None when it is not in the list.

    `worst` counts it behind all its equals, `expected` in their middle, `best` before them. `function` is the
    worst rank of the function that holds it, functions being ordered by their best statement.
    """

    best: int | None
    expected: float | None
    worst: int | None
    function: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The first patch that the report offers as a fix."""

    id: str
    diff: str
    origin: str
    changed_lines: int


NOWHERE = Ranks(best=None, expected=None, worst=None, function=None)


def read(path: Path) -> dict[str, Any] | None:
    """The report, or None when none was written; raises ValueError for another schema."""
    if not path.exists():
        return None
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if report.get("schema") != SCHEMA:
        raise ValueError(f"schema {report.get('schema')!r} is not {SCHEMA!r}")
    return report


def ranks(
    suspects: Sequence[Mapping[str, Any]], file: str, statements: Sequence[Span], sources: Mapping[str, str]
) -> Ranks:
    """The ranks of the best placed of the true statements; `sources` are the faulty files."""
    hits = [suspect for suspect in suspects if suspect["file"] == file and _overlaps(suspect, statements)]
    function = _function_rank(suspects, file, statements, sources)
    if not hits:
        return Ranks(best=None, expected=None, worst=None, function=function)
    hit = min(hits, key=lambda suspect: float(suspect["rank"] + suspect["tied_with"]))
    rank, tied = int(hit["rank"]), int(hit["tied_with"])
    return Ranks(best=rank, expected=rank + tied / 2, worst=rank + tied, function=function)


def best_of(found: Sequence[Ranks]) -> Ranks:
    """The ranks of the fault, of several in a report, that places the statement best."""
    return min(found, key=lambda ranks: ranks.worst or float("inf"), default=NOWHERE)


def offers(report: Mapping[str, Any]) -> tuple[Offer, ...]:
    """For every fault of the report the first confirmed fix, where there is one."""
    first = (next(iter(_confirmed(fault)), None) for fault in report["faults"])
    return tuple(offer for offer in first if offer is not None)


def diffs(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Every diff in the report."""
    return tuple(patch["diff"] for fault in report["faults"] for patch in fault["patches"])


def _confirmed(fault: Mapping[str, Any]) -> list[Offer]:
    patches = sorted(fault["patches"], key=lambda patch: int(patch["rank"]))
    return [
        Offer(
            id=patch["id"], diff=patch["diff"], origin=patch["origin"], changed_lines=patch["changed_lines"]
        )
        for patch in patches
        if patch["verdict"]["outcome"] == "fixed" and patch["verdict"]["confirmed"]
    ]


def _overlaps(suspect: Mapping[str, Any], statements: Sequence[Span]) -> bool:
    return any(suspect["line"] <= last and suspect["end_line"] >= first for first, last in statements)


def _function_rank(
    suspects: Sequence[Mapping[str, Any]], file: str, statements: Sequence[Span], sources: Mapping[str, str]
) -> int | None:
    wanted = {(file, innermost_function(sources[file], first)) for first, _ in statements}
    scores: dict[tuple[str, Span], float] = {}
    for suspect in suspects:
        source = sources.get(suspect["file"])
        span = innermost_function(source, suspect["line"]) if source is not None else (0, 0)
        key = (suspect["file"], span)
        scores[key] = max(scores.get(key, 0.0), float(suspect["score"]))
    own = [score for key, score in scores.items() if key in wanted]
    if not own:
        return None
    others = [score for key, score in scores.items() if key not in wanted]
    return 1 + sum(score >= max(own) for score in others)
