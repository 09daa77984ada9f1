"""A scene -> a full terminal, keys -> intents, events -> plain or JSON lines."""

from buddy_watch.screen.frame import Frame, draw
from buddy_watch.screen.lines import EventLines
from buddy_watch.screen.terminal import Terminal

__all__ = ["EventLines", "Frame", "Terminal", "draw"]
