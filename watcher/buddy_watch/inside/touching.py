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
        self._item: pytest.Item | None = None
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
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """A test runs here, in this process; before the first, whatever ran until now ran early."""
        self._item = item
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

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write on the test's last report what it depended on, before others send it away."""
        if report.when != "teardown" or self._item is None:
            return
        touched = self._try(self._touched, self._item)
        if touched is not None:
            vars(report)[_ATTRIBUTE] = touched

    def _begin_tests(self) -> None:
        """All that ran until now ran at import time, or while pytest collected."""
        executions = self._executions
        self._early |= executions.take()
        executions.imported.clear()
        executions.testing = self._openings.testing = True
        self._openings.beyond = executions.launched = False

    def _gather(self) -> Gathered:
        """What has happened since the last time, and what was gathered before that is still to be told."""
        executions, openings = self._executions, self._openings
        found, self._pending = self._pending, Gathered()
        found.functions |= executions.take()
        found.files |= openings.files
        found.directories |= openings.directories
        if executions.imported:
            found.imported |= executions.imported
            self._early |= executions.take_early()
        found.beyond |= openings.beyond or executions.launched
        for passing in (openings.files, openings.directories, executions.imported):
            passing.clear()
        openings.beyond = executions.launched = False
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
        touched: dict[str, Any] = {
            name: list(part)
            for name in ("files", "directories", "imported")
            if (part := getattr(found, name))
        }
        if found.functions:
            touched["functions"] = self._executions.names(found.functions)
        if found.beyond:
            touched["beyond"] = True
        self._tell_of_process(touched)
        return touched

    def _tell_of_process(self, touched: dict[str, Any]) -> None:
        """Add what outlives the test, once."""
        executions, openings = self._executions, self._openings
        if self._early:
            touched["early"] = executions.names(self._early)
        for name, pairs in (("edges", executions.edges), ("early_files", openings.early)):
            if pairs:
                touched[name] = [list(pair) for pair in pairs]
        for told in (executions.edges, self._early, openings.early):
            told.clear()

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
