"""Which functions of the project run, and which of its files are imported: sys.monitoring, no lines.

Two tools share the work. The first has a global event at the start of every code object, and switches it off
for each when it has seen it: that is how code is discovered. The second has local events on the project's
code objects alone, switched off at the first hit, and armed again for the next test by toggling the events
of what the last test hit. One tool could not do it: a local event below an active global one stays off.
"""

import inspect
import sys
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any

from buddy_watch.inside.territory import Territory

Name = tuple[str, str]
_CANDIDATES = (3, 4, 5)  # 0, 1 and 2 are for debuggers, coverage and profilers
_FUNCTION = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS


class Executions:
    """What has run since it was last taken; `testing` tells tests from what comes before them."""

    def __init__(self, territory: Territory, failed: Callable[[], None]) -> None:
        self._territory = territory
        self._failed = failed
        self._monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self._armed: list[CodeType] = []
        self._names: dict[Name, list[str]] = {}
        self._hits: list[CodeType] = []
        self._early: list[CodeType] = []
        self._tools: tuple[int, int] | None = None
        self.imported: set[str] = set()
        self.edges: set[Name] = set()
        self.testing = False

    def start(self) -> bool:
        """Begin to watch, in all threads; false when others hold the tools."""
        monitoring = self._monitoring
        free = [tool for tool in _CANDIDATES if monitoring.get_tool(tool) is None]
        if len(free) < 2:
            return False
        finder, counter = self._tools = (free[0], free[1])
        event = monitoring.events.PY_START
        for tool in self._tools:
            monitoring.use_tool_id(tool, "pytest-buddy")
        monitoring.register_callback(finder, event, self._discoverer())
        monitoring.register_callback(counter, event, self._counter())
        monitoring.set_events(finder, event)
        return True

    def stop(self) -> None:
        """Watch no more."""
        if self._tools is None:
            return
        (finder, counter), self._tools = self._tools, None
        self._monitoring.set_events(finder, 0)
        for code in self._armed:
            self._monitoring.set_local_events(counter, code, 0)
        for tool in (finder, counter):
            self._monitoring.register_callback(tool, self._monitoring.events.PY_START, None)
            self._monitoring.free_tool_id(tool)

    def take(self) -> set[Name]:
        """What has run, as file and qualified name of code objects; all is armed again and forgotten."""
        taken = self._hits[:]
        del self._hits[: len(taken)]
        if self._tools is not None:
            toggle, counter = self._monitoring.set_local_events, self._tools[1]
            event = self._monitoring.events.PY_START
            for code in taken:
                toggle(counter, code, 0)
                toggle(counter, code, event)
        return _keys(taken)

    def take_early(self) -> set[Name]:
        """What ran while a test imported a file."""
        taken = self._early[:]
        del self._early[: len(taken)]
        return _keys(taken)

    def names(self, taken: Iterable[Name]) -> list[list[str]]:
        """Path and name of each function in what has been taken; the same lists each time, not to be changed.

        Reports live as long as their session: lists of their own would keep the garbage collector busy.
        """
        return [self._names[key] for key in taken]

    def _counter(self) -> Callable[[CodeType, int], Any]:
        hit, early, imported = self._hits.append, self._early.append, self.imported
        getframe, territory, disable = sys._getframe, self._territory, self._monitoring.DISABLE  # noqa: SLF001

        def count(code: CodeType, _offset: int) -> Any:
            hit(code)
            if imported and self.testing and territory.importing(getframe(1)) is not None:
                early(code)
            return disable

        return count

    def _discoverer(self) -> Callable[[CodeType, int], Any]:
        disable, count = self._monitoring.DISABLE, self._counter()
        set_local_events, event = self._monitoring.set_local_events, self._monitoring.events.PY_START

        def discover(code: CodeType, offset: int) -> Any:
            try:
                path = self._territory.relative(code.co_filename)
                if path is None or self._tools is None:
                    return disable
                if code.co_name == "<module>" and code.co_flags & _FUNCTION != _FUNCTION:
                    self._imports(path)
                elif code.co_flags & _FUNCTION == _FUNCTION and (name := function_name(code.co_qualname)):
                    self._names[code.co_filename, code.co_qualname] = [path, name]
                    self._armed.append(code)
                    set_local_events(self._tools[1], code, event)
                    count(code, offset)
            except Exception:  # noqa: BLE001  a fault of ours is no fault of the person's tests
                self._failed()
            return disable

        return discover

    def _imports(self, path: str) -> None:
        self.imported.add(path)
        frame = sys._getframe(3)  # noqa: SLF001  whoever asks for the module whose body starts two frames up
        importer = self._territory.asking(frame)
        if importer is not None and importer != path:
            self.edges.add((importer, path))


def function_name(qualified: str) -> str:
    """The innermost named function that a code object is part of; empty at module level.

    Lambdas and comprehensions belong to the function around them, and so do methods of classes inside it.
    """
    parts = qualified.split(".<locals>.")
    named: list[str] = []
    for part in parts:
        if "<" in part:
            break
        named.append(part)
    return ".<locals>.".join(named)


def _keys(codes: Iterable[CodeType]) -> set[Name]:
    """Neither hashes of code objects, which are slow, nor `id`, which tells every audit hook."""
    return {(code.co_filename, code.co_qualname) for code in codes}
