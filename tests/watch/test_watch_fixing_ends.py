"""The end of the work on fixes, however it comes: at once, and with nothing left."""

import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_buddy import processes
from pytest_buddy.domain import FixConfirmed, NoticeGiven, SearchAdvanced, StepStarted, WorkEnded
from pytest_buddy.testing import Project
from tests.watch.red_projects import FILES, RED, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# A search that does not end by itself: no small edit makes the answer right.
ENDLESS = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop.py": (
        "def total(prices):\n    result = 0\n    for price in prices:\n        result -= price * 2 + 7\n"
        "        if result > 3 and price < 4 or result == 12:\n            result = result * 2 - 1\n"
        "    return result + len(prices) * 3 - 5\n"
    ),
    "test_shop.py": FILES["test_shop.py"].replace("== 3", "== 77123"),
}
Family = dict[int, str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """ENDLESS, with a temporary directory of its own to look into."""
    project = Project(tmp_path, ENDLESS)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr("tempfile.tempdir", str(project.temporary))
    return project


@pytest.fixture
def watch(project: Project) -> Iterator[Watch]:
    """A watch on the project."""
    watch = Watch(project.root)
    yield watch
    watch.close()


def family(root: int) -> Family:
    """Everything below a process: its id and when it was started."""
    started: Family = {}
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if words[0] not in "ZX":
                parents[int(entry.name)], started[int(entry.name)] = int(words[1]), words[19]
    found: Family = {}
    grown = {root}
    while grown:
        grown = {pid for pid, parent in parents.items() if parent in grown and pid not in found}
        found |= {pid: started[pid] for pid in grown}
    return found


def living(members: Family) -> Family:
    """Those that have not ended."""
    found: Family = {}
    for pid, started in members.items():
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if words[0] not in "ZX" and words[19] == started:
            found[pid] = started
    return found


def until_gone(members: Family, *, patience: float = 20.0) -> float:
    """Seconds until all have ended."""
    started = time.monotonic()
    while left := living(members):
        assert time.monotonic() < started + patience, left
        handle = os.pidfd_open(next(iter(left)))
        try:
            select.select([handle], [], [], 0.01)
        finally:
            os.close(handle)
    return time.monotonic() - started


def searching(watch: Watch) -> None:
    """Let a search begin."""
    watch.fixing.diagnose(RED)
    watch.until(lambda: any(isinstance(e, StepStarted) and e.step == "propose" for e in watch.events))


def test_a_cancelled_search_is_silent_and_gone_at_once(watch: Watch) -> None:
    searching(watch)
    members = family(watch.fixing.pids[-1])
    assert len(members) >= 4, "sandbox, servers and candidates"
    heard = len(watch.events)
    watch.fixing.cancel()
    assert until_gone(members) < 1.0
    assert not watch.fixing.busy
    watch.until_ready()
    assert watch.events[heard:] == []


def test_a_new_diagnosis_takes_the_place_of_the_last(project: Project, watch: Watch) -> None:
    searching(watch)
    members = family(watch.fixing.pids[-1])
    project.write(FILES)
    watch.events.clear()
    watch.fixing.diagnose(RED)
    until_gone(members)
    watch.until(lambda: watch.has(WorkEnded))
    assert watch.has(FixConfirmed)


@pytest.mark.slow
def test_nothing_is_left_of_twenty_cancels(project: Project, watch: Watch) -> None:
    seen: Family = {}
    for _ in range(20):
        watch.events.clear()
        watch.fixing.diagnose(RED)
        watch.until(lambda: bool(watch.events))
        seen |= family(os.getpid())
        watch.fixing.cancel()
    watch.until(lambda: watch.fixing.ready and len(watch.fixing.pids) == 1)
    kept = family(watch.fixing.pids[0]).keys() | set(watch.fixing.pids)
    until_gone({pid: started for pid, started in seen.items() if pid not in kept})
    assert len(list(project.temporary.iterdir())) == 1
    watch.fixing.close()
    until_gone(family(os.getpid()))
    assert list(project.temporary.iterdir()) == []


def test_closing_in_the_middle_of_a_search_leaves_nothing(project: Project, watch: Watch) -> None:
    searching(watch)
    watch.until(lambda: watch.has(SearchAdvanced))
    members = family(os.getpid())
    watch.fixing.close()
    until_gone(members)
    assert list(project.temporary.iterdir()) == []


def test_a_killed_proposer_is_told_and_replaced(project: Project, watch: Watch) -> None:
    searching(watch)
    working = watch.fixing.pids[-1]
    members = {**family(working), **family(os.getpid())}
    members = {pid: started for pid, started in members.items() if pid in family(working) or pid == working}
    os.kill(working, signal.SIGKILL)
    watch.until(lambda: not watch.fixing.busy)
    until_gone(members)
    assert [e.text for e in watch.events if isinstance(e, NoticeGiven)] == [
        "the process that looks for fixes has ended"
    ]
    project.write(FILES)
    watch.fixing.diagnose(RED)
    watch.until(lambda: watch.has(FixConfirmed))


FRONT = """\
import os
import sys
from pathlib import Path
from pytest_buddy.config import Config
from pytest_buddy.domain import StepStarted
from tests.watch.red_projects import RED, Watch

watch = Watch(Path(sys.argv[1]), config=Config(sandbox=sys.argv[2], budget=60.0))
watch.fixing.diagnose(RED)
watch.until(lambda: any(isinstance(e, StepStarted) and e.step == "propose" for e in watch.events))
os.write(int(sys.argv[3]), b"!")
watch.until(lambda: False)
"""


@pytest.mark.parametrize("level", ["auto", "partial"])
def test_nothing_outlives_a_killed_front(project: Project, level: str) -> None:
    here = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (here, here / "watcher"))),
        "TMPDIR": str(project.temporary),
    }
    reading, writing = os.pipe()
    arguments = ["-c", FRONT, str(project.root), level, str(writing)]
    front = processes.python(arguments, cwd=project.root, environment=environment, pass_fds=[writing])
    os.close(writing)
    try:
        assert os.read(reading, 1), "the search has not begun"
        members = family(front.pid)
    finally:
        os.close(reading)
        front.kill()
        front.wait()
    assert len(members) >= 4
    until_gone(members)
    assert list(project.temporary.iterdir()) == []
