"""Red tests -> events on the way to proved fixes, from a process of its own that can be ended at once."""

from buddy_watch.fixing.fixing import Fixing
from buddy_watch.fixing.machine import Machine, Room

__all__ = ["Fixing", "Machine", "Room"]
