"""A run that is going on, as it is told of."""

from dataclasses import dataclass

from buddy_watch.values import RunRequest


@dataclass(slots=True)
class Run:
    """What was asked for, when, as of which generation of the files, and how far it has come."""

    request: RunRequest
    generation: int
    why: str
    asked_at: float
    started: bool = False
    selected: int = 0
    done: int = 0
    passed: int = 0
    failed: int = 0
