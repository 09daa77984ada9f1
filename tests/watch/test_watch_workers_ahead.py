"""Collecting ahead of the save: nothing that has changed is ever taken from before the change."""

import time

import pytest

from pytest_buddy.testing import Project
from tests.watch.working import Working, working

FILES = {
    "slow.py": "import os\nPID = os.getpid()\n",
    "data.py": "from pathlib import Path\nRATE = int(Path(__file__).with_name('rate.txt').read_text())\n",
    "rate.txt": "2",
    "shop.py": "def price(): return 1\n",
    "test_shop.py": (
        "import os\nimport slow, data, shop\n\n"
        "def test_price(): assert shop.price() * data.RATE == 2\n"
        "def test_other(): print('said'); assert shop.price() == 1\n"
        "def test_ahead(): assert slow.PID != os.getpid()\n"
    ),
    "test_else.py": "import shop\ndef test_else(): assert shop.price() == 1\n",
}


@pytest.fixture
def ahead(tmp_path):
    """Workers that have collected ahead of a change of shop.py."""
    with working(Project(tmp_path, FILES)) as found:
        found.workers.changed(["shop.py"], likely="shop.py")
        found.run("test_shop.py")
        _wait(found, 4)
        yield found


def _wait(found: Working, count: int) -> None:
    """Wait until so many processes stand by."""
    deadline = time.monotonic() + 20
    while len(found.project.processes()) != count:
        assert time.monotonic() < deadline, found.project.processes()
        found.reactor.step(0.02)


def _save(found: Working, name: str, content: str) -> None:
    found.workers.cancel()
    found.workers.changed([name], likely=name if name.endswith(".py") else "shop.py")
    found.project.write({name: content})
    for compiled in found.project.root.glob(f"__pycache__/{name.partition('.')[0]}.*.pyc"):
        compiled.unlink()


def _ran(found: Working, *files: str, **more: object) -> dict[str, str]:
    return {test.partition("::")[2]: status for test, status in found.run(*files, **more).items()}


def test_what_comes_before_the_likely_file_is_imported_ahead(ahead):
    assert _ran(ahead, "test_shop.py") == {
        "test_price": "passed",
        "test_other": "passed",
        "test_ahead": "passed",
    }
    assert ("test_shop.py", "shop.py") in ahead.collected.edges
    assert ("test_shop.py", "slow.py") in ahead.collected.edges


def test_the_likely_file_is_as_it_is_now_each_time(ahead):
    for number in range(6):
        _save(ahead, "shop.py", f"def price(): return {number % 2}\n")
        expected = "passed" if number % 2 else "failed"
        found = _ran(ahead, "test_shop.py")
        assert (found["test_price"], found["test_other"]) == (expected, expected)
        _wait(ahead, 4)


def test_another_request_within_the_same_files(ahead):
    assert _ran(ahead, tests=["test_shop.py::test_ahead"]) == {"test_ahead": "passed"}
    _wait(ahead, 4)
    assert _ran(ahead, "test_shop.py", keyword="other", first=["test_shop.py::test_other"]) == {
        "test_other": "passed"
    }


@pytest.mark.parametrize("kind", ["files", "everything"])
def test_other_files_are_collected_from_the_beginning(ahead, kind):
    more = {"everything": True} if kind == "everything" else {"tests": ["test_else.py::test_else"]}
    assert _ran(ahead, **more)["test_else"] == "passed"


@pytest.mark.parametrize(
    ("name", "content", "test"),
    [
        ("data.py", "RATE = 3\n", "test_price"),
        ("rate.txt", "3", "test_price"),
        ("slow.py", "PID = 0\nimport os\nPID = os.getpid()\n", "test_ahead"),
        ("test_shop.py", "def test_price(): assert 0\n", "test_price"),
    ],
)
def test_nothing_of_before_another_change_is_used(ahead, name, content, test):
    _save(ahead, name, content)
    assert _ran(ahead, "test_shop.py")[test] == "failed"


def test_output_is_each_runs_own(ahead):
    for _ in range(2):
        _save(ahead, "shop.py", "def price(): return 5\n")
        assert _ran(ahead, tests=["test_shop.py::test_other"]) == {"test_other": "failed"}
        assert ahead.ran.failure.stdout == "said\n"
        _wait(ahead, 4)
