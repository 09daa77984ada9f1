"""Saves, and what the watch loop makes of them: how soon, how surely, and at what cost over thousands.

Usage: python tests/bench/watch_saves.py PART... [--saves N] [--rounds N] [--ptw PROGRAM] [--heavy MODULE]

  changes   file watching alone: N saves (300) of each editor style; missed and double ones
  alone     file watching alone: N saves (5000); memory, descriptors and threads along the way
  latency   save -> verdict of one light test, beside a cold `pytest ID` and pytest-watcher (--ptw)
  stale     N edits (200) of one size at five a second: verdicts that belong to another content
  styles    N saves (300) of each editor style, through the whole loop; missed and double runs
  soak      N saves (5000) through the whole loop; memory, descriptors, threads and processes
  kill      kill -9 of each process in turn: does it go on or end, is anything left, does it start again

--heavy imports that module in the project, which the running interpreter must have.
"""

import argparse
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "watcher"), str(Path(__file__).parent)]

from editor_saves import STYLES, Desk, in_place  # noqa: E402
from generated import green_suite  # noqa: E402

from pytest_buddy.testing import Project  # noqa: E402
from tests.watch.watching import Watch, watching  # noqa: E402

FILE = "plenty/light.py"
TEST = "tests/test_light.py::test_light"
LIGHT_TEST = "from plenty.light import less\n\n\ndef test_light():\n    assert less(1, 2)\n"
ENDED = re.compile(rb"(passed|failed|error) in [\d.]+s")
PATTERNS = "*.py,**/*.py"  # its default does not reach into directories with every watchdog
GRACE = 0.06  # a verdict that is on its way when a file is saved can't know
SPACING = 0.1
RIGHT, WRONG = "<", ">"
CLEAN = {"PYTHONDONTWRITEBYTECODE": None}


def light(sign: str, heavy: str = "") -> str:
    """One function that is right with one sign and wrong with another; both texts have one size."""
    head = f"import {heavy}\n\n\n" if heavy else ""
    return f"{head}def less(a, b):\n    return a {sign} b\n"


def expected(sign: str) -> str:
    return "passed" if sign == RIGHT else "failed"


@contextmanager
def suites(count: int, heavy: str = "") -> Iterator[list[Project]]:
    """Equal projects of some hundred tests, one of which looks at the file that is edited."""
    with tempfile.TemporaryDirectory(prefix="watch-saves-") as base:
        made = []
        for number in range(count):
            project = Project(Path(base, str(number)), {})
            green_suite(project.root, tests=200, modules=10)
            project.write({FILE: light(RIGHT, heavy), "tests/test_light.py": LIGHT_TEST})
            made.append(project)
        yield made


def signs() -> Iterator[str]:
    while True:
        yield WRONG
        yield RIGHT


# File watching alone.


def changes(saves: int) -> dict[str, object]:
    """Every style, spaced saves: a batch is missed when none comes, double when a second one does."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="watch-saves-") as base:
        path = Path(base, "pkg", "x.py")
        path.parent.mkdir()
        path.write_text(light(RIGHT))
        with Desk(Path(base)) as desk:
            for name, save in STYLES.items():
                missed = doubles = strange = 0
                waits = []
                for _, sign in zip(range(saves), signs(), strict=False):
                    desk.batches.clear()
                    start = time.monotonic()
                    save(path, light(sign))
                    try:
                        desk.until(lambda: desk.batches, 2.0)
                    except AssertionError:
                        missed += 1
                        continue
                    waits.append(time.monotonic() - start)
                    desk.turn(0.03)
                    doubles += len(desk.batches) > 1
                    strange += desk.told != {"pkg/x.py"}
                wait = f"{statistics.median(waits) * 1000:.0f} ms"
                found[name] = f"missed {missed}, double {doubles}, other paths {strange}, median {wait}"
    return found


def alone(saves: int) -> dict[str, object]:
    """What watching costs after many saves of every style, and directories that come and go."""
    with tempfile.TemporaryDirectory(prefix="watch-saves-") as base:
        path = Path(base, "pkg", "x.py")
        path.parent.mkdir()
        path.write_text(light(RIGHT))
        marks = []
        with Desk(Path(base)) as desk:
            for number in range(saves):
                if number % max(1, saves // 10) == 0:
                    marks.append(weigh([os.getpid()]))
                desk.batches.clear()
                list(STYLES.values())[number % len(STYLES)](path, light(RIGHT if number % 2 else WRONG))
                desk.until(lambda: desk.batches)
                if number % 20 == 0:
                    desk.write(f"new{number}/y.py", "y = 1\n")
                    desk.until(lambda at=f"new{number}/y.py": at in desk.told)
                    shutil.rmtree(Path(base, f"new{number}"))
            marks.append(weigh([os.getpid()]))
    return flat(marks)


def weigh(processes: list[int]) -> dict[str, int]:
    """Memory of their own in KiB, descriptors, threads and number of processes."""
    total = {"kib": 0, "descriptors": 0, "threads": 0, "processes": len(processes)}
    for pid in processes:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total["kib"] += sum(
                int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
            )
            total["descriptors"] += len(list(Path(f"/proc/{pid}/fd").iterdir()))
            total["threads"] += len(list(Path(f"/proc/{pid}/task").iterdir()))
        except OSError:  # ended meanwhile
            continue
    return total


def flat(marks: list[dict[str, int]]) -> dict[str, object]:
    """The course of each measure; a leak shows between the second mark, when all is warm, and the last."""
    return {name: " ".join(str(mark[name]) for mark in marks) for name in marks[0]}


# The whole loop.


class Bench:
    """A buddy-watch on a project, and the one file that is edited."""

    def __init__(self, project: Project, watch: Watch, heavy: str = "") -> None:
        self.project = project
        self.watch = watch
        self.path = project.root / FILE
        self.heavy = heavy

    def answered(self, sign: str, save: Callable[[Path, str], None] = in_place) -> float:
        """Save, wait for the verdict of the test, give back how long that took."""
        start = time.monotonic()
        save(self.path, light(sign, self.heavy))
        self.watch.until("verdict-reached", test=TEST, status=expected(sign))
        return time.monotonic() - start

    def settle(self, seconds: float) -> None:
        """Wait until nothing has been said for so long."""
        end = time.monotonic() + 20
        while self.watch.quiet(seconds) and time.monotonic() < end:
            continue

    def pids(self) -> list[int]:
        return [int(line.partition(":")[0]) for line in self.project.processes()]


@contextmanager
def bench(project: Project, heavy: str = "") -> Iterator[Bench]:
    with watching(project) as watch:
        watch.until("run-ended")  # what was known before may leave only the rest for a background run
        made = Bench(project, watch, heavy)
        made.settle(1.0)
        yield made


def latency(rounds: int, ptw: str, heavy: str) -> dict[str, object]:
    """The three in turn, round by round, each on a project of its own, while the others are idle."""
    taken: dict[str, list[float]] = {"buddy-watch": [], "pytest ID": []}
    with suites(3, heavy) as (ours, cold, theirs), ExitStack() as stack:
        desk = stack.enter_context(bench(ours, heavy))
        watcher = stack.enter_context(PytestWatcher.on(theirs, ptw)) if ptw else None
        for number, sign in zip(range(rounds + 1), signs(), strict=False):
            text = light(sign, heavy)
            spent = {"buddy-watch": desk.answered(sign), "pytest ID": cold_run(cold, text)}
            desk.settle(0.5)
            if watcher is not None:
                spent["pytest-watcher"] = watcher.answered(theirs.root / FILE, text)
            for name, seconds in spent.items():
                if number:  # the first round warms disks and caches
                    taken.setdefault(name, []).append(seconds)
    middle = {name: statistics.median(times) for name, times in taken.items()}
    found: dict[str, object] = {
        f"{name}, median of {len(taken[name])}": f"{seconds * 1000:.0f} ms"
        for name, seconds in middle.items()
    }
    for name in list(middle)[1:]:
        found[f"buddy-watch / {name}"] = f"{middle['buddy-watch'] / middle[name]:.3f}"
    found["buddy-watch, slowest"] = f"{max(taken['buddy-watch']) * 1000:.0f} ms"
    return found


def cold_run(project: Project, text: str) -> float:
    """`pytest ID` on a file just saved, by our interpreter."""
    start = time.monotonic()
    in_place(project.root / FILE, text)
    command = [sys.executable, "-m", "pytest", "-q", TEST]
    subprocess.run(
        command, cwd=project.root, env=project.environment(CLEAN), capture_output=True, check=False
    )
    return time.monotonic() - start


class PytestWatcher:
    """A pytest-watcher that runs the one test file."""

    def __init__(self, output: int) -> None:
        self._output = output

    @classmethod
    @contextmanager
    def on(cls, project: Project, program: str) -> Iterator["PytestWatcher"]:
        environment = project.environment(CLEAN)
        environment["PATH"] = f"{Path(program).parent}{os.pathsep}{environment.get('PATH', '')}"
        reading, writing = os.pipe()
        process = subprocess.Popen(
            [program, ".", "--now", "--delay", "0", "--patterns", PATTERNS, "-q", TEST.partition("::")[0]],
            cwd=project.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
        )
        os.close(writing)
        try:
            made = cls(reading)
            made._heard()
            yield made
        finally:
            process.terminate()
            process.wait(10)
            os.close(reading)

    def answered(self, path: Path, text: str) -> float:
        start = time.monotonic()
        in_place(path, text)
        self._heard()
        return time.monotonic() - start

    def _heard(self) -> None:
        """Wait for the line with which pytest ends."""
        end, said = time.monotonic() + 30, b""
        while not ENDED.search(said):
            ready, _, _ = select.select([self._output], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._output, 65536) if ready else b""
            assert part, f"pytest-watcher says nothing more: {said!r}"
            said += part


def stale(edits: int) -> dict[str, object]:
    """A verdict is stale when it belongs to a content that was replaced longer ago than it could know."""
    with suites(1) as (project,), bench(project) as desk:
        saved: list[tuple[float, str]] = []
        heard: list[tuple[float, str]] = []
        begin = time.monotonic()
        for number, sign in zip(range(edits), signs(), strict=False):
            listen(desk.watch, begin + number / 5, heard)
            in_place(desk.path, light(sign))
            saved.append((time.monotonic(), expected(sign)))
        listen(desk.watch, time.monotonic() + 5, heard)
    wrong = sum(status not in possible(saved, moment) for moment, status in heard)
    answered = sum(
        any(at <= moment < at + 0.2 and status == wanted for moment, status in heard) for at, wanted in saved
    )
    return {
        "edits": edits,
        "verdicts": len(heard),
        "stale": wrong,
        "answered before the next edit": answered,
        "the last verdict is right": bool(heard) and heard[-1][1] == saved[-1][1],
    }


def listen(watch: Watch, until: float, heard: list[tuple[float, str]]) -> None:
    """Note when each verdict of the test comes, up to a moment."""
    while (left := until - time.monotonic()) > 0:
        before = len(watch.events)
        watch.quiet(min(left, 0.002))
        for event in watch.events[before:]:
            if event["kind"] == "verdict-reached" and event["test"] == TEST:
                heard.append((time.monotonic(), event["status"]))


def possible(saved: list[tuple[float, str]], moment: float) -> set[str]:
    """What a verdict heard at a moment may say."""
    past = [status for at, status in saved if at <= moment - GRACE]
    return {status for at, status in saved if moment - GRACE < at <= moment} | set(past[-1:])


def styles(saves: int) -> dict[str, object]:
    """A save is missed when no verdict comes, double when a second run does."""
    found: dict[str, object] = {}
    with suites(1) as (project,), bench(project) as desk:
        for name, save in STYLES.items():
            missed = doubles = 0
            for _, sign in zip(range(saves), signs(), strict=False):
                before = len(desk.watch.events)
                try:
                    desk.answered(sign, save)
                except AssertionError:
                    missed += 1
                desk.watch.quiet(SPACING)
                runs = [
                    event
                    for event in desk.watch.events[before:]
                    if event["kind"] == "run-started" and not event["background"]
                ]
                doubles += len(runs) > 1
                forget(desk.watch)
            found[name] = f"missed {missed}, double {doubles}"
    return found


def forget(watch: Watch) -> None:
    """Drop what was heard, for what is listened to for hours."""
    watch.events.clear()
    watch._position = 0


def soak(saves: int) -> dict[str, object]:
    """What the whole loop costs along the way."""
    with suites(1) as (project,), bench(project) as desk:
        marks = []
        for number, sign in zip(range(saves), signs(), strict=False):
            if number % max(1, saves // 10) == 0:
                desk.settle(1.0)
                marks.append(weigh(desk.pids()))
            desk.answered(sign)
            forget(desk.watch)
        desk.settle(1.0)
        marks.append(weigh(desk.pids()))
    return flat(marks)


def kill() -> dict[str, object]:
    """The processes of a loop at rest, each killed in a loop of its own."""
    found: dict[str, object] = {}
    number = count = 0
    while number <= count:
        with suites(1) as (project,):
            with bench(project) as desk:
                lines = sorted(project.processes())
                count = len(lines) - 1
                if number > count:
                    break
                pid, _, command = lines[number].partition(":")
                os.kill(int(pid), 9)
                if int(pid) == desk.watch.process.pid:
                    desk.watch.process.wait(10)
                    went = "ended"
                else:
                    went = f"went on in {desk.answered(WRONG) * 1000:.0f} ms"
            left = project.processes(patience=5.0)
            with bench(project) as again:
                again.answered(WRONG if went == "ended" else RIGHT)
            found[f"{number}: {command.strip()[-60:]}"] = f"{went}, {len(left)} left, starts again"
        number += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ("changes", "alone", "latency", "stale", "styles", "soak", "kill")
    parser.add_argument("parts", nargs="+", choices=parts, metavar="PART")
    parser.add_argument("--saves", type=int)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--ptw", default="")
    parser.add_argument("--heavy", default="")
    chosen = parser.parse_args()
    few, many = chosen.saves or 300, chosen.saves or 5000
    work: dict[str, Callable[[], dict[str, object]]] = {
        "changes": lambda: changes(few),
        "alone": lambda: alone(many),
        "latency": lambda: latency(chosen.rounds, chosen.ptw, chosen.heavy),
        "stale": lambda: stale(chosen.saves or 200),
        "styles": lambda: styles(few),
        "soak": lambda: soak(many),
        "kill": kill,
    }
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for part in chosen.parts:
        print(f"{part}:")
        for name, value in work[part]().items():
            print(f"  {name}: {value}", flush=True)


if __name__ == "__main__":
    main()
