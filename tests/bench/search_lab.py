"""Two versions of the search beside one another: what each finds, and after how many candidates.

    search_lab.py run --tree before=PATH --tree after=PATH --cache DIR --faults FILE --fixtures --out FOLDER
    search_lab.py show --out FOLDER

A tree is a checkout of this repository. For each fault (a line of what factory_make.py writes, or a fixture)
`pytest --buddy` runs on a copy, once for every tree, with the environment that `--cache` holds for its
package. Counts of candidates and seconds of search_log.py's clock are free of noise. Logs stay in the folder.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catalogue
import factory_faults
import reading
from factory_packages import FITTING
from judging import applies, commit_all, same_program
from limited import machine_line, run
from packages import BENCH, plugin_directory
from suite import Suite, SuiteRun

_RESULTS = "results.jsonl"
_WALL = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault: where its trees are, how its suite is run, which red tests the search may not see."""

    name: str
    kind: str
    whole: Path | None
    python: Path
    arguments: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    package: str = ""
    injected: factory_faults.Injected | None = None
    fixture: catalogue.Fixture | None = None

    def broken(self, root: Path) -> None:
        """A copy with the fault in it, all of it committed."""
        if self.fixture is not None:
            self.fixture.copy(root)
        else:
            assert self.whole is not None
            assert self.injected is not None
            run(["cp", "-r", self.whole, root], cwd=self.whole)
            self.injected.put_into(root)
        commit_all(root)

    def environment(self, root: Path) -> str:
        """What of the copy is to be imported from."""
        return str(root / "src") if (root / "src").is_dir() else str(root)


def of_packages(path: Path, cache: Path) -> Iterator[Case]:
    """The faults that the factory kept."""
    for injected in factory_faults.load(path):
        recipe = FITTING[injected.package]
        home = cache / recipe.package.stem
        yield Case(
            name=injected.name,
            kind=injected.kind,
            whole=home / "pristine",
            python=home / "venv" / "bin" / "python",
            arguments=recipe.arguments,
            unseen=injected.unseen,
            package=injected.package,
            injected=injected,
        )


def of_fixtures() -> Iterator[Case]:
    """The broken projects of fixtures/."""
    for fixture in catalogue.load():
        yield Case(
            name=fixture.name,
            kind=fixture.kind,
            whole=None,
            python=Path(sys.executable),
            fixture=fixture,
        )


def examined(
    case: Case, tree: Path, folder: Path, log: Path, *, plugins: Path, budget: float, grace: str = ""
) -> dict[str, Any]:
    """One run on one copy, judged: a row of the results."""
    root = folder / "work"
    case.broken(root)
    search = [str(tree), str(tree / "watcher"), str(BENCH), case.environment(root)]
    report_path = folder / "report.json"
    command = [str(case.python), "-m", "pytest", "-p", "search_log", "--buddy", *case.arguments]
    command += [f"--buddy-report=json:{report_path}", f"--buddy-budget={budget:g}"]
    command += [f"--deselect={test}" for test in case.unseen]
    finished = run(
        command,
        cwd=root,
        env={
            "PYTHONPATH": ":".join(search),
            "BENCH_SEARCH": str(log),
            "BENCH_SEARCH_GRACE": grace,
        },
        wall=_WALL + 60,
    )
    report = reading.read(report_path)
    if report is None:
        return {"note": (finished.stdout + finished.stderr).strip()[-300:]}
    offers = reading.offers(report)
    searches = [fault["search"] for fault in report["faults"] if fault["search"]]
    return {
        "found": bool(offers),
        "right": bool(offers) and right(case, root, offers, folder / "judged", plugins),
        "origin": offers[0].origin if offers else "",
        "diff": offers[0].diff if offers else "",
        "total": report["timing"]["total"],
        "stopped": searches[0]["stopped"] if searches else "",
        **counted(log, offers[0].id if offers else ""),
    }


def right(case: Case, root: Path, offers: Sequence[reading.Offer], target: Path, plugins: Path) -> bool:
    """Whether the first offers give the untouched program, or one that all tests accept."""
    case.broken(target)
    if not all(applies(target, offer.diff, check=False) for offer in offers[: None if case.fixture else 1]):
        return False
    if case.fixture is not None:
        case.fixture.reveal(target)
        ended = _suite(case, target, plugins, (".",))
        return ended.complete and not set(ended.failed) - set(case.fixture.flaky)
    assert case.whole is not None
    assert case.injected is not None
    if same_program(case.whole, target, [case.injected.file]):
        return True
    ended = _suite(case, target, plugins)
    return ended.complete and not set(ended.failed) & {*case.injected.seen, *case.unseen}


def _suite(case: Case, root: Path, plugins: Path, extra: Sequence[str] = ()) -> SuiteRun:
    suite = Suite(root=root, python=case.python, plugins=plugins, arguments=case.arguments)
    search = f"{plugins}:{case.environment(root)}"
    return suite.run(extra, wall=120, environment={"PYTHONPATH": search})


def counted(log: Path, offer: str) -> dict[str, Any]:
    """From the log: candidates until the first that was green, what was tried of which kind."""
    if not log.exists():
        return {}
    tried = json.loads(log.read_text(encoding="utf-8"))["tried"]
    candidates = [entry for entry in tried if not entry["probe"]]
    green = next(((place, entry) for place, entry in enumerate(candidates, 1) if entry["green"]), None)
    spent = candidates[-1]["seconds"] - candidates[0]["seconds"] if len(candidates) > 1 else 0.0
    return {
        "validated": len(candidates),
        "offer": next((place for place, entry in enumerate(candidates, 1) if entry["id"] == offer), None),
        "first_green": green[0] if green else None,
        "first_fix": green[1]["seconds"] if green else None,
        "per_second": len(candidates) / spent if spent else 0.0,
        "pairs": sum(entry["edits"] > 1 for entry in candidates),
        "probes": len(tried) - len(candidates),
    }


def measure(options: argparse.Namespace) -> None:
    """Every case with every tree, in turn, so that the load of the machine is shared by both."""
    trees = {name: Path(path).resolve() for name, _, path in (tree.partition("=") for tree in options.tree)}
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    cases = [*(of_packages(options.faults, options.cache) if options.faults else ())]
    cases += [*(of_fixtures() if options.fixtures else ())]
    chosen = [case for case in cases if not options.only or any(word in case.name for word in options.only)]
    done = {(row["fault"], row["tree"]) for row in factory_faults.entries(out / _RESULTS)}
    for case in chosen[:: options.every]:
        for name, tree in trees.items():
            if (case.name, name) in done:
                continue
            log = out / f"{case.name.replace('/', '_')}-{name}.json"
            log.unlink(missing_ok=True)
            with tempfile.TemporaryDirectory(prefix="bench-search-") as folder:
                plugins = plugin_directory(Path(folder))
                row = examined(
                    case, tree, Path(folder), log, plugins=plugins, budget=options.budget, grace=options.grace
                )
            row |= {"fault": case.name, "kind": case.kind, "tree": name}
            factory_faults.add(out / _RESULTS, row)
            print(_line(row), flush=True)


def _line(row: Mapping[str, Any]) -> str:
    if "found" not in row:
        return f"{row['tree']:8} {row['fault']:52} no report: {row.get('note', '')[-80:]}"
    verdict = "right" if row["right"] else "WRONG" if row["found"] else "-"
    first = f"{row['first_fix']:.1f}" if row["first_fix"] else "-"
    return (
        f"{row['tree']:8} {row['fault']:52} {verdict:6} first green {row.get('first_green') or '-':>5},"
        f" offered {row.get('offer') or '-':>5}"
        f" of {row.get('validated', 0):>5} ({row.get('per_second', 0):4.0f}/s) fix after {first:>5} s"
        f" {row['origin'].partition(':')[2]:20}"
    )


def show(options: argparse.Namespace) -> None:
    """The rows of a folder, side by side, and what they come to."""
    rows = [*factory_faults.entries(options.out / _RESULTS)]
    names = [*dict.fromkeys(row["tree"] for row in rows)]
    by_fault: dict[str, dict[str, Any]] = {}
    for row in rows:
        by_fault.setdefault(row["fault"], {})[row["tree"]] = row
    whole = [mine for mine in by_fault.values() if all("found" in mine.get(name, {}) for name in names)]
    print(machine_line())
    for mine in whole:
        differs = len({(row["right"], row["first_green"]) for row in mine.values()}) > 1
        if differs or not options.differences:
            for name in names:
                print(_line(mine[name]))
    for name in names:
        mine = [faults[name] for faults in whole]
        both = [
            faults[name]
            for faults in whole
            if all(faults[other]["right"] and faults[other]["first_green"] for other in names)
        ]
        counts = [row["first_green"] for row in both] or [0]
        seconds = [row["first_fix"] for row in both] or [0]
        print(
            f"{name}: {len(mine)} faults, {sum(row['found'] for row in mine)} found,"
            f" {sum(row['right'] for row in mine)} right; of {len(both)} that all versions find:"
            f" candidates until green, median {statistics.median(counts):.0f},"
            f" mean {statistics.mean(counts):.0f};"
            f" seconds, median {statistics.median(seconds):.1f}, mean {statistics.mean(seconds):.1f}"
        )


def main() -> int:
    """Measure or show; the exit status is 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "show"))
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--tree", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--cache", type=Path, metavar="DIR")
    parser.add_argument("--faults", type=Path, metavar="FILE")
    parser.add_argument("--fixtures", action="store_true")
    parser.add_argument("--only", action="append", default=[], metavar="WORD")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--budget", type=float, default=20.0)
    parser.add_argument("--grace", default="", metavar="N", help="candidates to try after the first fix")
    parser.add_argument("--differences", action="store_true")
    options = parser.parse_args()
    (measure if options.what == "run" else show)(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
