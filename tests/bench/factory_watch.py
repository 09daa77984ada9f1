"""A plugin of pytest-buddy that writes down what a run knew before it had a fix. Asleep without $BENCH_WATCH.

It is installed beside pytest-buddy in the environment of a package under test and listens from outside, so
that a changed inside costs figures and not the run: what cannot be heard is missing from what is written.
It costs a tuple for each candidate; everything is worked out afterwards, elsewhere.
"""

import json
import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_buddy.ports import hookimpl


class Watch:
    """What was heard: events with their seconds, spectra, the coders' contexts, the candidates tried."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started = time.monotonic()
        self.located: list[dict[str, Any]] = []
        self.fixes: list[tuple[float, str, str]] = []
        self.spectrum: list[tuple[str, bool, dict[str, tuple[int, ...]]]] = []
        self.contexts: list[dict[str, Any]] = []
        self.tried: list[tuple[float, bool, tuple[tuple[str, int, int, bytes], ...], str, str]] = []

    def event(self, event: Any) -> None:
        """Keep what is of use of an event."""
        now = time.monotonic() - self.started
        if event.kind == "work-started":
            self.started = time.monotonic()
        elif event.kind == "fault-located":
            self.located.append({"seconds": now, "fault": event.fault.id, "suspects": _suspects(event.fault)})
        elif event.kind == "fix-confirmed":
            self.fixes.append((now, event.fault, event.proposal.patch.id))
        elif event.kind == "work-ended":
            self.write()

    def spectra(self, executions: Iterable[Any]) -> None:
        """Keep which test ran which lines."""
        self.spectrum = [
            (run.test, run.failed, {path: tuple(lines) for path, lines in run.lines.items()})
            for run in executions
        ]

    def context(self, context: Any) -> None:
        """Keep what the coders were told, in plain values, so that they can be asked again."""
        sources = {path: (source.module, source.content) for path, source in context.sources.items()}
        self.contexts.append({"context": replace(context, sources={}), "sources": sources})

    def trial(self, trial: Any, *, probe: bool) -> None:
        """Keep a candidate and how its tests ended."""
        edits = tuple((edit.path, edit.start, edit.end, edit.replacement) for edit in trial.patch.edits)
        ends = "".join(outcome.status[0] for outcome in trial.outcomes)
        self.tried.append((time.monotonic() - self.started, probe, edits, trial.patch.origin, ends))

    def write(self) -> None:
        """Write all of it down."""
        plain = {"located": self.located, "fixes": self.fixes, "spectrum": self.spectrum}
        self.path.with_suffix(".json").write_text(json.dumps(plain), encoding="utf-8")
        self.path.write_bytes(pickle.dumps({"contexts": self.contexts, "tried": self.tried}))


def _suspects(fault: Any) -> list[dict[str, Any]]:
    return [
        {
            "file": item.path,
            "line": item.line,
            "end_line": item.end_line,
            "rank": item.rank,
            "tied_with": item.tied_with,
            "score": item.score,
        }
        for item in fault.suspects
    ]


def _before(owner: type, name: str, heard: Callable[..., None]) -> None:
    """Let `heard` have the arguments of a method before each call."""
    method = getattr(owner, name)

    def wrapped(*args: Any, **named: Any) -> Any:
        with suppress(Exception):
            heard(*args, **named)
        return method(*args, **named)

    setattr(owner, name, wrapped)


def _listen(watch: Watch) -> None:
    from pytest_buddy import searching, session

    with suppress(AttributeError):
        _before(session.Session, "_emit", lambda _session, event: watch.event(event))
    with suppress(AttributeError):
        _before(
            session.Session,
            "_localize",
            lambda _session, _work, _runner, suite, *_: watch.spectra(suite.spectrum.executions),
        )
    with suppress(AttributeError):
        context = searching.FaultSearch._context

        def known(self: Any, *args: Any) -> Any:
            made = context(self, *args)
            watch.context(made)
            return made

        searching.FaultSearch._context = known  # type: ignore[method-assign]
    for owner in (session.Runner, session.ColdRunner):
        with suppress(AttributeError):
            _overhear(owner, watch)


def _overhear(owner: Any, watch: Watch) -> None:
    method = owner.trials

    def trials(self: Any, *args: Any, **named: Any) -> Iterator[Any]:
        for trial in method(self, *args, **named):
            watch.trial(trial, probe=bool(named.get("every")))
            yield trial

    owner.trials = trials


@hookimpl
def buddy_coders(config: Any) -> tuple[()]:
    """No coder; the hook is when pytest-buddy has been imported."""
    path = os.environ.pop("BENCH_WATCH", "")
    if path:
        _listen(Watch(Path(path)))
    return ()
