"""A plain pytest run -> Baseline, and which of its tests to work with; git -> Changes."""

from pytest_buddy.capture.history import changes
from pytest_buddy.capture.neighbours import nearest, representatives, to_confirm
from pytest_buddy.capture.recorder import Recorder

__all__ = ["Recorder", "changes", "nearest", "representatives", "to_confirm"]
