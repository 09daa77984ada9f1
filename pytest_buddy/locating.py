"""Where the faults of one run are, and why: suspects ranked, probed, observed and explained."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from pytest_buddy.capture import changes
from pytest_buddy.config import Config
from pytest_buddy.domain import Baseline, Change, Fault, Observation, Outcome
from pytest_buddy.errors import SourceError
from pytest_buddy.explain import explain
from pytest_buddy.localize import localize, probes, referred, weigh, why
from pytest_buddy.runner import AnyRunner
from pytest_buddy.source import Source
from pytest_buddy.suite import Suite
from pytest_buddy.workspace import Workspace

_PROBES = 24
_OBSERVED = 3
_WATCHED = 4
_SLOWEST_TEST = 10.0
_MOST_LOOKED_UP = 60


class Locator:
    """Works on one run's suite, whose sources it fills in; without `probing` nothing mutated ever runs."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        config: Config,
        baseline: Baseline,
        runner: AnyRunner,
        suite: Suite,
        probing: bool,
    ) -> None:
        self._workspace = workspace
        self._config = config
        self._baseline = baseline
        self._runner = runner
        self._suite = suite
        self._probing = probing
        self._history: tuple[Change, ...] = ()

    def faults(self, flaky: frozenset[str]) -> tuple[Fault, ...]:
        """The faults with their ranked suspects, from who ran what and the tracebacks alone."""
        sources = self._suite.sources
        sources.update(self._read(self._involved()))
        # Modules of tables and constants: their lines run at import, in no test.
        sources.update(self._read(referred(sources)[:_MOST_LOOKED_UP]))
        tests = frozenset(path for path in sources if self._is_test(path))
        self._history = changes(self._workspace, [path for path in sources if path not in tests])
        self._suite.changes[:] = self._history
        failures = tuple(failure for failure in self._baseline.failures if failure.test not in flaky)
        return localize(failures, self._suite.spectrum, sources, tests=tests, changes=self._history)

    def looked_into(self, fault: Fault, deadline: float) -> Fault:
        """The fault with its suspects in the order that probes give them, and explained."""
        return self.explained(self._probed(fault, deadline), deadline)

    def explained(self, fault: Fault, deadline: float) -> Fault:
        """The fault with an explanation of what is known of it now."""
        # What was observed belongs to the quickest tests: they are explained first.
        places = {test: place for place, test in enumerate(self._suite.of(fault))}
        tests = set(fault.tests)
        mine = [failure for failure in self._baseline.failures if failure.test in tests]
        explanation = explain(
            fault,
            tuple(sorted(mine, key=lambda failure: places.get(failure.test, len(places)))),
            spectrum=self._suite.spectrum,
            sources=self._suite.sources,
            observations=self._observed(fault, deadline),
            changes=self._history,
        )
        return replace(fault, explanation=explanation)

    def why(self, path: str, line: int, faults: Sequence[Fault]) -> tuple[str, ...]:
        """Sentences on why a line is or is not suspected, given the faults as they are now."""
        sources = {**dict(self._read((path,))), **self._suite.sources}
        tests = frozenset(known for known in sources if self._is_test(known))
        return why(path, line, self._baseline.failures, self._suite.spectrum, sources, faults, tests=tests)

    @cached_property
    def editable(self) -> frozenset[str]:
        """The files that patches may edit."""
        return frozenset(path for path in self._suite.sources if self._may_edit((path,)))

    def _probed(self, fault: Fault, deadline: float) -> Fault:
        """Order the suspects by what small mutations of them do to the tests."""
        suite = self._suite
        tests = suite.of(fault)
        if not tests or not fault.suspects or not self._probing:
            return fault
        limit = time.monotonic() + max(0.3, (deadline - time.monotonic()) * 0.1)
        passing = suite.passing_near(fault, most=3)
        patches = probes(fault, suite.sources, limit=_PROBES)
        trials = tuple(
            self._runner.trials(
                [patch for patch in patches if self._may_edit(patch.paths)],
                (*tests[:2], *passing),
                cpu=suite.cpu(tests[0], 1),
                direct=suite.direct,
                batch=6,
                every=True,
                stop=lambda: time.monotonic() > limit,
            )
        )
        green = {test: Outcome(test=test, status="passed") for test in passing}
        return weigh(fault, trials, suite.sources, baseline={**green, **suite.failing})

    def _observed(self, fault: Fault, deadline: float) -> tuple[Observation, ...]:
        suite = self._suite
        tests = [*suite.of(fault)[:_WATCHED], *suite.passing_near(fault, most=2)]
        if not tests or not fault.suspects or time.monotonic() > deadline:
            return ()
        hung = any(suite.failing[test].hung for test in suite.of(fault))
        return () if hung else self._runner.observe(tests, fault.suspects[:_OBSERVED], cpu=_SLOWEST_TEST)

    def _involved(self) -> list[str]:
        """Every file that a failing test ran or that a traceback names."""
        paths = {path for execution in self._suite.spectrum.failing for path in execution.lines}
        for failure in self._baseline.failures:
            paths |= {frame.path for frame in failure.project_frames}
            paths |= {frame.path for cause in failure.causes for frame in cause.frames}
        return sorted(paths)

    def _read(self, paths: Iterable[str]) -> Iterator[tuple[str, Source]]:
        """Those of the files that are the project's own Python and can be read."""
        for path in paths:
            if self._workspace.relative(path) != path or not path.endswith(".py"):
                continue
            try:
                source = self._workspace.source(path)
                source.text  # noqa: B018  decodable?
            except SourceError:
                continue
            yield path, source

    def _is_test(self, path: str) -> bool:
        return path in self._suite.test_files or self._workspace.protected(path)

    def _may_edit(self, paths: Sequence[str]) -> bool:
        exclude = self._config.exclude
        return not any(
            path in self._suite.test_files or self._workspace.protected(path, exclude=exclude)
            for path in paths
        )
