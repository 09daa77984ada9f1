"""What confinement costs: search inside `full` against `none`, and the start of the warm runner.

Pairs are run alternately, each measurement in a process of its own; the median of the pairs counts, and the
range of the middle half is printed beside it. With --goals the exit status is 1 when a goal is missed.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from generated import green_suite
from limited import machine_line, run
from overhead import ALONE, Figure, report


def measured(what: str, root: Path, level: str) -> dict[str, float]:
    """One measurement by runner_work.py at a level, which must be the one that was got."""
    script = Path(__file__).with_name("runner_work.py")
    finished = run([sys.executable, script, what, root, level], cwd=root, env=ALONE, wall=300)
    if finished.returncode:
        raise SystemExit(f"{what} at {level}: {finished.stderr[-2000:]}")
    answer: dict[str, float] = json.loads(finished.stdout)
    if answer["sandbox"] != level or not answer["done"]:
        raise SystemExit(f"{what} at {level}: {answer}")
    return answer


def pairs(one: Callable[[str], float], number: int) -> list[tuple[float, float]]:
    """Values at `full` and `none`, which goes first alternating; a first pair is dropped."""
    found = []
    for turn in range(number + 1):
        order = ("full", "none") if turn % 2 else ("none", "full")
        values = {level: one(level) for level in order}
        found.append((values["full"], values["none"]))
    return found[1:]


def spread(name: str, values: list[float]) -> float:
    """Print median and middle half; the median."""
    low, middle, high = statistics.quantiles(values, n=4)
    print(f"  {name}: median {middle:.3f}, middle half {low:.3f} to {high:.3f}", flush=True)
    return middle


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=9, help="pairs for each figure")
    parser.add_argument("--goals", action="store_true", help="exit with 1 when a goal is missed")
    arguments = parser.parse_args()
    print(machine_line(), flush=True)
    started = time.monotonic()
    figures = []
    with tempfile.TemporaryDirectory(prefix="buddy-sandbox-cost-") as directory:
        root = green_suite(Path(directory).resolve() / "suite", tests=100)

        def rate(what: str, level: str) -> float:
            answer = measured(what, root, level)
            return answer["done"] / answer["seconds"]

        for what in ("batched", "forked"):
            found = pairs(lambda level, what=what: rate(what, level), arguments.pairs)  # type: ignore[misc]
            ratio = spread(f"{what}, full / none", [full / none for full, none in found])
            figures.append(
                Figure(text=f"search throughput, {what}: full / none", value=ratio, goal=0.9, at_least=True)
            )
        found = pairs(lambda level: 1000 * measured("start", root, level)["start"], arguments.pairs)
        spread("start at full, ms", [full for full, _ in found])
        spread("start at none, ms", [none for _, none in found])
        more = spread("full - none, ms", [full - none for full, none in found])
        figures.append(Figure(text="start of the warm runner: full - none, ms", value=more, goal=150))
    print(f"{time.monotonic() - started:.0f} s")
    report(figures)
    return int(arguments.goals and not all(figure.met for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
