"""The broken projects of `fixtures/` as values, and copies of them to work on."""

import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "fixtures"
_KEYS = frozenset({"description", "kind", "single_edit", "failing", "flaky", "fix", "faults"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The true statement; where one is missing, `lines` names those on both sides of the gap."""

    file: str
    line: int
    end_line: int
    function: str
    lines: tuple[int, ...] = ()

    def covers(self, file: str, line: int) -> bool:
        """Whether a suspect at that line points at this fault."""
        return file == self.file and (self.line <= line <= self.end_line or line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """One broken project: its fault, the diff that mends it and the tests that fail until then."""

    name: str
    directory: Path
    description: str
    kind: str
    single_edit: bool
    failing: tuple[str, ...]
    flaky: tuple[str, ...]
    fix: str
    faults: tuple[Fault, ...]

    @property
    def project(self) -> Path:
        """The broken project, to be copied and never run in place."""
        return self.directory / "project"

    @property
    def unseen(self) -> Path:
        """Further tests, by which a patch is judged right or wrong."""
        return self.directory / "unseen"

    @property
    def broken(self) -> tuple[str, ...]:
        """The tests that fail because of a fault, not by chance."""
        return tuple(test for test in self.failing if test not in self.flaky)

    def copy(self, target: Path) -> Path:
        """The project in a new directory, without the unseen tests."""
        shutil.copytree(self.project, target, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        return target

    def reveal(self, target: Path) -> None:
        """Put the unseen tests into a copy, as its directory `unseen/`."""
        shutil.copytree(self.unseen, target / "unseen", ignore=shutil.ignore_patterns("__pycache__"))


def load(root: Path = ROOT) -> tuple[Fixture, ...]:
    """Every fixture below `root`, by name; raises ValueError for one that is not written as agreed."""
    return tuple(_read(path.parent) for path in sorted(root.glob("*/fixture.toml")))


def mend(copy: Path, diff: str) -> None:
    """Apply a diff to a copy with git; raises CalledProcessError when git refuses it."""
    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=copy,
        input=diff.encode(),
        capture_output=True,
        check=True,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)},
    )


def _read(directory: Path) -> Fixture:
    entry = tomllib.loads((directory / "fixture.toml").read_text(encoding="utf-8"))
    if wrong := entry.keys() ^ _KEYS:
        raise ValueError(f"{directory.name}: missing or unknown keys {', '.join(sorted(wrong))}")
    return Fixture(
        name=directory.name,
        directory=directory,
        description=entry["description"],
        kind=entry["kind"],
        single_edit=entry["single_edit"],
        failing=tuple(entry["failing"]),
        flaky=tuple(entry["flaky"]),
        fix=entry["fix"],
        faults=tuple(Fault(**{**fault, "lines": tuple(fault.get("lines", ()))}) for fault in entry["faults"]),
    )
