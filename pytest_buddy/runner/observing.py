"""The values a running test had at chosen statements."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from pytest_buddy.messages import Message
from pytest_buddy.values import describe, variables

_Place = tuple[str, int, int]


class _Seen:
    """What was observed at one statement; only the last hit's values are kept."""

    def __init__(self, place: _Place) -> None:
        self.path, self.line, self.end_line = place
        self.hits = 0
        self.variables: list[list[str]] = []
        self.result = ""

    def hit(self, frame: FrameType) -> None:
        self.hits += 1
        self.result = ""
        self.variables = [[item.name, item.value, item.type] for item in variables(frame.f_locals)]

    def message(self) -> Message:
        return {
            "path": self.path,
            "line": self.line,
            "hits": self.hits,
            "variables": self.variables,
            "result": self.result,
        }


@contextmanager
def observe(places: Mapping[tuple[str, int], _Place]) -> Iterator[Callable[[], list[Message]]]:
    """Watch statements, given by absolute path and first line -> (path, first line, last line).

    Gives a function that tells what was seen. Slow for the frames that hold a place, nearly free elsewhere.
    """
    seen = {key: _Seen(place) for key, place in places.items()}
    files = {filename for filename, _ in seen}
    wanted: dict[CodeType, bool] = {}

    def holds_place(code: CodeType) -> bool:
        if code not in wanted:
            lines = {line for _, _, line in code.co_lines() if line is not None}
            wanted[code] = any(name == code.co_filename and line in lines for name, line in seen)
        return wanted[code]

    def on_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in files or not holds_place(code):
            return None
        return _Watch(seen)

    previous = sys.gettrace()
    threading.settrace(on_call)
    sys.settrace(on_call)
    try:
        yield lambda: [item.message() for item in seen.values()]
    finally:
        sys.settrace(previous)
        threading.settrace(None)


class _Watch:
    """The local trace function of one frame."""

    def __init__(self, seen: Mapping[tuple[str, int], _Seen]) -> None:
        self._seen = seen
        self._last: _Seen | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> "_Watch":
        if event == "line":
            found = self._seen.get((frame.f_code.co_filename, frame.f_lineno))
            if found is not None:
                found.hit(frame)
                self._last = found
            elif self._last is not None and not self._last.line <= frame.f_lineno <= self._last.end_line:
                self._last = None
        elif event == "return" and self._last is not None:
            self._last.result = describe(argument)
        return self
