"""What was done to the person's files, kept so that it can be finished, taken back and undone.

One file per action, `NUMBER-PATCH.prepared` while it is under way and `NUMBER-PATCH.json` once it is
complete. A rename is the step from one to the other, so that a full disk cannot stand in its way.
"""

import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_buddy.codec import CodecError, decode, encode
from pytest_buddy.errors import BuddyError, PatchError
from pytest_buddy.workspace import Workspace, flush_directory

SCHEMA = "pytest-buddy-journal/1"
KEPT = 200
_NAME = re.compile(r"(\d{6,})-([0-9a-f]{8})\.(prepared|json)")

Action = Literal["applied", "staged", "discarded", "undone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A file's content before and the SHA-256 of it after; `temporary` is written beside the file first."""

    path: str
    before: bytes
    after: str
    temporary: str

    @property
    def before_digest(self) -> str:
        """SHA-256 of the content before, in hexadecimal."""
        return hashlib.sha256(self.before).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRewrite:
    """An entry of the git index before and after; `full_path` counts from the top of the repository."""

    path: str
    full_path: str
    mode: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One action on one patch; `undoes` is the number of the entry that an `undone` takes back."""

    schema: str
    number: int
    patch: str
    action: Action
    files: tuple[Rewrite, ...] = ()
    index: tuple[IndexRewrite, ...] = ()
    undoes: int = 0

    @property
    def paths(self) -> tuple[str, ...]:
        """The files it changed, in the work tree or in the index."""
        return (*(item.path for item in self.files), *(item.path for item in self.index))


class Journal:
    """The entries under `.buddy/journal/`, numbered in the order they were made."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._directory = workspace.state / "journal"

    def entries(self) -> tuple[Entry, ...]:
        """The completed entries, oldest first; raises BuddyError for one that cannot be read."""
        return tuple(self._load(path) for path in self._files("json"))

    def prepared(self) -> tuple[Entry, ...]:
        """The entries of actions that were cut off, oldest first; raises BuddyError."""
        return tuple(self._load(path) for path in self._files("prepared"))

    def next_number(self) -> int:
        """A number above all that are in use."""
        used = [_number(path) for path in (*self._files("json"), *self._files("prepared"))]
        return max(used, default=0) + 1

    def prepare(self, entry: Entry) -> None:
        """Keep an entry of an action that is about to start; it is durable on return. Raises BuddyError."""
        self._write(self._path(entry, "prepared"), entry)

    def commit(self, entry: Entry) -> None:
        """Mark an action as complete; raises PatchError when it is not."""
        try:
            os.rename(self._path(entry, "prepared"), self._path(entry, "json"))  # noqa: PTH104
        except OSError as error:
            raise _unwritable(error) from error
        with contextlib.suppress(OSError):  # without it the action may only be completed once more
            flush_directory(self._directory)
        self._prune()

    def complete(self, entry: Entry) -> bool:
        """Whether the action of a prepared entry was marked as complete."""
        return self._path(entry, "json").exists()

    def drop(self, entry: Entry) -> None:
        """Forget an action that was taken back; raises OSError."""
        self._path(entry, "prepared").unlink(missing_ok=True)

    def add(self, entry: Entry) -> None:
        """Keep an entry of an action that is complete; raises BuddyError."""
        self._write(self._path(entry, "json"), entry)
        self._prune()

    def _files(self, suffix: str) -> list[Path]:
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BuddyError(
                f"The journal {self._directory} cannot be read: {error.strerror}",
                hint="Make it readable, or remove it to give up undo.",
            ) from error
        matches = (match for match in map(_NAME.fullmatch, names) if match and match[3] == suffix)
        return sorted((self._directory / match[0] for match in matches), key=_number)

    def _path(self, entry: Entry, suffix: str) -> Path:
        return self._directory / f"{entry.number:06}-{entry.patch}.{suffix}"

    def _write(self, path: Path, entry: Entry) -> None:
        self._workspace.prepare_state("journal")
        try:
            self._workspace.write_state(f"journal/{path.name}", json.dumps(encode(entry)).encode("ascii"))
        except OSError as error:
            raise _unwritable(error) from error

    def _load(self, path: Path) -> Entry:
        try:
            data = json.loads(path.read_bytes())
            if isinstance(data, dict) and data.get("schema") != SCHEMA:
                raise CodecError(f"its format is {data.get('schema')!r}, not {SCHEMA!r}")
            entry = decode(Entry, data)
            if path.stem != f"{entry.number:06}-{entry.patch}":
                raise CodecError("its name does not fit its content")
        except (OSError, ValueError, RecursionError) as error:
            raise BuddyError(
                f"The journal entry {path.relative_to(self._workspace.root)} cannot be used: {error}",
                hint="Nothing was written. Remove that file to give up its undo.",
            ) from error
        return entry

    def _prune(self) -> None:
        with contextlib.suppress(OSError, BuddyError):  # an entry too many does no harm
            torn = self._directory.glob(".[0-9]*")  # left by a process that was killed while writing
            for path in (*self._files("json")[:-KEPT], *torn):
                path.unlink(missing_ok=True)


def _unwritable(error: OSError) -> PatchError:
    return PatchError(
        f"The journal in .buddy/ cannot be written: {error.strerror}",
        hint="Nothing was changed. Make room there, then try again.",
    )


def _number(path: Path) -> int:
    return int(path.name.split("-", 1)[0])
