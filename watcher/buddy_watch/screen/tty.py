"""A terminal's modes: taken for a full screen, given back as they were, whatever happens."""

import importlib.util
import os
import select
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[?1007h\x1b[0m"
_LEAVE = "\x1b[?2026l\x1b[0m\x1b[?1007l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l"
_ENDING = ("SIGTERM", "SIGHUP", "SIGINT")


def full_screen_possible(stdin: int, stdout: int, environment: Mapping[str, str]) -> bool:
    """Whether both ends are a terminal that can be drawn over."""
    modes = importlib.util.find_spec("termios") is not None
    dumb = environment.get("TERM", "") in ("", "dumb")
    return modes and not dumb and os.isatty(stdin) and os.isatty(stdout)


class Tty:
    """The terminal behind two descriptors. `happened` may be called between any two lines of Python.

    `happened` gets `end`, `resize` or `resume`. While the terminal is `lent`, Ctrl-C is for who has it.
    """

    def __init__(self, stdin: int, stdout: int, happened: Callable[[str], None]) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._happened = happened
        self._saved: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._writing = False
        self.taken = False
        self.lent = False

    def take(self) -> None:
        """Enter the alternate screen and read keys as they are typed; again does nothing."""
        if self.taken:
            return
        self._raw()
        self.taken = True
        self.write(_ENTER)

    def release(self) -> None:
        """Give the terminal back as it was; again does nothing."""
        if not self.taken:
            return
        self.taken = False
        with suppress(OSError):  # nobody is there any more to see it
            self.write(_LEAVE)
        self._cooked()

    def write(self, text: str) -> None:
        """Write all of it; raises OSError when the terminal is gone."""
        data = memoryview(text.encode("utf-8", "replace"))
        self._writing = True
        try:
            while data:
                try:
                    data = data[os.write(self._stdout, data) :]
                except BlockingIOError:  # another program has made the terminal so
                    select.select([], [self._stdout], [], 1.0)
        finally:
            self._writing = False

    def size(self) -> tuple[int, int]:
        """Columns and lines, of a terminal that does not know them as well."""
        try:
            columns, lines = os.get_terminal_size(self._stdout)
        except OSError:
            return 80, 24
        return columns or 80, lines or 24

    @property
    def in_front(self) -> bool:
        """Whether the terminal is ours to use: false after `bg`."""
        if not hasattr(os, "tcgetpgrp"):
            return True
        try:
            return os.tcgetpgrp(self._stdin) == os.getpgrp()
        except OSError:
            return True

    def listen(self) -> None:
        """Handle the signals that concern a terminal."""
        for name in _ENDING:
            self._handle(name, self._end)
        self._handle("SIGWINCH", lambda *_: self._happened("resize"))
        self._handle("SIGCONT", lambda *_: self._happened("resume"))
        self._handle("SIGTSTP", self._stop)

    def deaf(self) -> None:
        """Handle signals as before `listen`."""
        while self._handlers:
            number, before = self._handlers.popitem()
            signal.signal(number, signal.SIG_DFL if before is None else before)

    def suspend(self) -> None:
        """Stop the whole job, as Ctrl-Z does where nobody reads it as a key."""
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGTSTP)

    def _handle(self, name: str, handler: Callable[[int, FrameType | None], object]) -> None:
        number = getattr(signal, name, None)
        if number is not None:
            self._handlers[number] = signal.signal(number, handler)

    def _end(self, number: int, _: FrameType | None) -> None:
        if self.lent and number == signal.SIGINT:
            return
        if not self._writing:  # else what is still to be written would come after it
            self.release()
        signal.signal(number, signal.SIG_DFL)  # the second one ends a process that does not listen
        self._happened("end")

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.release()
        before = signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)  # returns when the job goes on, or at once where nothing may stop it
        signal.signal(number, before)
        self._happened("resume")

    def _raw(self) -> None:
        if sys.platform == "win32":
            return
        import termios

        try:
            self._saved = termios.tcgetattr(self._stdin)
        except termios.error:
            return
        mode = termios.tcgetattr(self._stdin)
        mode[0] &= ~(termios.IXON | termios.ICRNL)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._stdin, termios.TCSANOW, mode)

    def _cooked(self) -> None:
        if sys.platform == "win32" or self._saved is None:
            return
        import termios

        with suppress(termios.error):
            termios.tcsetattr(self._stdin, termios.TCSANOW, self._saved)
