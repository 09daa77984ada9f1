"""The plugin of a cold run: everything as the person calls pytest, and told as a warm run tells it."""

from collections.abc import Callable
from typing import Any

import pytest

from buddy_watch.inside.edges import ImportEdges
from buddy_watch.inside.narrowing import Narrowing
from buddy_watch.inside.options import refuse_debuggers
from buddy_watch.inside.place import Place
from buddy_watch.inside.recording import KEYWORD
from buddy_watch.inside.streaming import Streamer
from pytest_buddy.messages import Message


class Cold:
    """One run from beginning to end in a process of its own."""

    def __init__(self, say: Callable[[Message], None], request: Message) -> None:
        self._say = say
        self._request = request
        self._streamer = Streamer(say)
        self._told = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_parse(self) -> Any:
        """Narrow the run before options are acted upon, and handed on to distributed workers."""
        config: pytest.Config = yield
        refuse_debuggers(config.option)
        config.option.continue_on_collection_errors = True
        edges = ImportEdges(Place(config.rootpath))

        def collected(tests: list[str], seen: list[str]) -> None:
            edges.stop()
            self._collected(tests, seen, edges.edges())

        narrowing = Narrowing(self._request, collected)
        narrowing.begin(config)
        config.pluginmanager.register(narrowing, "buddy-watch-narrowing")
        config.pluginmanager.register(self._streamer, "buddy-watch-streamer")
        edges.start()
        return config

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Distributed workers get the person's words, and not what we have made of them."""
        node.workerinput[KEYWORD] = self._request["keyword"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Distributed workers all collect the same; the first to be ready is listened to."""
        if not self._told:
            self._collected(list(ids), list(ids), [])

    def over(self, status: int) -> None:
        """Say how pytest ended."""
        self._streamer.rest()
        self._say({"over": status})

    def _collected(self, tests: list[str], seen: list[str], edges: list[tuple[str, str]]) -> None:
        self._told = True
        self._say({"collected": {"tests": tests, "seen": None if seen == tests else seen, "edges": edges}})
