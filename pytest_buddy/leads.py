"""Where the outcomes of candidates point, and the order of those still to come that follows from it."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pytest_buddy.domain import Outcome, Patch, Trial
from pytest_buddy.source import Source

_AHEAD = 600
_OLDEST_EACH = 8
_UNKNOWN = 4.0
_CRASH = 0.5
# How much progress speaks for a place, and edits that change nothing against it. The latter say little of one
# statement: of a condition's many edits only those of the wrong part are felt.
_STATEMENT = (3.0, 0.0)
_FUNCTION = (2.0, 1.0)


class Place(NamedTuple):
    """Where a candidate edits: the function, and the line in it."""

    path: str
    function: str
    line: int


@dataclass(slots=True)
class _Record:
    """What came of the candidates at a place: how many, how many of them were felt, how far the best came."""

    tried: int = 0
    felt: float = 0.0
    best: float = 0.0

    def add(self, felt: float, progress: float) -> None:
        self.tried += 1
        self.felt += felt
        self.best = max(self.best, progress)

    def weight(self, gain: float, loss: float) -> float:
        felt = (self.felt + _UNKNOWN) / (self.tried + _UNKNOWN)
        return (1.0 + gain * self.best) * math.pow(felt, loss)


class Leads:
    """Learns from trials at which places edits help, or are felt at all, and puts candidates there first.

    In a function where many edits leave the failing test as it was, the fault is hardly to be found; where
    one has brought it nearer to passing, the next one may mend it.
    """

    def __init__(self, failing: Mapping[str, Outcome], sources: Mapping[str, Source]) -> None:
        self._failing = failing
        self._sources = sources
        self._statements: dict[Place, _Record] = {}
        self._functions: dict[tuple[str, str], _Record] = {}

    def hear(self, trial: Trial, progress: float) -> None:
        """Take in how a candidate ended, and how much nearer to passing it came."""
        if not trial.outcomes or any(end.status == "timeout" for end in trial.outcomes):
            return
        place = self.place(trial.patch)
        felt = self._felt(trial, place)
        self._statements.setdefault(place, _Record()).add(felt, progress)
        self._functions.setdefault(place[:2], _Record()).add(felt, progress)

    def weight(self, place: Place) -> float:
        """By how much the outcomes so far make edits of a place likelier (above 1) or less likely (below)."""
        statement, function = self._statements.get(place), self._functions.get(place[:2])
        found = statement.weight(*_STATEMENT) if statement else 1.0
        return found * function.weight(*_FUNCTION) if function else found

    def place(self, patch: Patch) -> Place:
        """The place of a candidate's last edit: imports that it needs come before."""
        edit = patch.edits[-1]
        first, _ = self._sources[edit.path].lines_of(edit.start, edit.start)
        return Place(edit.path, patch.function, first)

    def followed(self, patches: Iterable[Patch]) -> Iterator[Patch]:
        """All the patches, those of promising places earlier than they came.

        It looks as far ahead as it has heard outcomes for, up to a limit. Every eighth is the one that has
        waited longest, so that no place waits for ever.
        """
        queue = _Queue(self.weight)
        source = iter(patches)
        given = 0
        while True:
            wanted = max(1, min(_AHEAD, given))
            while len(queue) < wanted and (patch := next(source, None)) is not None:
                queue.add(self.place(patch), patch)
            if not len(queue):
                return
            given += 1
            yield queue.oldest() if given % _OLDEST_EACH == 0 else queue.best()

    def _felt(self, trial: Trial, place: Place) -> float:
        """Whether the edit changed how a test ended, 0 or 1; less when it only raised in its own file."""
        found = 0.0
        for end in trial.outcomes:
            before = self._failing.get(end.test)
            if before is None or _ending(before) == _ending(end):
                continue
            found = max(found, _CRASH if end.path == place.path and end.line != before.line else 1.0)
        return found


def _ending(outcome: Outcome) -> tuple[str, str, str, int, str]:
    return outcome.status, outcome.error_type, outcome.path, outcome.line, outcome.message


class _Queue:
    """Patches that wait, by place; those of one place keep their order."""

    def __init__(self, weight: Callable[[Place], float]) -> None:
        self._weight = weight
        self._waiting: dict[Place, deque[tuple[int, Patch]]] = {}
        self._arrivals: deque[tuple[int, Place]] = deque()
        self._gone: set[int] = set()
        self._count = self._serial = 0

    def __len__(self) -> int:
        return self._count

    def add(self, place: Place, patch: Patch) -> None:
        self._waiting.setdefault(place, deque()).append((self._serial, patch))
        self._arrivals.append((self._serial, place))
        self._serial += 1
        self._count += 1

    def best(self) -> Patch:
        """The first of the place whose first is likeliest; of equal ones, that which came first."""

        def hope(place: Place) -> tuple[float, int]:
            serial, patch = self._waiting[place][0]
            return patch.prior * self._weight(place), -serial

        return self._taken(max(self._waiting, key=hope))

    def oldest(self) -> Patch:
        """The first of the place that has the patch which waits longest."""
        while self._arrivals[0][0] in self._gone:
            self._gone.remove(self._arrivals.popleft()[0])
        return self._taken(self._arrivals[0][1])

    def _taken(self, place: Place) -> Patch:
        waiting = self._waiting[place]
        serial, patch = waiting.popleft()
        self._gone.add(serial)
        self._count -= 1
        if not waiting:
            del self._waiting[place]
        return patch
