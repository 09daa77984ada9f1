"""In which order the candidates of a fault come: the coders', those made from values, two edits at once."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

from pytest_buddy.combining import Combiner
from pytest_buddy.domain import Patch, Trial
from pytest_buddy.guided import guided
from pytest_buddy.leads import Leads
from pytest_buddy.patch import objections
from pytest_buddy.ports import Coder, Context
from pytest_buddy.progress import progress, raising
from pytest_buddy.runner import AnyRunner
from pytest_buddy.suite import Suite

_BEFORE_VALUES = 300
_SINGLE_SHARE = 0.5
_ROUND = 300
_PAIRS = 100


class Candidates:
    """The candidates of one fault, each once; iterate it while telling it how they ended.

    `searched` says whether a fix is still looked for: else nothing dear is begun.
    """

    def __init__(
        self,
        context: Context,
        coders: Sequence[Coder],
        *,
        runner: AnyRunner,
        suite: Suite,
        tests: Sequence[str],
        deadline: float,
        searched: Callable[[], bool],
    ) -> None:
        self._context = context
        self._coders = coders
        self._runner = runner
        self._suite = suite
        self._tests = tests
        self._searched = searched
        self._deadline = deadline
        now = time.monotonic()
        self._half = now + _SINGLE_SHARE * (deadline - now)
        self._suspected = frozenset(suspect.path for suspect in context.suspects)
        self._seen: set[str] = set()
        self._combiner = Combiner(suite.failing, context.sources)
        self._raising = raising(suite.failing, context.sources)
        self._leads = Leads(suite.failing, context.sources)
        self.count = 0

    def hear(self, trial: Trial) -> None:
        """Take in how a candidate ended."""
        made = progress(self._suite.failing, trial.outcomes, self._raising)
        self._combiner.hear(trial, made)
        if len(trial.patch.edits) == 1:
            self._leads.hear(trial, made)

    def __iter__(self) -> Iterator[Patch]:
        singles = self._singles()
        yield from self._first_half(islice(singles, _BEFORE_VALUES))
        if self._searched():
            yield from _in_turn(self._values(), singles)
            yield from self._while_searched(self._allowed(self._combiner.numbers))
        for given, patch in enumerate(self._first_half(singles), 1):
            yield patch
            if given % _ROUND == 0 and self._searched():
                yield from self._while_searched(islice(self._allowed(self._combiner.pairs()), _PAIRS))
        if self._searched():
            yield from self._allowed(self._combiner.numbers)
            more = chain(self._combiner.pairs(), self._combiner.seconds())
            yield from _in_turn(self._while_searched(self._allowed(more)), singles)
        yield from singles

    def _first_half(self, patches: Iterator[Patch]) -> Iterator[Patch]:
        """The patches until half the time is over: whatever has not begun then must begin."""
        for patch in patches:
            yield patch
            if time.monotonic() > self._half and self._searched():
                return

    def _singles(self) -> Iterator[Patch]:
        for coder in self._coders:
            for patch in self._leads.followed(self._allowed(coder.propose(self._context))):
                self._combiner.note(patch)
                yield patch

    def _values(self) -> Iterator[Patch]:
        made = guided(self._context, self._runner, self._suite, self._tests, deadline=self._deadline)
        return self._while_searched(self._allowed(made))

    def _while_searched(self, patches: Iterator[Patch]) -> Iterator[Patch]:
        """The patches until there is a fix: after that, single edits that may be better come first."""
        while self._searched() and (patch := next(patches, None)) is not None:
            yield patch

    def _allowed(self, patches: Iterable[Patch]) -> Iterator[Patch]:
        for patch in patches:
            if patch.id in self._seen or not set(patch.paths) <= self._context.editable:
                continue
            self._seen.add(patch.id)
            if not objections(patch, self._context.sources, suspected=self._suspected):
                self.count += 1
                yield patch


def _in_turn(first: Iterator[Patch], second: Iterator[Patch]) -> Iterator[Patch]:
    """One of the first and one of the second, until the first are over."""
    for patch in first:
        yield patch
        yield from islice(second, 1)
