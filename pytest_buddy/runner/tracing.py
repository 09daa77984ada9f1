"""Which lines of the project a test runs: sys.monitoring on 3.12 and later, coverage's C tracer before."""

import os
import sys
import threading
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any, Final, Protocol

# Functions that run after an assertion has failed, to put its values into words: that a `__repr__` ran there
# is not a sign that it is at fault. By the last part of their file's path.
_TELLING: Final = {
    "assertion/rewrite.py": frozenset({"_saferepr", "_call_reprcompare", "_format_assertmsg"}),
    "unittest/util.py": frozenset({"safe_repr", "_common_shorten_repr"}),
}


class LineTracer(Protocol):
    """Collects lines per test in the running process."""

    def start(self) -> None:
        """Forget what was seen and begin to watch, in all threads."""

    def stop(self) -> dict[str, list[int]]:
        """Stop watching; absolute path -> sorted line numbers."""


class MonitoringTracer:
    """Local LINE events on the project's code objects only, each location reported once per test.

    A location that has been seen is disabled, so loops cost nothing; it is armed again for the next test by
    switching the local events of the code objects that the last test touched. What runs while a failed
    assertion is put into words is not counted.
    """

    def __init__(self, prefix: str, foreign: tuple[str, ...]) -> None:
        self._prefix = prefix
        self._foreign = foreign
        self._monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self._tool = next(
            number for number in (3, 4, 1, 0, 2, 5) if self._monitoring.get_tool(number) is None
        )
        self._seen: dict[int, set[int]] = {}
        self._known: dict[int, CodeType] = {}
        self._telling: dict[int, CodeType] = {}
        self._depth = 0
        events = self._monitoring.events
        self._monitoring.use_tool_id(self._tool, "pytest-buddy")
        self._monitoring.register_callback(self._tool, events.PY_START, self._on_start)
        self._monitoring.register_callback(self._tool, events.PY_RETURN, self._on_return)
        self._monitoring.register_callback(self._tool, events.LINE, self._on_line)

    def start(self) -> None:
        """Forget what was seen and begin to watch, in all threads."""
        events = self._monitoring.events
        for key in self._seen:
            self._monitoring.set_local_events(self._tool, self._known[key], 0)
            self._monitoring.set_local_events(self._tool, self._known[key], events.LINE)
        self._seen = {}
        self._depth = 0
        self._monitoring.set_events(self._tool, events.PY_START)

    def stop(self) -> dict[str, list[int]]:
        """Stop watching; absolute path -> sorted line numbers."""
        self._monitoring.set_events(self._tool, 0)
        lines: dict[str, set[int]] = {}
        for key, seen in list(self._seen.items()):
            lines.setdefault(self._known[key].co_filename, set()).update(seen)
        return {path: sorted(numbers) for path, numbers in lines.items()}

    def _on_start(self, code: CodeType, _offset: int) -> Any:
        if _tells(code):
            if id(code) not in self._telling:
                self._telling[id(code)] = code
                self._monitoring.set_local_events(self._tool, code, self._monitoring.events.PY_RETURN)
            self._depth += 1
            return None
        if id(code) not in self._known and self._ours(code.co_filename):
            self._known[id(code)] = code
            self._monitoring.set_local_events(self._tool, code, self._monitoring.events.LINE)
        return self._monitoring.DISABLE

    def _on_return(self, code: CodeType, _offset: int, _value: object) -> Any:
        if id(code) not in self._telling:
            return self._monitoring.DISABLE
        self._depth = max(0, self._depth - 1)
        return None

    def _on_line(self, code: CodeType, line: int) -> Any:
        if self._depth:
            return None
        self._seen.setdefault(id(code), set()).add(line)
        return self._monitoring.DISABLE

    def _ours(self, filename: str) -> bool:
        return filename.startswith(self._prefix) and not any(part in filename for part in self._foreign)


def _tells(code: CodeType) -> bool:
    name = code.co_name
    return any(
        name in names and code.co_filename.replace(os.sep, "/").endswith(file)
        for file, names in _TELLING.items()
    )


class CoverageTracer:
    """coverage.py's C tracer with in-memory data, for interpreters without sys.monitoring."""

    def __init__(self, prefix: str, foreign: tuple[str, ...]) -> None:
        import coverage

        self._coverage = coverage.Coverage(
            data_file=None,
            config_file=False,
            include=[f"{prefix}*"],
            omit=[f"*{part}*" for part in foreign],
            messages=False,
        )
        self._coverage.set_option("run:core", "ctrace")
        self._prefix = prefix

    def start(self) -> None:
        """Forget what was seen and begin to watch, in all threads."""
        self._coverage.erase()
        self._coverage.start()

    def stop(self) -> dict[str, list[int]]:
        """Stop watching; absolute path -> sorted line numbers."""
        self._coverage.stop()
        data = self._coverage.get_data()
        return {path: sorted(data.lines(path) or ()) for path in data.measured_files()}


class PlainTracer:
    """A trace function in Python: slow, but at home with paths that coverage.py's data can't hold."""

    def __init__(self, prefix: str, foreign: tuple[str, ...]) -> None:
        self._prefix = prefix
        self._foreign = foreign
        self._seen: dict[str, set[int]] = {}

    def start(self) -> None:
        """Forget what was seen and begin to watch, in all threads."""
        self._seen = {}
        threading.settrace(self._on_call)
        sys.settrace(self._on_call)

    def stop(self) -> dict[str, list[int]]:
        """Stop watching; absolute path -> sorted line numbers."""
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type,unused-ignore]
        return {path: sorted(numbers) for path, numbers in self._seen.items()}

    def _on_call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(self._prefix) or any(part in path for part in self._foreign):
            return None
        seen = self._seen.setdefault(path, set())

        def on_line(frame: FrameType, event: str, _argument: Any) -> Any:
            if event == "line":
                seen.add(frame.f_lineno)
            return on_line

        return on_line


def inside(prefix: str, lines: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The files below `prefix` by their path relative to it, with forward slashes."""
    return {
        path[len(prefix) :].replace(os.sep, "/"): numbers
        for path, numbers in lines.items()
        if path.startswith(prefix)
    }


def line_tracer(prefix: str, foreign: tuple[str, ...] = ("/site-packages/", "/dist-packages/")) -> LineTracer:
    """The cheapest tracer that this interpreter has, for files whose path starts with `prefix`."""
    if hasattr(sys, "monitoring"):
        return MonitoringTracer(prefix, foreign)
    try:
        prefix.encode()
    except UnicodeEncodeError:
        return PlainTracer(prefix, foreign)
    return CoverageTracer(prefix, foreign)
