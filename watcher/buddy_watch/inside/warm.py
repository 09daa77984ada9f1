"""The plugin of warm processes: pytest is configured once, and each run goes on from there in a fork."""

import contextlib
import gc
import importlib
import inspect
import os
import sys
from collections.abc import Collection
from typing import Any

import pytest

from buddy_watch.inside import kin
from buddy_watch.inside.edges import ImportEdges
from buddy_watch.inside.gate import Gate
from buddy_watch.inside.narrowing import Narrowing, narrow_by
from buddy_watch.inside.options import Settled, words
from buddy_watch.inside.parking import Line, Parking, only_harmless_threads
from buddy_watch.inside.place import Place
from buddy_watch.inside.streaming import Streamer
from pytest_buddy.messages import Message
from pytest_buddy.runner import inherited

_FIRST_NEEDS = ("getpass", "pwd", "difflib")  # of the first temporary folder, the first comparison
_NOT_BEFOREHAND = ("gevent", "eventlet")  # they replace parts of the standard library for whoever comes later


class Warm:
    """Stops where collection begins; what leaves the stop is a run of its own.

    A project whose own conftest files have hooks for the start or end of the session is stopped before its
    session starts, so that each run has one.
    """

    def __init__(self, line: Line, settled: Settled, *, beforehand: list[str] | None) -> None:
        self._line = line
        self._settled = settled
        self._beforehand = beforehand
        self._parking = Parking(line, self._prepare)
        self._config: pytest.Config | None = None
        self._place: Place | None = None
        self._streamer: Streamer | None = None
        self._narrowing: Narrowing | None = None
        self._gate: Gate | None = None
        self._stopped = False
        self._advancing = False

    @property
    def running(self) -> bool:
        """Whether this process has been given a run."""
        return self._streamer is not None

    def over(self, status: int) -> None:
        """Say how pytest ended: a run, or an attempt to start it."""
        if self._streamer is None:
            self._line.say({"refused": status})
        else:
            self._streamer.rest()
            self._line.say({"over": status})

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Stop here when the project's own plugins have something to do for each session."""
        hooks = session.config.hook
        place = Place(session.config.rootpath)
        for hook in (hooks.pytest_sessionstart, hooks.pytest_sessionfinish):
            if any(_belongs(place, implementation.plugin) for implementation in hook.get_hookimpls()):
                self._stop(session)
                return

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Stop before anything is collected."""
        self._stop(session)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:
        """Keep what other runs have added to pytest's list of known tests meanwhile."""
        known = session.config.pluginmanager.get_plugin("nfplugin")
        if known is not None:
            now = type(known)(session.config)
            now.cached_nodeids |= known.cached_nodeids
            vars(known).update(vars(now))
        return (yield)

    def _stop(self, session: pytest.Session) -> None:
        if self._stopped:
            return
        self._stopped = True
        config = self._config = session.config
        self._place = Place(config.rootpath)
        _capture(config, on=False)
        self._line.say({"hello": _hello(config, self._place, wholesale=self._settled.wholesale)})
        safe = hasattr(os, "fork") and only_harmless_threads()
        if self._beforehand is not None:  # this very process will be given a run
            _preload(self._beforehand)
            _capture(config, on=True)
        self._line.say({"stopped": self._place.loaded(), "safe": safe})
        kin.outlive_parent()
        _preload(_FIRST_NEEDS)
        _know_sources()
        self._run(self._parking.wait())

    def _prepare(self, message: Message) -> None:
        """Be a layer that imports beforehand what runs need, or a standby that is used once."""
        assert self._config is not None
        assert self._place is not None
        if "preload" in message:
            kin.adopt_orphans()
            _preload(message["preload"])
            _know_sources()
            gc.collect()
            gc.freeze()
        else:
            _capture(self._config, on=True, at_once=self._advancing)
        self._line.say({"stopped": self._place.loaded(), "safe": True})

    def _run(self, request: Message) -> None:
        """Go on as a run, or up to the gate."""
        config, place = self._config, self._place
        assert config is not None
        assert place is not None
        environment = dict(os.environ)
        edges = ImportEdges(place)

        def collected(tests: list[str], seen: list[str]) -> None:
            edges.stop()
            if self._gate is not None:
                self._gate.open()
            message = {"tests": tests, "seen": None if seen == tests else seen, "edges": edges.edges()}
            self._tell({"collected": message})
            if dict(os.environ) == environment:
                self._tell({"imported": edges.foreign()})

        self._narrowing = narrowing = Narrowing(request, collected)
        narrowing.begin(config)
        self._streamer = Streamer(self._tell)
        config.pluginmanager.register(narrowing, "buddy-watch-narrowing")
        config.pluginmanager.register(self._streamer, "buddy-watch-streamer")
        edges.start()
        if "gate" in request:
            self._advancing = True
            self._gate = Gate(request["gate"], self._at_gate)
            self._gate.close()
        else:
            self._set_off(request)

    def _at_gate(self) -> None:
        """Stop in the middle of an import, and go on from there in forks."""
        assert self._config is not None
        assert self._place is not None
        assert self._narrowing is not None
        _know_sources()
        self._line.say({"stopped": self._place.loaded(), "safe": only_harmless_threads()})
        request = self._parking.wait()
        self._advancing = False
        self._narrowing.take(request)
        narrow_by(self._config, request["keyword"])
        self._set_off(request)

    def _set_off(self, request: Message) -> None:
        """Look at the world as it is now."""
        assert self._config is not None
        assert self._place is not None
        if request["background"]:
            kin.stand_back()
        _look_again(self._place)
        _refresh_last_failed(self._config)

    def _tell(self, message: Message) -> None:
        if self._advancing:
            os._exit(0)  # there was something to tell before the gate: the run itself has to tell it
        self._line.say(message)


def _belongs(place: Place, plugin: object) -> bool:
    module = plugin if hasattr(plugin, "__file__") else sys.modules.get(type(plugin).__module__)
    return place.relative(getattr(module, "__file__", None)) is not None


def _capture(config: pytest.Config, *, on: bool, at_once: bool = False) -> None:
    """Captured output goes through files that must not be shared between forks."""
    manager = config.pluginmanager.get_plugin("capturemanager")
    if manager is None:
        return
    manager.stop_global_capturing()
    if on:
        manager.start_global_capturing()
        if not at_once:
            manager.suspend_global_capture()


def _refresh_last_failed(config: pytest.Config) -> None:
    """Runs add to pytest's list of failed tests one after the other, not each to the oldest."""
    known = config.pluginmanager.get_plugin("lfplugin")
    if known is not None:
        vars(known).update(vars(type(known)(config)))


def _preload(names: Collection[str]) -> None:
    if any(name.partition(".")[0] in _NOT_BEFOREHAND for name in (*names, *sys.modules)):
        return
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(Exception, SystemExit):  # the run itself will see it raise
                importlib.import_module(name)


def _know_sources() -> None:
    """Have `inspect` look up now which file each module is from, as it does for the first traceback."""
    inspect.getmodule(compile("", "<no module>", "exec"))


def _look_again(place: Place) -> None:
    """Forget what the import system knows of the project's folders: files may have come since."""
    for path, finder in sys.path_importer_cache.items():
        forget = getattr(finder, "invalidate_caches", None)
        if forget is not None and path.startswith(place.root):
            forget()


def _hello(config: pytest.Config, place: Place, *, wholesale: bool) -> Message:
    arguments = words(config)
    paths = [str(word) for word in config.option.file_or_dir or ()]
    kept = [*inherited(arguments, paths)]
    if config.inipath is not None and "-c" not in kept:
        kept += ["-c", str(config.inipath)]
    return {
        "rootdir": str(config.rootpath),
        "inipath": str(config.inipath or ""),
        "arguments": arguments,
        "paths": paths,
        "testpaths": list(config.getini("testpaths")),
        "python_files": list(config.getini("python_files")),
        "norecursedirs": list(config.getini("norecursedirs")),
        "inherited": kept,
        "loaded": place.loaded(),
        "wholesale": wholesale,
        "installed": [entry for entry in sys.path if entry.endswith("-packages")],
    }
