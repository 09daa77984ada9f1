"""Runs `pytest --buddy` on a copy of every broken project of fixtures/ and judges what it says.

Prints for each: the rank of the true statement (behind all its equals, and expected), of its function,
whether a fix was offered, whether the first offer is right by tests that the search never saw, whether
`buddy apply` and `buddy undo` do what they say, and seconds. With --goals the exit status is 1 when a goal
is missed.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import catalogue
import reading
from faults import Span
from judging import applies, commit_all
from limited import machine_line, run
from packages import plugin_directory
from suite import Suite

REPORT = ".bench-report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What `pytest --buddy` made of one fixture; ranks are given for each of its faults."""

    name: str
    kind: str
    single_edit: bool
    ranks: tuple[reading.Ranks, ...] = ()
    fixed: bool = False
    right: bool = False
    why: str = ""
    origin: str = ""
    changed_lines: int | None = None
    diffs: int = 0
    diffs_applied: int = 0
    handled: str = ""
    first_fix: float | None = None
    total: float | None = None
    wall: float = 0.0
    plain: float = 0.0
    cpu: float = 0.0
    plain_cpu: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure, what it should be, and whether it is."""

    text: str
    met: bool


def examine(fixture: catalogue.Fixture, directory: Path, plugins: Path, budget: float) -> Row:
    """Everything about one fixture; works in `directory`, which is empty."""
    python = Path(sys.executable)
    plain_copy = fixture.copy(directory / "plain")
    plain = Suite(root=plain_copy, python=python, plugins=plugins).run()
    root = fixture.copy(directory / "work")
    commit_all(root)
    suite = Suite(root=root, python=python, plugins=plugins)
    finished = suite.run_buddy(root / REPORT, budget=budget)
    notes = []
    if finished.returncode != plain.finished.returncode:
        notes.append(f"exit code {finished.returncode}, plain {plain.finished.returncode}")
    if finished.left_running:
        notes.append(f"{finished.left_running} processes left running")
    row: dict[str, Any] = {
        "name": fixture.name,
        "kind": fixture.kind,
        "single_edit": fixture.single_edit,
        "wall": finished.wall,
        "plain": plain.finished.wall,
        "cpu": finished.cpu,
        "plain_cpu": plain.finished.cpu,
    }
    report = reading.read(root / REPORT)
    if report is None:
        tail = (finished.stdout + finished.stderr).strip().splitlines()[-1:]
        return Row(**row, note="; ".join([*notes, "no report", *tail]))
    diffs, offers = reading.diffs(report), reading.offers(report)
    row |= {
        "ranks": ranks_of(fixture, report, root),
        "diffs": len(diffs),
        "diffs_applied": sum(applies(root, diff) for diff in diffs),
        "total": report["timing"]["total"],
    }
    if offers:
        why = wrongness(fixture, offers, directory / "judged", plugins)
        row |= {
            "fixed": True,
            "right": not why,
            "why": why,
            "origin": offers[0].origin,
            "changed_lines": offers[0].changed_lines,
            "first_fix": report["timing"].get("first_fix", report["timing"]["total"]),
            "handled": mishandling(fixture, offers[0], root, directory / "applied"),
        }
    return Row(**row, note="; ".join(notes))


def ranks_of(fixture: catalogue.Fixture, report: Mapping[str, Any], root: Path) -> tuple[reading.Ranks, ...]:
    """For each true fault its ranks in that fault of the report which places it best."""
    sources = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in root.rglob("*.py")
        if ".buddy" not in path.parts
    }
    found = []
    for fault in fixture.faults:
        statements: list[Span] = [(fault.line, fault.end_line), *((line, line) for line in fault.lines)]
        reported = [
            reading.ranks(one["suspects"], fault.file, statements, sources) for one in report["faults"]
        ]
        found.append(reading.best_of(reported))
    return tuple(found)


def wrongness(
    fixture: catalogue.Fixture, offers: Sequence[reading.Offer], target: Path, plugins: Path
) -> str:
    """Apply the first offer of each fault to a fresh copy; empty when all tests, seen or not, then pass."""
    root = fixture.copy(target)
    commit_all(root)
    for offer in offers:
        if not applies(root, offer.diff, check=False):
            return f"git apply refuses {offer.id}"
    fixture.reveal(root)
    judged = Suite(root=root, python=Path(sys.executable), plugins=plugins).run((".",), wall=60)
    if not judged.complete or not judged.outcomes:
        return "the tests do not run"
    bad = [test for test in judged.failed if test not in fixture.flaky]
    return f"{len(bad)} red, {bad[0]}" if bad else ""


def mishandling(fixture: catalogue.Fixture, offer: reading.Offer, root: Path, target: Path) -> str:
    """What `buddy apply` and `buddy undo` do otherwise than `git apply`; empty when nothing."""
    expected = fixture.copy(target)
    before = _files(expected)
    applies(expected, offer.diff, check=False)
    for arguments, wanted in ((("apply", offer.id), _files(expected)), (("undo",), before)):
        buddy = Path(sys.executable).with_name("buddy")
        finished = run([buddy, *arguments], cwd=root, wall=30)
        if finished.returncode:
            said = " ".join((finished.stdout + finished.stderr).split())
            return f"buddy {arguments[0]}: exit status {finished.returncode}, {said[-100:]}"
        if _files(root) != wanted:
            return f"buddy {arguments[0]}: other bytes than git apply"
    return ""


def goals(rows: Sequence[Row]) -> tuple[Goal, ...]:
    """The goals for the fixtures, with the figures of these rows."""
    ranks = [ranks for row in rows for ranks in row.ranks]
    judged = [row for row in rows if row.fixed]
    single = [row for row in rows if row.single_edit]
    fixed_single = [row for row in single if row.fixed]
    top1, top3 = (sum(r.worst is not None and r.worst <= top for r in ranks) for top in (1, 3))
    right = sum(row.right for row in judged)
    diffs, applied = sum(row.diffs for row in rows), sum(row.diffs_applied for row in rows)
    seconds = sorted(row.first_fix for row in rows if row.first_fix is not None)
    lines = [row.changed_lines for row in rows if row.changed_lines is not None]
    found = [
        _share("true statement top-1 (worst tie)", top1, len(ranks), 0.55),
        _share("true statement top-3 (worst tie)", top3, len(ranks), 0.80),
        _share("single-edit faults fixed", len(fixed_single), len(single), 1.0),
        _share("first offer right by unseen tests", right, len(judged), 0.85),
        _share("diffs that git apply takes", applied, diffs, 1.0),
        _share("apply and undo as promised", sum(not row.handled for row in judged), len(judged), 1.0),
    ]
    if seconds:
        p90 = seconds[min(len(seconds) - 1, int(0.9 * len(seconds)))]
        found += [
            _at_most("changed lines, median", statistics.median(lines), 1),
            _at_most("seconds to the first confirmed fix, median", statistics.median(seconds), 3),
            _at_most("seconds to the first confirmed fix, p90", p90, 10),
        ]
    return tuple(found)


def line(row: Row) -> str:
    """One line of the table."""
    places = ",".join("-" if r.worst is None else f"{r.worst}({r.expected:g})" for r in row.ranks) or "-"
    functions = ",".join("-" if r.function is None else str(r.function) for r in row.ranks) or "-"
    verdict = ("right" if row.right else "wrong") if row.fixed else ""
    seconds = " ".join("    -" if value is None else f"{value:5.2f}" for value in (row.first_fix, row.total))
    over = f"{row.wall - row.plain:6.2f} {row.cpu - row.plain_cpu:6.2f}"
    cells = (
        f"{row.name:22.22} {row.kind:26.26} {places:>14} {functions:>6}",
        f"{'fixed' if row.fixed else '-':5} {verdict:5} {seconds} {over}",
        row.origin,
        "; ".join(part for part in (row.why, row.handled, row.note) if part),
    )
    return "  ".join(cells).rstrip()


HEAD = (
    f"{'fixture':22} {'kind':26} {'stmt(expected)':>14} {'func':>6}  "
    f"{'fix':5} {'judge':5} {'first':>5} {'total':>5} {'+wall':>6} {'+cpu':>6}"
)


def _share(text: str, part: int, whole: int, least: float) -> Goal:
    share = part / whole if whole else 0.0
    return Goal(text=f"{text}: {part} of {whole} = {share:.0%} (goal {least:.0%})", met=share >= least)


def _at_most(text: str, value: float, most: float) -> Goal:
    return Goal(text=f"{text}: {value:.2f} (goal {most:g})", met=value <= most)


def _files(root: Path) -> dict[str, bytes]:
    skipped = {".git", ".buddy", "__pycache__", ".pytest_cache", REPORT}
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not skipped.intersection(path.relative_to(root).parts)
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--budget", type=float, default=10.0, help="seconds given to --buddy-budget")
    parser.add_argument("--only", default="", help="only the fixtures whose name contains this")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    parser.add_argument("--goals", action="store_true", help="exit with 1 when a goal is missed")
    arguments = parser.parse_args()
    print(machine_line())
    print(HEAD, flush=True)
    rows: list[Row] = []
    for fixture in catalogue.load():
        if arguments.only not in fixture.name:
            continue
        with tempfile.TemporaryDirectory(prefix="buddy-fixture-") as name:
            directory = Path(name).resolve()
            rows.append(examine(fixture, directory, plugin_directory(directory / "cache"), arguments.budget))
        print(line(rows[-1]), flush=True)
    found = goals(rows)
    print()
    for goal in found:
        print(f"{'met   ' if goal.met else 'MISSED'} {goal.text}")
    if arguments.json:
        data = {"machine": machine_line(), "rows": [asdict(row) for row in rows]}
        arguments.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return int(arguments.goals and not all(goal.met for goal in found))


if __name__ == "__main__":
    sys.exit(main())
