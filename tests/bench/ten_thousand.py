"""A suite of ten thousand failures: seconds over plain pytest, and lines of output of our own.

`lines` are those that `pytest --buddy` prints beyond what plain pytest prints for the same run.
With --goals the exit status is 1 when a goal is missed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from generated import red_suite
from limited import Finished, machine_line, run

MOST_SECONDS = 5.0
MOST_LINES = 200


def timed(root: Path, *arguments: str) -> Finished:
    """One run of the suite, pytest's own output kept short."""
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", *arguments]
    return run(command, cwd=root, wall=600)


def lines(finished: Finished) -> int:
    """How many lines it wrote, to either stream."""
    return len(finished.stdout.splitlines()) + len(finished.stderr.splitlines())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--failures", type=int, default=10_000)
    parser.add_argument("--modules", type=int, default=10, help="test modules, each with a fault of its own")
    parser.add_argument("--goals", action="store_true", help="exit with 1 when a goal is missed")
    arguments = parser.parse_args()
    print(machine_line(), flush=True)
    with tempfile.TemporaryDirectory(prefix="buddy-failures-") as directory:
        root = Path(directory).resolve() / "suite"
        red_suite(root, failures=arguments.failures, modules=arguments.modules)
        timed(root)
        plain, buddy = timed(root), timed(root, "--buddy")
    over, more = buddy.wall - plain.wall, lines(buddy) - lines(plain)
    print(f"plain: {plain.wall:.1f} s, {lines(plain)} lines, exit status {plain.returncode}")
    print(f"--buddy: {buddy.wall:.1f} s, {lines(buddy)} lines, exit status {buddy.returncode}")
    met = over <= MOST_SECONDS and 0 <= more <= MOST_LINES and buddy.returncode == plain.returncode
    print(
        f"{'met   ' if met else 'MISSED'} {over:.1f} s over plain (goal <= {MOST_SECONDS:g}), "
        f"{more} lines of our own (goal <= {MOST_LINES})"
    )
    return int(arguments.goals and not met)


if __name__ == "__main__":
    sys.exit(main())
