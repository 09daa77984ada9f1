"""Where the true statements and functions stand in a ranking, with its ties; plain Ochiai to compare with."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faults import Span, innermost_function, statement_spans

Lines = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """So many places rank above the best true one, and so many with it, of which `true` are true.

    `above` is None when no true place is in the ranking.
    """

    above: int | None = None
    tied: int = 0
    true: int = 0

    def worst(self, top: int) -> float:
        """1 when the true place is among the first `top` behind all its equals, else 0."""
        return float(self.above is not None and self.above + self.tied - self.true + 1 <= top)

    def random(self, top: int) -> float:
        """The chance that a true place is among the first `top` when ties fall at random."""
        if self.above is None or self.above >= top:
            return 0.0
        drawn = min(top - self.above, self.tied)
        return 1 - math.comb(self.tied - self.true, drawn) / math.comb(self.tied, drawn)

    @property
    def expected(self) -> float | None:
        """The mean rank of the best true place when ties fall at random."""
        if self.above is None:
            return None
        return self.above + (self.tied + 1) / (self.true + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A place of a ranking; `rank` counts from 1 and equals share it, `tied` counts them with this one."""

    file: str
    line: int
    end_line: int
    rank: int
    tied: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The statements at fault, in faulty files that are known."""

    file: str
    statements: tuple[Span, ...]
    sources: Mapping[str, str]

    def statement(self, places: Sequence[Placed]) -> Standing:
        """How the best of the true statements stands."""
        hits = [place for place in places if self._is_true(place)]
        if not hits:
            return Standing()
        best = min(place.rank for place in hits)
        equals = sum(place.rank == best for place in places)
        true = sum(place.rank == best for place in hits)
        tied = max(equals, *(place.tied for place in hits if place.rank == best))
        return Standing(above=best - 1, tied=tied, true=true)

    def function(self, places: Sequence[Placed]) -> Standing:
        """How the best of the functions at fault stands; functions rank by their best statement."""
        ranks: dict[tuple[str, Span], int] = {}
        for place in places:
            key = self._function(place.file, place.line)
            ranks[key] = min(ranks.get(key, place.rank), place.rank)
        wanted = {self._function(self.file, first) for first, _ in self.statements}
        own = [rank for key, rank in ranks.items() if key in wanted]
        if not own:
            return Standing()
        best = min(own)
        tied = sum(rank == best for rank in ranks.values())
        above = sum(rank < best for rank in ranks.values())
        return Standing(above=above, tied=tied, true=own.count(best))

    def _is_true(self, place: Placed) -> bool:
        return place.file == self.file and any(
            place.line <= last and place.end_line >= first for first, last in self.statements
        )

    def _function(self, file: str, line: int) -> tuple[str, Span]:
        source = self.sources.get(file)
        return file, innermost_function(source, line) if source is not None else (line, line)


def placed(suspects: Iterable[Mapping[str, Any]]) -> tuple[Placed, ...]:
    """A ranking from the suspects of a report."""
    return tuple(
        Placed(
            file=item["file"],
            line=item["line"],
            end_line=item["end_line"],
            rank=item["rank"],
            tied=item["tied_with"] + 1,
        )
        for item in suspects
    )


def by_score(scored: Iterable[tuple[float, str, Span]]) -> tuple[Placed, ...]:
    """A ranking from scores, the highest first."""
    ordered = sorted(scored, key=lambda item: -item[0])
    found: list[Placed] = []
    before: float | None = None
    for position, (score, file, (first, last)) in enumerate(ordered, start=1):
        rank = found[-1].rank if score == before else position
        found.append(Placed(file=file, line=first, end_line=last, rank=rank))
        before = score
    return tuple(found)


def plain_ochiai(
    executions: Sequence[tuple[str, bool, Lines]], sources: Mapping[str, str]
) -> tuple[Placed, ...]:
    """All statements of the sources that a failing test ran, by Ochiai alone."""
    failing = sum(failed for _, failed, _ in executions)
    scored: list[tuple[float, str, Span]] = []
    for file, text in sources.items():
        runs = [(failed, frozenset(lines[file])) for _, failed, lines in executions if file in lines]
        if not any(failed for failed, _ in runs):
            continue
        for span in statement_spans(text):
            lines = range(span[0], span[1] + 1)
            ran = [failed for failed, numbers in runs if not numbers.isdisjoint(lines)]
            if red := sum(ran):
                scored.append((round(red / math.sqrt(failing * len(ran)), 12), file, span))
    return by_score(scored)
