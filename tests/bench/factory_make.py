"""Makes faults in a package until each kind has had its turn, and keeps those that a test notices."""

import json
import random
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from factory_faults import (
    KINDS,
    SHAPES,
    TOOL_KINDS,
    TWO_PLACES,
    Hunk,
    Injected,
    applied,
    drawn,
    hunks,
    shape_of,
    shared_out,
)
from factory_ground import Ground
from factory_packages import Bench
from inject_faults import covered_places
from mutation import Module
from suite import SuiteRun

MOST_RED = 150
_TRIES = 5
_MOST_IN_A_FUNCTION = 2


@dataclass(slots=True, kw_only=True)
class Maker:
    """Faults of one package, by a seed; `used` counts those that each piece of ground already has."""

    bench: Bench
    tool: Path
    seed: int
    baseline: SuiteRun
    grounds: dict[str, list[tuple[str, Ground]]] = field(default_factory=dict)
    positions: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)
    used: dict[tuple[str, int], int] = field(default_factory=dict)
    known: set[tuple[str, tuple[Hunk, ...]]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    def survey(self) -> None:
        """Find the functions that the suite runs, the files they are in, and where the tool can act."""
        files = set(self.bench.files)
        functions = [
            (place.file, Ground(module=place.module, function=place.function))
            for place in covered_places(self.bench.prepared, self.bench.suite)
            if place.file in files
        ]
        names = sorted({file for file, _ in functions})
        modules = {file: self._module(file) for file in names}
        self.grounds["functions"] = functions
        self.grounds["files"] = [(file, Ground(module=modules[file])) for file in names]
        paths = {str(self.bench.prepared.pristine / file): file for file in names}
        answer: Mapping[str, list[tuple[str, int, int]]] = self._ask({"list": list(paths)})
        self.positions = {paths[path]: found for path, found in answer.items()}

    def make(self, kind: str, turn: int) -> Injected | None:
        """A fault of a kind that at least one test notices, or None; `refused` says why others were not."""
        self.refused.clear()
        random_ = random.Random(f"{self.seed}:{self.bench.recipe.name}:{kind}:{turn}")
        for _ in range(_TRIES):
            made = next(self._drawn(kind, random_), None)
            if made is None:
                return None
            ground, fault = made
            self.known.add((fault.file, fault.hunks))
            kept = self._kept(fault)
            if isinstance(kept, str):
                self.refused.append(kept)
            else:
                self.used[ground] = self.used.get(ground, 0) + 1
                return replace(kept, turn=turn)
        return None

    def take(self, fault: Injected) -> None:
        """Count a fault that was kept in an earlier run."""
        self.known.add((fault.file, fault.hunks))
        line = fault.hunks[0].line
        for file, ground in self.grounds["functions"]:
            function = ground.function
            if file == fault.file and function and function.lineno <= line <= (function.end_lineno or 0):
                key = (file, function.lineno)
                self.used[key] = self.used.get(key, 0) + 1
                return

    def _drawn(self, kind: str, random_: random.Random) -> Iterator[tuple[tuple[str, int], Injected]]:
        for file, ground in self._grounds(kind, random_):
            line = ground.function.lineno if ground.function else 0
            key = (file, line)
            if line and self.used.get(key, 0) >= _MOST_IN_A_FUNCTION:
                continue
            made = self._text(kind, file, ground, random_)
            if made is None:
                continue
            text, shape = made
            found = hunks(ground.module.content.decode(), text)
            if not found or (file, found) in self.known:
                continue
            package = self.bench.recipe.package
            fault = Injected(
                package=package.name,
                version=package.version,
                kind=kind,
                shape=shape,
                file=file,
                hunks=found,
                seed=self.seed,
            )
            yield key, fault

    def _grounds(self, kind: str, random_: random.Random) -> list[tuple[str, Ground]]:
        """Functions in random order; code outside functions first where the kind is mostly found there."""
        functions, files = ([*self.grounds[name]] for name in ("functions", "files"))
        random_.shuffle(functions)
        random_.shuffle(files)
        outside = {"dropped-import": 1.0, "changed-constant": 1.0, "changed-regex": 0.8, "changed-table": 0.6}
        if random_.random() < outside.get(kind, 0.1):
            return [*files, *functions]
        return [*functions, *files]

    def _text(self, kind: str, file: str, ground: Ground, random_: random.Random) -> tuple[str, str] | None:
        if kind in SHAPES or kind == TWO_PLACES:
            edits = drawn(ground, kind, random_)
            if edits is None:
                return None
            return applied(ground.module.content, edits).decode(), shape_of(kind, edits)
        function = ground.function
        if function is None:
            return None
        first, last = function.body[0].lineno, function.end_lineno or 0
        found = [
            (name, occurrence)
            for name, occurrence, line in self.positions.get(file, ())
            if _tool_kind(name) == kind and first <= line <= last
        ]
        if not found:
            return None
        name, occurrence = random_.choice(found)
        path = str(self.bench.prepared.pristine / file)
        text = self._ask({"mutate": path, "operator": name, "occurrence": occurrence})["text"]
        return (text, name.removeprefix("core/")) if text and _compiles(text) else None

    def _kept(self, fault: Injected) -> Injected | str:
        """The fault with its red tests when the suite runs and they are red twice, else why not."""
        first = self._run(fault)
        if first is None:
            return "not all tests run"
        if not 0 < len(first.failed) <= MOST_RED:
            return f"{len(first.failed)} red"
        files = tuple(dict.fromkeys(test.partition("::")[0] for test in first.failed))
        again = self._run(fault, only=files)
        if again is None or set(again.failed) != set(first.failed):
            return "others are red the second time"
        if fault.kind == TWO_PLACES and not self._needs_all(fault, files):
            return "one place alone mends it"
        seen, unseen = shared_out(first.failed)
        return replace(fault, seen=seen, unseen=unseen, tests=len(first.outcomes))

    def _needs_all(self, fault: Injected, files: tuple[str, ...]) -> bool:
        """Whether mending one place alone leaves a red test."""
        runs = [self._run(fault, leave=(number,), only=files) for number in range(len(fault.hunks))]
        return all(found is not None and found.failed for found in runs)

    def _run(
        self, fault: Injected, *, leave: tuple[int, ...] = (), only: tuple[str, ...] = ()
    ) -> SuiteRun | None:
        """The suite, or some of its files, with the fault; None when not all of its tests run."""
        self.bench.prepared.reset()
        fault.put_into(self.bench.prepared.work, leave)
        run = self.bench.suite.run(only, wall=max(20.0, 6 * self.baseline.finished.wall))
        tests = {test for test in self.baseline.outcomes if not only or test.partition("::")[0] in only}
        return run if run.complete and set(run.outcomes) == tests else None

    def _module(self, file: str) -> Module:
        return Module.parse((self.bench.prepared.pristine / file).read_bytes())

    def _ask(self, request: Mapping[str, object]) -> Any:
        script = Path(__file__).with_name("cosmic_mutants.py")
        command = [self.tool, script]
        finished = subprocess.run(
            command, input=json.dumps(request), capture_output=True, text=True, check=True
        )
        return json.loads(finished.stdout)


def kinds_in_turn(package: str, seed: int) -> tuple[str, ...]:
    """All kinds in an order of the package's own; faults of two places come up more often than others."""
    kinds = [*KINDS, TWO_PLACES, TWO_PLACES]
    random.Random(f"{seed}:{package}").shuffle(kinds)
    return tuple(kinds)


def _tool_kind(operator: str) -> str:
    name = operator.removeprefix("core/")
    return next((kind for prefix, kind in TOOL_KINDS.items() if name.startswith(prefix)), "")


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True
