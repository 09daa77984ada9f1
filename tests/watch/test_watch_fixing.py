"""Red tests given to the proposer beside the watch loop: a confirmed fix comes back, and it ends at once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from buddy_watch.fixing import Fixing, Machine, Room
from buddy_watch.reactor import Reactor
from pytest_buddy.config import Config
from pytest_buddy.domain import (
    Baseline,
    Event,
    Failure,
    FaultLocated,
    FixConfirmed,
    Frame,
    Outcome,
    WorkEnded,
    WorkStarted,
)
from pytest_buddy.patch import Ledger
from pytest_buddy.testing import Project
from pytest_buddy.workspace import Workspace

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop.py": (
        "def total(prices):\n    result = 0\n    for price in prices:\n        result -= price\n    return result\n"
    ),
    "test_shop.py": (
        "from shop import total\n\n\n"
        "def test_total():\n    assert total([1, 2]) == 3\n\n\n"
        "def test_nothing():\n    assert total([]) == 0\n"
    ),
}
RED = Baseline(
    outcomes=(
        Outcome(test="test_shop.py::test_total", status="failed", seconds=0.001),
        Outcome(test="test_shop.py::test_nothing", status="passed", seconds=0.001),
    ),
    failures=(
        Failure(
            test="test_shop.py::test_total",
            phase="call",
            error_type="AssertionError",
            message="assert -3 == 3",
            frames=(Frame(path="test_shop.py", line=5, function="test_total", project=True),),
        ),
    ),
    seconds=0.1,
)
PATIENCE = 60.0


class Idle(Machine):
    """A machine with room for two jobs."""

    def room(self) -> Room:
        return Room(jobs=2)


class Watch:
    """A reactor, a Fixing on a small project, and every event in order."""

    def __init__(
        self, project: Project, machine: Machine | None = None, config: Config | None = None
    ) -> None:
        self.project = project
        self.reactor = Reactor()
        self.events: list[Event] = []
        self.workspace = Workspace(project.root)
        self.fixing = Fixing(
            self.workspace,
            config or Config(),
            cwd=project.root,
            here_first=False,
            inherited=("-c", "pytest.ini"),
            reactor=self.reactor,
            emit=self.events.append,
            machine=machine or Idle(),
        )

    def until(self, met: Callable[[], bool]) -> None:
        """Let the reactor work until a condition is met."""
        limit = time.monotonic() + PATIENCE
        while not met():
            assert time.monotonic() < limit, self.events
            self.reactor.step(0.05)

    def has(self, kind: type) -> bool:
        return any(isinstance(event, kind) for event in self.events)

    def all(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """A watch on FILES whose processes carry the project's mark."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    project = Project(tmp_path, FILES)
    watch = Watch(project)
    yield watch
    watch.fixing.close()
    watch.reactor.close()


def test_a_confirmed_fix_comes_back(watch: Watch) -> None:
    watch.fixing.start()
    watch.fixing.diagnose(RED)
    assert watch.fixing.busy
    watch.until(lambda: watch.has(WorkEnded))
    assert not watch.fixing.busy
    kinds = [type(event) for event in watch.events]
    assert kinds[0] is WorkStarted
    assert kinds.index(FaultLocated) < kinds.index(FixConfirmed) < kinds.index(WorkEnded)
    [ended] = watch.all(WorkEnded)
    assert isinstance(ended, WorkEnded)
    [fault] = ended.diagnosis.faults
    assert fault.fix is not None
    assert "result += price" in fault.fix.diff
    ledger = Ledger(watch.workspace)
    ledger.keep(ended.diagnosis)
    ledger.apply(fault.fix.patch.id)
    assert "result += price" in watch.project.read("shop.py")
