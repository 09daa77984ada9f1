"""Runs `pytest --buddy` on real packages with one injected fault each, and judges what it says.

For each fault of data/real_faults.json: the rank of the true statement (behind all its equals), the rank of
its function, whether a fix was offered, whether the first offer is right, and seconds. Half of the red tests
are kept back (`--deselect`); the first offer is right when, applied, the whole suite is as green as that of
the untouched package. Where a single test notices the fault, the first offer must also do what the untouched
function does on all calls that the suite makes of it and on calls near those, or be the same program.

Everything runs in temporary directories under CPU, memory and wall limits. Needs Python 3.12 and, the first
time, the network.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import reading
from faults import Fault, load
from judging import applies, commit_all, hold_out, same_program
from limited import machine_line
from packages import PACKAGES, REPOSITORY, Prepared, plugin_directory, prepare
from replay import compare
from suite import Suite, SuiteRun

DATA = Path(__file__).resolve().parent / "data" / "real_faults.json"
REPORT = ".bench-report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What `pytest --buddy` made of one fault."""

    fault: str
    operator: str
    seen: int
    unseen: int
    faults_reported: int = 0
    expected: float | None = None
    worst: int | None = None
    function: int | None = None
    fixed: bool = False
    right: bool = False
    same_program: bool = False
    judged_by: str = ""
    origin: str = ""
    changed_lines: int | None = None
    diffs: int = 0
    diffs_applied: int = 0
    seconds: float | None = None
    wall: float = 0.0
    plain: float = 0.0
    cpu: float = 0.0
    plain_cpu: float = 0.0
    note: str = ""


def examine(fault: Fault, prepared: Prepared, suite: Suite, baseline: SuiteRun, budget: float) -> Row:
    """Everything about one fault."""
    prepared.reset()
    fault.put_into(prepared.work)
    broken = suite.run(wall=max(60.0, 8 * baseline.finished.wall))
    held = hold_out(broken.failed, fault.name)
    plain = suite.run(held.deselect)
    prepared.reset()
    fault.put_into(prepared.work)
    commit_all(prepared.work)
    report_path = prepared.work / REPORT
    finished = suite.run_buddy(report_path, budget=budget, extra=held.deselect)
    base = Row(
        fault=fault.name,
        operator=fault.operator,
        seen=len(held.seen),
        unseen=len(held.unseen),
        wall=finished.wall,
        plain=plain.finished.wall,
        cpu=finished.cpu,
        plain_cpu=plain.finished.cpu,
    )
    notes = []
    if finished.returncode != plain.finished.returncode:
        notes.append(f"exit code {finished.returncode}, plain {plain.finished.returncode}")
    if finished.left_running:
        notes.append(f"{finished.left_running} processes left running")
    report = reading.read(report_path)
    if report is None:
        tail = (finished.stdout + finished.stderr).strip().splitlines()[-1:]
        return _with(base, note="; ".join([*notes, "no report", *tail]))
    ranks = _ranks(report, fault, prepared)
    diffs = reading.diffs(report)
    row = _with(
        base,
        faults_reported=len(report["faults"]),
        expected=ranks.expected,
        worst=ranks.worst,
        function=ranks.function,
        diffs=len(diffs),
        diffs_applied=sum(applies(prepared.work, diff) for diff in diffs),
        seconds=report["timing"]["total"],
        note="; ".join(notes),
    )
    offers = reading.offers(report)
    return judge(row, offers[0], fault, prepared, suite, baseline) if offers else row


def judge(
    row: Row, offer: reading.Offer, fault: Fault, prepared: Prepared, suite: Suite, baseline: SuiteRun
) -> Row:
    """The row with the first offer judged by the untouched tests."""
    prepared.reset()
    fault.put_into(prepared.work)
    row = _with(row, fixed=True, origin=offer.origin, changed_lines=offer.changed_lines)
    if not applies(prepared.work, offer.diff, check=False):
        return _with(row, judged_by="git apply refuses it")
    same = same_program(prepared.pristine, prepared.work, prepared.files)
    patched = suite.run(wall=max(60.0, 8 * baseline.finished.wall))
    bad = {*patched.failed, *patched.regressions(baseline)}
    if bad or not patched.complete:
        return _with(row, same_program=same, judged_by=f"{len(bad)} tests of the whole suite red")
    if same:
        return _with(row, right=True, same_program=True, judged_by="same program")
    if row.unseen:
        return _with(row, right=True, judged_by=f"{row.unseen} unseen red tests and the suite")
    calls = compare(prepared, suite, fault.file, fault.line)
    right = calls.calls > 0 and not calls.different
    return _with(row, right=right, judged_by=f"{calls.different} of {calls.calls} calls differ")


def summary(rows: Sequence[Row]) -> str:
    """The figures below the table."""
    count = len(rows)
    fixed = [row for row in rows if row.fixed]
    seconds = sorted(row.seconds for row in rows if row.seconds is not None)
    lines = [f"faults: {count}; with a report: {len(seconds)}"]
    statements, functions = [row.worst for row in rows], [row.function for row in rows]
    for name, values in (("statement", statements), ("function", functions)):
        tops = (sum(value is not None and value <= top for value in values) for top in (1, 3, 5))
        lines.append(f"{name} top-1/3/5 (worst tie): " + " / ".join(_share(top, count) for top in tops))
    lines += [
        f"fixed: {_share(len(fixed), count)}",
        f"first offer right: {_share(sum(row.right for row in fixed), len(fixed))}",
        f"same program as the original: {_share(sum(row.same_program for row in fixed), len(fixed))}",
        f"diffs that git apply takes: {sum(row.diffs_applied for row in rows)}"
        f" of {sum(row.diffs for row in rows)}",
    ]
    if seconds:
        wall = statistics.median(row.wall - row.plain for row in rows)
        cpu = statistics.median(row.cpu - row.plain_cpu for row in rows)
        lines.append(
            f"seconds after the run: median {statistics.median(seconds):.1f}, most {seconds[-1]:.1f}; "
            f"over plain pytest: median {wall:.1f} of wall, {cpu:.1f} of CPU"
        )
    return "\n".join(lines)


def line(row: Row) -> str:
    """One line of the table."""
    verdict = ("right" if row.right else "wrong") if row.fixed else "-"
    seconds = "-" if row.seconds is None else f"{row.seconds:.1f}"
    expected = "-" if row.expected is None else f"{row.expected:g}"
    cells = (
        f"{row.fault:34.34} {row.operator.removeprefix('core/'):30.30} {row.seen:3}/{row.unseen:<3}",
        f"{_rank(row.worst)} {expected:>5} {_rank(row.function)} ",
        f"{'fixed' if row.fixed else '-':5} {verdict:5} {seconds:>5}",
        "; ".join(part for part in (row.judged_by, row.origin, row.note) if part),
    )
    return "  ".join(cells).rstrip()


HEAD = f"{'fault':34} {'operator':30} seen/un  worst expct func   {'fix':5} {'judge':5} {'s':>5}"


def _ranks(report: dict[str, object], fault: Fault, prepared: Prepared) -> reading.Ranks:
    sources = {file: (prepared.work / file).read_text(encoding="utf-8") for file in prepared.files}
    statements = fault.true_statements(sources[fault.file])
    reported = report["faults"]
    assert isinstance(reported, list)
    first = [reading.ranks(one["suspects"], fault.file, statements, sources) for one in reported[:1]]
    return reading.best_of(first)


def _with(row: Row, **changes: object) -> Row:
    values = asdict(row) | changes
    return Row(**values)


def _rank(value: int | None) -> str:
    return f"{'-' if value is None else value:>4}"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "none"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "pytest-buddy-bench")
    parser.add_argument("--buddy", default=str(REPOSITORY), help="what pip installs pytest-buddy from")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds given to --buddy-budget")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", default="", help="only the faults whose name contains this")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    parser.add_argument("--prepare", action="store_true", help="only fetch, install and check the packages")
    arguments = parser.parse_args()
    faults = [fault for fault in load(arguments.data) if arguments.only in fault.name]
    print(machine_line(), flush=True)
    rows: list[Row] = []
    for name in dict.fromkeys(fault.package for fault in faults):
        prepared = prepare(PACKAGES[name], arguments.cache, buddy=arguments.buddy)
        prepared.reset()
        suite = Suite(root=prepared.work, python=prepared.python, plugins=plugin_directory(arguments.cache))
        baseline = suite.run()
        print(
            f"\n{PACKAGES[name].stem}: {len(baseline.outcomes)} tests in {baseline.finished.wall:.1f} s",
            flush=True,
        )
        if baseline.failed or not baseline.complete:
            raise SystemExit(f"the untouched suite is not green:\n{baseline.finished.stdout[-2000:]}")
        if arguments.prepare:
            continue
        print(HEAD)
        for fault in (fault for fault in faults if fault.package == name):
            row = examine(fault, prepared, suite, baseline, arguments.budget)
            rows.append(row)
            print(line(row), flush=True)
            if arguments.json:
                text = json.dumps(
                    {"machine": machine_line(), "rows": [asdict(row) for row in rows]}, indent=1
                )
                arguments.json.write_text(text + "\n", encoding="utf-8")
    if rows:
        print("\n" + summary(rows))


if __name__ == "__main__":
    main()
