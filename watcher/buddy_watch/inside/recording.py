"""A pytest plugin that writes failures onto their reports, also where tests are distributed."""

import pytest

from buddy_watch.inside.narrowing import narrow_by
from pytest_buddy.capture import WorkerRecorder

_NAME = "buddy-watch-recorder"
KEYWORD = "buddy_watch_keyword"


def pytest_configure(config: pytest.Config) -> None:
    """Register the recorder in this process; narrow a distributed worker as its controller is."""
    if not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(WorkerRecorder(config.rootpath), _NAME)
        narrow_by(config, getattr(config, "workerinput", {}).get(KEYWORD, ""))
