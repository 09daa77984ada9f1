"""A laboratory for localization that needs no sandbox: faults, what a red run shows, and rankings of it.

`collect` puts faults into copies of the packages that weights may be fitted on (mutation.py's rules, an
independent tool's, and module_mutation.py's for what runs at import), runs each suite once with the lines of
every test traced, and keeps failures, spectrum and faulty file as JSON. `score` ranks what was kept, in
seconds, and prints the true statement and function in the top 1, 3 and 5 beside plain Ochiai.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice
from math import comb
from pathlib import Path

from faults import Fault, Span, difference, function_spans, statement_spans
from inject_faults import MOST_FAILURES, CosmicRay, Place, cosmic_ray, covered_places, proposals
from limited import machine_line
from module_mutation import mutants
from mutation import Module
from packages import BENCH, PACKAGES, REPOSITORY, Package, Prepared, plugin_directory, prepare
from suite import Suite

from pytest_buddy.capture import nearest, representatives
from pytest_buddy.codec import decode
from pytest_buddy.domain import Baseline, Execution, Failure, Spectrum, Suspect
from pytest_buddy.domain import Fault as Located
from pytest_buddy.localize import localize, referred
from pytest_buddy.localize.ochiai import line_runs, ochiai
from pytest_buddy.localize.statements import Statement, statements
from pytest_buddy.source import Source

_NEIGHBOURS = 400
_SECONDS = 1.5
_TOPS = (1, 3, 5)
_MOST_DRAWN = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One fault with what a red run shows of it."""

    fault: Fault
    failures: tuple[Failure, ...]
    spectrum: Spectrum
    sources: dict[str, Source]
    tests: frozenset[str]
    spans: tuple[Span, ...]

    @property
    def at_import(self) -> bool:
        """Whether the fault is in what no test runs."""
        return self.fault.operator.startswith(("module-", "changed-default"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a true place stands: `better` others before it, `equal` beside it, `own` of those true."""

    better: int
    equal: int = 1
    own: int = 1

    @property
    def worst(self) -> int:
        """The rank behind all equals that are not true themselves."""
        return self.better + self.equal - self.own + 1

    def within(self, top: int) -> float:
        """The chance to be among the first `top` when ties are broken at random."""
        room = top - self.better
        if room <= 0:
            return 0.0
        if room > self.equal - self.own:
            return 1.0
        return 1 - comb(self.equal - self.own, room) / comb(self.equal, room)


NOWHERE = Standing(better=10**6)


# Collecting.


def collect(package: Package, arguments: argparse.Namespace) -> None:
    """Keep the faults of one package that some tests notice."""
    prepared = prepare(package, arguments.cache, buddy=str(REPOSITORY))
    prepared.reset()
    plugins = plugin_directory(arguments.cache)
    shutil.copyfile(BENCH / "spectrum_log.py", plugins / "spectrum_log.py")
    suite = Suite(root=prepared.work, python=prepared.python, plugins=plugins)
    baseline = suite.run()
    if baseline.failed or not baseline.complete:
        raise SystemExit(f"the suite of {package.name} is not usable: {baseline.failed}")
    places = covered_places(prepared, suite)
    tool = CosmicRay(python=cosmic_ray(arguments.cache), root=prepared.pristine)
    tool.survey(prepared.files)
    inside = (fault for _, fault, _ in proposals(package, places, tool, arguments.seed))
    outside = at_import(package, prepared, places, arguments.seed)
    target = arguments.data / package.name
    target.mkdir(parents=True, exist_ok=True)
    for name, found, wanted in (("in", inside, arguments.count), ("at", outside, arguments.at_import)):
        functions: set[object] = set()
        kept = tried = 0
        for fault in islice(found, _MOST_DRAWN):
            if kept >= wanted or tried >= 6 * wanted:
                break
            where = (fault.file, fault.line)
            if where in functions:
                continue
            tried += 1
            functions.add(where)
            reason = keep(suite, prepared, fault, target / f"{name}{kept:02}.json", len(baseline.outcomes))
            print(f"  {fault.name:40} {fault.operator:48} {reason or 'kept'}", flush=True)
            kept += not reason
    prepared.reset()


def at_import(package: Package, prepared: Prepared, places: Sequence[Place], seed: int) -> Iterator[Fault]:
    """Faults in what runs at import, of each operator alike, in an order drawn at random."""
    random_ = random.Random(f"{seed}:{package.name}:import")
    of_operator: dict[str, list[Fault]] = {}
    for file in dict.fromkeys(place.file for place in places):
        content = (prepared.pristine / file).read_bytes()
        before = content.decode()
        per_statement: dict[tuple[int, str], list[Fault]] = {}
        for statement, mutant in mutants(Module.parse(content)):
            after = mutant.applied_to(content).decode()
            fault = difference(package.name, package.version, file, (before, after), mutant.operator, seed)
            per_statement.setdefault((statement.lineno, mutant.operator), []).append(fault)
        for (_, operator), found in per_statement.items():
            of_operator.setdefault(operator, []).append(random_.choice(found))
    for found in of_operator.values():
        random_.shuffle(found)
    while any(of_operator.values()):
        for operator in sorted(of_operator):
            if of_operator[operator]:
                yield of_operator[operator].pop()


def keep(suite: Suite, prepared: Prepared, fault: Fault, target: Path, tests: int) -> str:
    """Run the suite with the fault in it; empty when it was kept, otherwise why not."""
    prepared.reset()
    fault.put_into(prepared.work)
    with tempfile.TemporaryDirectory(prefix="bench-spectrum-") as directory:
        log = Path(directory) / "spectrum.json"
        finished = suite.run(
            ("-p", "spectrum_log"), wall=60, environment={"BENCH_SPECTRUM": str(log)}
        ).finished
        if finished.timed_out or not log.exists():
            return "does not end"
        data = json.loads(log.read_text(encoding="utf-8"))
    baseline = decode(Baseline, data["baseline"])
    red = sum(outcome.status in ("failed", "error") for outcome in baseline.outcomes)
    if not red or red > MOST_FAILURES or len(baseline.outcomes) != tests:
        return f"{red} tests fail" if red else "survives"
    failing = representatives(baseline)
    chosen = (*failing, *nearest(baseline, failing, seconds=_SECONDS, most=_NEIGHBOURS))
    kept = {
        "fault": asdict(fault),
        "failing": failing,
        "baseline": data["baseline"],
        "lines": {test: data["lines"][test] for test in chosen if test in data["lines"]},
        "sources": sources_of(prepared, failing, data["lines"], baseline),
        "tests": sorted({outcome.test.split("::", 1)[0] for outcome in baseline.outcomes}),
    }
    target.write_text(json.dumps(kept), encoding="utf-8")
    return ""


def sources_of(
    prepared: Prepared, failing: Sequence[str], lines: dict[str, dict[str, list[int]]], baseline: Baseline
) -> dict[str, str]:
    """The files that a session would read, as they are with the fault in them."""
    paths = {path for test in failing for path in lines.get(test, {})}
    for failure in baseline.failures:
        chain = (failure.frames, *(cause.frames for cause in failure.causes))
        paths |= {frame.path for frames in chain for frame in frames if frame.project}
    files = {path: prepared.work / path for path in sorted(paths) if path.endswith(".py")}
    texts = {path: file.read_text(encoding="utf-8") for path, file in files.items() if file.exists()}
    more = referred({path: source_of(path, text) for path, text in texts.items()})
    files = {path: prepared.work / path for path in more}
    return texts | {p: file.read_text(encoding="utf-8") for p, file in files.items() if file.exists()}


# Scoring.


def load(folder: Path) -> tuple[Kept, ...]:
    """What was collected, in a fixed order."""
    return tuple(
        _loaded(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*/*.json"))
    )


def _loaded(data: dict) -> Kept:
    failing = set(data["failing"])
    executions = tuple(
        Execution(
            test=test,
            failed=test in failing,
            lines={path: frozenset(numbers) for path, numbers in lines.items()},
        )
        for test, lines in data["lines"].items()
    )
    return Kept(
        fault=Fault(**data["fault"]),
        failures=decode(Baseline, data["baseline"]).failures,
        spectrum=Spectrum(executions=executions),
        sources={path: source_of(path, text) for path, text in data["sources"].items()},
        tests=frozenset(path for path in data["sources"] if is_test(path, data["tests"])),
        spans=true_spans(Fault(**data["fault"]), data["sources"][data["fault"]["file"]]),
    )


def true_spans(fault: Fault, faulty: str) -> tuple[Span, ...]:
    """The statements at fault; of a lost decorator, the header that lost it."""
    if fault.operator == "module-decorator-gone":
        return tuple(span for span in statement_spans(faulty) if span[0] >= fault.line)[:1]
    return fault.true_statements(faulty)


def is_test(path: str, tests: Sequence[str]) -> bool:
    return path in tests or path.startswith("tests/") or path.endswith("conftest.py")


def source_of(path: str, text: str) -> Source:
    """A file of these packages, with the dotted name that the workspace gives it."""
    module = path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Source(path=path, module=module, content=text.encode())


def standings(kept: Kept, suspects: Sequence[Suspect]) -> tuple[Standing, Standing]:
    """Where the best placed true statement stands, and its function (the module where there is none)."""
    path = kept.fault.file
    true = [one for one in suspects if one.path == path and _overlaps(one, kept.spans)]
    statement = NOWHERE
    if true:
        best = max(one.score for one in true)
        hit = next(one for one in true if one.score == best)
        own = sum(one.score == best for one in true)
        statement = Standing(better=hit.rank - 1, equal=hit.tied_with + 1, own=own)
    home = {(path, home_of(kept.sources[path].text, first)) for first, _ in kept.spans}
    scores: dict[object, float] = {}
    for one in suspects:
        source = kept.sources.get(one.path)
        span = home_of(source.text, one.line) if source else (0, 0)
        scores[one.path, span] = max(scores.get((one.path, span), 0.0), one.score)
    found = [score for key, score in scores.items() if key in home]
    if not found:
        return statement, NOWHERE
    better = sum(score > max(found) for score in scores.values())
    equal = sum(score == max(found) for score in scores.values())
    return statement, Standing(better=better, equal=equal, own=found.count(max(found)))


_spans = lru_cache(maxsize=64)(function_spans)


def home_of(text: str, line: int) -> Span:
    """The smallest function that holds a line; (0, 0) for the module."""
    holding = [span for span in _spans(text) if span[0] <= line <= span[1]]
    return min(holding, key=lambda span: span[1] - span[0], default=(0, 0))


def _overlaps(suspect: Suspect, spans: Sequence[Span]) -> bool:
    return any(suspect.line <= last and suspect.end_line >= first for first, last in spans)


def plain_ochiai(kept: Kept) -> tuple[Suspect, ...]:
    """Every statement that a failing test ran, by Ochiai alone: what a textbook's tool would show."""
    failing = list(kept.spectrum.failing)
    runs = line_runs(kept.spectrum.executions, (1 << len(kept.spectrum.executions)) - 1)
    bits = sum(1 << i for i, e in enumerate(kept.spectrum.executions) if e.failed)
    scored: list[tuple[float, Statement, str]] = []
    for path, source in kept.sources.items():
        if path in kept.tests or path not in runs:
            continue
        table = statements(source)
        for statement, ran in zip(table.all, table.runs(runs[path]), strict=True):
            if ran & bits:
                counts = (ran & bits).bit_count(), (ran & ~bits).bit_count()
                scored.append((ochiai(*counts, len(failing)), statement, table.function_of(statement)))
    scores = [score for score, _, _ in scored]
    order = sorted(scores, reverse=True)
    first = {score: position for position, score in reversed(list(enumerate(order, start=1)))}
    equal = Counter(scores)
    return tuple(
        Suspect(
            path=statement.path,
            line=statement.line,
            end_line=statement.end_line,
            function=function,
            score=score,
            rank=first[score],
            tied_with=equal[score] - 1,
        )
        for score, statement, function in sorted(scored, key=lambda item: -item[0])
    )


def localized(kept: Kept) -> tuple[tuple[Standing, Standing], Located | None]:
    """The standings in that fault of the answer that places the statement best."""
    found = localize(kept.failures, kept.spectrum, kept.sources, tests=kept.tests)
    ranked = [(standings(kept, fault.suspects), fault) for fault in found]
    return min(
        ranked,
        key=lambda item: (item[0][0].worst, item[0][1].worst),
        default=((NOWHERE, NOWHERE), None),
    )


def table(title: str, rows: Mapping[str, Sequence[tuple[Standing, Standing]]]) -> Iterator[str]:
    """Shares of faults in the top 1, 3 and 5, statements and functions, ties at random and at worst."""
    columns = ("stmt random", "stmt worst", "func random", "func worst")
    yield f"{title:26} {' '.join(f'{column:>17}' for column in columns)} {'in 50':>6}"
    for name, found in rows.items():
        cells = []
        for which in (0, 1):
            shares = [sum(row[which].within(top) for row in found) / len(found) for top in _TOPS]
            worst = [sum(row[which].worst <= top for row in found) / len(found) for top in _TOPS]
            cells += ["/".join(f"{100 * share:3.0f}" for share in part) for part in (shares, worst)]
        listed = sum(row[0] != NOWHERE for row in found) / len(found)
        yield f"{name:26} {cells[0]:>17} {cells[1]:>17} {cells[2]:>17} {cells[3]:>17} {100 * listed:5.0f}%"


def score(arguments: argparse.Namespace) -> None:
    """Rank everything that was collected and print the tables."""
    every = load(arguments.data)
    started = time.process_time()
    ours = [localized(kept)[0] for kept in every]
    spent = time.process_time() - started
    plain = [standings(kept, plain_ochiai(kept)) for kept in every]
    if arguments.verbose:
        for kept, mine, theirs in zip(every, ours, plain, strict=True):
            ranks = " ".join(f"{s.better + 1:>7}+{s.equal - s.own:<3}" for s in (*mine, *theirs))
            print(f"{kept.fault.name:34} {kept.fault.operator:34.34} {ranks}")
    groups = {
        **{name: [kept.fault.package == name for kept in every] for name in PACKAGES},
        "inside functions": [not kept.at_import for kept in every],
        "run at import": [kept.at_import for kept in every],
        "all": [True for _ in every],
    }
    for name, chosen in groups.items():
        if not any(chosen):
            continue
        rows = {
            label: [row for row, mine in zip(found, chosen, strict=True) if mine]
            for label, found in (("Ochiai", plain), ("localize", ours))
        }
        print("\n".join(table(f"{name} ({sum(chosen)})", rows)))
    print(f"{1000 * spent / max(1, len(every)):.0f} ms of processor time a fault")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    work = Path(tempfile.gettempdir()) / "pytest-buddy-bench"
    parser.add_argument("step", choices=("collect", "score"))
    parser.add_argument("--cache", type=Path, default=work)
    parser.add_argument("--data", type=Path, default=work / "spectra")
    parser.add_argument("--seed", type=int, default=20260202)
    parser.add_argument("--count", type=int, default=13, help="faults inside functions, a package")
    parser.add_argument("--at-import", type=int, default=7, help="faults in what runs at import, a package")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for every fault")
    parser.add_argument(
        "--package", action="append", choices=sorted(PACKAGES), help="only these (repeatable)"
    )
    arguments = parser.parse_args()
    print(machine_line())
    if arguments.step == "collect":
        os.nice(15)
        for name in arguments.package or PACKAGES:
            collect(PACKAGES[name], arguments)
    else:
        score(arguments)


if __name__ == "__main__":
    sys.exit(main())
