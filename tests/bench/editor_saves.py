"""How editors save a file, step by step as strace shows them; and a desk on which to watch that."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from buddy_watch.changes import Watching
from buddy_watch.reactor import Reactor

_MARK = "mark-"

Save = Callable[[Path, str], None]


def in_place(path: Path, text: str) -> None:
    """VS Code, Sublime Text with its defaults, `echo >`: emptied, then written."""
    with path.open("w") as file:
        file.write(text)


def in_place_synced(path: Path, text: str) -> None:
    """nano; emptied, written in pieces, synced."""
    with path.open("w") as file:
        for start in range(0, len(text), max(1, len(text) // 3)):
            file.write(text[start : start + max(1, len(text) // 3)])
            file.flush()
        os.fsync(file.fileno())


def renamed_into_place(path: Path, text: str) -> None:
    """Most careful programs."""
    draft = path.with_name(f".{path.name}.tmp")
    in_place_synced(draft, text)
    draft.replace(path)


def vim(path: Path, text: str) -> None:
    """A probe, the old file renamed to be the backup, a new file, the backup deleted."""
    probe = path.with_name("4913")
    os.close(os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644))
    probe.unlink()
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    in_place_synced(path, text)
    path.chmod(0o644)
    backup.unlink()


def vim_copying(path: Path, text: str) -> None:
    """`backupcopy=yes`: a copy is the backup, the file itself is emptied and written."""
    backup = path.with_name(f"{path.name}~")
    shutil.copyfile(path, backup)
    in_place_synced(path, text)
    backup.unlink()


def emacs(path: Path, text: str) -> None:
    """A dangling link as lock, an autosave, the old file kept as backup."""
    lock, auto = path.with_name(f".#{path.name}"), path.with_name(f"#{path.name}#")
    lock.symlink_to("someone@somewhere.4711:1700000000")
    auto.write_text(text)
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    in_place_synced(path, text)
    auto.unlink()
    lock.unlink()


def jetbrains(path: Path, text: str) -> None:
    """A draft beside the file, the file put aside, the draft put in its place."""
    draft, aside = path.with_name(f"{path.name}___jb_tmp___"), path.with_name(f"{path.name}___jb_old___")
    draft.write_text(text)
    path.rename(aside)
    draft.rename(path)
    aside.unlink()


def vscode_atomic(path: Path, text: str) -> None:
    """VS Code where files are saved through a draft."""
    draft = path.with_name(f"{path.name}.vsctmp")
    draft.write_text(text)
    draft.replace(path)


def gedit(path: Path, text: str) -> None:
    """GIO's stream, renamed into place, the old file kept as backup."""
    stream = path.with_name(".goutputstream-K2XQ41")
    stream.write_text(text)
    backup = path.with_name(f"{path.name}~")
    backup.unlink(missing_ok=True)
    backup.hardlink_to(path)
    stream.replace(path)


def kate(path: Path, text: str) -> None:
    """Qt's QSaveFile."""
    draft = path.with_name(f"{path.name}.QyTnGa")
    in_place_synced(draft, text)
    draft.replace(path)


def deleted_and_recreated(path: Path, text: str) -> None:
    """Simple tools, and git when it checks a file out."""
    path.unlink()
    in_place(path, text)


STYLES: dict[str, Save] = {
    save.__name__: save
    for save in (
        in_place,
        in_place_synced,
        renamed_into_place,
        vim,
        vim_copying,
        emacs,
        jetbrains,
        vscode_atomic,
        gedit,
        kate,
        deleted_and_recreated,
    )
}


class Desk:
    """A watched project: what was told, and a wait for it that ends as soon as it is there."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.root = root
        self.batches: list[tuple[str, ...]] = []
        self.notices: list[str] = []
        self._marks: set[str] = set()
        self.reactor = Reactor()
        options = {"ignored": None, **options}
        self.watching = Watching(
            root,
            self.reactor,
            self._tell,
            notice=lambda message, hint: self.notices.append(f"{message} ({hint})"),
            **options,
        )

    def __enter__(self) -> "Desk":
        self.watching.start()
        self.ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.watching.close()
        self.reactor.close()

    @property
    def told(self) -> set[str]:
        """Every path told so far."""
        return {path for batch in self.batches for path in batch}

    def write(self, name: str, text: str) -> Path:
        """A file written in place, its directories made."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def until(self, there: Callable[[], object], seconds: float = 10.0) -> None:
        """Turn the reactor until something is true."""
        end = time.monotonic() + seconds
        while not there():
            left = end - time.monotonic()
            assert left > 0, f"waited {seconds} s; told {self.batches[-20:]}, {self.notices}"
            self.reactor.step(left)

    def turn(self, seconds: float) -> None:
        """Turn the reactor for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.reactor.step(left)

    def ready(self) -> None:
        """Wait until the system tells of changes, then forget what was told."""
        self.marked()
        self.batches.clear()

    def marked(self) -> None:
        """Wait until everything that has happened up to now must have been told."""
        mark = self.root / f"{_MARK}{time.monotonic_ns()}"
        mark.write_text("x")
        self.until(lambda: mark.name in self._marks)
        mark.unlink()

    def _tell(self, batch: tuple[str, ...]) -> None:
        self._marks.update(path for path in batch if path.startswith(_MARK))
        rest = tuple(path for path in batch if not path.startswith(_MARK))
        if rest:
            self.batches.append(rest)
