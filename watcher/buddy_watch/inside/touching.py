"""A pytest plugin that writes on each test's last report what the test depends on.

Loaded with `-p` where tests run. From Python 3.12 on every teardown report has an attribute `buddy_touched`:
the fields of `buddy_watch.values.Touched` that are not empty, as JSON data; each report is complete in
itself. Before 3.12 it does nothing.

What a shared fixture's set-up ran belongs to every test that uses the fixture; its tear-down belongs to the
test after which it happened, whose report that is. What a cache or a singleton kept from an earlier test
is not seen again: there, the test that filled it stands for the others.
"""

import sys
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from buddy_watch.inside.executions import Executions, Name
from buddy_watch.inside.openings import Openings
from buddy_watch.inside.territory import Territory

_T = TypeVar("_T")
_NAME = "buddy-touching"
_ATTRIBUTE = "buddy_touched"


@dataclass(slots=True)
class Gathered:
    """What one stretch of the run depends on."""

    functions: set[Name] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    directories: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    beyond: bool = False

    def add(self, other: "Gathered") -> None:
        """Depend on what the other depends on too."""
        self.functions |= other.functions
        self.files |= other.files
        self.directories |= other.directories
        self.imported |= other.imported
        self.beyond |= other.beyond


@dataclass(slots=True)
class Shared:
    """A fixture of wider scope than a test, and what its set-ups depended on."""

    base: str
    needs: Gathered = field(default_factory=Gathered)


class Touching:
    """Registered for one session; does nothing more after the first fault of its own."""

    def __init__(self, config: pytest.Config) -> None:
        territory = Territory(config.rootpath)
        self._executions = Executions(territory, self._give_up)
        self._openings = Openings(territory, self._give_up)
        self._shared: dict[str, list[Shared]] = {}
        self._early: set[Name] = set()
        self._pending = Gathered()
        self._off = not self._executions.start()
        if not self._off:
            self._openings.start()

    def pytest_unconfigure(self) -> None:
        """Leave no event behind."""
        self._give_up()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """From now on pytest imports tests, no plugins."""
        self._executions.collecting = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> None:
        """Before the first test: whatever ran until now ran early."""
        if not self._openings.testing:
            self._try(self._begin_tests)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, object, object]:
        """What a shared fixture's set-up depends on, kept for every test that uses it."""
        if fixturedef.scope == "function" or self._off:
            return (yield)
        before = self._try(self._gather)
        try:
            return (yield)
        finally:
            if before is not None:
                self._try(self._set_up, fixturedef, before)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write on the test's last report what it depended on."""
        report = yield
        if call.when == "teardown" and not self._off:
            touched = self._try(self._touched, item)
            if touched is not None:
                vars(report)[_ATTRIBUTE] = touched
        return report

    def _begin_tests(self) -> None:
        """All that ran until now ran at import time, or while pytest collected."""
        executions = self._executions
        self._early |= executions.take()
        executions.imported.clear()
        executions.testing = self._openings.testing = True
        self._openings.beyond = executions.launched = False

    def _gather(self) -> Gathered:
        """What has happened since the last time, gathered before."""
        executions, openings = self._executions, self._openings
        found = Gathered(
            functions=executions.take(),
            files=openings.files.copy(),
            directories=openings.directories.copy(),
            imported=executions.imported.copy(),
            beyond=openings.beyond or executions.launched,
        )
        self._early |= executions.take_early()
        for passing in (openings.files, openings.directories, executions.imported):
            passing.clear()
        openings.beyond = executions.launched = False
        found.add(self._pending)
        self._pending = Gathered()
        return found

    def _set_up(self, fixturedef: Any, before: Gathered) -> None:
        during = self._gather()
        base = getattr(fixturedef, "baseid", None) or ""
        known = self._shared.setdefault(fixturedef.argname, [])
        shared = next((one for one in known if one.base == base), None)
        if shared is None:
            shared = Shared(base)
            known.append(shared)
        shared.needs.add(during)
        before.add(during)
        self._pending = before

    def _touched(self, item: pytest.Item) -> dict[str, Any]:
        found = self._gather()
        for name in self._fixtures(item):
            for shared in self._shared.get(name, ()):
                if item.nodeid.startswith(shared.base):
                    found.add(shared.needs)
        executions, openings = self._executions, self._openings
        parts: dict[str, list[Any]] = {
            "functions": executions.names(found.functions),
            "files": list(found.files),
            "directories": list(found.directories),
            "imported": list(found.imported),
            "edges": [list(edge) for edge in executions.edges],
            "early": executions.names(self._early),
            "early_files": [list(pair) for pair in openings.early],
        }
        touched: dict[str, Any] = {name: part for name, part in parts.items() if part}
        if found.beyond:
            touched["beyond"] = True
        for told in (executions.edges, self._early, openings.early):
            told.clear()
        return touched

    def _fixtures(self, item: pytest.Item) -> Iterable[str]:
        """The fixtures that a test used, those that it asked for while it ran included."""
        if not self._shared:
            return ()
        declared = getattr(item, "fixturenames", ())
        asked = getattr(getattr(item, "_request", None), "fixturenames", ())
        return {*declared, *asked}

    def _try(self, work: Callable[..., _T], *arguments: Any) -> _T | None:
        if self._off:
            return None
        try:
            return work(*arguments)
        except Exception:  # noqa: BLE001  a fault of ours never alters the person's run
            self._give_up()
            return None

    def _give_up(self) -> None:
        if not self._off:
            self._off = True
            self._openings.stop()
            self._executions.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before the first conftest file is imported."""
    _begin(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin now, where the plugin was loaded late."""
    _begin(config)


def _begin(config: pytest.Config) -> None:
    if hasattr(sys, "monitoring") and not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(Touching(config), _NAME)
