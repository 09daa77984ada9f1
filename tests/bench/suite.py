"""Runs a project's suite and reads how every test ended."""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limited import Finished, run


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One run: how every test ended (`passed`, `skipped`, `failed`), and whether the suite was whole."""

    finished: Finished
    outcomes: Mapping[str, str]
    collection_errors: tuple[str, ...]
    complete: bool

    @property
    def failed(self) -> tuple[str, ...]:
        """The red tests, in the order they ran."""
        return tuple(test for test, outcome in self.outcomes.items() if outcome == "failed")

    def regressions(self, baseline: "SuiteRun") -> tuple[str, ...]:
        """Tests that passed in the baseline and are not green here: failed, or gone."""
        return tuple(
            test
            for test, outcome in baseline.outcomes.items()
            if outcome == "passed" and self.outcomes.get(test) not in ("passed", "skipped")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """How a suite is started: directory, interpreter and where our plugins are."""

    root: Path
    python: Path
    plugins: Path
    arguments: tuple[str, ...] = ()

    def run(
        self,
        extra: Sequence[str] = (),
        *,
        wall: float = 120.0,
        module: Iterable[str] = ("pytest",),
        environment: Mapping[str, str] | None = None,
    ) -> SuiteRun:
        """Run pytest with our outcome log; bytecode is never written, so no run sees another's."""
        with tempfile.TemporaryDirectory(prefix="bench-outcomes-") as directory:
            log = Path(directory) / "outcomes.json"
            variables = {
                "PYTHONPATH": str(self.plugins),
                "PYTHONDONTWRITEBYTECODE": "1",
                "BENCH_OUTCOMES": str(log),
                **(environment or {}),
            }
            command: list[str] = [str(self.python), "-m", *module, "-q", "-p", "outcome_log"]
            command += ["-p", "no:cacheprovider", f"--rootdir={self.root}", *self.arguments, *extra]
            finished = run(command, cwd=self.root, env=variables, wall=wall)
            if not log.exists():
                return SuiteRun(finished=finished, outcomes={}, collection_errors=(), complete=False)
            data = json.loads(log.read_text(encoding="utf-8"))
        return SuiteRun(
            finished=finished,
            outcomes=data["outcomes"],
            collection_errors=tuple(data["collection_errors"]),
            complete=not finished.timed_out and not data["collection_errors"],
        )

    def run_buddy(
        self, report: Path, *, budget: float, extra: Sequence[str] = (), wall: float = 180.0
    ) -> Finished:
        """Run `pytest --buddy` as a person would, but for the report file."""
        command: list[str] = [str(self.python), "-m", "pytest", "--buddy", f"--buddy-report=json:{report}"]
        command += [f"--buddy-budget={budget}", *self.arguments, *extra]
        return run(command, cwd=self.root, wall=wall)
