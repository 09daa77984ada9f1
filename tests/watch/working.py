"""Workers on a small project, stepped by hand."""

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from buddy_watch.reactor import Reactor
from buddy_watch.values import Collected, Heard, Over, Ran, RunRequest, Standing
from buddy_watch.workers import Launch, Workers
from pytest_buddy.errors import BuddyError
from pytest_buddy.testing import Project


class Working:
    """Asks for runs and waits for what is heard of them."""

    def __init__(self, project: Project, arguments: Sequence[str], cwd: Path | None = None) -> None:
        self.project = project
        self.reactor = Reactor()
        self.heard: list[Heard] = []
        self._numbers = itertools.count(1)
        launch = Launch(
            cwd=cwd or project.root, arguments=tuple(arguments), environment=project.environment({})
        )
        self.workers = Workers(launch, self.reactor, self.heard.append)

    def until(self, kind: type, count: int = 1, *, seconds: float = 30.0) -> Heard:
        """Step until so many more values of a kind were heard; the last."""
        start, deadline = len(self.heard), time.monotonic() + seconds
        while True:
            found = [value for value in self.heard[start:] if isinstance(value, kind)]
            if len(found) >= count:
                return found[count - 1]
            if time.monotonic() > deadline:
                raise BuddyError(f"no {kind.__name__} was heard", hint=repr(self.heard[start:]))
            self.reactor.step(0.5)

    def stand(self, state: str) -> Standing:
        """Step until that is how tests can be run."""
        standings = [value for value in self.heard if isinstance(value, Standing)]
        while not standings or standings[-1].state != state:
            standing = self.until(Standing)
            assert isinstance(standing, Standing)
            standings.append(standing)
        return standings[-1]

    def begin(self, *files: str, tests: Sequence[str] = (), first: Sequence[str] = (), **more: object) -> int:
        """Ask for a run; its number."""
        number = next(self._numbers)
        request = RunRequest(
            run=number,
            tests=frozenset(tests),
            files=frozenset(files),
            first=tuple(first),
            **more,  # type: ignore[arg-type]
        )
        self.workers.run(request)
        return number

    def run(self, *files: str, **more: object) -> dict[str, str]:
        """Run and wait for the end: test -> status, in the order in which they ended."""
        start = len(self.heard)
        number = self.begin(*files, **more)  # type: ignore[arg-type]
        over = self.until(Over)
        assert isinstance(over, Over)
        assert (over.run, over.outcome) == (number, "done"), over.output
        return {value.test: value.status for value in self.heard[start:] if isinstance(value, Ran)}

    def last(self, kind: type) -> Heard:
        """The value of a kind that was heard last."""
        return next(value for value in reversed(self.heard) if isinstance(value, kind))

    @property
    def collected(self) -> Collected:
        """What the last run has collected."""
        found = self.last(Collected)
        assert isinstance(found, Collected)
        return found

    @property
    def ran(self) -> Ran:
        """The test that ended last."""
        found = self.last(Ran)
        assert isinstance(found, Ran)
        return found

    @property
    def over(self) -> Over:
        """How the last run ended."""
        found = self.last(Over)
        assert isinstance(found, Over)
        return found


@contextmanager
def working(project: Project, *arguments: str, cwd: Path | None = None, up: bool = True) -> Iterator[Working]:
    """Workers that have been started, and leave no process behind."""
    found = Working(project, arguments, cwd)
    try:
        found.workers.start()
        if up:
            found.stand("warm")
        yield found
    finally:
        found.workers.close()
        found.reactor.close()
        assert project.processes() == ()
