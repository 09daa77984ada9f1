"""Which tests a change affects: shapes of sources, the import graph, and what each test was seen to touch."""

from buddy_watch.affected.knowledge import Knowledge

__all__ = ["Knowledge"]
