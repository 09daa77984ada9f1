"""A pytest plugin that writes down which candidates a search tried. Asleep without $BENCH_SEARCH.

It listens from outside, so the same plugin serves two versions of the program that are compared. The search
gets a clock that other programs on the machine do not hurry, judging alone keeps that on the wall.
"""

import atexit
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_PRICE = 0.004
_PATIENCE = 300.0


class Log:
    """What was tried, in order; written when the interpreter ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pid = os.getpid()
        self.started = 0.0
        self.failing: dict[str, dict[str, Any]] = {}
        self.sources: Mapping[str, Any] = {}
        self.tried: list[dict[str, Any]] = []
        self.clock = Clock()
        self.spent = 0.0
        atexit.register(self.write)

    def trial(self, trial: Any, *, probe: bool) -> None:
        """Keep a candidate and how its tests ended."""
        self.clock.tried += 1
        if not self.tried:
            self.started = self.clock.monotonic()
        edit = trial.patch.edits[0]
        self.tried.append(
            {
                "seconds": self.clock.monotonic() - self.started,
                "probe": probe,
                "id": trial.patch.id,
                "origin": trial.patch.origin,
                "prior": trial.patch.prior,
                "function": trial.patch.function,
                "path": edit.path,
                "line": self.sources[edit.path].content.count(b"\n", 0, edit.start) + 1
                if self.sources
                else 0,
                "edits": len(trial.patch.edits),
                "suspicion": trial.patch.suspicion,
                "green": trial.green,
                "outcomes": [_plain(outcome) for outcome in trial.outcomes],
            }
        )

    def write(self) -> None:
        """Write all of it down, unless this is a child of the process that listened."""
        if os.getpid() == self.pid:
            whole = {"failing": self.failing, "spent": self.spent, "tried": self.tried}
            self.path.write_text(json.dumps(whole), encoding="utf-8")


def _plain(outcome: Any) -> dict[str, Any]:
    return {
        "test": outcome.test,
        "status": outcome.status,
        "seconds": outcome.seconds,
        "error_type": outcome.error_type,
        "message": outcome.message[:1000],
        "path": outcome.path,
        "line": outcome.line,
    }


class Clock:
    """Seconds of an idle machine: what this process used, and a set price for each candidate."""

    def __init__(self) -> None:
        self.tried = 0
        self._begun = time.monotonic()

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return self._begun + time.process_time() + _PRICE * self.tried


def _listen(log: Log) -> None:
    from pytest_buddy import candidates, guided, locating, searching, session

    clock: Any = log.clock
    for module in (candidates, guided, locating, searching, session):
        module.time = clock  # type: ignore[attr-defined]
    grace = os.environ.pop("BENCH_SEARCH_GRACE", "")
    if grace:
        searching._GRACE_SECONDS, searching._GRACE_TRIALS = 1e9, int(grace)
    whole = searching.FaultSearch
    init, begun = whole.__init__, whole._try_all

    def made(self: Any, **named: Any) -> None:
        init(self, **named)
        self._judge.deadline = time.monotonic() + _PATIENCE

    def try_all(self: Any, context: Any) -> None:
        log.failing |= {test: _plain(self._suite.failing[test]) for test in self._tests}
        log.sources = self._suite.sources
        log.spent -= clock.monotonic()
        begun(self, context)
        log.spent += clock.monotonic()

    whole.__init__, whole._try_all = made, try_all  # type: ignore[assignment,method-assign]
    for owner in (session.Runner, session.ColdRunner):
        _overhear(owner, log)


def _overhear(owner: Any, log: Log) -> None:
    method = owner.trials

    def trials(self: Any, *args: Any, **named: Any) -> Iterator[Any]:
        for trial in method(self, *args, **named):
            log.trial(trial, probe=bool(named.get("every")))
            yield trial

    owner.trials = trials


def pytest_configure() -> None:
    """Begin to listen, in the process that was told where to write."""
    path = os.environ.pop("BENCH_SEARCH", "")
    if path:
        _listen(Log(Path(path)))
