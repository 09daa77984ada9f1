"""The conductor, the only file that knows all rooms: from the red tests of a run to proved fixes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pytest_buddy.capture import nearest, representatives
from pytest_buddy.config import Config
from pytest_buddy.domain import (
    GREEN,
    Baseline,
    Diagnosis,
    Event,
    Failure,
    Fault,
    FaultLocated,
    FaultSettled,
    FixConfirmed,
    NoticeGiven,
    Outcome,
    Spectrum,
    StepStarted,
    Timing,
    WorkEnded,
    WorkStarted,
)
from pytest_buddy.errors import BuddyError, RunnerError
from pytest_buddy.locating import Locator
from pytest_buddy.ports import Emit
from pytest_buddy.processes import cores
from pytest_buddy.registry import coders
from pytest_buddy.runner import AnyRunner, ColdRunner, Launcher, Runner, Standby
from pytest_buddy.searching import FaultSearch
from pytest_buddy.suite import Suite
from pytest_buddy.workspace import Workspace

_MOST_FAULTS = 8
_MOST_NEIGHBOURS = 400
_SLOWEST_TEST = 10.0


@dataclass(slots=True)
class _Work:
    """What is known so far of one run; turned into a Diagnosis whenever it is needed."""

    baseline: Baseline
    offline: bool
    failed: int
    started: float
    flaky: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)


class Session:
    """Works on the red tests of one run within the budget of the configuration.

    `emit` is told everything as it happens, in the calling thread. KeyboardInterrupt ends the work cleanly:
    the diagnosis then holds what is known. Without `repairs` no candidate is ever run. `runner` is a parked
    one, `standby` a referee that waits: they are used when they still fit, and closed in any case. `jobs` is
    how many candidates run at a time.
    Afterwards `collected` and `imported` say what a runner for the same tests had better know when it starts.
    """

    def __init__(
        self,
        launcher: Launcher,
        config: Config,
        emit: Emit,
        *,
        repairs: bool = True,
        runner: Runner | None = None,
        standby: Standby | None = None,
        jobs: int | None = None,
    ) -> None:
        self._launcher = launcher
        self._workspace: Workspace = launcher.workspace
        self._config = config
        self._tell = emit
        self._repairs = repairs
        self._coders = coders(config)
        self._locator: Locator | None = None
        self._parked = runner
        self._standby = standby
        self._jobs = jobs or cores()
        self.collected: tuple[str, ...] = ()
        self.imported: tuple[str, ...] = ()
        self._first_fix: float | None = None

    def _emit(self, event: Event) -> None:
        if isinstance(event, FixConfirmed) and self._first_fix is None:
            self._first_fix = time.monotonic()
        self._tell(event)

    def why(self, path: str, line: int, diagnosis: Diagnosis) -> tuple[str, ...]:
        """After a diagnosis: sentences on why a line is or is not suspected."""
        if self._locator is None:
            return ("Nothing was located, so no line is suspected.",)
        return self._locator.why(path, line, diagnosis.faults)

    def diagnose(self, baseline: Baseline) -> Diagnosis:
        """From the red tests of a plain run to faults, explanations and confirmed fixes."""
        red = [outcome for outcome in baseline.outcomes if outcome.status not in GREEN]
        started = time.monotonic()
        work = _Work(baseline, self._config.offline, len(red), started)
        deadline = started + self._config.budget
        self._emit(WorkStarted(failed=len(red), passed=len(baseline.outcomes) - len(red)))
        try:
            self._work(work, deadline)
        except KeyboardInterrupt:
            self._notice(work, "interrupted: this is what was known by then")
        except BuddyError as error:
            self._notice(work, error.message, error.hint)
        for waiting in (self._parked, self._standby):
            if waiting is not None:
                waiting.close()
        diagnosis = self._diagnosis(work)
        self._emit(WorkEnded(diagnosis=diagnosis))
        return diagnosis

    def _work(self, work: _Work, deadline: float) -> None:
        failing = representatives(work.baseline)
        if not failing:
            return
        share = max(0.5, (deadline - time.monotonic()) * 0.15)
        neighbours = nearest(work.baseline, failing, seconds=share, most=_MOST_NEIGHBOURS)
        files = list(dict.fromkeys(test.split("::", 1)[0] for test in (*failing, *neighbours)))
        self._emit(StepStarted(step="confirm", detail=f"{len(failing)} test{'s' * (len(failing) != 1)}"))
        try:
            runner = self._runner(files)
        except RunnerError as error:
            self._cold(work, failing, neighbours, deadline, error)
            return
        with runner:
            try:
                runner.wait_ready(max(5.0, deadline - time.monotonic()))
            except RunnerError as error:
                self._cold(work, failing, neighbours, deadline, error)
                return
            self.collected, self.imported = tuple(files), runner.imported
            self._with_runner(work, runner, failing, neighbours, deadline)

    def _runner(self, files: Sequence[str]) -> Runner:
        """The parked runner when it may be used for these files, else a new one."""
        parked, self._parked = self._parked, None
        if parked is not None:
            if parked.collect(files):
                return parked
            parked.close()
        return Runner(self._launcher, files, jobs=self._jobs)

    def _cold(
        self,
        work: _Work,
        failing: Sequence[str],
        neighbours: Sequence[str],
        deadline: float,
        error: RunnerError,
    ) -> None:
        """Go on without the warm server, and say so."""
        self._notice(work, f"{error.message}: working with a fresh pytest for every step, slowly", error.hint)
        runner = ColdRunner(self._launcher, jobs=self._jobs)
        self._with_runner(work, runner, failing, neighbours, deadline)

    def _with_runner(
        self,
        work: _Work,
        runner: AnyRunner,
        failing: Sequence[str],
        neighbours: Sequence[str],
        deadline: float,
    ) -> None:
        suite = self._confirm(work, runner, failing, neighbours)
        with _timed(work, "collect"):
            suite = self._collect(work, runner, suite, deadline)
        with _timed(work, "localize"):
            locator = self._localize(work, runner, suite, deadline)
        if self._repairs:
            with _timed(work, "propose"):
                self._search(work, runner, suite, locator, deadline)

    def _confirm(
        self, work: _Work, runner: AnyRunner, failing: Sequence[str], neighbours: Sequence[str]
    ) -> Suite:
        """Run the failing tests again, alone; those that pass now are flaky and set aside."""
        tests = [test for test in failing if "::" in test]
        broken = [test for test in failing if "::" not in test]
        limit = _patience(work.baseline, tests)
        full = {test: Outcome(test=test, status="missing") for test in tests} | runner.run(tests, cpu=limit)
        ended = [test for test in tests if not full[test].hung]
        direct = runner.run(ended, cpu=limit, direct=True)
        known = {failure.test: failure for failure in work.baseline.failures}
        still: dict[str, Outcome] = {test: Outcome(test=test, status="error") for test in broken}
        for test in tests:
            outcome = full[test]
            if outcome.status in GREEN:
                work.flaky.append(test)
            elif outcome.status == "crashed" and test in known and known[test].error_type != "Crash":
                self._notice(work, f"{test} ended its process when it was run again", "It is left out.")
            elif self._same(work, known.get(test), outcome):
                still[test] = outcome
        return Suite(
            baseline=work.baseline,
            failing=still,
            direct=frozenset(
                test for test in still if test in direct and direct[test].status not in (*GREEN, "timeout")
            ),
            neighbours=tuple(neighbours),
            spectrum=Spectrum(executions=()),
            unfit=frozenset(test for test in tests if test not in still),
        )

    def _same(self, work: _Work, failure: Failure | None, outcome: Outcome) -> bool:
        """Whether a test fails for the same reason as in the person's own run; say so when it does not.

        Then no patch is judged by it: the sandbox may deny what it needs.
        """
        if failure is None or not outcome.error_type or outcome.status == "missing":
            return True
        before = failure.error_type.rpartition(".")[2]
        if before == outcome.error_type or failure.kind != "function":
            return True
        ends = f"fails with {outcome.error_type} in the sandbox, with {before} in your run"
        if needs := self._launcher.denied(outcome):
            text = f"{outcome.test} needs {needs}, which the sandbox denies"
            self._notice(work, text, f"It {ends}; no patch is judged by it.")
        else:
            hint = "It may need something that the sandbox denies, or other tests before it."
            self._notice(work, f"{outcome.test} {ends}", hint)
        return False

    def _collect(self, work: _Work, runner: AnyRunner, suite: Suite, deadline: float) -> Suite:
        self._emit(
            StepStarted(
                step="collect",
                detail=f"{len(suite.neighbours)} neighbour{'s' * (len(suite.neighbours) != 1)}",
            )
        )
        tests = [test for test in suite.failing if "::" in test]
        limit = time.monotonic() + max(0.5, (deadline - time.monotonic()) * 0.25)
        patience = _patience(work.baseline, tests)
        executions = list(runner.trace(tests, cpu=2 * patience, direct=suite.direct))
        wanted = len(suite.neighbours)
        executions += runner.trace(
            suite.neighbours,
            cpu=_SLOWEST_TEST,
            direct=frozenset(suite.neighbours),
            stop=lambda: time.monotonic() > limit,
        )
        green_now = {execution.test for execution in executions if not execution.failed}
        flaky = [test for test in tests if test in green_now]
        work.flaky += flaky
        spectrum = Spectrum(
            executions=tuple(
                execution for execution in executions if execution.failed == (execution.test in suite.failing)
            ),
            complete=len(executions) >= wanted + len(tests),
        )
        left = {test: outcome for test, outcome in suite.failing.items() if test not in flaky}
        return replace(suite, failing=left, spectrum=spectrum)

    def _localize(self, work: _Work, runner: AnyRunner, suite: Suite, deadline: float) -> Locator:
        self._emit(StepStarted(step="localize"))
        locator = self._locator = Locator(
            workspace=self._workspace,
            config=self._config,
            baseline=work.baseline,
            runner=runner,
            suite=suite,
            probing=self._repairs,
        )
        found = locator.faults(frozenset(work.flaky))
        for fault in found[:_MOST_FAULTS]:
            work.faults.append(locator.looked_into(fault, deadline))
            self._emit(FaultLocated(fault=work.faults[-1]))
        work.faults.extend(found[_MOST_FAULTS:])
        return locator

    def _search(
        self, work: _Work, runner: AnyRunner, suite: Suite, locator: Locator, deadline: float
    ) -> None:
        waiting = [fault for fault in work.faults if fault.suspects and suite.of(fault)]
        while waiting:
            fault = waiting.pop(0)
            self._emit(StepStarted(step="propose", detail=fault.id))
            now = time.monotonic()
            share = (deadline - now) / (len(waiting) + 1) if deadline > now else 0.0
            search = FaultSearch(
                fault=fault,
                runner=runner,
                launcher=self._launcher,
                suite=suite,
                coders=self._coders,
                editable=locator.editable,
                emit=self._emit,
                deadline=now + share,
                standby=self._standby,
            )
            self._standby = None
            place = work.faults.index(fault)
            try:
                settled, rest = search.settle(work.baseline.failures)
            except (KeyboardInterrupt, BuddyError):
                work.faults[place] = search.known()
                raise
            cured = [other for other in waiting if _cured(other, settled)]
            waiting = [other for other in waiting if other not in cured]
            work.faults = [other for other in work.faults if other not in cured]
            place = work.faults.index(fault)
            tests = (*settled.tests, *(test for other in cured for test in other.tests))
            settled = replace(settled, tests=tests)
            if settled.fix is not None:  # the fix knows better than coverage what there is to explain
                settled = locator.explained(settled, time.monotonic() + 1.0)
            work.faults[place] = settled
            self._emit(FaultSettled(fault=work.faults[place]))
            if rest is not None:
                rest = locator.explained(rest, deadline)
                work.faults.append(rest)
                waiting.append(rest)

    def _notice(self, work: _Work, text: str, hint: str = "") -> None:
        work.notices.append(f"{text}. {hint}" if hint else text)
        self._emit(NoticeGiven(text=text, hint=hint))

    def _diagnosis(self, work: _Work) -> Diagnosis:
        spent = work.spent
        return Diagnosis(
            failures=work.baseline.failures,
            faults=tuple(work.faults),
            flaky=tuple(dict.fromkeys(work.flaky)),
            failed=work.failed,
            sandbox=self._launcher.level,
            offline=work.offline,
            timing=Timing(
                collect=spent.get("collect", 0.0),
                localize=spent.get("localize", 0.0),
                propose=spent.get("propose", 0.0),
                total=time.monotonic() - work.started,
                first_fix=self._first_fix and self._first_fix - work.started,
            ),
            notices=tuple(work.notices),
        )


def _patience(baseline: Baseline, tests: Sequence[str]) -> float:
    """The CPU seconds that a failing test may take when it is run again: with room, but not for ever."""
    wanted = set(tests)
    longest = max((outcome.seconds for outcome in baseline.outcomes if outcome.test in wanted), default=0.0)
    return min(_SLOWEST_TEST, max(1.0, 3 * longest))


def _cured(fault: Fault, settled: Fault) -> bool:
    """Whether the confirmed fix of one fault also turned all tests of another green: then they are one."""
    fix = settled.fix
    return fix is not None and set(fault.tests) <= set(fix.verdict.fixed)


class _timed:
    """Adds the seconds of a block to a step of the work."""

    def __init__(self, work: _Work, step: str) -> None:
        self._work, self._step = work, step

    def __enter__(self) -> None:
        self._before = time.monotonic()

    def __exit__(self, *_: object) -> None:
        spent = self._work.spent
        spent[self._step] = spent.get(self._step, 0.0) + time.monotonic() - self._before
