"""What the plugin costs when nothing is red, and what the runner does in a second.

All figures are CPU seconds of whole process trees, unless said otherwise, compared in pairs that are run
alternately; the median of the pairs' ratios counts. Other pytest plugins are kept out, because their weight
would hide ours. With --goals the exit status is 1 when a goal is missed.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from generated import green_suite
from limited import Finished, machine_line, run

ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
_IMPORT = re.compile(r"import time:\s*\d+ \|\s*(\d+) \|( +)(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured value beside its goal."""

    text: str
    value: float
    goal: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return (
            f"{'met   ' if self.met else 'MISSED'} {self.text}: {self.value:.3g} (goal {sign} {self.goal:g})"
        )


def paired_ratio(measured: Callable[[], float], against: Callable[[], float], pairs: int) -> float:
    """The median over pairs of measured/against; which goes first alternates, the first pair is dropped."""
    ratios = []
    for number in range(pairs + 1):
        if number % 2:
            below, above = against(), measured()
        else:
            above, below = measured(), against()
        ratios.append(above / below)
    return statistics.median(ratios[1:])


def pytest_cpu(root: Path, *arguments: str, code: int = 0) -> float:
    """CPU seconds of one pytest process."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return _checked(run(command, cwd=root, env=ALONE), code).cpu


def import_milliseconds() -> float:
    """What importing the plugin adds once pytest is imported: the median of several processes."""
    found = []
    for _ in range(9):
        command = [sys.executable, "-X", "importtime", "-c", "import pytest, pytest_buddy.plugin"]
        finished = _checked(run(command, cwd=Path(tempfile.gettempdir())), 0)
        modules = [match.groups() for match in _IMPORT.finditer(finished.stderr)]
        ours = [int(total) for total, _, name in modules if name in ("pytest_buddy", "pytest_buddy.plugin")]
        found.append(sum(ours) / 1000)
    return statistics.median(found)


def runner_work(what: str, root: Path) -> tuple[dict[str, float], Finished]:
    """One measurement by runner_work.py: what it says, and what its processes took."""
    script = Path(__file__).with_name("runner_work.py")
    finished = _checked(run([sys.executable, script, what, root], cwd=root, env=ALONE, wall=300), 0)
    answer: dict[str, float] = json.loads(finished.stdout)
    return answer, finished


def rate(what: str, root: Path) -> float:
    """Candidates a second on one core: the best of three, by wall with one child at a time."""
    rates = []
    for _ in range(3):
        answer, _ = runner_work(what, root)
        if not answer["done"]:
            raise SystemExit(f"{what}: no candidate was tried")
        rates.append(answer["done"] / answer["seconds"])
    return max(rates)


def idle_figures(root: Path, pairs: int) -> list[Figure]:
    """What a green suite pays."""
    plain = pytest_cpu(root)
    print(f"green suite: {plain:.2f} CPU s plain", flush=True)
    asked = paired_ratio(lambda: pytest_cpu(root, "-p", "buddy", "--buddy"), lambda: pytest_cpu(root), pairs)
    asleep = paired_ratio(lambda: pytest_cpu(root, "-p", "buddy"), lambda: pytest_cpu(root), pairs)
    return [
        Figure(text="green suite with --buddy / plain pytest", value=asked, goal=1.03),
        Figure(text="plugin installed but not asked for / plain pytest", value=asleep, goal=1.02),
        Figure(text="importing pytest_buddy.plugin, ms", value=import_milliseconds(), goal=5),
    ]


def runner_figures(root: Path, pairs: int) -> list[Figure]:
    """What collecting costs and how many candidates are tried."""

    def traced() -> float:
        return runner_work("trace", root)[1].cpu

    def warm() -> float:
        return runner_work("plain", root)[1].cpu

    collecting = paired_ratio(traced, lambda: pytest_cpu(root), pairs)
    print(
        f"collecting / the same tests in the warm runner: {paired_ratio(traced, warm, pairs):.2f}", flush=True
    )
    return [
        Figure(text="collecting lines / plain pytest on the same tests", value=collecting, goal=1.3),
        Figure(text="candidates/s/core, batched", value=rate("batched", root), goal=300, at_least=True),
        Figure(text="candidates/s/core, a fork each", value=rate("forked", root), goal=100, at_least=True),
    ]


def report(figures: Sequence[Figure]) -> None:
    """Print figures as they come."""
    for figure in figures:
        print(figure, flush=True)


def _checked(finished: Finished, code: int) -> Finished:
    if finished.returncode != code or finished.timed_out:
        tail = (finished.stdout + finished.stderr)[-2000:]
        raise SystemExit(f"exit status {finished.returncode}, wanted {code}:\n{tail}")
    return finished


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=15, help="pairs for each ratio")
    parser.add_argument("--tests", type=int, default=1000, help="micro-tests of the green suite")
    parser.add_argument("--part", choices=("all", "idle", "runner"), default="all")
    parser.add_argument("--goals", action="store_true", help="exit with 1 when a goal is missed")
    arguments = parser.parse_args()
    print(machine_line(), flush=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="buddy-overhead-") as directory:
        root = green_suite(Path(directory).resolve() / "suite", tests=arguments.tests)
        for part, measure in (("idle", idle_figures), ("runner", runner_figures)):
            if arguments.part in ("all", part):
                found = measure(root, arguments.pairs)
                report(found)
                figures += found
    return int(arguments.goals and not all(figure.met for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
