"""Small projects on disk, patches for them and a ledger that holds those patches."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_buddy.domain import Diagnosis, Edit, Fault, Patch, Proposal, Verdict
from pytest_buddy.patch import Ledger, changed_lines, unified_diff
from pytest_buddy.source import Source
from pytest_buddy.workspace import Workspace

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org")


@dataclass(frozen=True)
class Project:
    """A directory with Python files; edits name the text they replace, which must be there once."""

    root: Path

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.workspace)

    def write(self, path: str, content: bytes) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def edit(self, path: str, old: bytes, new: bytes) -> Edit:
        content = self.read(path)
        assert content.count(old) == 1
        source = Source(path=path, module="m", content=content)
        start = content.index(old)
        return Edit(path=path, digest=source.digest, start=start, end=start + len(old), replacement=new)

    def patch(self, *edits: tuple[str, bytes, bytes]) -> Patch:
        return Patch(edits=tuple(self.edit(*edit) for edit in edits), origin="template:test")

    def proposal(self, patch: Patch, *, confirmed: bool = True) -> Proposal:
        contents = {path: self.workspace.read(path) for path in patch.paths}
        sources = {path: Source(path=path, module="", content=contents[path]) for path in patch.paths}
        return Proposal(
            patch=patch,
            diff=unified_diff(patch, sources),
            changed_lines=changed_lines(patch, sources),
            verdict=Verdict(outcome="fixed" if confirmed else "partial", confirmed=confirmed),
        )

    def keep(self, *patches: Patch) -> Ledger:
        """A ledger holding each patch as the fix of a fault of its own."""
        faults = tuple(
            Fault(id=f"f{number}", tests=(f"test_{number}",), proposals=(self.proposal(patch),))
            for number, patch in enumerate(patches, 1)
        )
        self.ledger.keep(Diagnosis(failures=(), faults=faults, failed=len(faults)))
        return self.ledger

    def proposed(self, *edits: tuple[str, bytes, bytes]) -> tuple[Ledger, Patch]:
        patch = self.patch(*edits)
        return self.keep(patch), patch

    def git(self, *arguments: str) -> bytes:
        return subprocess.run(
            ["git", *IDENTITY, *arguments], cwd=self.root, capture_output=True, check=True
        ).stdout

    def commit(self) -> None:
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "all")

    def files(self) -> dict[str, bytes]:
        """Every file outside `.git` and `.buddy`."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in (".git", ".buddy")]
            for name in names:
                path = Path(folder, name)
                found[str(path.relative_to(self.root))] = path.read_bytes()
        return found


@pytest.fixture(autouse=True)
def plain_git(monkeypatch):
    """git as on a machine without personal settings."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    return Project(root.resolve())
