"""The screen in a real terminal: what tmux shows is the golden frame, at any size."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATIENCE = 20.0


class Tmux:
    """One window with the player in it."""

    def __init__(self, folder: Path) -> None:
        self._base = ["tmux", "-u", "-S", str(folder / "socket"), "-f", "/dev/null"]
        self.record = folder / "record"

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._base, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, width: int, height: int, *scenes: str) -> None:
        player = [sys.executable, str(HERE / "screen_player.py"), str(self.record), *scenes]
        size = ["-x", str(width), "-y", str(height)]
        command = ["env", f"PYTHONPATH={ROOT}", "LC_ALL=C.UTF-8", *player]
        self(
            "new-session", "-d", "-s", "s", *size, "sh", ";", "set", "-g", "status", "off", ";",
            "set", "-g", "escape-time", "0",
        )  # fmt: skip
        self("resize-window", "-t", "s", *size)
        self("send-keys", "-t", "s", "-l", "PS1='$ '; clear; " + " ".join(command) + "\n")

    def shown(self) -> str:
        return "".join(line.rstrip() + "\n" for line in self("capture-pane", "-p", "-t", "s").splitlines())

    def wait(self, wanted: str) -> None:
        """Until the window shows exactly this."""
        shown = self._until(lambda: self.shown() == wanted, self.shown)
        assert shown == wanted

    def wait_for(self, text: str) -> None:
        """Until the window shows this somewhere."""
        shown = self._until(lambda: text in self.shown(), self.shown)
        assert text in shown

    def heard(self, *intents: str) -> None:
        """Until these are the intents so far."""
        wanted = list(intents)
        assert self._until(lambda: self._intents() == wanted, self._intents) == wanted

    def press(self, *keys: str) -> None:
        self("send-keys", "-t", "s", *keys)

    def _intents(self) -> list[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []

    @staticmethod
    def _until(reached, said):
        deadline = time.monotonic() + PATIENCE
        while not reached() and time.monotonic() < deadline:
            pass  # asking tmux takes its time
        return said()


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    terminal = Tmux(tmp_path)
    yield terminal
    subprocess.run([*terminal._base, "kill-server"], capture_output=True, check=False, timeout=PATIENCE)


def golden(name: str, size: str) -> str:
    return (HERE / "golden" / f"{name}_{size}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", ["80x24", "200x50"])
def test_a_real_terminal_shows_the_golden_frames(tmux, size):
    width, height = map(int, size.split("x"))
    scenes = ("starting", "running", "searching", "fixed", "two_faults", "green")
    tmux.start(width, height, *scenes)
    for number, name in enumerate(scenes):
        tmux.wait(golden(name, size))
        tmux.heard(*["rerun"] * number)
        tmux.press("Enter")


def test_a_resize_draws_anew(tmux):
    tmux.start(80, 24, "fixed")
    tmux.wait(golden("fixed", "80x24"))
    for size in ("200x50", "40x10", "80x24"):
        width, height = size.split("x")
        tmux("resize-window", "-t", "s", "-x", width, "-y", height)
        tmux.wait(golden("fixed", size))


def test_keys_scroll_ask_and_quit_and_the_shell_is_as_it_was(tmux):
    tmux.start(80, 24, "long_diff")
    tmux.wait(golden("long_diff", "80x24"))
    tmux.press("G")
    tmux.wait_for("confirmed by a fresh pytest")
    tmux.press("g", "Down", "PageDown", "k")
    tmux.wait_for("keyword ❯")
    tmux.press("-l", "cart and q")
    tmux.wait_for("keyword ❯ cart and q▏")
    tmux.press("Enter", "X")
    tmux.wait_for("X does nothing here")
    tmux.press("q")
    tmux.wait_for("back\n$\n")
    assert "fault f1" not in tmux.shown()
    tmux.heard("scroll end", "scroll start", "scroll +1", "scroll +page", "keyword cart and q", "quit")


def test_ctrl_z_gives_the_shell_back_and_fg_the_screen(tmux):
    tmux.start(80, 24, "fixed")
    tmux.wait(golden("fixed", "80x24"))
    tmux.press("C-z")
    tmux.wait_for("$\n")
    assert "fault f1" not in tmux.shown()
    tmux.press("-l", "echo he''llo\n")
    tmux.wait_for("\nhello\n")
    tmux.press("-l", "fg\n")
    tmux.wait(golden("fixed", "80x24"))
    tmux.press("C-c")
    tmux.wait_for("back\n$\n")
    tmux.heard("quit")
