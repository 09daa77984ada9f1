"""The runner of last resort: a fresh pytest process for every question, where the warm server cannot run."""

import selectors
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from pytest_buddy.domain import GREEN, Execution, Observation, Outcome, Patch, Reaction, Suspect, Trial
from pytest_buddy.runner.client import Stop, never
from pytest_buddy.runner.confirming import Confirmation
from pytest_buddy.runner.launch import Launcher

_START_SECONDS = 10.0
_ASKED_EACH = 0.2


class ColdRunner:
    """Answers as `Runner` does, a hundred times slower; it collects no values.

    `jobs` is how many processes run at a time.
    """

    def __init__(self, launcher: Launcher, *, jobs: int = 2) -> None:
        self._launcher = launcher
        self._jobs = max(1, jobs)

    def run(
        self,
        tests: Sequence[str],
        *,
        cpu: float,
        direct: bool = False,
        fresh: bool = True,
        stop: Stop = never,
    ) -> dict[str, Outcome]:
        """Run tests on the unpatched code, all in one process; there is no way to run them `direct`."""
        del fresh, stop
        if direct or not tests:
            return {}
        with Confirmation(self._launcher, {}, tests) as running:
            _wait([running], time.monotonic() + _START_SECONDS + cpu * len(tests))
            return {outcome.test: outcome for outcome in _outcomes(running, tests)}

    def trace(
        self, tests: Sequence[str], *, cpu: float, direct: frozenset[str] = frozenset(), stop: Stop = never
    ) -> Iterator[Execution]:
        """The lines each test runs, all in one process."""
        del direct
        if not tests:
            return
        with Confirmation(self._launcher, {}, tests, trace=True) as running:
            _wait([running], time.monotonic() + _START_SECONDS + cpu * len(tests), stop)
            for test, outcome in running.outcomes.items():
                yield Execution(test=test, failed=outcome.status not in GREEN, lines=running.lines[test])

    def observe(
        self, tests: Sequence[str], suspects: Sequence[Suspect], *, cpu: float, stop: Stop = never
    ) -> tuple[Observation, ...]:
        """Nothing: values are only collected by the warm runner."""
        del tests, suspects, cpu, stop
        return ()

    def behave(
        self,
        patches: Sequence[Patch | None],
        tests: Sequence[tuple[str, bool]],
        places: Mapping[str, Sequence[int]],
        *,
        cpu: float,
        wall: float,
        stop: Stop = never,
    ) -> Iterator[tuple[Patch | None, tuple[Reaction, ...]]]:
        """Nothing: calls are only recorded by the warm runner."""
        del patches, tests, places, cpu, wall, stop
        return iter(())

    def trials(
        self,
        patches: Iterable[Patch],
        tests: Sequence[str],
        *,
        cpu: float,
        direct: frozenset[str] = frozenset(),
        wall: float | None = None,
        batch: int = 1,
        every: bool = False,
        stop: Stop = never,
    ) -> Iterator[Trial]:
        """Try candidates, each in a process of its own on all the tests."""
        del direct, batch, every
        candidates = iter(patches)
        limit = _START_SECONDS + (wall if wall is not None else 4 * cpu) * len(tests)
        while not stop():
            group = list(islice(candidates, self._jobs))
            if not group:
                return
            running = [self._confirmation(patch, tests) for patch in group]
            try:
                _wait(running, time.monotonic() + limit, stop)
                for patch, confirmation in zip(group, running, strict=True):
                    yield Trial(patch=patch, outcomes=_outcomes(confirmation, tests))
            finally:
                for confirmation in running:
                    confirmation.close()

    def judge(self, patch: Patch, tests: Sequence[str], *, cpu: float, wall: float | None = None) -> Trial:
        """All given tests with a patch."""
        limit = wall if wall is not None else cpu * len(tests)
        with self._confirmation(patch, tests) as running:
            _wait([running], time.monotonic() + _START_SECONDS + limit)
            return Trial(patch=patch, outcomes=_outcomes(running, tests))

    def _confirmation(self, patch: Patch, tests: Sequence[str]) -> Confirmation:
        workspace = self._launcher.workspace
        contents = {path: workspace.source(path).edited(patch.edits).content for path in patch.paths}
        return Confirmation(self._launcher, contents, tests)


def _outcomes(running: Confirmation, tests: Sequence[str]) -> tuple[Outcome, ...]:
    """How the tests ended, up to the first that was not heard of."""
    found: list[Outcome] = []
    for test in tests:
        if test not in running.outcomes:
            return (*found, Outcome(test=test, status="crashed" if running.finished else "timeout"))
        found.append(running.outcomes[test])
    return tuple(sorted(found, key=lambda outcome: outcome.status in GREEN))


def _wait(running: Sequence[Confirmation], limit: float, stop: Stop = never) -> None:
    """Until all are over, the limit has come, or `stop` says so: it is asked now and then."""
    with selectors.DefaultSelector() as selector:
        for confirmation in running:
            selector.register(confirmation.socket, selectors.EVENT_READ, confirmation)
        waiting = set(selector.get_map())
        while waiting and limit > time.monotonic() and not stop():
            for key, _ in selector.select(min(_ASKED_EACH, max(0.0, limit - time.monotonic()))):
                if key.data.poll():
                    selector.unregister(key.fileobj)
                    waiting.discard(key.fd)
