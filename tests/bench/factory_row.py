"""What `pytest --buddy` made of one fault of the factory, judged: one row of the results."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import reading
from factory_faults import Injected, read
from factory_memory import PeakMemory
from factory_packages import Bench
from factory_standing import Standing, Truth, placed, plain_ochiai
from judging import applies, commit_all, same_program
from limited import Finished, run
from replay import compare
from suite import SuiteRun

REPORT = ".bench-report.json"
_SCRIPT = Path(__file__).with_name("factory_replay.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault and what came of it; `standings` are final, before a fix was known, and of plain Ochiai."""

    fault: str
    package: str
    kind: str
    shape: str
    hunks: int
    seen: int
    unseen: int
    subject: str
    budget: float
    report: bool = False
    note: str = ""
    notices: tuple[str, ...] = ()
    sandbox: str = ""
    faults_reported: int = 0
    flaky: int = 0
    standings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    offers: int = 0
    right: bool = False
    right_together: bool = False
    same_program: bool = False
    judged_by: str = ""
    calls: int = 0
    calls_different: int = 0
    origin: str = ""
    diff: str = ""
    first_fix: float | None = None
    total: float | None = None
    wall: float = 0.0
    cpu: float = 0.0
    candidates: int = 0
    validated: int = 0
    search_seconds: float = 0.0
    stopped: str = ""
    cores: int = 1
    load: float = 0.0
    memory: float = 0.0
    replayed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One fault in one package, to be looked into with a budget of seconds.

    `replay` is for how many seconds the original is looked for among the candidates after a miss.
    """

    fault: Injected
    bench: Bench
    baseline: SuiteRun
    budget: float
    subject: str
    replay: float = 40.0

    def row(self) -> Row:
        """Run `pytest --buddy` as a person would, read its report, judge what it offers."""
        fault = self.fault
        row = Row(
            fault=fault.name,
            package=fault.package,
            kind=fault.kind,
            shape=fault.shape,
            hunks=len(fault.hunks),
            seen=len(fault.seen),
            unseen=len(fault.unseen),
            subject=self.subject,
            budget=self.budget,
            cores=len(os.sched_getaffinity(0)),
        )
        with tempfile.TemporaryDirectory(prefix="bench-factory-") as directory:
            watch = Path(directory) / "watch"
            self._broken()
            report_path = self.bench.prepared.work / REPORT
            with PeakMemory() as memory:
                finished = self._run(report_path, watch)
            load = os.getloadavg()[0]
            row = replace(row, wall=finished.wall, cpu=finished.cpu, load=load, memory=memory.most)
            report = reading.read(report_path)
            if report is None:
                tail = (finished.stdout + finished.stderr).strip().splitlines()[-1:]
                return replace(row, note="; ".join(["no report", *_notes(finished), *tail]))
            row = self._read(row, report, finished)
            row = replace(row, standings=self._standings(report, watch))
            row = self._judged(row, reading.offers(report))
            if not row.right and self.replay:
                row = replace(row, replayed=self._replayed(watch))
        return row

    def _broken(self) -> None:
        self.bench.prepared.reset()
        self.fault.put_into(self.bench.prepared.work)
        commit_all(self.bench.prepared.work)

    def _run(self, report: Path, watch: Path) -> Finished:
        arguments = [f"--buddy-report=json:{report}", f"--buddy-budget={self.budget:g}"]
        arguments += [*self.bench.suite.arguments, *(f"--deselect={test}" for test in self.fault.unseen)]
        wall = self.budget + 90 + 6 * self.baseline.finished.wall
        command = [str(self.bench.prepared.python), "-m", "pytest", "--buddy", *arguments]
        return run(command, cwd=self.bench.prepared.work, env={"BENCH_WATCH": str(watch)}, wall=wall)

    def _read(self, row: Row, report: Mapping[str, Any], finished: Finished) -> Row:
        searches = [fault["search"] for fault in report["faults"] if fault["search"]]
        return replace(
            row,
            report=True,
            note="; ".join(_notes(finished)),
            notices=tuple(report.get("notices", ())),
            sandbox=report["sandbox"],
            faults_reported=len(report["faults"]),
            flaky=report["summary"]["flaky"],
            first_fix=report["timing"].get("first_fix"),
            total=report["timing"]["total"],
            candidates=sum(search["candidates"] for search in searches),
            validated=sum(search["validated"] for search in searches),
            search_seconds=sum(search["seconds"] for search in searches),
            stopped=searches[0]["stopped"] if searches else "",
        )

    def _standings(self, report: Mapping[str, Any], watch: Path) -> Mapping[str, Mapping[str, Any]]:
        """Statement and function among the first fault's suspects: final, before the search, by Ochiai."""
        work = self.bench.prepared.work
        sources = {file: read(work / file) for file in self.bench.files}
        truth = Truth(
            file=self.fault.file,
            statements=self.fault.true_statements(sources[self.fault.file]),
            sources=sources,
        )
        rankings = {}
        known = watched(watch)
        if report["faults"]:
            rankings["final"] = placed(report["faults"][0]["suspects"])
        if known["located"]:
            rankings["before"] = placed(known["located"][0]["suspects"])
        if known["spectrum"]:
            rankings["ochiai"] = plain_ochiai(known["spectrum"], sources)
        return {
            name: {"statement": asdict(truth.statement(places)), "function": asdict(truth.function(places))}
            for name, places in rankings.items()
        }

    def _judged(self, row: Row, offers: tuple[reading.Offer, ...]) -> Row:
        """The row with the first offer judged, and with all of them applied one after the other."""
        if not offers:
            return row
        row = replace(row, offers=len(offers), origin=offers[0].origin, diff=offers[0].diff)
        bench, fault = self.bench, self.fault
        bench.prepared.reset()
        fault.put_into(bench.prepared.work)
        if not applies(bench.prepared.work, offers[0].diff, check=False):
            return replace(row, judged_by="git apply refuses it")
        if same_program(bench.prepared.pristine, bench.prepared.work, bench.files):
            return replace(row, right=True, right_together=True, same_program=True, judged_by="same program")
        red = self._red()
        if red:
            return self._together(replace(row, judged_by=f"{red} tests of the whole suite red"), offers[1:])
        row = replace(row, right=True, right_together=True)
        if fault.unseen:
            return replace(row, judged_by=f"{len(fault.unseen)} unseen red tests and the suite")
        calls = compare(bench.prepared, bench.suite, fault.file, fault.hunks[0].line)
        row = replace(row, calls=calls.calls, calls_different=calls.different)
        return replace(row, judged_by=f"the suite; {calls.different} of {calls.calls} calls differ")

    def _together(self, row: Row, others: tuple[reading.Offer, ...]) -> Row:
        work = self.bench.prepared.work
        if not others or not all(applies(work, offer.diff, check=False) for offer in others):
            return row
        return replace(row, right_together=not self._red())

    def _red(self) -> int:
        suite = self.bench.suite.run(wall=max(60.0, 8 * self.baseline.finished.wall))
        red = {*suite.failed, *suite.regressions(self.baseline)}
        return len(red) or int(not suite.complete)

    def _replayed(self, watch: Path) -> Mapping[str, Any]:
        """Whether and when the original text was among the candidates; empty when that cannot be said."""
        fault, prepared = self.fault, self.bench.prepared
        before = read(prepared.pristine / fault.file)
        faulty = fault.faulty(before)
        wanted = {"whole": before}
        if len(fault.hunks) > 1:
            wanted |= {f"part {n}": fault.faulty(before, (n,)) for n in range(len(fault.hunks))}
        job = {
            "watch": str(watch),
            "file": fault.file,
            "faulty": faulty,
            "wanted": wanted,
            "places": fault.true_statements(faulty),
            "seconds": self.replay,
        }
        with tempfile.TemporaryDirectory(prefix="bench-replay-") as directory:
            path = Path(directory) / "job"
            path.write_text(json.dumps(job), encoding="utf-8")
            finished = run([prepared.python, "-P", _SCRIPT, path], cwd=prepared.work, wall=150)
        if finished.returncode:
            return {"error": finished.stderr.strip().splitlines()[-1:]}
        answer: dict[str, Any] = json.loads(finished.stdout)
        return answer


def _notes(finished: Finished) -> list[str]:
    if finished.timed_out:
        return [f"killed after {finished.wall:.0f} s"]
    return [f"{finished.left_running} processes left running"] if finished.left_running else []


def watched(path: Path) -> dict[str, Any]:
    """What factory_watch.py wrote of rankings and spectra; empty lists when it heard nothing."""
    beside = path.with_suffix(".json")
    found = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
    return {"located": [], "spectrum": [], **found}


def standing(row: Mapping[str, Any], ranking: str, unit: str) -> Standing:
    """A standing out of a row as it was written; nowhere when it is not there."""
    return Standing(**row["standings"].get(ranking, {}).get(unit, {}))
