"""A full terminal: paints scenes, hears keys, and leaves everything as it was."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from rich.cells import cell_len

from buddy_watch.reactor import Reactor, Timer
from buddy_watch.screen.commands import Commands
from buddy_watch.screen.frame import Frame, Painter
from buddy_watch.screen.glance import fault_in_focus
from buddy_watch.screen.keys import Key, Keyboard
from buddy_watch.screen.tty import Tty, full_screen_possible
from buddy_watch.values import Scene, Standing
from pytest_buddy.domain import Intent
from pytest_buddy.redact import Redactor

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # what is between them appears at once
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_INTERVAL = 1 / 30
_LONE_ESCAPE = 0.05
_HINT = 4.0
_FRONT = 0.25
_MARKS = {"end": b"e", "resize": b"w", "resume": b"c"}


class Terminal:
    """Shows scenes on the terminal behind two descriptors and hands what keys mean to `intent`.

    It is a context manager; the terminal is given back at its end, also for SIGTERM, SIGHUP and SIGINT, which
    are heard as the intent to quit, and while the job is stopped.
    """

    def __init__(
        self,
        reactor: Reactor,
        intent: Callable[[Intent], None],
        *,
        stdin: int = 0,
        stdout: int = 1,
        color: bool = True,
        ascii: bool = False,  # noqa: A002
        redact: Callable[[str], str] | None = None,
    ) -> None:
        self._reactor = reactor
        self._commands = Commands(intent)
        self._intent = intent
        self._stdin = stdin
        self._painter = Painter(
            color=color, ascii=ascii, redact=redact or Redactor(environment=os.environ).redact
        )
        self._tty = Tty(stdin, stdout, self._happened)
        self._keyboard = Keyboard()
        self._scene: Scene | None = None
        self._painted = Scene(project="", standing=Standing(state="starting"))
        self._frame = Frame(lines=())
        self._width = 0
        self._scroll: int | None = None
        self._last = -_INTERVAL
        self._due: Timer | None = None
        self._escape: Timer | None = None
        self._fading: Timer | None = None
        self._listening = False
        self._marks: tuple[int, int] | None = None

    @staticmethod
    def possible(environment: Mapping[str, str], *, stdin: int = 0, stdout: int = 1) -> bool:
        """Whether both descriptors are a terminal that can be drawn over; plain lines serve all others."""
        return full_screen_possible(stdin, stdout, environment)

    def __enter__(self) -> Self:
        """Take the terminal."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        self._marks = reading, writing
        self._reactor.watch(reading, self._signalled)
        try:
            self._tty.listen()
            self._tty.take()
            self._listen()
            self._forget()
            self._paint()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""
        self.close()

    def close(self) -> None:
        """Give the terminal back as it was; again does nothing."""
        self._tty.release()
        self._tty.deaf()
        self._deafen()
        for timer in (self._due, self._escape, self._fading):
            if timer is not None:
                timer.cancel()
        self._due = self._escape = self._fading = None
        if self._marks is not None:
            reading, writing = self._marks
            self._marks = None
            self._reactor.unwatch(reading)
            os.close(reading)
            os.close(writing)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The terminal belongs to another program, an editor for one, until the end of the block."""
        self._tty.lent = True
        self._tty.release()
        self._deafen()
        try:
            yield
        finally:
            self._tty.lent = False
            self._resume()

    def show(self, scene: Scene) -> None:
        """Show a scene: at once after a rest, else with what comes within a thirtieth of a second."""
        if _subject(scene) != _subject(self._scene):
            self._scroll = None
        self._scene = scene
        self._refresh()

    def scroll(self, argument: str) -> None:
        """Move the body by `+1`, `-1`, `+page`, `-page`, or to its `start` or `end`."""
        frame = self._frame
        here = frame.scroll if self._scroll is None else self._scroll
        page = max(1, frame.rows - 2)
        places = {
            "start": 0, "end": frame.most, "+page": here + page, "-page": here - page,
            "+1": here + 1, "-1": here - 1,
        }  # fmt: skip
        self._scroll = max(0, min(frame.most, places.get(argument, here)))
        self._refresh()

    def _refresh(self) -> None:
        if self._due is not None or not self._tty.taken:
            return
        rest = self._last + _INTERVAL - time.monotonic()
        if rest <= 0:
            self._paint()
        else:
            self._due = self._reactor.later(rest, self._paint)

    def _paint(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._scene is None or not self._tty.taken:
            return
        width, height = self._tty.size()
        scene = self._commands.over(self._scene)
        frame = self._painter.draw(scene, width=width, height=height, scroll=self._scroll)
        before = self._frame.lines if self._width == width else ()
        if len(before) != len(frame.lines):
            before = ()
        self._frame, self._width, self._painted = frame, width, self._scene
        if self._scroll is not None:
            self._scroll = frame.scroll
        changed = _difference(before, frame.lines, width)
        if changed:
            try:
                self._tty.write(f"{_BEGIN}{changed}{_END}")
            except OSError:
                self._lost()
        self._last = time.monotonic()

    def _forget(self) -> None:
        """Paint every line next time: the terminal may show anything."""
        self._frame = Frame(lines=(), scroll=self._frame.scroll, most=self._frame.most, rows=self._frame.rows)

    def _read(self) -> None:
        try:
            data = os.read(self._stdin, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        if self._escape is not None:
            self._escape.cancel()
            self._escape = None
        self._press(self._keyboard.feed(data))
        if self._keyboard.waiting:
            self._escape = self._reactor.later(_LONE_ESCAPE, lambda: self._press(self._keyboard.settle()))

    def _press(self, keys: tuple[Key, ...]) -> None:
        for key in keys:
            if key.name == "ctrl-z":
                self._tty.suspend()
            elif key.name == "ctrl-l":
                self._forget()
            else:
                self._commands.press(key, self._painted)
        if keys:
            self._fade()
            self._refresh()

    def _fade(self) -> None:
        """Take a hint away after a while."""
        if self._fading is not None:
            self._fading.cancel()
            self._fading = None
        if self._commands.hint:
            self._fading = self._reactor.later(_HINT, self._faded)

    def _faded(self) -> None:
        self._commands.hint = ""
        self._refresh()

    def _happened(self, what: str) -> None:
        """Called by signals: only leaves a mark for the reactor."""
        if self._marks is not None:
            try:
                os.write(self._marks[1], _MARKS[what])
            except BlockingIOError:
                return  # enough marks are there

    def _signalled(self) -> None:
        assert self._marks is not None
        marks = os.read(self._marks[0], 4096)
        if _MARKS["end"] in marks:
            self._lost()
            return
        if _MARKS["resume"] in marks:
            self._resume()
        if _MARKS["resize"] in marks:
            self._forget()
            self._paint()

    def _resume(self) -> None:
        """Take the terminal again after a stop, once it is ours."""
        if self._marks is None or self._tty.lent:
            return
        if not self._tty.in_front:
            self._tty.release()
            self._deafen()
            self._reactor.later(_FRONT, self._resume)
            return
        self._tty.release()  # whoever stopped us may have changed its modes
        self._tty.take()
        self._listen()
        self._forget()
        self._paint()

    def _lost(self) -> None:
        """The terminal is gone, or we are to go."""
        self._deafen()
        self._tty.release()
        self._intent(Intent(verb="quit"))

    def _listen(self) -> None:
        if not self._listening:
            self._reactor.watch(self._stdin, self._read)
            self._listening = True

    def _deafen(self) -> None:
        if self._listening:
            self._reactor.unwatch(self._stdin)
            self._listening = False


def _subject(scene: Scene | None) -> object:
    """What the body is about: scrolling starts anew with another."""
    if scene is None:
        return None
    fault = fault_in_focus(scene)
    if scene.help or fault is None:
        return scene.help, scene.state == "broken", scene.run if scene.output else 0
    return fault.id, fault.tests, scene.explained


def _difference(before: tuple[str, ...], lines: tuple[str, ...], width: int) -> str:
    """What turns a terminal that shows `before` into one that shows `lines`."""
    return "".join(
        f"\x1b[{number};1H{line}\x1b[0m{_erased(line, width)}"
        for number, line in enumerate(lines, start=1)
        if not before or before[number - 1] != line
    )


def _erased(line: str, width: int) -> str:
    """What clears the rest of the line; after a full line it would clear its last character."""
    return "" if cell_len(_STYLE.sub("", line)) >= width else "\x1b[K"
