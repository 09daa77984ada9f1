"""How the tests of a small project end, asked of forks of one process that has pytest imported.

Run as a program it is that process: jobs come in and outcomes go out as lines of JSON.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_SECONDS = 60


class Recorder:
    """The worst outcome of each test's phases, collection errors among them."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcomes[report.nodeid] = "failed"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.nodeid not in self.outcomes:
            self.outcomes[report.nodeid] = report.outcome


class Runner:
    """Runs pytest on projects, each time in a new process with no installed plugin."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, project: Path, *arguments: str) -> dict[str, str]:
        """The outcome of each test by node id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(project), list(arguments)]) + "\n")
        self._process.stdin.flush()
        outcomes: dict[str, str] | None = json.loads(self._process.stdout.readline())
        if outcomes is None:
            raise RuntimeError(f"pytest ended early in {project}")
        return outcomes


@contextmanager
def runner() -> Iterator[Runner]:
    """A runner that lives as long as the block."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))
    }
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", __file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, encoding="utf-8"
    ) as process:
        try:
            yield Runner(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _run(project: str, arguments: list[str]) -> dict[str, str]:
    signal.alarm(_SECONDS)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.chdir(project)
    sys.path.insert(0, "")
    recorder = Recorder()
    pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins=[recorder])
    return recorder.outcomes


def _forked(job: Any) -> bytes:
    """What a fork found out, as JSON; null when it did not get that far."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.write(writing, json.dumps(_run(*job)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = pipe.read()
    os.waitpid(child, 0)
    return found or b"null"


def main() -> None:
    for line in iter(sys.stdin.buffer.readline, b""):
        sys.stdout.buffer.write(_forked(json.loads(line)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
