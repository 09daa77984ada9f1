"""The terminal itself: taken, painted line by line, and given back whatever happens."""

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from buddy_watch.screen import Terminal

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATIENCE = 20.0
TAKEN, GIVEN_BACK = b"\x1b[?1049h", b"\x1b[?1049l"
_ROW = re.compile(rb"\x1b\[(\d+);1H")


class Player:
    """The player with a terminal of its own as controlling terminal."""

    def __init__(self, record: Path, *scenes: str, width: int = 80, height: int = 24) -> None:
        self.ours, theirs = os.openpty()
        self.record = record
        self.written = b""
        self.seen = b""
        self.resize(width, height)
        self.before = termios.tcgetattr(self.ours)

        def own() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "screen_player.py"), str(record), *scenes],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=own,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "", "TERM": "xterm"},
        )
        os.close(theirs)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read_until(self, wanted: bytes, *, times: int = 1) -> bytes:
        """What was written since the last call, up to where `wanted` stands for the `times`-th time."""
        deadline = time.monotonic() + PATIENCE
        while self.written.count(wanted) < times:
            ready, _, _ = select.select([self.ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{wanted!r} did not come, but {self.written!r}"
            data = os.read(self.ours, 65536)
            self.written += data
            self.seen += data
        found = b"".join(part + wanted for part in self.written.split(wanted, times)[:times])
        self.written = self.written[len(found) :]
        return found

    def type(self, data: bytes) -> None:
        os.write(self.ours, data)

    def modes(self) -> list[object]:
        return termios.tcgetattr(self.ours)

    def intents(self) -> list[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.ours)
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def play(tmp_path: Path) -> Iterator[object]:
    players: list[Player] = []

    def start(*scenes: str, **size: int) -> Player:
        players.append(Player(tmp_path / f"record{len(players)}", *scenes, **size))
        return players[-1]

    yield start
    for player in players:
        player.close()


def _painted(player: Player) -> bytes:
    return player.read_until(b"\x1b[?2026l")


def _wait_for(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_the_terminal_is_taken_and_painted_in_one_piece(play):
    player = play("fixed")
    first = _painted(player)
    assert TAKEN in first
    assert b"\x1b[2J" not in first
    frame = first.split(b"\x1b[?2026h")[1]
    assert [int(row) for row in _ROW.findall(frame)] == list(range(1, 25))
    modes = player.modes()
    assert not modes[3] & (termios.ICANON | termios.ECHO | termios.ISIG)


def test_only_lines_that_changed_are_painted(play):
    player = play("fixed", "applied")
    _painted(player)
    player.type(b"\r")
    rows = [int(row) for row in _ROW.findall(_painted(player))]
    assert 0 < len(rows) < 6
    assert {23, 24} <= set(rows)


@pytest.mark.parametrize("keys", [b"q", b"\x03", b"k\x03"])
def test_quitting_gives_the_terminal_back(play, keys):
    player = play("fixed")
    _painted(player)
    player.type(keys)
    after = player.read_until(b"back")
    assert after.count(GIVEN_BACK) == 1
    assert b"\x1b[?25h" in after
    assert player.modes() == player.before
    assert player.process.wait(PATIENCE) == 0
    assert player.intents() == ["quit"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_gives_the_terminal_back_and_quits(play, number):
    player = play("fixed")
    _painted(player)
    player.process.send_signal(number)
    assert GIVEN_BACK in player.read_until(b"back")
    assert player.modes() == player.before
    assert player.process.wait(PATIENCE) == 0
    assert player.intents() == ["quit"]


def test_an_exception_gives_the_terminal_back(play):
    player = play("fixed")
    _painted(player)
    player.type(b"A")
    player.read_until(GIVEN_BACK)
    assert b"a fault of ours" in player.process.stderr.read()
    assert player.modes() == player.before


def test_a_loop_that_hangs_leaves_no_broken_terminal(play):
    player = play("fixed")
    _painted(player)
    player.type(b"v")
    _wait_for(lambda: player.intents() == ["voice"])
    player.process.send_signal(signal.SIGTERM)
    player.read_until(GIVEN_BACK)
    _wait_for(lambda: player.modes() == player.before)
    player.process.send_signal(signal.SIGTERM)
    assert player.process.wait(PATIENCE) == -signal.SIGTERM


def test_the_terminal_can_be_lent_to_an_editor(play):
    player = play("fixed", "two_faults")
    _painted(player)
    player.type(b"o")
    player.read_until(GIVEN_BACK)
    player.read_until(b"> ")
    player.process.send_signal(signal.SIGINT)  # meant for the editor
    player.type(b"aq\r")
    player.read_until(b"lent: aq")
    again = _painted(player)
    assert TAKEN in again
    assert len(_ROW.findall(again)) == 24
    player.type(b"\rq")
    player.read_until(b"back")
    assert player.intents() == ["open", "rerun", "quit"]


def test_the_terminal_can_be_closed_and_taken_again(play):
    player = play("fixed", "two_faults")
    _painted(player)
    player.type(b"b")
    player.read_until(GIVEN_BACK)
    again = _painted(player)
    assert TAKEN in again
    assert len(_ROW.findall(again)) == 24
    player.type(b"\r")
    assert b"fault" in player.read_until(b"f2")
    player.type(b"q")
    player.read_until(b"back")
    assert player.modes() == player.before


def test_a_terminal_that_goes_away_ends_the_loop(play):
    player = play("fixed")
    _painted(player)
    os.close(player.ours)
    player.process.wait(PATIENCE)
    assert player.intents() == ["quit"]


def test_a_new_size_paints_everything(play):
    player = play("fixed")
    _painted(player)
    player.resize(60, 12)
    frame = _painted(player)
    assert [int(row) for row in _ROW.findall(frame)] == list(range(1, 13))


def test_stopping_and_going_on(play):
    player = play("fixed")
    _painted(player)
    player.process.send_signal(signal.SIGTSTP)  # nothing can stop a job without a shell above it
    assert GIVEN_BACK in player.read_until(GIVEN_BACK)
    again = _painted(player)
    assert TAKEN in again
    assert len(_ROW.findall(again)) == 24
    player.type(b"q")
    player.read_until(b"back")
    assert player.intents() == ["quit"]


def test_a_lone_escape_is_heard_after_a_moment(play):
    player = play("fixed")
    _painted(player)
    player.type(b"k")
    player.read_until(b"keyword")
    player.type(b"\x1b")
    assert b"apply" in player.read_until(b"apply")
    player.type(b"\x1b[")
    player.type(b"Bq")
    player.read_until(b"back")
    assert player.intents() == ["scroll +1", "quit"]


def test_a_flood_of_scenes_is_painted_now_and_then(play):
    player = play("fixed", "two_faults")
    _painted(player)
    started = time.monotonic()
    player.type(b"\r" * 400 + b"q")
    player.read_until(b"back")
    frames = player.intents().count("rerun")
    assert frames == 400
    most = (time.monotonic() - started) * 30 + 3
    assert player.seen.count(b"\x1b[?2026h") <= most


def test_pasted_text_is_no_keys(play):
    player = play("fixed")
    _painted(player)
    player.type(b"\x1b[200~aq\r\x1b[201~")
    player.read_until(b"pasted text")
    player.type(b"q")
    player.read_until(b"back")
    assert player.intents() == ["quit"]


def test_where_a_screen_is_possible():
    ours, theirs = os.openpty()
    reading, writing = os.pipe()
    try:
        possible = Terminal.possible
        assert possible({"TERM": "xterm"}, stdin=theirs, stdout=theirs)
        assert not possible({"TERM": "dumb"}, stdin=theirs, stdout=theirs)
        assert not possible({}, stdin=theirs, stdout=theirs)
        assert not possible({"TERM": "xterm"}, stdin=theirs, stdout=writing)
        assert not possible({"TERM": "xterm"}, stdin=reading, stdout=theirs)
    finally:
        for descriptor in (ours, theirs, reading, writing):
            os.close(descriptor)
