"""Small projects with a red test for the proposer, and a Fixing on them to listen to."""

import time
from collections.abc import Callable
from pathlib import Path

from buddy_watch.fixing import Fixing, Machine, Room
from buddy_watch.reactor import Reactor
from pytest_buddy.config import Config
from pytest_buddy.domain import Baseline, Event, Failure, Frame, Outcome
from pytest_buddy.workspace import Workspace

PATIENCE = 60.0
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop.py": (
        "def total(prices):\n    result = 2\n    for price in prices:\n"
        "        result -= price\n    return result\n"
    ),
    "test_shop.py": (
        "from shop import total\n\n\n"
        "def test_total():\n    assert total([1, 2]) == 5\n\n\n"
        "def test_nothing():\n    assert total([]) == 2\n"
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
            message="assert -1 == 5",
            frames=(Frame(path="test_shop.py", line=5, function="test_total", project=True),),
        ),
    ),
    seconds=0.1,
)


class Idle(Machine):
    """A machine with room for two jobs."""

    def room(self) -> Room:
        return Room(jobs=2)


class Watch:
    """A reactor, a Fixing on a project's root, and every event in order."""

    def __init__(
        self,
        root: Path,
        *,
        machine: Machine | None = None,
        config: Config | None = None,
        unconfined: bool = False,
    ) -> None:
        self.reactor = Reactor()
        self.events: list[Event] = []
        self.workspace = Workspace(root)
        self.fixing = Fixing(
            self.workspace,
            config or Config(budget=60.0),  # for machines that are busy with other things
            cwd=root,
            here_first=False,
            inherited=("-c", "pytest.ini"),
            reactor=self.reactor,
            emit=self.events.append,
            machine=machine or Idle(),
            unconfined=unconfined,
        )

    def until(self, met: Callable[[], bool]) -> None:
        """Let the reactor work until a condition is met."""
        limit = time.monotonic() + PATIENCE
        while not met():
            assert time.monotonic() < limit, self.events
            self.reactor.step(0.02)

    def until_ready(self) -> None:
        """Let a proposer come up, with nothing to do."""
        self.until(lambda: self.fixing.ready)

    def has(self, kind: type[Event]) -> bool:
        """Whether an event of a kind has come."""
        return any(isinstance(event, kind) for event in self.events)

    def close(self) -> None:
        """End everything."""
        self.fixing.close()
        self.reactor.close()
