"""The search for one fault's fix: candidates in, judged and confirmed proposals out."""

import difflib
import math
import re
import selectors
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_buddy.capture import to_confirm
from pytest_buddy.domain import (
    GREEN,
    Failure,
    Fault,
    FixConfirmed,
    Patch,
    Proposal,
    Search,
    SearchAdvanced,
    SearchStop,
    Trial,
    Verdict,
    VerdictOutcome,
)
from pytest_buddy.patch import changed_lines, unified_diff
from pytest_buddy.ports import Coder, Context, Emit
from pytest_buddy.runner import Confirmation, Launcher, Runner
from pytest_buddy.suite import Suite

_GRACE_SECONDS = 2.0
_GRACE_TRIALS = 500
_MOST_OTHERS = 20
_MOST_CONFIRMED = 3
_MOST_REFUTED = 6
_TICK = 0.2
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(slots=True)
class _Judged:
    """A candidate that turned tests green, with what is known of it."""

    patch: Patch
    verdict: Verdict
    order: int


class FaultSearch:
    """Searches, judges and confirms within a deadline (`time.monotonic`); one instance a fault."""

    def __init__(
        self,
        *,
        runner: Runner,
        launcher: Launcher,
        suite: Suite,
        coders: Sequence[Coder],
        editable: frozenset[str],
        emit: Emit,
        deadline: float,
    ) -> None:
        self._runner = runner
        self._launcher = launcher
        self._suite = suite
        self._coders = coders
        self._editable = editable
        self._emit = emit
        self._deadline = deadline
        self._started = time.monotonic()
        self._candidates = 0
        self._validated = 0
        self._passing: list[_Judged] = []
        self._others: list[_Judged] = []
        self._first_hit: tuple[float, int] | None = None
        self._running: list[tuple[_Judged, Confirmation]] = []
        self._confirmed: list[_Judged] = []
        self._controls: dict[str, bool] = {}
        self._stopped: SearchStop = "exhausted"
        self._ticked = 0.0
        self._fault: Fault | None = None
        self._mine: frozenset[str] = frozenset()
        self._red = {item.test for item in suite.baseline.outcomes if item.status not in GREEN}

    def settle(self, fault: Fault, failures: Sequence[Failure]) -> tuple[Fault, Fault | None]:
        """The fault with its proposals, and the rest of it when a fix turned only some of its tests green."""
        self._fault = fault
        self._mine = frozenset(fault.tests)
        tests = self._suite.of(fault)
        try:
            self._try_all(fault, tests, self._context(fault, failures))
            rest = None if self._passing else self._split(fault, tests)
            if rest is not None:
                fault = self._fault = replace(
                    fault, tests=tuple(test for test in fault.tests if test not in set(rest.tests))
                )
                self._mine = frozenset(fault.tests)
            self._finish(fault)
        finally:
            for _, confirmation in self._running:
                confirmation.close()
        return self.known(fault), rest

    def known(self, fault: Fault) -> Fault:
        """The fault with what has been found so far."""
        ranked = sorted(self._passing, key=self._rank)
        offered = [item for item in ranked if item.verdict.confirmed and item.verdict.outcome == "fixed"]
        rest = [item for item in ranked if item not in offered]
        proposals = tuple(
            self._proposal(item, rank) for rank, item in enumerate([*offered, *rest[:5]], start=1)
        )
        search = Search(
            candidates=self._candidates,
            validated=self._validated,
            seconds=time.monotonic() - self._started,
            stopped="found" if offered else self._stopped,
            coders=tuple(coder.name for coder in self._coders),
            also_passing=max(0, len([item for item in ranked if item.verdict.outcome == "fixed"]) - 1),
        )
        return replace(fault, proposals=proposals, search=search)

    def _context(self, fault: Fault, failures: Sequence[Failure]) -> Context:
        tests = set(fault.tests)
        return Context(
            failures=tuple(failure for failure in failures if failure.test in tests),
            suspects=fault.suspects,
            sources=self._suite.sources,
            editable=self._editable,
        )

    def _try_all(self, fault: Fault, tests: Sequence[str], context: Context) -> None:
        """Candidates of all coders; those that ran out of CPU time again with more of it."""
        late: list[Patch] = []
        for level in range(3):
            source: Iterable[Patch] = self._counted(context) if level == 0 else late
            late = []
            cpu = self._suite.cpu(tests[0], level)
            for trial in self._runner.trials(
                source, tests, cpu=cpu, wall=max(1.0, 10 * cpu), direct=self._suite.direct, stop=self._stop
            ):
                self._validated += 1
                if trial.green:
                    self._judge(fault, trial.patch, tests)
                elif any(outcome.status == "timeout" for outcome in trial.outcomes):
                    late.append(trial.patch)
                elif any(outcome.status in GREEN for outcome in trial.outcomes) and len(self._others) < 20:
                    self._others.append(_Judged(trial.patch, Verdict(outcome="partial"), self._validated))
                self._tick()
            if self._passing or not late or self._stop():
                return

    def _counted(self, context: Context) -> Iterator[Patch]:
        seen: set[str] = set()
        for coder in self._coders:
            for patch in coder.propose(context):
                if patch.id not in seen and set(patch.paths) <= self._editable:
                    seen.add(patch.id)
                    self._candidates += 1
                    yield patch

    def _stop(self) -> bool:
        now = time.monotonic()
        if now > self._deadline:
            self._stopped = "budget"
            return True
        if self._first_hit is None:
            return False
        at, validated = self._first_hit
        return now > at + _GRACE_SECONDS or self._validated > validated + _GRACE_TRIALS

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._ticked < _TICK or self._fault is None:
            return
        self._ticked = now
        self._poll()
        self._emit(
            SearchAdvanced(
                fault=self._fault.id,
                candidates=self._validated,
                passing=len(self._passing),
                seconds=now - self._started,
            )
        )

    def _judge(self, fault: Fault, patch: Patch, tests: Sequence[str]) -> None:
        """All of the fault's tests and the affected green ones, in a fresh child."""
        judged = _Judged(patch, self._full_verdict(patch, tests), self._validated)
        if judged.verdict.outcome == "fixed":
            self._passing.append(judged)
            if self._first_hit is None:
                self._first_hit = time.monotonic(), self._validated
                self._start_confirmation(fault, judged)
        elif judged.verdict.outcome == "partial":
            self._others.append(judged)

    def _full_verdict(self, patch: Patch, tests: Sequence[str]) -> Verdict:
        affected = self._suite.affected(self._places(patch))
        others = [test for test in self._suite.sociable if test not in self._mine][:_MOST_OTHERS]
        cpu = self._suite.cpu(tests[0], 1) + 1.0
        return self._verdict(self._runner.judge(patch, [*tests, *others, *affected], cpu=cpu), tests)

    def _verdict(self, trial: Trial, tests: Sequence[str]) -> Verdict:
        ended = {outcome.test: outcome.status for outcome in trial.outcomes}
        fixed = tuple(
            test for test, status in ended.items() if status in GREEN and test in self._suite.failing
        )
        broken = tuple(
            test for test, status in ended.items() if status not in GREEN and test not in self._suite.failing
        )
        return Verdict(
            outcome=_outcome(fixed=len(self._mine & set(fixed)), of=len(tests), broken=len(broken)),
            fixed=fixed,
            broken=broken,
            ran=len(ended),
            sandbox=self._launcher.level,
        )

    def _places(self, patch: Patch) -> dict[str, tuple[int, int]]:
        """The lines of the functions that a patch edits."""
        places: dict[str, tuple[int, int]] = {}
        for edit in patch.edits:
            source = self._suite.sources[edit.path]
            first, last = source.enclosing_lines(edit.start, edit.end)
            before = places.get(edit.path, (first, last))
            places[edit.path] = min(first, before[0]), max(last, before[1])
        return places

    # Confirming.

    def _start_confirmation(self, fault: Fault, judged: _Judged) -> Confirmation:
        needed = {
            *self._suite.of(fault),
            *self._suite.sociable,
            *self._suite.affected(self._places(judged.patch)),
        }
        room = max(2.0, self._deadline - time.monotonic()) * 0.4
        tests = to_confirm(self._suite.baseline, needed, seconds=room)
        contents = {
            path: self._suite.sources[path].edited(judged.patch.edits).content for path in judged.patch.paths
        }
        confirmation = Confirmation(self._launcher, contents, tests)
        self._running.append((judged, confirmation))
        return confirmation

    def _poll(self) -> None:
        for judged, confirmation in list(self._running):
            if confirmation.poll():
                self._running.remove((judged, confirmation))
                self._hear(judged, confirmation)
                confirmation.close()

    def _hear(self, judged: _Judged, confirmation: Confirmation) -> None:
        assert self._fault is not None
        ended = confirmation.outcomes
        mine = [test for test in self._fault.tests if test in ended]
        turned = tuple(test for test, end in ended.items() if end.status in GREEN and test in self._red)
        fixed = tuple(test for test in mine if test in turned)
        suspicious = [
            test for test, end in ended.items() if end.status not in GREEN and test not in self._red
        ]
        broken = tuple(test for test in suspicious if self._green_unpatched(suspicious, test))
        loaded = set(judged.patch.paths) <= confirmation.loaded
        judged.verdict = Verdict(
            outcome=_outcome(fixed=len(fixed), of=len(mine), broken=len(broken)),
            fixed=turned,
            broken=broken,
            ran=len(ended),
            confirmed=bool(loaded and mine and confirmation.complete),
            sandbox=self._launcher.level,
            seconds=confirmation.seconds,
        )
        if judged.verdict.outcome == "fixed" and judged.verdict.confirmed:
            self._confirmed.append(judged)
            self._emit(FixConfirmed(fault=self._fault.id, proposal=self._proposal(judged, 1)))

    def _green_unpatched(self, tests: Sequence[str], test: str) -> bool:
        """Whether a test that a patch seems to break passes without it under the same conditions."""
        missing = [name for name in tests if name not in self._controls]
        if missing:
            with Confirmation(self._launcher, {}, missing) as control:
                self._wait([control], time.monotonic() + 30.0)
                for name in missing:
                    outcome = control.outcomes.get(name)
                    self._controls[name] = outcome is not None and outcome.status in GREEN
        return self._controls[test]

    def _wait(self, confirmations: Sequence[Confirmation], limit: float) -> None:
        with selectors.DefaultSelector() as selector:
            for confirmation in confirmations:
                selector.register(confirmation.socket, selectors.EVENT_READ)
            while not all(confirmation.poll() for confirmation in confirmations):
                remaining = limit - time.monotonic()
                if remaining <= 0:
                    return
                selector.select(min(remaining, 0.5))

    def _finish(self, fault: Fault) -> None:
        """Confirm the best patches until the best one stands, at most a few."""
        refuted = 0
        while refuted < _MOST_REFUTED:
            ranked = [
                item for item in sorted(self._passing, key=self._rank) if item.verdict.outcome == "fixed"
            ]
            if not ranked or ranked[0].verdict.confirmed:
                return
            best = ranked[0]
            under_way = next((run for item, run in self._running if item is best), None)
            confirmation = under_way or self._start_confirmation(fault, best)
            self._wait([confirmation], time.monotonic() + 30.0)
            self._poll()
            if not best.verdict.confirmed:
                if best.verdict.outcome == "fixed":
                    best.verdict = replace(best.verdict, outcome="rejected")
                refuted += 1

    def _split(self, fault: Fault, tests: Sequence[str]) -> Fault | None:
        """Where patches fix some of the tests and break none, those are a fault of their own.

        Gives what is left of the fault; the patches that fix the largest share count as its fixes.
        """
        judged = [item for item in self._others if item.verdict.ran or self._judged_again(item, tests)]
        shares = [frozenset(item.verdict.fixed) & self._mine for item in judged if not item.verdict.broken]
        best = max(shares, key=len, default=frozenset())
        if not best or len(best) == len(tests):
            return None
        for item in judged:
            if not item.verdict.broken and frozenset(item.verdict.fixed) & self._mine == best:
                item.verdict = replace(item.verdict, outcome="fixed")
                self._passing.append(item)
        left = tuple(test for test in fault.tests if test not in best)
        return replace(fault, id=f"{fault.id}b", tests=left, proposals=(), explanation=None)

    def _judged_again(self, item: _Judged, tests: Sequence[str]) -> bool:
        """Judge a candidate that made progress on some test, when that has not been done yet."""
        if time.monotonic() > self._deadline:
            return False
        item.verdict = self._full_verdict(item.patch, tests)
        return True

    # Ranking.

    def _rank(self, item: _Judged) -> tuple[float, ...]:
        patch = item.patch
        size = sum(
            _token_distance(self._suite.sources[edit.path].content[edit.start : edit.end], edit.replacement)
            for edit in patch.edits
        )
        more = sum(1 for test in item.verdict.fixed if test not in self._mine)
        return (
            round(patch.suspicion, 1),
            changed_lines(patch, self._suite.sources),
            -more,
            math.log2(1 + item.order) + size,
        )

    def _proposal(self, item: _Judged, rank: int) -> Proposal:
        return Proposal(
            patch=item.patch,
            diff=unified_diff(item.patch, self._suite.sources),
            verdict=item.verdict,
            changed_lines=changed_lines(item.patch, self._suite.sources),
            rank=rank,
        )


def _outcome(*, fixed: int, of: int, broken: int) -> VerdictOutcome:
    if broken:
        return "breaks"
    if not fixed:
        return "no-change"
    return "fixed" if fixed == of else "partial"


def _token_distance(old: bytes, new: bytes) -> int:
    """How many tokens differ between two pieces of source."""
    before = _TOKEN.findall(old.decode("utf-8", "replace"))
    after = _TOKEN.findall(new.decode("utf-8", "replace"))
    blocks = difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in blocks)
    return max(len(before), len(after)) - same
