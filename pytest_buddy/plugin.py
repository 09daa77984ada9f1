"""The pytest plugin: asleep until `--buddy`, and never able to change the person's own run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_buddy.plugin_session import PluginSession

_KEY: pytest.StashKey[PluginSession] = pytest.StashKey()
_ASLEEP: pytest.StashKey[str] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our own option group."""
    group = parser.getgroup("buddy", "pytest-buddy: where the fault is, why, and the smallest proved fix")
    group.addoption("--buddy", action="store_true", help="after red tests: locate, explain and propose fixes")
    group.addoption(
        "--buddy-report",
        action="append",
        metavar="FORMAT[:PATH]",
        help="also write a report (json, markdown); to the terminal without PATH; may be repeated",
    )
    group.addoption(
        "--buddy-why",
        action="append",
        metavar="PATH:LINE",
        help="also say why a line is or is not suspected; may be repeated",
    )
    group.addoption(
        "--buddy-budget",
        metavar="SECONDS",
        help="time for everything after the run (default: 10, or 60 when CI is set)",
    )
    group.addoption("--buddy-coder", metavar="NAME", help="who writes fixes: auto, templates, or a model")
    group.addoption(
        "--buddy-sandbox", metavar="LEVEL", help="where candidates run: auto, full, partial or none"
    )
    group.addoption(
        "--buddy-offline",
        action="store_true",
        dest="buddy_offline",
        default=None,
        help="connect to nothing but this machine (default)",
    )
    group.addoption(
        "--no-buddy-offline", action="store_false", dest="buddy_offline", help="let a model server be used"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Wake up when asked to; bad settings are usage errors, as pytest's own are."""
    if not config.getoption("buddy"):
        return
    try:
        config.stash[_KEY] = _woken(config)
    except pytest.UsageError:
        raise
    except Exception as error:  # noqa: BLE001  the run is the person's, whatever is wrong with us
        config.stash[_ASLEEP] = f"{type(error).__name__}: {error}"


def _woken(config: pytest.Config) -> PluginSession:
    from pytest_buddy.errors import ConfigError
    from pytest_buddy.plugin_session import PluginSession

    try:
        state = PluginSession(config)
    except ConfigError as error:
        raise pytest.UsageError(_redacted(str(error))) from error
    config.pluginmanager.register(state.recorder, "pytest-buddy-recorder")
    return state


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Work on the red tests when everything of pytest's own is done and printed."""
    result = yield
    config = session.config
    problem = config.stash.get(_ASLEEP, "")
    try:
        if _KEY in config.stash:
            config.stash[_KEY].finish(session)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the run's result is the person's
        problem = f"{type(error).__name__}: {error}"
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if problem and terminal is not None:
        terminal.ensure_newline()
        first = _redacted(problem.splitlines()[0])
        terminal.write_line(f"buddy: internal error, your test results are not affected: {first}")
    return result


def _redacted(text: str) -> str:
    import os

    try:
        from pytest_buddy.redact import redact

        return redact(text, environment=os.environ)
    except Exception as error:  # noqa: BLE001  the run's result is the person's
        return f"{type(error).__name__} while saying what is wrong"
