"""What is known -> text: terminal section, progress line, plain events, reports."""

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
