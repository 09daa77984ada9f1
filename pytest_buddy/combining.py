"""Two edits at once, made of single ones: those that brought a test nearer to passing, and equal ones."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

from pytest_buddy.domain import Edit, Outcome, Patch, Trial
from pytest_buddy.secant import secants
from pytest_buddy.source import Source

_MOST_NOTED = 3_000
_MOST_GROUPS = 150
_MOST_SIBLINGS = 6
_BASES = 10
_PARTNERS = 30
_SECONDS = 150
_LESS_LIKELY = 0.5
_NEAR = 1.5
_MOST_NUMBERS = 60
_FISHY = 0.3
_THERE = 20.0
_MOST_THERE = 20


class Combiner:
    """Remembers the single edits and how far they came, and makes patches of several of them."""

    def __init__(self, failing: Mapping[str, Outcome], sources: Mapping[str, Source]) -> None:
        self._failing = failing
        self._sources = sources
        self._noted: dict[str, Patch] = {}
        self._progress: dict[str, float] = {}
        self._ends: dict[str, Outcome] = {}
        self._numbers: dict[str, Patch] = {}

    def note(self, patch: Patch) -> None:
        """Keep a candidate for later."""
        if len(self._noted) < _MOST_NOTED and patch.suspicion < _FISHY:
            self._noted[patch.id] = patch

    def hear(self, trial: Trial, made: float) -> None:
        """Take in how a candidate ended: it is worth a second edit when it made progress."""
        for patch in secants(trial, self._failing, self._sources):
            self._numbers.setdefault(patch.id, patch)
        if made > 0 and trial.patch.id in self._noted:
            self._progress[trial.patch.id] = made
            self._ends[trial.patch.id] = trial.outcomes[-1]

    @property
    def best(self) -> list[Patch]:
        """The single edits that made progress, most first; of equal ones those that were likelier."""
        order = {name: place for place, name in enumerate(self._noted)}
        names = sorted(self._progress, key=lambda name: (-self._progress[name], order[name]))
        return [self._noted[name] for name in names]

    @property
    def numbers(self) -> list[Patch]:
        """Numbers to which the outcomes of others point, those of the likeliest edits first."""
        return sorted(self._numbers.values(), key=lambda patch: -patch.prior)[:_MOST_NUMBERS]

    def pairs(self) -> Iterator[Patch]:
        """In turn: equal edits in several places; two that made progress; one, and what fails since."""
        sources = [self._groups(), self._together(), self._next_to_fail()]
        while sources:
            for source in tuple(sources):
                patch = next(source, None)
                if patch is None:
                    sources.remove(source)
                else:
                    yield patch

    def seconds(self) -> Iterator[Patch]:
        """One that made progress with anything likely."""
        bases = self.best[:_BASES]
        partners = [
            sorted(self._noted.values(), key=lambda other: -other.prior * self._near(base, other))[:_SECONDS]
            for base in bases
        ]
        for count in range(0, _SECONDS, _BASES):
            for base, others in zip(bases, partners, strict=True):
                for other in others[count : count + _BASES]:
                    yield from combined((base, other))

    def _together(self) -> Iterator[Patch]:
        """Two that made progress, most hopeful first."""
        for pair in sorted(combinations(self.best[:_PARTNERS], 2), key=self._hope, reverse=True):
            yield from combined(pair)

    def _next_to_fail(self) -> Iterator[Patch]:
        """One that made progress, with edits of the statement at which the test fails since."""
        for base in self.best[:_BASES]:
            there = [other for other in self._noted.values() if self._near(base, other) == _THERE]
            for other in sorted(there, key=lambda other: -other.prior)[:_MOST_THERE]:
                yield from combined((base, other))

    def _near(self, base: Patch, other: Patch) -> float:
        """How much likelier an edit is because the first one has made the test fail there instead."""
        end, edit = self._ends[base.id], other.edits[-1]
        if edit.path == end.path:
            first, last = self._sources[edit.path].lines_of(edit.start, edit.end)
            if first <= end.line <= last:
                return _THERE
        return _NEAR if other.function == base.function else 1.0

    def _hope(self, pair: tuple[Patch, Patch]) -> float:
        """How promising two edits are: by their progress, and when they are alike and near one another."""
        one, other = pair
        likely = math.sqrt(math.sqrt(one.prior * other.prior))
        hope = self._progress[one.id] * self._progress[other.id] * likely
        if one.function == other.function:
            hope *= _NEAR
        return hope * (_NEAR if one.origin == other.origin else 1.0)

    def _groups(self) -> Iterator[Patch]:
        """The same edit wherever a function allows for it."""
        groups: dict[tuple[str, str, bytes, bytes], list[Patch]] = {}
        for patch in self._noted.values():
            if len(patch.edits) == 1:
                edit = patch.edits[0]
                old = self._sources[edit.path].content[edit.start : edit.end]
                if old:
                    groups.setdefault((edit.path, patch.function, old, edit.replacement), []).append(patch)
        several = [group for group in groups.values() if 1 < len(group) <= _MOST_SIBLINGS]
        for group in several[:_MOST_GROUPS]:
            yield from combined(group)


def combined(patches: Sequence[Patch]) -> Iterator[Patch]:
    """The patch that makes all the edits; nothing when they overlap."""
    edits = sorted((edit for patch in patches for edit in patch.edits), key=_place)
    if any(_touch(one, other) for one, other in pairwise(edits)):
        return
    names = dict.fromkeys(patch.origin.removeprefix("template:") for patch in patches)
    yield Patch(
        edits=tuple(edits),
        origin=f"template:{'+'.join(names)}",
        rationale=tuple(dict.fromkeys(text for patch in patches for text in patch.rationale)),
        prior=min(patch.prior for patch in patches) * _LESS_LIKELY,
        suspicion=max(patch.suspicion for patch in patches),
        function=patches[0].function,
    )


def _place(edit: Edit) -> tuple[str, int, int]:
    return edit.path, edit.start, edit.end


def _touch(one: Edit, other: Edit) -> bool:
    return one.path == other.path and other.start <= one.end
