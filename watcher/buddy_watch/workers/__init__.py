"""The watcher's side of test processes: one is kept warm and forked for each run, or each run starts cold."""

from buddy_watch.workers.launch import Launch
from buddy_watch.workers.workers import Workers

__all__ = ["Launch", "Workers"]
