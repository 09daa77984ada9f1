"""A pytest plugin that writes what pytest-buddy would know of a red run to $BENCH_SPECTRUM, as JSON.

The baseline as the recorder keeps it, and the lines of every test, traced in the run itself.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_buddy.capture import Recorder
from pytest_buddy.codec import encode
from pytest_buddy.runner.tracing import inside, line_tracer


class SpectrumLog:
    """Traces the set-up, call and tear-down of every test; reports are made untraced."""

    def __init__(self, config: pytest.Config, target: Path) -> None:
        self._prefix = f"{config.rootpath}{os.sep}"
        self._target = target
        self._tracer = line_tracer(self._prefix)
        self._lines: dict[str, dict[str, set[int]]] = {}
        self._recorder = Recorder(config.rootpath)
        config.pluginmanager.register(self._recorder, "bench-recorder")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._traced(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._traced(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._traced(item))

    def _traced(self, item: pytest.Item) -> Iterator[None]:
        self._tracer.start()
        try:
            return (yield)
        finally:
            known = self._lines.setdefault(item.nodeid, {})
            for path, lines in inside(self._prefix, self._tracer.stop()).items():
                known.setdefault(path, set()).update(lines)

    def pytest_sessionfinish(self) -> None:
        data = {
            "baseline": encode(self._recorder.baseline((), seconds=0.0)),
            "lines": {
                test: {path: sorted(numbers) for path, numbers in lines.items()}
                for test, lines in self._lines.items()
            },
        }
        self._target.write_text(json.dumps(data), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.pop("BENCH_SPECTRUM", "")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SpectrumLog(config, Path(path)), "bench-spectrum")
