"""The fault factory: puts faults of many kinds into packages with suites and runs `pytest --buddy` on each.

    python tests/bench/factory.py --faults 24 --budget 20
    python tests/bench/factory_report.py OUT

The first stage makes faults, spread evenly over packages and kinds, and keeps those that some test notices
(OUT/faults.jsonl). The second runs `pytest --buddy` on each with half of the red tests kept back, and
judges (OUT/rows.jsonl). Both take up where they were stopped; a fault's row is written once for each
budget and each commit of this repository, HEAD unless `--commit` names another: name one to go on with a
run while others commit. Needs Python 3.12 and, the first time, the network.
"""

import argparse
import fcntl
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import count, cycle, islice
from pathlib import Path

from factory_faults import KINDS, Injected, add, entries, load
from factory_make import Maker, kinds_in_turn
from factory_packages import FITTING, RECIPES, Bench, ready, subject_tree, versions
from factory_row import Examination
from inject_faults import cosmic_ray
from limited import machine_line
from suite import SuiteRun

_TURNS = 4


class Unusable(Exception):
    """A package whose suite cannot be worked with at the moment; the others go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked for on the command line."""

    cache: Path
    out: Path
    packages: tuple[str, ...]
    kinds: tuple[str, ...]
    faults: int
    budget: float
    seed: int
    subject: Path
    commit: str
    until: float
    replay: float

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.time() > self.until

    def bench(self, name: str) -> tuple[Bench, SuiteRun]:
        """A package that is ready, and how its untouched suite ends: green, or nobody can work with it."""
        bench = ready({**RECIPES, **FITTING}[name], self.cache, self.subject)
        baseline = bench.suite.run()
        if baseline.failed or not baseline.complete:
            raise Unusable(f"{name}: the untouched suite is not green\n{baseline.finished.stdout[-2000:]}")
        print(
            f"{bench.recipe.package.stem}: {len(baseline.outcomes)} tests in {baseline.finished.wall:.1f} s",
            flush=True,
        )
        return bench, baseline


def make(plan: Plan) -> None:
    """Add faults until there are as many as asked for, a package after the other, a kind after the other."""
    path = plan.out / "faults.jsonl"
    done = {(entry["package"], entry["kind"], entry["turn"]) for entry in entries(path)}
    have = [fault for fault in load(path) if fault.package in plan.packages and fault.kind in plan.kinds]
    missing = plan.faults - len(have)
    makers: dict[str, Maker] = {}
    unusable: set[str] = set()
    for package, kind, turn in _turns(plan):
        if missing <= 0 or plan.over:
            return
        if (package, kind, turn) in done or package in unusable:
            continue
        try:
            if package not in makers:
                makers[package] = _maker(plan, package, have)
        except Unusable as error:
            print(error, flush=True)
            unusable.add(package)
            continue
        fault = makers[package].make(kind, turn)
        if fault is None:
            why = makers[package].refused
            add(path, {"package": package, "kind": kind, "turn": turn, "kept": False, "why": why})
            continue
        add(path, asdict(fault))
        missing -= 1
        print(f"  {fault.name:58} {len(fault.seen)}+{len(fault.unseen)} of {fault.tests} red", flush=True)


def examine(plan: Plan, package: str, faults: Sequence[Injected]) -> None:
    """Write the rows of one package's faults."""
    try:
        bench, baseline = plan.bench(package)
    except Unusable as error:
        print(error, flush=True)
        return
    for fault in faults:
        if plan.over:
            return
        examination = Examination(
            fault=fault,
            bench=bench,
            baseline=baseline,
            budget=plan.budget,
            subject=plan.commit,
            replay=plan.replay,
        )
        row = examination.row()
        add(plan.out / "rows.jsonl", asdict(row))
        told = f"offer {'right' if row.right else 'wrong'}: {row.origin}" if row.offers else "no offer"
        print(f"  {row.fault:58} {told} {row.judged_by} {row.note} {row.total or 0:.1f} s", flush=True)


def waiting(plan: Plan) -> dict[str, list[Injected]]:
    """The faults that have no row yet for this budget and commit, by package, in the order they were made."""
    wanted = (plan.budget, plan.commit)
    rows = entries(plan.out / "rows.jsonl")
    done = {row["fault"] for row in rows if (row["budget"], row["subject"]) == wanted}
    chosen = [fault for fault in load(plan.out / "faults.jsonl") if fault.package in plan.packages]
    chosen = [fault for fault in chosen if fault.kind in plan.kinds][: plan.faults]
    found: dict[str, list[Injected]] = {}
    for fault in chosen:
        if fault.name not in done:
            found.setdefault(fault.package, []).append(fault)
    return found


def _turns(plan: Plan) -> Iterator[tuple[str, str, int]]:
    orders = {package: kinds_in_turn(package, plan.seed) for package in plan.packages}
    length = max(map(len, orders.values()))
    for turn in range(_TURNS):
        asked: dict[tuple[str, str], count[int]] = {}
        for place in range(length):
            for package in plan.packages:
                kind = orders[package][place]
                number = next(asked.setdefault((package, kind), count()))
                if kind in plan.kinds:
                    yield package, kind, turn * 10 + number


def _maker(plan: Plan, package: str, have: Sequence[Injected]) -> Maker:
    bench, baseline = plan.bench(package)
    if set(bench.suite.run().outcomes) != set(baseline.outcomes):
        raise Unusable(f"{package}: the names of tests are others in every run")
    maker = Maker(bench=bench, tool=cosmic_ray(plan.cache), seed=plan.seed, baseline=baseline)
    maker.survey()
    for fault in have:
        if fault.package == package:
            maker.take(fault)
    return maker


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(tempfile.gettempdir())
    parser.add_argument("--cache", type=Path, default=home / "pytest-buddy-factory")
    parser.add_argument("--out", type=Path, default=home / "pytest-buddy-factory" / "results")
    parser.add_argument("--stage", choices=("make", "run", "all"), default="all")
    parser.add_argument("--faults", type=int, default=24, help="how many in all")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds given to --buddy-budget")
    parser.add_argument(
        "--jobs", type=int, default=1, help="packages worked on at the same time, a core each"
    )
    parser.add_argument(
        "--only", action="append", choices=sorted({**RECIPES, **FITTING}), help="only these packages"
    )
    parser.add_argument("--fitting", action="store_true", help="the packages that weights are fitted on")
    parser.add_argument("--kinds", default="", help="only these kinds, with commas between them")
    parser.add_argument(
        "--replay", type=float, default=40.0, help="seconds to look for the original after a miss"
    )
    parser.add_argument("--hours", type=float, default=24.0, help="begin no further fault after so long")
    parser.add_argument("--seed", type=int, default=20260701)
    parser.add_argument("--commit", default="HEAD", help="which commit of this repository is measured")
    parser.add_argument("--versions", action="store_true", help="list the packages and end")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    if arguments.versions:
        print(versions())
        return
    for name in ("PYTHONDONTWRITEBYTECODE", "CI", "PYTEST_ADDOPTS"):
        os.environ.pop(name, None)
    kinds = tuple(kind for kind in arguments.kinds.split(",") if kind) or KINDS
    if unknown := set(kinds) - set(KINDS):
        raise SystemExit(f"unknown kinds: {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    cache, out = arguments.cache.resolve(), arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another run is using {cache}") from None
        _work(arguments, cache, out, kinds)


def _work(arguments: argparse.Namespace, cache: Path, out: Path, kinds: tuple[str, ...]) -> None:
    subject, commit = subject_tree(cache, arguments.commit)
    plan = Plan(
        cache=cache,
        out=out,
        packages=tuple(arguments.only or (FITTING if arguments.fitting else RECIPES)),
        kinds=kinds,
        faults=arguments.faults,
        budget=arguments.budget,
        seed=arguments.seed,
        subject=subject,
        commit=commit,
        until=time.time() + 3600 * arguments.hours,
        replay=arguments.replay,
    )
    print(f"{machine_line()}; pytest-buddy at {commit}", flush=True)
    if arguments.stage in ("make", "all"):
        make(plan)
    if arguments.stage == "make":
        return
    if arguments.jobs == 1:
        for name, faults in waiting(plan).items():
            examine(plan, name, faults)
        return
    cores: multiprocessing.Queue[int] = multiprocessing.Queue()
    for core in islice(cycle(sorted(os.sched_getaffinity(0))), arguments.jobs):
        cores.put(core)
    with ProcessPoolExecutor(arguments.jobs, initializer=_alone, initargs=(cores,)) as pool:
        left = sorted(waiting(plan).items(), key=lambda item: -len(item[1]))
        tasks = [pool.submit(examine, plan, name, faults) for name, faults in left]
        for task in tasks:
            task.result()


def _alone(cores: "multiprocessing.Queue[int]") -> None:
    """Keep a worker, and all that it starts, to one core: several at a time do not slow one another."""
    os.sched_setaffinity(0, {cores.get()})


if __name__ == "__main__":
    main()
