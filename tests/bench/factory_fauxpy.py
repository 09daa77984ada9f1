"""Ranks the statements of some faults of the factory by FauxPy: its own environment, Ochiai, the same tests.

    python tests/bench/factory_fauxpy.py --out OUT --faults 15

Writes OUT/fauxpy.jsonl, which factory_report.py sets beside the other rankings.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from factory_faults import Injected, add, entries, load, read
from factory_packages import RECIPES, Bench, ready
from factory_standing import Placed, Truth, by_score
from limited import machine_line, run

_FAUXPY = "fauxpy==0.7.0"
_ARGUMENTS = ("--family=sbfl", "--granularity=statement", "--top-n=-1", "-W", "default")


def environment(cache: Path) -> Path:
    """An interpreter with FauxPy and what the suites of all packages need, made when there is none."""
    home = cache / "fauxpy"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        wanted = {need for recipe in RECIPES.values() for need in recipe.package.requires}
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", _FAUXPY, *sorted(wanted)], check=True)
        (home / "ready").touch()
    return python


def ranking(fault: Injected, bench: Bench, python: Path) -> tuple[Placed, ...]:
    """What FauxPy's Ochiai says of the lines that it saw, in a copy, without the tests that are kept back."""
    with tempfile.TemporaryDirectory(prefix="bench-fauxpy-") as directory:
        # It writes its report beside the directory that it is started in.
        root = Path(directory) / "work"
        bench.broken(fault.file, fault.faulty(read(bench.prepared.pristine / fault.file)))
        bench.prepared.work.rename(root)
        bench.prepared.reset()
        sources = bench.recipe.package.sources
        command: list[str | os.PathLike[str]] = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += [f"--src={sources}", *_ARGUMENTS, *bench.suite.arguments]
        command += [f"--deselect={test}" for test in fault.unseen]
        path = os.pathsep.join(map(str, (root, (root / sources).parent)))
        run(command, cwd=root, env={"PYTHONPATH": path}, wall=300)
        reports = sorted(Path(directory).glob("FauxPyReport*/*chiai*.csv"))
        return _read(reports[0], root) if reports else ()


def _read(report: Path, root: Path) -> tuple[Placed, ...]:
    with report.open(encoding="utf-8", newline="") as opened:
        rows: Sequence[dict[str, str]] = list(csv.DictReader(opened))
    scored = []
    for row in rows:
        path, _, line = row["Entity"].rpartition("::")
        file = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
        scored.append((float(row["Score"]), file, (int(line), int(line))))
    return by_score(scored)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(tempfile.gettempdir()) / "pytest-buddy-factory"
    parser.add_argument("--cache", type=Path, default=home)
    parser.add_argument("--out", type=Path, default=home / "results")
    parser.add_argument("--faults", type=int, default=15, help="the first so many that have a row")
    parser.add_argument("--only", action="append", choices=sorted(RECIPES), help="only these packages")
    arguments = parser.parse_args()
    cache, out = arguments.cache.resolve(), arguments.out.resolve()
    print(machine_line(), flush=True)
    python = environment(cache)
    with_row = {row["fault"] for row in entries(out / "rows.jsonl")}
    done = {entry["fault"] for entry in entries(out / "fauxpy.jsonl")}
    packages = arguments.only or RECIPES
    chosen = [fault for fault in load(out / "faults.jsonl") if fault.package in packages]
    for fault in [fault for fault in chosen if fault.name in with_row][: arguments.faults]:
        if fault.name in done:
            continue
        bench = ready(RECIPES[fault.package], cache, cache / "subject")
        before = {file: read(bench.prepared.pristine / file) for file in bench.files}
        faulty = fault.faulty(before[fault.file])
        truth = Truth(
            file=fault.file,
            statements=fault.true_statements(faulty),
            sources={**before, fault.file: faulty},
        )
        places = ranking(fault, bench, python)
        statement, function = truth.statement(places), truth.function(places)
        standing = {"statement": asdict(statement), "function": asdict(function)}
        add(out / "fauxpy.jsonl", {"fault": fault.name, "lines": len(places), "standing": standing})
        print(f"  {fault.name:58} {len(places)} lines, statement {statement.expected}", flush=True)


if __name__ == "__main__":
    main()
