"""What the person saved: file events, gathered into one batch of changed paths for each save."""

from buddy_watch.changes.loop_guard import LoopGuard
from buddy_watch.changes.watching import Watching

__all__ = ["LoopGuard", "Watching"]
