"""Which functions of the project run, and which of its files are imported: sys.monitoring, no lines.

Two tools share the work. The first has a global event at the start of every code object, and switches it off
for each when it has seen it: that is how code is discovered. The second has local events on the project's
code objects alone, switched off at the first hit, and armed again for the next test by toggling the events
of what the last test hit. One tool could not do it: a local event below an active global one stays off.
"""

import inspect
import os
import sys
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any

from buddy_watch.inside.territory import Territory

Name = tuple[str, str]
_CANDIDATES = (3, 4, 5)  # 0, 1 and 2 are for debuggers, coverage and profilers
_LAUNCHERS = f"{os.sep}multiprocessing{os.sep}popen_"
EVERYWHERE = ""  # the importer of what pytest itself imports before it collects
_FUNCTION = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS


class Executions:
    """What has run since it was last taken; `testing` tells tests from what comes before them.

    `launched` says that multiprocessing has started a process anew, of which no audit event tells.
    """

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
        self._count = self._counter()
        self.edges: set[Name] = set()
        self.launched = False
        self.testing = self.collecting = False

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
        monitoring.register_callback(counter, event, self._count)
        monitoring.set_events(finder, event)
        self._already_imported()
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
        disable, relative = self._monitoring.DISABLE, self._territory.relative

        def discover(code: CodeType, _offset: int) -> Any:
            try:
                path = relative(code.co_filename)
                if path is not None:
                    self._discovered(code, path)
                elif code.co_name == "_launch" and _LAUNCHERS in code.co_filename:
                    self.launched = True
                    return None
            except Exception:  # noqa: BLE001  a fault of ours is no fault of the person's tests
                self._failed()
            return disable

        return discover

    def _discovered(self, code: CodeType, path: str) -> None:
        """A code object of the project runs for the first time, or again because someone restarts events."""
        if self._tools is None:
            return
        if code.co_flags & _FUNCTION == _FUNCTION:
            name = function_name(code.co_qualname)
            counter, event = self._tools[1], self._monitoring.events.PY_START
            if name and not self._monitoring.get_local_events(counter, code):
                self._names[code.co_filename, code.co_qualname] = [path, name]
                self._armed.append(code)
                self._monitoring.set_local_events(counter, code, event)
                self._count(code, 0)
        elif code.co_name == "<module>":
            self.imported.add(path)
            importer = self._territory.asking(sys._getframe(3))  # noqa: SLF001  above the module's own frame
            if importer is not None or not self.collecting:
                self.edges.add((importer or EVERYWHERE, path))

    def _already_imported(self) -> None:
        """Plugins that options or entry points name come before us: all tests run under them."""
        for module in list(sys.modules.values()):
            filename = getattr(module, "__file__", None)
            if isinstance(filename, str) and (path := self._territory.relative(filename)) is not None:
                self.edges.add((EVERYWHERE, path))


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
