"""What it costs a green suite to note what each test depends on: CPU of whole process trees, in pairs.

Every suite runs plain and with `-p buddy_watch.inside.touching`, alternately; the median of the pairs' ratios
counts. Other plugins are kept out. Without `--suite DIRECTORY`, suites of micro-tests are written: little
ones, where a test is as short as can be, and deep ones, where each test runs many functions.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from generated import green_suite
from limited import machine_line, run
from overhead import ALONE

PLUGIN = ("-p", "buddy_watch.inside.touching")

DEEP = '''\
"""A chain of {length} functions, number {number}."""
{functions}
'''
LINK = """

def step{index}(value):
    if value < 0:
        raise ValueError(value)
    total = 0
    for part in range(value % 7):
        total += part
    return {next}(value + total) if value < 10_000 else value
"""
DEEP_TESTS = """\
import pytest

from plenty.deep{number} import step0


@pytest.mark.parametrize("value", range({count}))
def test_chain(value):
    assert [step0(value + more) for more in range(5)]
"""


def deep_suite(root: Path, *, tests: int, modules: int = 10, length: int = 60) -> Path:
    """A suite whose tests run many functions each."""
    (root / "plenty").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['.']\n", encoding="utf-8")
    (root / "plenty" / "__init__.py").touch()
    for number in range(modules):
        links = [
            LINK.format(index=index, next=f"step{index + 1}" if index < length - 1 else "int")
            for index in range(length)
        ]
        text = DEEP.format(length=length, number=number, functions="".join(links))
        (root / "plenty" / f"deep{number}.py").write_text(text, encoding="utf-8")
        text = DEEP_TESTS.format(number=number, count=tests // modules)
        (root / "tests" / f"test_deep{number}.py").write_text(text, encoding="utf-8")
    return root


def cpu(python: str, root: Path, arguments: Sequence[str]) -> float:
    """CPU seconds of one run, bytecode written as it always is."""
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    finished = run(command, cwd=root, env={**ALONE, "PYTHONDONTWRITEBYTECODE": ""}, wall=300)
    if finished.returncode:
        raise SystemExit((finished.stdout + finished.stderr)[-2000:])
    return finished.cpu


def measure(name: str, root: Path, *, python: str, pairs: int, extra: Sequence[str], goal: float) -> bool:
    """Print the ratios of one suite; whether their median reaches the goal."""
    ratios, plain_times = [], []
    for number in range(pairs + 1):
        if number % 2:
            plain, noting = cpu(python, root, extra), cpu(python, root, [*PLUGIN, *extra])
        else:
            noting, plain = cpu(python, root, [*PLUGIN, *extra]), cpu(python, root, extra)
        ratios.append(noting / plain)
        plain_times.append(plain)
    ratios, plain_times = ratios[1:], plain_times[1:]
    median = statistics.median(ratios)
    listed = " ".join(f"{ratio:.3f}" for ratio in sorted(ratios))
    print(
        f"{'met   ' if median <= goal else 'MISSED'} {name}: {median:.3f} (goal <= {goal:g}), "
        f"{statistics.median(plain_times):.2f} CPU s plain; {listed}",
        flush=True,
    )
    return median <= goal


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=9, help="pairs for each ratio")
    parser.add_argument("--tests", type=int, default=2000, help="micro-tests of a generated suite")
    parser.add_argument("--suite", type=Path, action="append", default=[], help="a project (repeatable)")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs the suites")
    parser.add_argument("--argument", action="append", default=[], help="one for pytest (repeatable)")
    parser.add_argument("--goal", type=float, default=1.15 if sys.version_info >= (3, 12) else 1.02)
    parser.add_argument("--goals", action="store_true", help="exit with 1 when a goal is missed")
    arguments = parser.parse_args()
    print(machine_line(), flush=True)
    met = True
    with tempfile.TemporaryDirectory(prefix="buddy-map-cost-") as directory:
        home = Path(directory).resolve()
        suites = {str(suite): suite for suite in arguments.suite} or {
            "little tests": green_suite(home / "little", tests=arguments.tests),
            "deep tests": deep_suite(home / "deep", tests=arguments.tests),
        }
        for name, root in suites.items():
            met &= measure(
                name,
                root,
                python=arguments.python,
                pairs=arguments.pairs,
                extra=arguments.argument,
                goal=arguments.goal,
            )
    return int(arguments.goals and not met)


if __name__ == "__main__":
    sys.exit(main())
