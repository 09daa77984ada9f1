"""What is known -> text: terminal, progress, reports."""

from pytest_buddy.response.terminal import render_diagnosis

__all__ = ["render_diagnosis"]
