"""What the work on one run knows of its tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_buddy.domain import Baseline, Change, Execution, Fault, Outcome, Patch, Spectrum
from pytest_buddy.source import Source

_CPU_LEVELS = (0.02, 0.2, 2.0, 20.0)
_MOST_AFFECTED = 200
_ENOUGH_CASES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Confirmed failures, neighbours, who ran what; tests are node ids.

    Whoever locates the faults fills in `sources` and what git knows of their last `changes`.
    No patch is judged by `unfit` tests: they failed in the plain run, but not in the same way in the runner.
    """

    baseline: Baseline
    failing: Mapping[str, Outcome]
    direct: frozenset[str]
    neighbours: tuple[str, ...]
    spectrum: Spectrum
    unfit: frozenset[str] = frozenset()
    sources: dict[str, Source] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    @property
    def test_files(self) -> frozenset[str]:
        """The files that hold tests."""
        return frozenset(
            outcome.test.split("::", 1)[0]
            for outcome in self.baseline.outcomes
            if not _is_doctest(outcome.test)
        )

    def of(self, fault: Fault) -> tuple[str, ...]:
        """The confirmed failing tests of a fault that the runner has, quickest first."""
        mine = [test for test in fault.tests if test in self.failing]
        return tuple(sorted(dict.fromkeys(mine), key=lambda test: self.failing[test].seconds))

    @property
    def sociable(self) -> tuple[str, ...]:
        """The failing tests that others can run beside: they do not kill their process, and they end."""
        return tuple(
            test for test, outcome in self.failing.items() if outcome.status != "crashed" and not outcome.hung
        )

    def cpu(self, test: str, level: int) -> float:
        """The CPU seconds a candidate may spend on a test: the first level with room, or higher ones."""
        outcome = self.failing.get(test)
        base = 0.0 if outcome is None or outcome.hung else outcome.seconds
        first = next((i for i, limit in enumerate(_CPU_LEVELS) if limit > 3 * base), len(_CPU_LEVELS) - 1)
        return max(_CPU_LEVELS[min(first + level, len(_CPU_LEVELS) - 1)], 3 * base)

    def places(self, patch: Patch) -> dict[str, tuple[int, int]]:
        """The lines of the outermost functions that a patch edits: path -> first and last line."""
        found: dict[str, tuple[int, int]] = {}
        for edit in patch.edits:
            first, last = self.sources[edit.path].enclosing_lines(edit.start, edit.end)
            before = found.get(edit.path, (first, last))
            found[edit.path] = min(first, before[0]), max(last, before[1])
        return found

    def outside_functions(self, patch: Patch) -> frozenset[str]:
        """The files in which a patch edits more than bodies of functions."""
        return frozenset(
            edit.path
            for edit in patch.edits
            if self.sources[edit.path].enclosing_lines(edit.start, edit.end)
            == (1, len(self.sources[edit.path].line_starts))
        )

    def contents(self, patch: Patch) -> dict[str, bytes]:
        """The edited files of a patch: path -> content."""
        return {path: self.sources[path].edited(patch.edits).content for path in patch.paths}

    def affected(self, patch: Patch, executions: Iterable[Execution] | None = None) -> tuple[str, ...]:
        """The tests, green ones unless others are given, that ran any line of what a patch edits."""
        places = self.places(patch)
        found = [
            execution.test
            for execution in (self.spectrum.passing if executions is None else executions)
            if any(
                any(first <= line <= last for line in execution.lines.get(path, ()))
                for path, (first, last) in places.items()
            )
        ]
        return tuple(found[:_MOST_AFFECTED])

    def passing_near(self, fault: Fault, *, most: int) -> tuple[str, ...]:
        """Green tests that ran the fault's first suspects, the most alike first."""
        lines = {
            (item.path, line) for item in fault.suspects[:10] for line in range(item.line, item.end_line + 1)
        }
        scored = [
            (sum(1 for path, line in lines if line in execution.lines.get(path, ())), execution.test)
            for execution in self.spectrum.passing
        ]
        scored.sort(key=lambda pair: -pair[0])
        return tuple(test for shared, test in scored[:most] if shared)

    def passing_at(self, lines: Iterable[tuple[str, int]], *, most: int) -> tuple[str, ...]:
        """Green tests that ran any of these lines (path and number), those that ran most of them first."""
        wanted = tuple(lines)
        scored = [
            (sum(1 for path, line in wanted if line in execution.lines.get(path, ())), execution.test)
            for execution in self.spectrum.passing
        ]
        scored.sort(key=lambda pair: -pair[0])
        return tuple(test for shared, test in scored[:most] if shared)


def kept_out(tests: Sequence[str]) -> tuple[str, ...]:
    """Of every test with several cases among these one, the last by name: what the search is checked by."""
    cases: dict[str, list[str]] = {}
    for test in tests:
        name, bracket, _ = test.partition("[")
        if bracket:
            cases.setdefault(name, []).append(test)
    return tuple(max(group) for group in cases.values() if len(group) >= _ENOUGH_CASES)


def _is_doctest(test: str) -> bool:
    """Whether a node id is of an example in a docstring: pytest names those by their dotted path."""
    path, _, name = test.partition("::")
    dotted = path.removesuffix(".py").replace("/", ".")
    name = name.partition("[")[0]
    return "." in name or (bool(name) and f".{dotted}".endswith(f".{name}"))
