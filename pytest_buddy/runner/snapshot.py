"""What the files of a workspace were at one moment, and which of them are others now."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pytest_buddy.workspace import Workspace

_PASSED_OVER = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
_READ_AT_START = frozenset(
    {
        "conftest.py",
        "sitecustomize.py",
        "usercustomize.py",
        "pyproject.toml",
        "pytest.toml",
        ".pytest.toml",
        "pytest.ini",
        ".pytest.ini",
        "tox.ini",
        "setup.cfg",
        "setup.py",
    }
)

FRESH = 3.0  # seconds in which two edits of a file may look alike to bytecode

_State = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A file that is not what it was; `digest` is the SHA-256 of its content, empty when it is gone."""

    path: str
    kind: Literal["added", "modified", "deleted"]
    digest: str = ""

    @property
    def configures(self) -> bool:
        """Whether pytest or Python looks for it while they start."""
        return self.path.rpartition("/")[2] in _READ_AT_START


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of every file of a workspace, installed packages and hidden directories aside."""

    root: Path
    states: Mapping[str, _State] = field(repr=False)

    @classmethod
    def of(cls, workspace: Workspace) -> "Snapshot":
        """The workspace as it is now."""
        return cls(workspace.root, dict(_walk(str(workspace.root), "")))

    def changes_until(self, later: "Snapshot") -> tuple[Changed, ...]:
        """The files that changed between this moment and a later one, with what is in them now."""
        found: list[Changed] = []
        for path in sorted({*self.states, *later.states}):
            before, after = self.states.get(path), later.states.get(path)
            if before == after:
                continue
            digest = _digest(self.root / path) if after else ""
            kind: Literal["added", "modified", "deleted"] = (
                "deleted" if not digest else "modified" if before else "added"
            )
            found.append(Changed(path=path, kind=kind, digest=digest))
        return tuple(found)

    def since(self, moment: float) -> tuple[str, ...]:
        """The Python files that were written at that moment (`time.time`) or later."""
        limit = int(moment * 1e9)
        return tuple(path for path, state in self.states.items() if state[2] >= limit and path[-3:] == ".py")


def _walk(directory: str, prefix: str) -> Iterator[tuple[str, _State]]:
    try:
        with os.scandir(directory) as entries:
            listed = list(entries)
    except OSError:
        return  # gone meanwhile, or not to be read: nobody inside can read it either
    if any(entry.name == "pyvenv.cfg" for entry in listed):
        return
    for entry in listed:
        name = entry.name
        try:
            if entry.is_dir(follow_symlinks=False):
                if not name.startswith(".") and name not in _PASSED_OVER:
                    yield from _walk(entry.path, f"{prefix}{name}/")
            else:
                state = entry.stat()
                yield prefix + name, (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        except OSError:
            continue  # a link to nowhere, or gone meanwhile


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
