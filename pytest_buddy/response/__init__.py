"""What is known -> text: terminal section, progress line, plain events, reports."""

from pytest_buddy.config import Config
from pytest_buddy.ports import Reporter, hookimpl
from pytest_buddy.response.progress import ProgressLine
from pytest_buddy.response.reports import reporters
from pytest_buddy.response.show import render_event, render_list, render_proposal
from pytest_buddy.response.terminal import render_diagnosis

__all__ = [
    "ProgressLine",
    "render_diagnosis",
    "render_event",
    "render_list",
    "render_proposal",
    "reporters",
]


@hookimpl
def buddy_reporters(config: Config) -> tuple[Reporter, ...]:  # noqa: ARG001  the hook's signature
    """Register the built-in report formats."""
    return reporters()
