"""Whether the watch loop's selection misses tests: mutants of real packages, the whole suite as the judge.

The map of tests to functions is noted on the untouched suite. Each mutant is judged by the selected tests, to
the first red one; when there is none, the whole suite runs, and if that is red, the mutant is missed. With
`--thorough` the whole suite runs for every mutant, and red tests that were not selected are counted, too.
Every selection is made twice: with the map, and with the import graph alone, as on Python 3.11. Prints every
miss, and shares of the suite that are selected.

Rows are appended to `--out`; mutants that are there already are not run again. Needs Python 3.12 and, the
first time, the network. Everything runs on copies below `--cache`, under CPU, memory and wall limits.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from limited import machine_line
from packages import PACKAGES, REPOSITORY, Package, Prepared, plugin_directory, prepare
from suite import Suite, SuiteRun
from watch_mutants import Placed, mutants

from buddy_watch.affected import Knowledge
from buddy_watch.values import Collected, Ran, Selection, Touched
from pytest_buddy.codec import decode
from pytest_buddy.workspace import Workspace

MORE = {
    package.name: package
    for package in (
        Package(
            name="sqlparse",
            version="0.6.1",
            sha256="ca722573f848ff2d30e40ea30f53a104b7dea7635ea9285891263eb2c58fb6e7",
            sources="sqlparse",
        ),
        Package(
            name="toolz",
            version="1.2.0",
            sha256="9667a038e9d6ecba37995e26cb2f59ec6420b6ad8dd9677de59db9b956b08490",
            sources="toolz",
        ),
    )
}
CHOICE = {**PACKAGES, **MORE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One mutant: how many tests it breaks, how many of these each way of selecting has, of how many."""

    package: str
    key: str
    level: str
    tests: int
    red: int
    selected: int
    caught: int
    graph_selected: int
    graph_caught: int
    unselected: tuple[str, ...] = ()

    @property
    def missed(self) -> bool:
        """Whether no red test was selected though there are some."""
        return bool(self.red) and not self.caught


class Judge:
    """One package with what is known of its suite."""

    def __init__(self, prepared: Prepared, plugins: Path) -> None:
        self.prepared = prepared
        prepared.reset()
        self.suite = Suite(root=prepared.work, python=prepared.python, plugins=plugins)
        self.baseline, self.touched = self._noted()
        self.mapped = self._knowledge(self.touched)
        self.graph = self._knowledge(dict.fromkeys(self.touched))

    @property
    def ran(self) -> set[tuple[str, str]]:
        """The functions that some test or some import ran."""
        everyone = [one for one in self.touched.values() if one is not None]
        return set[tuple[str, str]]().union(*(one.functions | one.early for one in everyone))

    def sources(self) -> dict[str, bytes]:
        """The files that may be mutated: no tests."""
        files = (path for path in self.prepared.files if "/tests/" not in path)
        return {path: (self.prepared.pristine / path).read_bytes() for path in files}

    def row(self, placed: Placed, *, thorough: bool) -> Row:
        """The verdict on one mutant."""
        path = self.prepared.work / placed.file
        original = path.read_bytes()
        path.write_bytes(placed.mutant.applied_to(original))
        try:
            chosen = self._chosen(self.mapped, placed.file)
            by_graph = self._chosen(self.graph, placed.file)
            red = set() if thorough else self._red(self._run(chosen), chosen)
            green_alone = not thorough and not red
            if thorough or (green_alone and len(chosen) < len(self.baseline.outcomes)):
                run = self.suite.run(wall=max(120.0, 6 * self.baseline.finished.wall))
                red = self._red(run, self.baseline.outcomes)
        finally:
            path.write_bytes(original)
            for knowledge in (self.mapped, self.graph):
                knowledge.observe([placed.file])
        return Row(
            package=self.prepared.package.name,
            key=placed.key,
            level=placed.level,
            tests=len(self.baseline.outcomes),
            red=len(red),
            selected=len(chosen),
            caught=0 if green_alone else len(red & chosen),
            graph_selected=len(by_graph),
            graph_caught=len(red & by_graph),
            unselected=tuple(sorted(red - chosen)[:5]),
        )

    def _run(self, chosen: Collection[str]) -> SuiteRun | None:
        """The selected tests alone, up to the first that is red."""
        if not chosen:
            return None
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as names:
            names.write("\n".join(test for test in self.baseline.outcomes if test in chosen))
            names.flush()
            return self.suite.run(("-x", f"@{names.name}"), wall=max(120.0, 6 * self.baseline.finished.wall))

    def _noted(self) -> tuple[SuiteRun, Mapping[str, Touched | None]]:
        with tempfile.TemporaryDirectory(prefix="watch-selection-") as directory:
            log = Path(directory) / "touched.jsonl"
            extra = ("-p", "buddy_watch.inside.touching", "-p", "touched_log")
            run = self.suite.run(extra, environment={"BENCH_TOUCHED": str(log)})
            rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        return run, {test: None if data is None else decode(Touched, data) for test, _, data in rows}

    def _knowledge(self, touched: Mapping[str, Touched | None]) -> Knowledge:
        knowledge = Knowledge(
            Workspace(self.prepared.work), python_files=("test_*.py", "*_test.py"), watched=lambda _: True
        )
        for _ in knowledge.scan():
            continue
        tests = tuple(self.baseline.outcomes)
        knowledge.collected(Collected(run=1, tests=tests, seen=tests))
        for test, one in touched.items():
            knowledge.learn(Ran(run=1, test=test, status="passed", touched=one))
        return knowledge

    def _chosen(self, knowledge: Knowledge, path: str) -> set[str]:
        selection = knowledge.select(knowledge.observe([path]), knowledge.tests)
        knowledge.settle([*selection.tests, *selection.files])
        return set(_expanded(selection, self.baseline.outcomes))

    def _red(self, run: SuiteRun | None, wanted: Iterable[str]) -> set[str]:
        """Tests that fail or are gone; all that were wanted when the run did not come to its end."""
        if run is None:
            return set()
        green = {test for test in wanted if self.baseline.outcomes[test] == "passed"}
        if not run.outcomes or run.finished.timed_out or run.collection_errors:
            return green
        failed = green & set(run.failed)
        return failed or {test for test in green if test not in run.outcomes}


def _expanded(selection: Selection, tests: Mapping[str, str]) -> Iterator[str]:
    for test in tests:
        if selection.everything or test in selection.tests or test.split("::")[0] in selection.files:
            yield test


def summary(rows: list[Row]) -> str:
    """The figures below the rows."""
    lines = []
    for name in (*dict.fromkeys(row.package for row in rows), "all"):
        for level in ("function", "module"):
            some = [row for row in rows if name in (row.package, "all") and row.level == level]
            if not some:
                continue
            red = [row for row in some if row.red]
            lines.append(
                f"{name:12} {level:8} {len(some):4} mutants, {len(red):4} red; map: missed "
                f"{sum(row.missed for row in red)}, red tests not selected "
                f"{sum(row.red - row.caught for row in red)} of {sum(row.red for row in red)}, share "
                f"{_share(some, 'selected')}; graph: missed {sum(not row.graph_caught for row in red)}, "
                f"share {_share(some, 'graph_selected')}"
            )
    return "\n".join(lines)


def _share(rows: list[Row], field: str) -> str:
    shares = [getattr(row, field) / row.tests for row in rows]
    return f"mean {100 * statistics.mean(shares):.1f} % median {100 * statistics.median(shares):.1f} %"


def _read(path: Path) -> list[Row]:
    if not path.exists():
        return []
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [Row(**{**row, "unselected": tuple(row["unselected"])}) for row in rows]


def examine(name: str, arguments: argparse.Namespace, known: list[Row], deadline: float) -> list[Row]:
    """Rows for the mutants of one package that have none yet."""
    prepared = prepare(CHOICE[name], arguments.cache, buddy=arguments.buddy)
    judge = Judge(prepared, plugin_directory(arguments.cache))
    print(
        f"{prepared.package.stem}: {len(judge.baseline.outcomes)} tests, {len(judge.baseline.failed)} red, "
        f"{judge.baseline.finished.wall:.1f} s, {len(judge.ran)} functions run",
        flush=True,
    )
    done = {row.key for row in known if row.package == name}
    rows: list[Row] = []
    seen: set[str] = set()
    seed = f"{arguments.seed} {name}"
    stream = mutants(judge.sources(), judge.ran, seed=seed, module_share=arguments.module_share)
    for placed in stream:
        if len(seen) >= arguments.count or time.monotonic() > deadline:
            break
        if placed.key in seen:
            continue
        seen.add(placed.key)
        if placed.key in done:
            continue
        row = judge.row(placed, thorough=arguments.thorough)
        rows.append(row)
        with arguments.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")
        if row.missed or row.red > row.caught:
            word = "MISSED" if row.missed else "partly"
            print(f"  {word} {row.key[:140]!r} red {row.red} selected {row.selected}: {row.unselected[:2]}")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "pytest-buddy-bench")
    parser.add_argument("--buddy", default=str(REPOSITORY), help="what pip installs pytest-buddy from")
    parser.add_argument("--package", action="append", choices=sorted(CHOICE), help="only these (repeatable)")
    parser.add_argument("--count", type=int, default=100, help="mutants a package")
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after so long")
    parser.add_argument("--module-share", type=float, default=0.25, help="share of module-level mutants")
    parser.add_argument("--nice", type=int, default=5)
    parser.add_argument("--thorough", action="store_true", help="run the whole suite for every mutant")
    parser.add_argument("--seed", type=int, default=20260201)
    parser.add_argument("--out", type=Path, default=Path("watch-selection.jsonl"))
    arguments = parser.parse_args()
    os.nice(arguments.nice)
    print(machine_line(), flush=True)
    deadline = time.monotonic() + arguments.seconds
    rows = _read(arguments.out)
    for name in arguments.package or CHOICE:
        rows += examine(name, arguments, rows, deadline)
    print(summary(rows))
    return int(any(row.missed for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
