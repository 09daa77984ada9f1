"""The pytest plugin: asleep until `--buddy`, and never able to change the person's own run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_buddy.plugin_session import PluginSession

_KEY: pytest.StashKey[PluginSession] = pytest.StashKey()


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
    from pytest_buddy.errors import BuddyError
    from pytest_buddy.plugin_session import PluginSession

    try:
        state = PluginSession(config)
    except BuddyError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[_KEY] = state
    config.pluginmanager.register(state.recorder, "pytest-buddy-recorder")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Work on the red tests when everything of pytest's own is done and printed."""
    result = yield
    state = session.config.stash.get(_KEY, None)
    if state is not None:
        try:
            state.finish(session)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the run's result is the person's
            state.say(
                f"buddy: internal error, your test results are not affected: {type(error).__name__}: {error}"
            )
    return result
