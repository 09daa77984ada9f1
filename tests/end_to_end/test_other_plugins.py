"""Other people's plugins, present and active."""

from importlib import metadata
from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, Compare, check_clean, check_same
from tests.end_to_end.projects import CLAMP, RED

ASYNC = {
    "shop.py": CLAMP.replace("def clamp", "async def clamp"),
    "test_shop.py": """\
import pytest
from shop import clamp


@pytest.fixture
async def limit():
    yield 10


@pytest.mark.asyncio
async def test_above(limit):
    assert await clamp(50, 0, limit) == 10


@pytest.mark.asyncio
async def test_below(limit):
    assert await clamp(-5, 0, limit) == 0
""",
}


def installed(*names: str) -> None:
    for name in names:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed")


def test_xdist(tmp_path: Path) -> None:
    installed("pytest-xdist")
    many = {f"tests/test_{letter}.py": RED["tests/test_clamp.py"] for letter in "ab"}
    project = Project(tmp_path, {**RED, **many}, plugins=("xdist",))
    before = project.tree()
    plain = project.pytest("-q", "-n", "2")
    buddy = project.pytest("-q", "-n", "2", *QUICK)
    assert (buddy.exit, buddy.counts) == (plain.exit, plain.counts)
    assert "internal error" not in buddy.out
    check_clean(project, before)
    report = buddy.report
    assert report["summary"] == {"failed": 3, "flaky": 0, "faults": 1, "fixed": 1}
    assert report["failures"][0]["error_type"] == "AssertionError"


def test_xdist_loses_a_worker(tmp_path: Path) -> None:
    installed("pytest-xdist")
    files = {**RED, "tests/test_dies.py": "import os\n\n\ndef test_dies():\n    os._exit(3)\n"}
    project = Project(tmp_path, files, plugins=("xdist",))
    before = project.tree()
    plain = project.pytest("-q", "-n", "1")
    buddy = project.pytest("-q", "-n", "1", *QUICK)
    assert (buddy.exit, buddy.counts) == (plain.exit, plain.counts)
    assert "internal error" not in buddy.out
    check_clean(project, before)
    report = buddy.report
    assert report["summary"]["failed"] == 2
    assert report["summary"]["fixed"] == 1


def test_coverage_is_that_of_the_persons_run(tmp_path: Path) -> None:
    installed("pytest-cov")
    project = Project(tmp_path, RED, plugins=("pytest_cov",))
    words = ("-q", "--cov=shop", "--cov-branch", "--cov-report=term-missing", "--cov-fail-under=99")
    plain = project.pytest(*words)
    tree = project.tree()
    buddy = project.pytest(*words, *QUICK)
    check_same(plain, buddy)
    assert set(project.tree()) == set(tree) == {*RED, ".coverage"}
    assert buddy.report["summary"]["fixed"] == 1
    check_clean(project, project.tree())


def test_random_order_and_its_seed(tmp_path: Path, compare: Compare) -> None:
    installed("pytest-randomly")
    files = {
        **RED,
        "tests/test_random.py": """\
import random

from shop.clamp import clamp


def test_above_at_random():
    assert clamp(random.randint(20, 90), 0, 7) == 7
""",
    }
    project = Project(tmp_path, files, plugins=("randomly",))
    both = compare(project, "-q", "-p", "randomly", "-p", "no:cacheprovider", "--randomly-seed=11")
    assert both.buddy.report["summary"] == {"failed": 2, "flaky": 0, "faults": 1, "fixed": 1}


def test_reruns(tmp_path: Path) -> None:
    installed("pytest-rerunfailures")
    marker = tmp_path / "passed_before"
    files = {
        **RED,
        "tests/test_second.py": f"""\
from pathlib import Path


def test_second_time():
    before = Path({str(marker)!r})
    known = before.exists()
    before.write_text("")
    assert known
""",
    }
    project = Project(tmp_path, files, plugins=("rerunfailures",))
    plain = project.pytest("-q", "--reruns", "1")
    marker.unlink()
    buddy = project.pytest("-q", "--reruns", "1", *QUICK)
    assert plain.counts == {"failed": 1, "passed": 4, "rerun": 2}
    check_same(plain, buddy)
    assert buddy.report["summary"] == {"failed": 1, "flaky": 0, "faults": 1, "fixed": 1}


def test_asyncio(tmp_path: Path, compare: Compare) -> None:
    installed("pytest-asyncio")
    settings = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    project = Project(tmp_path, {**ASYNC, "pytest.ini": settings}, plugins=("asyncio",))
    both = compare(project, "-q")
    assert both.plain.counts == {"failed": 1, "passed": 1}
    assert both.buddy.report["summary"] == {"failed": 1, "flaky": 0, "faults": 1, "fixed": 1}
    assert both.buddy.report["faults"][0]["suspects"][0]["function"] == "shop.clamp"


@pytest.mark.slow
def test_everything_that_is_installed_at_once(tmp_path: Path) -> None:
    installed(
        "pytest-xdist",
        "pytest-cov",
        "pytest-timeout",
        "pytest-rerunfailures",
        "pytest-asyncio",
        "pytest-randomly",
    )
    settings = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    project = Project(tmp_path, {**RED, "pytest.ini": settings}, plugins=None)
    words = ("-q", "-n", "2", "--cov=shop", "--timeout=30", "--reruns", "1", "-p", "no:cacheprovider")
    plain = project.pytest(*words)
    buddy = project.pytest(*words, *QUICK)
    assert (buddy.exit, buddy.counts) == (plain.exit, plain.counts)
    assert plain.counts == {"failed": 1, "passed": 3, "rerun": 1}
    assert buddy.report["summary"] == {"failed": 1, "flaky": 0, "faults": 1, "fixed": 1}
    assert project.processes() == ()
