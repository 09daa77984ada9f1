"""What is known -> text: terminal section, progress line, plain events, reports, pieces of a screen."""

from typing import TYPE_CHECKING, Any

from pytest_buddy.config import Config
from pytest_buddy.ports import Reporter, hookimpl
from pytest_buddy.response.progress import ProgressLine
from pytest_buddy.response.reports import reporters
from pytest_buddy.response.show import render_event, render_list, render_proposal
from pytest_buddy.response.terminal import render_diagnosis

if TYPE_CHECKING:
    from pytest_buddy.response.focus import FaultView
    from pytest_buddy.response.page import Page

__all__ = [
    "FaultView",
    "Page",
    "ProgressLine",
    "render_diagnosis",
    "render_event",
    "render_list",
    "render_proposal",
    "reporters",
]


def __getattr__(name: str) -> Any:
    """What needs rich, for screens alone: rich is imported when something is drawn."""
    if name == "Page":
        from pytest_buddy.response.page import Page

        return Page
    if name == "FaultView":
        from pytest_buddy.response.focus import FaultView

        return FaultView
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@hookimpl
def buddy_reporters(config: Config) -> tuple[Reporter, ...]:  # noqa: ARG001  the hook's signature
    """Register the built-in report formats."""
    return reporters()
