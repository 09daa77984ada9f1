"""What `pytest --buddy` keeps during a session; on a green run this is all that is ever loaded."""

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pytest_buddy.capture import Recorder, WorkerRecorder
from pytest_buddy.config import load
from pytest_buddy.errors import BuddyError, ConfigError

if TYPE_CHECKING:
    from pytest_buddy.plugin_work import PluginWork

_FLAGS = ("budget", "coder", "sandbox", "offline", "report")
_FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)


class PluginSession:
    """One session with `--buddy`; raises ConfigError for settings that cannot be used."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._settings = load(
            config.rootpath, flags={key: config.getoption(f"buddy_{key}") for key in _FLAGS}
        )
        self._check_names()
        self._why = [_line(word) for word in config.getoption("buddy_why") or ()]
        self._started = time.monotonic()
        self._here_first = any(entry in ("", os.getcwd()) for entry in sys.path)  # noqa: PTH109
        kind = WorkerRecorder if hasattr(config, "workerinput") else Recorder
        self.recorder = kind(config.rootpath)

    def _check_names(self) -> None:
        """Refuse coders and reports that nobody has before the run, not after it."""
        if self._settings.coder == "auto" and not self._settings.report:
            return  # so that a green run does not pay for the import
        from pytest_buddy.registry import coders, reporters

        coders(self._settings)
        known = reporters(self._settings)
        for entry in self._settings.report:
            name = entry.partition(":")[0]
            if name not in known:
                raise ConfigError(
                    f"there is no report format {name!r}", hint=f"Known formats: {', '.join(sorted(known))}."
                )

    def finish(self, session: pytest.Session) -> None:
        """After pytest has printed all of its own: work on what is red, write the reports."""
        config = self._config
        if hasattr(config, "workerinput") or config.option.collectonly or self.recorder.broken_off:
            return
        if session.exitstatus not in _FINISHED:
            return
        if not (self.recorder.red or self._settings.report or self._why):
            return
        work = self._plugin_work()
        if self.recorder.problem:
            work.say(f"buddy: some details of failures are missing: {self.recorder.problem}")
        try:
            work.run(self.recorder, seconds=time.monotonic() - self._started)
        except BuddyError as error:
            work.say(f"buddy: {error.message}")
            if error.hint:
                work.say(f"  {error.hint}")
        except KeyboardInterrupt:
            work.say("buddy: interrupted")

    def _plugin_work(self) -> "PluginWork":
        from pytest_buddy.plugin_work import PluginWork

        return PluginWork(self._config, self._settings, here_first=self._here_first, why=self._why)


def _line(word: str) -> tuple[str, int]:
    """`PATH:LINE` as its parts; raises ConfigError."""
    path, _, line = word.rpartition(":")
    if not path or not line.isdecimal():
        raise ConfigError(
            f"command line: --buddy-why {word!r} must be PATH:LINE", hint="For example pkg/shop.py:12."
        )
    return path, int(line)
