"""A `buddy-watch --json` on a project, to listen to."""

import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_buddy import processes
from pytest_buddy.testing import Project

PATIENCE = 40.0
Line = dict[str, Any]


class Watch:
    """The events of a running buddy-watch, in their order."""

    def __init__(self, process: Any, output: int, log: Path) -> None:
        self.process = process
        self.events: list[Line] = []
        self._output = output
        self._log = log
        self._buffer = b""
        self._position = 0

    def until(self, kind: str, wanted: Callable[[Line], bool] = lambda _: True, **fields: object) -> Line:
        """The next event of a kind that fits; those before it are passed over."""
        limit = time.monotonic() + PATIENCE
        while True:
            while self._position < len(self.events):
                event = self.events[self._position]
                self._position += 1
                fits = all(event.get(name) == value for name, value in fields.items())
                if event["kind"] == kind and fits and wanted(event):
                    return event
            if not self._read(limit - time.monotonic()):
                shown = "\n".join(map(str, self.events[-30:]))
                raise AssertionError(f"no {kind} {fields}\n{shown}\n{self._log.read_text()[-3000:]}")

    def run(self, **fields: object) -> tuple[Line, dict[str, str]]:
        """The next run that is done, and how its tests ended."""
        started = self.until("run-started", background=False, **fields)
        ended = self.until("run-ended", run=started["run"])
        assert ended["outcome"] == "done", ended
        return started, self.verdicts(started["run"])

    def verdicts(self, run: int) -> dict[str, str]:
        """How the tests of a run ended, as far as it is known."""
        return {
            event["test"]: event["status"]
            for event in self.events
            if event["kind"] == "verdict-reached" and event["run"] == run
        }

    def quiet(self, seconds: float) -> list[Line]:
        """What is heard within so many seconds."""
        before, limit = len(self.events), time.monotonic() + seconds
        while self._read(limit - time.monotonic()):
            continue
        return self.events[before:]

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._output], [], [], max(0.0, timeout))
        data = os.read(self._output, 1 << 16) if ready else b""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        self.events += [json.loads(line) for line in lines]
        return bool(data)

    def quit(self) -> int:
        """Ask it to end, as `kill` does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return int(self.process.wait(20))


@contextmanager
def watching(
    project: Project,
    *arguments: str,
    env: Mapping[str, str | None] | None = None,
    cwd: Path | None = None,
    alone: bool = True,
) -> Iterator[Watch]:
    """A buddy-watch that is ended at the end, whatever happens; plugins of the project take part.

    When it is `alone`, no process of the project may be left then.
    """
    reading, writing = os.pipe()
    log = project.root.parent / f"watch-{reading}.log"
    names = () if project._plugins is None else project._plugins
    words = [word for name in names for word in ("-p", name)]
    with log.open("wb") as errors:
        process = processes.python(
            ["-P", "-m", "buddy_watch", "--json", *words, *arguments],
            cwd=cwd or project.root,
            environment=project.environment({"PYTHONDONTWRITEBYTECODE": None, **(env or {})}),
            stdout=writing,
            stderr=errors,
        )
    os.close(writing)
    try:
        yield Watch(process, reading, log)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        assert not alone or project.processes(patience=5.0) == ()
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        processes.end_session(process)
        os.close(reading)
