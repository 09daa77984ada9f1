"""Writes suites of micro-tests: many modules of small functions, each tested by small tests."""

from pathlib import Path

SETTINGS = """\
[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
"""

MODULE = '''\
"""Arithmetic number {number}."""


def scaled(value, factor={number} + 1):
    total = 0
    for _ in range(factor):
        total += value
    return total


def bounded(value, low=0, high=10):
    if value < low:
        return low
    if value > high:
        return high
    return value


def words(text):
    return [word.lower() for word in text.split() if word]
'''

TESTS = """\
import pytest

from plenty.part{number} import bounded, scaled, words


@pytest.mark.parametrize("value", range({count}))
def test_scaled(value):
    assert scaled(value) == value * ({number} + 1)


@pytest.mark.parametrize("value", range({count}))
def test_bounded(value):
    assert bounded(value, 0, 5) == min(value, 5)


def test_words():
    assert words("One  two") == ["one", "two"]


def test_the_lower_bound():
    assert bounded(-1) == 0
"""

FAILING = """\
import pytest

from plenty.part{number} import bounded


@pytest.mark.parametrize("value", range({count}))
def test_bounded(value):
    assert bounded(value + 11, 0, 10) == 10
"""


def green_suite(root: Path, *, tests: int = 1000, modules: int = 20) -> Path:
    """A suite that passes, of about that many tests."""
    _package(root, modules)
    count = max(1, (tests // modules - 2) // 2)
    for number in range(modules):
        text = TESTS.format(number=number, count=count)
        (root / "tests" / f"test_part{number}.py").write_text(text, encoding="utf-8")
    return root


def red_suite(root: Path, *, failures: int = 10_000, modules: int = 10) -> Path:
    """A suite of which every test fails, for one reason in each module."""
    _package(root, modules)
    for number in range(modules):
        part = root / "plenty" / f"part{number}.py"
        broken = part.read_text(encoding="utf-8").replace("return high", "return low")
        part.write_text(broken, encoding="utf-8")
        text = FAILING.format(number=number, count=failures // modules)
        (root / "tests" / f"test_part{number}.py").write_text(text, encoding="utf-8")
    return root


def _package(root: Path, modules: int) -> None:
    (root / "plenty").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    (root / "plenty" / "__init__.py").touch()
    for number in range(modules):
        text = MODULE.format(number=number)
        (root / "plenty" / f"part{number}.py").write_text(text, encoding="utf-8")
