"""What each weight of the ranking is worth on what localize_lab.py has collected, and what fitting gives.

Prints the shares with the weights as they are, with each weight moved by itself, and, by package left out,
with the weights that a search finds on the other two: where those are no better on the third than the fixed
ones, the search has learnt its packages and not how faults are found.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path

from localize_lab import NOWHERE, Kept, Standing, home_of, load
from packages import PACKAGES

from pytest_buddy.domain import Change, Suspect
from pytest_buddy.localize import localize, localizing
from pytest_buddy.localize.program import Element, Program
from pytest_buddy.localize.ranking import Clues, suspects
from pytest_buddy.localize.signals import Case
from pytest_buddy.localize.weights import WEIGHTS, Signals

_TOPS = (1, 3, 5)
_STEPS: Mapping[str, tuple[float, ...]] = {
    "stack": (0.0, 0.1, 0.2, 0.3, 0.5),
    "guard": (0.0, 0.1, 0.25, 0.4),
    "kind": (0.0, 0.05, 0.1, 0.2, 0.3),
    "function": (0.0, 0.1, 0.2, 0.3, 0.45),
    "frame": (0.0, 0.05, 0.1, 0.2, 0.3),
    "near": (0.0, 0.05, 0.1, 0.2, 0.3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A statement, the function it counts for, and whether these are the true ones."""

    signals: Signals
    function: object
    true: bool
    home: bool


Groups = tuple[tuple[Row, ...], ...]


def rows_of(kept: Kept) -> Groups:
    """The statements of each fault of the answer, with what speaks for them."""
    found: list[tuple[Row, ...]] = []

    def spy(
        case: Case, elements: Sequence[Element], program: Program, changes: Sequence[Change] = ()
    ) -> tuple[Suspect, ...]:
        clues = Clues(case, elements, program, changes)
        found.append(tuple(_row(kept, element, signals) for element, signals in clues.signals()))
        return suspects(case, elements, program, changes)

    localizing.suspects = spy  # type: ignore[attr-defined]
    try:
        localize(kept.failures, kept.spectrum, kept.sources, tests=kept.tests)
    finally:
        localizing.suspects = suspects  # type: ignore[attr-defined]
    return tuple(found)


def _row(kept: Kept, element: Element, signals: Signals) -> Row:
    statement = element.statement
    inside = statement.path == kept.fault.file
    text = kept.sources[kept.fault.file].text
    function = (statement.path, statement.qualname)
    if inside:
        function = (statement.path, home_of(text, statement.line))  # type: ignore[assignment]
    homes = {(kept.fault.file, home_of(text, first)) for first, _ in kept.spans}
    spans = kept.spans if inside else ()
    return Row(
        signals=signals,
        function=function,
        true=any(statement.line <= last and statement.end_line >= first for first, last in spans),
        home=function in homes,
    )


def standings(groups: Groups, weights: Signals) -> tuple[Standing, Standing]:
    """Where the true statement and function stand in the fault that places them best."""
    found = [_standing(rows, weights) for rows in groups]
    return min(found, key=lambda pair: (pair[0].worst, pair[1].worst), default=(NOWHERE, NOWHERE))


def _standing(rows: Sequence[Row], weights: Signals) -> tuple[Standing, Standing]:
    scores = [round(sum(map(mul, weights, row.signals)), 6) for row in rows]
    functions: dict[object, float] = {}
    for row, score in zip(rows, scores, strict=True):
        functions[row.function] = max(functions.get(row.function, 0.0), score)
    homes = {row.function for row in rows if row.home}
    return (
        _place(scores, [score for row, score in zip(rows, scores, strict=True) if row.true]),
        _place(list(functions.values()), [functions[home] for home in homes]),
    )


def _place(every: Sequence[float], true: Sequence[float]) -> Standing:
    if not true:
        return NOWHERE
    best = max(true)
    better = sum(score > best for score in every)
    return Standing(better=better, equal=Counter(every)[best], own=true.count(best))


def shares(data: Sequence[Groups], weights: Signals) -> tuple[float, ...]:
    """Top 1, 3 and 5 of statements, then of functions, ties broken at random."""
    found = [standings(groups, weights) for groups in data]
    return tuple(
        sum(pair[which].within(top) for pair in found) / len(found) for which in (0, 1) for top in _TOPS
    )


def fitted(data: Sequence[Groups]) -> Signals:
    """The weights of a search along one axis after the other."""
    best, weights = sum(shares(data, WEIGHTS)), WEIGHTS
    for _ in range(2):
        for name, values in _STEPS.items():
            for value in values:
                moved = weights._replace(**{name: value})
                if (score := sum(shares(data, moved))) > best + 1e-3:
                    best, weights = score, moved
    return weights


def line(name: str, found: Sequence[float]) -> str:
    """One line of the table."""
    cells = "/".join(f"{100 * share:3.0f}" for share in found[:3])
    return f"{name:34} {cells}   {'/'.join(f'{100 * share:3.0f}' for share in found[3:])}   {sum(found):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir()) / "pytest-buddy-bench" / "spectra"
    )
    every = [(kept.fault.package, rows_of(kept)) for kept in load(parser.parse_args().data)]
    data = [groups for _, groups in every]
    print(f"{'':34} {'statements':11}   {'functions':11}   sum")
    print(line("as they are", shares(data, WEIGHTS)))
    for name, values in _STEPS.items():
        for value in values:
            if value != getattr(WEIGHTS, name):
                print(line(f"  {name} = {value}", shares(data, WEIGHTS._replace(**{name: value}))))
    for left in PACKAGES:
        mine = [groups for package, groups in every if package == left]
        others = [groups for package, groups in every if package != left]
        if mine and others:
            found = fitted(others)
            print(line(f"{left}, as they are", shares(mine, WEIGHTS)))
            print(line(f"{left}, fitted on the others", shares(mine, found)), *found[1:-1])


if __name__ == "__main__":
    main()
