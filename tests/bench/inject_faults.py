"""Puts ten faults into each real package by a seeded random procedure and keeps them as data.

Of every ten, five come from cosmic-ray's operators and five from mutation.py's, which it lacks. A function
that the tests run is drawn at random, then an operator that applies to it, then a place. A mutant is kept
when 1 to 30 tests fail, the same ones twice, and the suite is otherwise as it was. One fault a function.

Needs the network once, for the packages and for cosmic-ray.
"""

import argparse
import ast
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults import Fault, difference, save
from limited import machine_line, run
from mutation import FunctionNode, Module, mutants_of, pick
from packages import PACKAGES, REPOSITORY, Package, Prepared, plugin_directory, prepare
from suite import Suite, SuiteRun

DATA = Path(__file__).resolve().parent / "data" / "real_faults.json"
MOST_FAILURES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A function that may be broken."""

    file: str
    module: Module
    function: FunctionNode


@dataclass(slots=True, kw_only=True)
class CosmicRay:
    """The independent tool, in an environment of its own."""

    python: Path
    root: Path
    positions: Mapping[str, list[tuple[str, int, int]]] = field(default_factory=dict)

    def survey(self, files: tuple[str, ...]) -> None:
        """Ask for every place where it can act."""
        answer = self._ask({"list": [str(self.root / file) for file in files]})
        self.positions = {str(Path(path).relative_to(self.root)): found for path, found in answer.items()}

    def mutant(self, place: Place, random_: random.Random) -> tuple[str, str] | None:
        """An operator's family at random, then one of its mutants in the function: name and whole text."""
        first, last = place.function.body[0].lineno, place.function.end_lineno or 0
        families: dict[str, list[tuple[str, int]]] = {}
        for name, occurrence, line in self.positions[place.file]:
            if first <= line <= last:
                family = name.removeprefix("core/").partition("_")[0]
                families.setdefault(family, []).append((name, occurrence))
        if not families:
            return None
        name, occurrence = random_.choice(families[random_.choice(sorted(families))])
        path = str(self.root / place.file)
        text = self._ask({"mutate": path, "operator": name, "occurrence": occurrence})["text"]
        return (name, text) if text else None

    def _ask(self, request: Mapping[str, object]) -> Any:
        script = Path(__file__).with_name("cosmic_mutants.py")
        answer = subprocess.run(
            [self.python, script], input=json.dumps(request), capture_output=True, text=True, check=True
        )
        return json.loads(answer.stdout)


def cosmic_ray(cache: Path) -> Path:
    """An interpreter with cosmic-ray, made when there is none."""
    home = cache / "cosmic-ray"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "cosmic-ray>=8.7,<9"], check=True)
        (home / "ready").touch()
    return python


def covered_places(prepared: Prepared, suite: Suite) -> tuple[Place, ...]:
    """The functions of which the suite runs at least one line of the body."""
    with tempfile.TemporaryDirectory(prefix="bench-coverage-") as directory:
        data = f"--data-file={directory}/data"
        report = Path(directory) / "lines.json"
        suite.run(
            module=(
                "coverage",
                "run",
                data,
                f"--source={prepared.work / prepared.package.sources}",
                "-m",
                "pytest",
            )
        )
        command: list[str | os.PathLike[str]] = [
            prepared.python,
            "-m",
            "coverage",
            "json",
            "-q",
            data,
            "-o",
            report,
        ]
        run(command, cwd=prepared.work)
        files = json.loads(report.read_text(encoding="utf-8"))["files"]
    places: list[Place] = []
    for file in prepared.files:
        module = Module.parse((prepared.pristine / file).read_bytes())
        executed = set(files.get(file, {}).get("executed_lines", ()))
        for function in module.functions():
            body = range(function.body[0].lineno, (function.end_lineno or 0) + 1)
            if executed.intersection(body):
                places.append(Place(file=file, module=module, function=function))
    return tuple(places)


def proposals(
    package: Package, places: tuple[Place, ...], tool: CosmicRay, seed: int
) -> Iterator[tuple[Place, Fault, bool]]:
    """Random mutants without end, alternately from the tool and from mutation.py."""
    random_ = random.Random(f"{seed}:{package.name}")
    from_tool = True
    while True:
        place = random_.choice(places)
        before = place.module.content.decode("utf-8")
        made = tool.mutant(place, random_) if from_tool else _structural(place, random_)
        if not made or not _is_other_program(before, made[1]):
            continue
        fault = difference(package.name, package.version, place.file, (before, made[1]), made[0], seed)
        yield place, fault, from_tool
        from_tool = not from_tool


def _structural(place: Place, random_: random.Random) -> tuple[str, str] | None:
    mutants = mutants_of(place.module, place.function)
    if not mutants:
        return None
    mutant = pick(random_, mutants)
    return mutant.operator, mutant.applied_to(place.module.content).decode("utf-8")


def _is_other_program(before: str, after: str) -> bool:
    try:
        return ast.dump(ast.parse(before)) != ast.dump(ast.parse(after))
    except SyntaxError:
        return False


def judge(prepared: Prepared, suite: Suite, fault: Fault, baseline: SuiteRun) -> str:
    """Empty when the fault may be kept, otherwise why not."""
    wall = max(20.0, 6 * baseline.finished.wall)
    prepared.reset()
    fault.put_into(prepared.work)
    first = suite.run(wall=wall)
    if not first.complete or set(first.outcomes) != set(baseline.outcomes):
        return "the suite does not run to its end"
    if not first.failed:
        return "survives"
    if len(first.failed) > MOST_FAILURES:
        return f"{len(first.failed)} tests fail"
    again = suite.run(wall=wall)
    return "" if again.failed == first.failed else "fails differently the second time"


def inject(package: Package, arguments: argparse.Namespace) -> list[Fault]:
    """The faults of one package."""
    prepared = prepare(package, arguments.cache, buddy=arguments.buddy)
    prepared.reset()
    suite = Suite(root=prepared.work, python=prepared.python, plugins=plugin_directory(arguments.cache))
    baseline = suite.run()
    print(f"{package.stem}: {len(baseline.outcomes)} tests, {baseline.finished.wall:.1f} s", flush=True)
    if baseline.failed or not baseline.complete or len(baseline.outcomes) < 200:
        raise SystemExit(
            f"the suite of {package.name} is not usable: {baseline.failed}\n{baseline.finished.stdout}"
        )
    tool = CosmicRay(python=cosmic_ray(arguments.cache), root=prepared.pristine)
    tool.survey(prepared.files)
    places = covered_places(prepared, suite)
    wanted = {True: (arguments.count + 1) // 2, False: arguments.count // 2}
    kept: list[Fault] = []
    used: set[tuple[str, int]] = set()
    for place, fault, from_tool in proposals(package, places, tool, arguments.seed):
        if not any(wanted.values()):
            break
        key = (place.file, place.function.lineno)
        if not wanted[from_tool] or key in used:
            continue
        reason = judge(prepared, suite, fault, baseline)
        print(f"  {fault.name:40} {fault.operator:48} {reason or 'kept'}", flush=True)
        if not reason:
            kept.append(fault)
            used.add(key)
            wanted[from_tool] -= 1
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "pytest-buddy-bench")
    parser.add_argument("--buddy", default=str(REPOSITORY), help="what pip installs pytest-buddy from")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--count", type=int, default=10, help="faults a package")
    parser.add_argument(
        "--package", action="append", choices=sorted(PACKAGES), help="only these (repeatable)"
    )
    parser.add_argument("--out", type=Path, default=DATA)
    arguments = parser.parse_args()
    print(machine_line())
    faults: list[Fault] = []
    for name in arguments.package or PACKAGES:
        faults += inject(PACKAGES[name], arguments)
    save(arguments.out, faults)
    print(f"{len(faults)} faults kept in {arguments.out}")


if __name__ == "__main__":
    main()
