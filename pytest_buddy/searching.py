"""The search for one fault's fix: candidates in, judged and confirmed proposals out."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_buddy.behaviours import Behaviours, observed
from pytest_buddy.candidates import Candidates
from pytest_buddy.domain import (
    GREEN,
    Failure,
    Fault,
    FixConfirmed,
    Patch,
    Search,
    SearchAdvanced,
    SearchStop,
    Trial,
    Verdict,
)
from pytest_buddy.judging import Judge, Judged
from pytest_buddy.loading import may_load
from pytest_buddy.ports import Coder, Context, Emit
from pytest_buddy.runner import AnyRunner, Launcher, Standby
from pytest_buddy.suite import Suite, kept_out
from pytest_buddy.survivors import narrowed, proposal_of, ranked, with_fix_first

_LEVELS = 3
_GRACE_SECONDS = 2.0
_GRACE_TRIALS = 500
_MOST_PARTIAL = 20
_MOST_REFUTED = 20
_REFUTED_LATE = 6
_MOST_SHOWN = 5
_CONFIRM_SECONDS = 30.0
_MOST_COMPARED = 8
_COMPARE_SECONDS = 1.0
_COMPARE_SHARE = 0.15
_SUSPICIOUS = 0.5
_TICK = 0.2


class FaultSearch:
    """Searches, judges and confirms within a deadline (`time.monotonic`); one instance a fault."""

    def __init__(
        self,
        *,
        fault: Fault,
        runner: AnyRunner,
        launcher: Launcher,
        suite: Suite,
        coders: Sequence[Coder],
        editable: frozenset[str],
        emit: Emit,
        deadline: float,
        standby: Standby | None = None,
    ) -> None:
        self._fault = fault
        self._runner = runner
        self._launcher = launcher
        self._suite = suite
        self._coders = coders
        self._editable = editable
        self._emit = emit
        self._deadline = deadline
        self._tests = suite.of(fault)
        self._kept_out = kept_out(self._tests)
        self._tried = tuple(test for test in self._tests if test not in self._kept_out)
        self._judge = Judge(
            runner=runner,
            launcher=launcher,
            suite=suite,
            fault=fault,
            tests=self._tests,
            deadline=deadline,
            heard=self._heard,
            standby=standby,
        )
        self._started = self._ticked = time.monotonic()
        self._candidates: Candidates | None = None
        self._validated = 0
        self._passing: list[Judged] = []
        self._partial: list[Judged] = []
        self._first_hit: tuple[float, int] | None = None
        self._stopped: SearchStop = "exhausted"
        self._refuted = 0
        self._behaviours = Behaviours()

    def settle(self, failures: Sequence[Failure]) -> tuple[Fault, Fault | None]:
        """The fault with its proposals, and the rest of it when a fix turned only some of its tests green."""
        rest: Fault | None = None
        try:
            self._try_all(self._context(failures))
            if not self._passing:
                rest = self._split()
            self._compare()
            self._finish()
        finally:
            self._judge.close()
        return self.known(), rest

    def known(self) -> Fault:
        """The fault with what has been found so far."""
        ranked = self._ranked(self._passing)
        offered = [item for item in ranked if item.offered]
        shown = [*offered, *(item for item in ranked if not item.offered)][: len(offered) + _MOST_SHOWN]
        fixing = sum(1 for item in ranked if item.verdict.outcome == "fixed")
        search = Search(
            candidates=self._candidates.count if self._candidates else 0,
            validated=self._validated,
            seconds=time.monotonic() - self._started,
            stopped="found" if offered else self._stopped,
            coders=tuple(coder.name for coder in self._coders),
            also_passing=max(0, fixing - 1),
            kept_out=self._kept_out,
            refuted=self._refuted,
        )
        sources = self._suite.sources
        proposals = tuple(proposal_of(item, sources, rank=rank) for rank, item in enumerate(shown, start=1))
        asked = [item.patch.id for item in offered[:1]]
        asked += [item.patch.id for item in offered[1:] if item.patch.suspicion < _SUSPICIOUS]
        question = self._behaviours.question(asked)
        fault = replace(self._fault, proposals=proposals, search=search, question=question)
        return with_fix_first(fault, fault.fix, sources) if fault.fix else fault

    def _ranked(self, items: Iterable[Judged]) -> list[Judged]:
        return ranked(items, self._fault, self._suite.sources)

    def _context(self, failures: Sequence[Failure]) -> Context:
        tests = set(self._fault.tests) - set(self._kept_out)
        return Context(
            failures=tuple(failure for failure in failures if failure.test in tests),
            suspects=self._fault.suspects,
            sources=self._suite.sources,
            editable=self._editable,
            changes=tuple(self._suite.changes),
        )

    def _try_all(self, context: Context) -> None:
        """Candidates of all coders; those that ran out of CPU time again with more of it."""
        self._candidates = Candidates(
            context,
            self._coders,
            runner=self._runner,
            suite=self._suite,
            tests=self._tried,
            deadline=self._deadline,
            searched=lambda: self._first_hit is None and not self._stop(),
        )
        source: Iterable[Patch] = self._candidates
        for level in range(_LEVELS):
            late: list[Patch] = []
            cpu = self._suite.cpu(self._tried[0], level)
            for trial in self._runner.trials(
                source,
                self._tried,
                cpu=cpu,
                wall=max(1.0, 10 * cpu),
                direct=self._suite.direct,
                stop=self._stop,
            ):
                self._validated += 1
                self._candidates.hear(trial)
                if any(outcome.status == "timeout" for outcome in trial.outcomes):
                    late.append(trial.patch)
                else:
                    self._weigh(trial)
                self._tick()
            if self._passing or not late or self._stop():
                return
            source = late

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
        self._judge.poll()
        now = time.monotonic()
        if now - self._ticked >= _TICK:
            self._ticked = now
            spent, passing = now - self._started, len(self._passing)
            self._emit(
                SearchAdvanced(
                    fault=self._fault.id, candidates=self._validated, passing=passing, seconds=spent
                )
            )

    def _weigh(self, trial: Trial) -> None:
        """Judge a candidate that turned the tests green; remember one that turned some of them."""
        if trial.green:
            judged = Judged(trial.patch, self._judge.verdict(trial.patch), self._validated)
            if judged.verdict.outcome == "fixed":
                self._passing.append(judged)
                if self._first_hit is None:
                    self._first_hit = time.monotonic(), self._validated
                    self._judge.confirm(judged)
            elif judged.verdict.outcome == "partial":
                self._partial.append(judged)
                self._refuted += not set(self._kept_out) <= set(judged.verdict.fixed)
        elif len(self._partial) < _MOST_PARTIAL and any(item.status in GREEN for item in trial.outcomes):
            self._partial.append(Judged(trial.patch, Verdict(outcome="partial"), self._validated))

    def _heard(self, judged: Judged) -> None:
        if judged.offered:
            proposal = proposal_of(judged, self._suite.sources)
            self._emit(FixConfirmed(fault=self._fault.id, proposal=proposal))

    def _compare(self) -> None:
        """See what the best patches do with inputs that no test decides, in a little of the time left."""
        now = time.monotonic()
        seconds = min(_COMPARE_SECONDS, _COMPARE_SHARE * (self._deadline - now))
        best = self._ranked(self._passing)[:_MOST_COMPARED]
        if not best or seconds <= 0:
            return
        self._behaviours = observed(
            [item.patch for item in best],
            runner=self._runner,
            suite=self._suite,
            tests=self._tried,
            limit=now + seconds,
        )
        for item in best:
            item.patch = narrowed(item.patch, self._behaviours, self._suite.sources)

    def _finish(self) -> None:
        """Confirm the best patch, the next best when that does not stand, at most a few; and its rival."""
        for refuted in range(_MOST_REFUTED):
            fixing = self._fixing()
            if not fixing or (refuted >= _REFUTED_LATE and time.monotonic() > self._deadline):
                return
            best, rival = fixing[0], self._rival(fixing)
            for item in filter(None, (best, rival)):
                if not item.offered:
                    self._judge.confirm(item)
            if not best.offered:
                self._judge.wait_for(best, _CONFIRM_SECONDS)
            if best.verdict.confirmed:
                if rival is not None and not rival.offered:
                    self._judge.wait_for(rival, self._deadline - time.monotonic())
                return
            best.verdict = replace(best.verdict, outcome="rejected")

    def _fixing(self) -> list[Judged]:
        return self._ranked(item for item in self._passing if item.verdict.outcome == "fixed")

    def _rival(self, fixing: Sequence[Judged]) -> Judged | None:
        """The best patch that is worth asking about beside the first one: it does something else."""
        if time.monotonic() > self._deadline:
            return None
        first, *others = fixing
        clean = (item for item in others if item.patch.suspicion < _SUSPICIOUS)
        told = self._behaviours.told_apart
        return next((item for item in clean if told(first.patch.id, item.patch.id)), None)

    def _split(self) -> Fault | None:
        """Make a fault of its own of the tests that patches fix, when the others have nothing to do with it.

        The others must not run what the patch edits: else the patch would only please some tests of one
        fault. Gives what is left of the fault.
        """
        shares: dict[frozenset[str], list[Judged]] = {}
        for item in self._partial:
            share = self._share(item)
            if share:
                shares.setdefault(share, []).append(item)
        if not shares:
            return None
        best = max(shares, key=len)
        for item in shares[best]:
            item.verdict = replace(item.verdict, outcome="fixed")
        self._passing += shares[best]
        left = tuple(test for test in self._fault.tests if test not in best)
        rest = replace(self._fault, id=f"{self._fault.id}b", tests=left, proposals=(), explanation=None)
        self._fault = replace(self._fault, tests=tuple(test for test in self._fault.tests if test in best))
        self._judge.fault = self._fault
        self._judge.tests = self._suite.of(self._fault)
        return rest

    def _share(self, item: Judged) -> frozenset[str]:
        """The tests that a patch fixes, when none of the fault's others runs the place it edits."""
        if time.monotonic() > self._deadline:
            return frozenset()
        if not item.verdict.ran:
            item.verdict = self._judge.verdict(item.patch)
        fixed = frozenset(item.verdict.fixed) & set(self._tests)
        others = [run for run in self._suite.spectrum.failing if run.test in set(self._tests) - fixed]
        if item.verdict.broken or not others or self._suite.affected(item.patch, others):
            return frozenset()
        # What is at module level runs at import, which no test is seen to do.
        loading = {run.test.partition("::")[0] for run in others}
        read = self._launcher.workspace.source
        if any(may_load(loading, path, read) for path in self._suite.outside_functions(item.patch)):
            return frozenset()
        return fixed
