"""A plain pytest run -> Baseline, and which of its tests to work with; git -> Changes."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_buddy.capture.failures import kept, text_of
    from pytest_buddy.capture.history import changes
    from pytest_buddy.capture.neighbours import nearest, representatives, to_confirm
    from pytest_buddy.capture.recorder import Recorder, WorkerRecorder

__all__ = [
    "Recorder", "WorkerRecorder", "changes", "kept", "nearest", "representatives", "text_of", "to_confirm",
]  # fmt: skip

_HOMES = {
    "Recorder": "recorder",
    "WorkerRecorder": "recorder",
    "changes": "history",
    "kept": "failures",
    "text_of": "failures",
}


def __getattr__(name: str) -> Any:
    """Load on first use: a green run needs the recorder and nothing else."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'neighbours')}"), name)
