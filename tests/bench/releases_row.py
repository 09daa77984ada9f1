"""What `pytest --buddy` made of one real fix undone: the offer judged, ranks, what was said without one."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import reading
from factory_faults import read
from factory_packages import Bench
from factory_row import REPORT, watched
from factory_standing import Placed, Standing, Truth, placed, plain_ochiai
from judging import applies, commit_all
from limited import Finished, run
from releases_pair import Fix, Trees, changed_lines
from suite import SuiteRun

_SHORT_SUITE = 12.0
_NO_FIX = "no fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One fix and what came of it; `told` says what a person is told who is offered no fix."""

    fix: str
    about: str
    places: tuple[str, ...]
    lines: int
    red: tuple[str, ...]
    subject: str
    budget: float
    tests: int = 0
    note: str = ""
    report: bool = False
    notices: tuple[str, ...] = ()
    faults_reported: int = 0
    flaky: int = 0
    standings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    offers: int = 0
    right: bool = False
    right_together: bool = False
    origin: str = ""
    diff: str = ""
    first_fix: float | None = None
    total: float | None = None
    wall: float = 0.0
    validated: int = 0
    stopped: str = ""
    bullets: tuple[str, ...] = ()
    told: Mapping[str, bool] = field(default_factory=dict)
    load: float = 0.0


class Unfit(Exception):
    """A fix that does not do here what it is listed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """One fix undone in a bench of its own: the tests it turns green, and the others that stay red."""

    trees: Trees
    fix: Fix
    bench: Bench
    with_fix: SuiteRun
    red: tuple[str, ...]
    others: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """What tables call it."""
        return name_of(self.trees, self.fix)

    def row(self, budget: float, subject: str, said: Path) -> ReleaseRow:
        """Run `pytest --buddy` on the older code with the newer tests; what it printed is put into `said`."""
        row = ReleaseRow(
            fix=self.name,
            about=self.fix.about,
            places=self.fix.places,
            lines=changed_lines(self.trees.fixed(self.fix), self.trees.mixed),
            red=self.red,
            subject=subject,
            budget=budget,
            tests=len(self.with_fix.outcomes),
        )
        with tempfile.TemporaryDirectory(prefix="bench-release-") as directory:
            watch = Path(directory) / "watch"
            self.bench.prepared.reset()
            commit_all(self.bench.prepared.work)
            path = self.bench.prepared.work / REPORT
            finished = self._run(path, budget, watch)
            said.parent.mkdir(parents=True, exist_ok=True)
            said.write_text(finished.stdout + finished.stderr, encoding="utf-8")
            row = replace(row, wall=finished.wall, load=os.getloadavg()[0], note=_note(finished))
            report = reading.read(path)
            if report is None:
                return row
            row = _read(row, report, finished.stdout)
            row = replace(row, standings=self._standings(report, watch))
        return self._judged(row, reading.offers(report))

    def _run(self, report: Path, budget: float, watch: Path) -> Finished:
        arguments = [f"--buddy-report=json:{report}", f"--buddy-budget={budget:g}", *self._selected()]
        command = [str(self.bench.prepared.python), "-m", "pytest", "--buddy", *arguments]
        wall = budget + 90 + 6 * self.with_fix.finished.wall
        environment = {"BENCH_WATCH": str(watch), "COLUMNS": "110"}
        return run(command, cwd=self.bench.prepared.work, env=environment, wall=wall)

    def _selected(self) -> tuple[str, ...]:
        left_out = (f"--deselect={test}" for test in self.others)
        return (*self.bench.suite.arguments, *self.files, *left_out)

    def _standings(self, report: Mapping[str, Any], watch: Path) -> Mapping[str, Mapping[str, Any]]:
        """True statement and function in the first fault's ranking: final, before the search, by Ochiai."""
        mixed, work = self.trees.mixed, self.bench.prepared.work
        sources = {file: read(work / file) for file in self.bench.files}
        truths = [
            Truth(file=fault.file, statements=fault.true_statements(faulty), sources=sources)
            for fault in self.trees.faults(self.fix)
            if (faulty := read(mixed / fault.file))
        ]
        rankings: dict[str, Sequence[Placed]] = {}
        known = watched(watch)
        if report["faults"]:
            rankings["final"] = placed(report["faults"][0]["suspects"])
        if known["located"]:
            rankings["before"] = placed(known["located"][0]["suspects"])
        if known["spectrum"]:
            rankings["ochiai"] = plain_ochiai(known["spectrum"], sources)
        return {
            name: {
                "statement": asdict(_best(truth.statement(places) for truth in truths)),
                "function": asdict(_best(truth.function(places) for truth in truths)),
            }
            for name, places in rankings.items()
        }

    def _judged(self, row: ReleaseRow, offers: tuple[reading.Offer, ...]) -> ReleaseRow:
        """The first offer is right when all is green with it that is green with the release's own fix."""
        if not offers:
            return row
        row = replace(row, offers=len(offers), origin=offers[0].origin, diff=offers[0].diff)
        self.bench.prepared.reset()
        work = self.bench.prepared.work
        if not applies(work, offers[0].diff, check=False):
            return replace(row, note=f"{row.note} git apply refuses the offer".strip())
        right = self._is_green()
        if right or not all(applies(work, offer.diff, check=False) for offer in offers[1:]):
            return replace(row, right=right, right_together=right)
        return replace(row, right_together=len(offers) > 1 and self._is_green())

    def _is_green(self) -> bool:
        suite = self.bench.suite.run(self.files, wall=_wall(self.with_fix))
        return suite.complete and not suite.regressions(self.with_fix)


def name_of(trees: Trees, fix: Fix) -> str:
    """A fix's name: its releases, and where it begins."""
    file, _, line = fix.places[0].rpartition(":")
    return f"{trees.pair.name}:{Path(file).name}:{line}"


def undone(trees: Trees, fix: Fix, bench: Bench) -> Undone:
    """Find the tests that a fix turns green; raises Unfit when they are not as many as are listed."""
    work, files = bench.prepared.work, (trees.pair.tests,)
    bench.prepared.reset()
    without = bench.suite.run(files)
    for file, text in trees.fixed(fix).items():
        (work / file).write_text(text, encoding="utf-8", newline="")
    with_fix = bench.suite.run(files, wall=_wall(without))
    red = tuple(test for test in without.failed if with_fix.outcomes.get(test) == "passed")
    lost = with_fix.regressions(without)
    if not with_fix.complete or lost or len(red) != fix.red:
        tail = with_fix.finished.stdout[-1500:]
        raise Unfit(f"{name_of(trees, fix)}: {len(red)} turn green, {len(lost)} turn red\n{tail}")
    if with_fix.finished.wall > _SHORT_SUITE:
        files = tuple(dict.fromkeys(test.partition("::")[0] for test in red))
        with_fix = bench.suite.run(files, wall=_wall(with_fix))
    others = tuple(test for test in with_fix.failed if not any(one.startswith(test) for one in red))
    return Undone(trees=trees, fix=fix, bench=bench, with_fix=with_fix, red=red, others=others, files=files)


def _read(row: ReleaseRow, report: Mapping[str, Any], printed: str) -> ReleaseRow:
    faults = report["faults"]
    searches = [fault["search"] for fault in faults if fault["search"]]
    bullets = tuple(faults[0]["explanation"]["bullets"]) if faults and faults[0]["explanation"] else ()
    suspects = faults[0]["suspects"] if faults else ()
    return replace(
        row,
        report=True,
        notices=tuple(report.get("notices", ())),
        faults_reported=len(faults),
        flaky=report["summary"]["flaky"],
        first_fix=report["timing"].get("first_fix"),
        total=report["timing"]["total"],
        validated=sum(search["validated"] for search in searches),
        stopped=searches[0]["stopped"] if searches else "",
        bullets=bullets,
        told={
            "suspects": bool(suspects),
            "evidence": bool(suspects and suspects[0]["evidence"]),
            "explanation": len(bullets) >= 4,
            "no fix, said": _NO_FIX in printed,
        },
    )


def _best(standings: Iterator[Standing]) -> Standing:
    found = [one for one in standings if one.above is not None]
    return min(found, key=lambda one: one.above or 0, default=Standing())


def _note(finished: Finished) -> str:
    return f"killed after {finished.wall:.0f} s" if finished.timed_out else ""


def _wall(before: SuiteRun) -> float:
    return max(60.0, 8 * before.finished.wall)


def told(row: Mapping[str, Any]) -> str:
    """What a person was told who was offered no fix: all of it, or what was missing."""
    missing = [name for name, there in row["told"].items() if not there]
    return f"without {', '.join(missing)}" if missing or not row["told"] else "all that is known"
