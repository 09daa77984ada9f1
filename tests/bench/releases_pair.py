"""A release and the one after it, and the fixes between the two: the older code, the newer tests."""

import difflib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from factory_faults import Hunk, Injected, hunks, read
from packages import Package, untouched


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What the newer release changed for `red` of its tests: the lines of the older code that it begins at.

    Nothing can be left out of it without a red test. `about` says what was wrong, in a few words.
    """

    places: tuple[str, ...]
    red: int
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two consecutive releases. `code` and `tests` are where their code and their tests are, in both."""

    older: Package
    newer: Package
    tests: str
    arguments: tuple[str, ...] = ()
    fixes: tuple[Fix, ...]

    @property
    def code(self) -> str:
        """The directory of the code."""
        return self.older.sources

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.older.stem}..{self.newer.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The older code with the newer tests, untouched, and what the newer release changed in the code."""

    pair: Pair
    mixed: Path
    changes: Mapping[str, tuple[Hunk, ...]]

    def fixed(self, fix: Fix) -> Mapping[str, str]:
        """The files that a fix changes, as they are with that fix and nothing else of the newer release."""
        wanted: dict[str, set[int]] = {}
        for place in fix.places:
            file, _, line = place.rpartition(":")
            wanted.setdefault(file, set()).add(int(line))
        return {file: self._changed(file, lines) for file, lines in wanted.items()}

    def faults(self, fix: Fix) -> tuple[Injected, ...]:
        """The fix backwards, a fault for each of its files."""
        return tuple(
            Injected(
                package=self.pair.older.name,
                version=self.pair.older.version,
                kind="release",
                shape="release",
                file=file,
                hunks=hunks(text, read(self.mixed / file)),
            )
            for file, text in self.fixed(fix).items()
        )

    def _changed(self, file: str, lines: set[int]) -> str:
        known = {hunk.line for hunk in self.changes.get(file, ())}
        if missing := lines - known:
            raise ValueError(f"{self.pair.name}: nothing was changed at {file}:{sorted(missing)}")
        text = read(self.mixed / file).splitlines(keepends=True)
        for hunk in reversed(self.changes[file]):
            if hunk.line in lines:
                start = hunk.line - 1
                text[start : start + len(hunk.old.splitlines())] = hunk.new.splitlines(keepends=True)
        return "".join(text)


def trees(pair: Pair, cache: Path) -> Trees:
    """Fetch both releases and put the newer tests beside the older code."""
    older, newer = untouched(pair.older, cache), untouched(pair.newer, cache)
    mixed = cache / "mixed" / pair.name
    shutil.rmtree(mixed, ignore_errors=True)
    shutil.copytree(older, mixed, symlinks=True)
    if (newer / pair.tests).is_dir():
        shutil.rmtree(mixed / pair.tests)
        shutil.copytree(newer / pair.tests, mixed / pair.tests, symlinks=True)
    else:
        shutil.copyfile(newer / pair.tests, mixed / pair.tests)
    changes = {file: hunks(read(older / file), read(newer / file)) for file in _files(pair, older, newer)}
    return Trees(pair=pair, mixed=mixed, changes={file: found for file, found in changes.items() if found})


def changed_lines(fix: Mapping[str, str], before: Path) -> int:
    """How many lines a fix changes, a replaced line counted once."""
    return sum(
        max(len(hunk.old.splitlines()), len(hunk.new.splitlines()))
        for file, text in fix.items()
        for hunk in hunks(read(before / file), text)
    )


def as_diff(fix: Mapping[str, str], before: Path) -> str:
    """A fix as people read it."""
    return "".join(
        line
        for file, text in fix.items()
        for line in difflib.unified_diff(_lines(read(before / file)), _lines(text), f"a/{file}", f"b/{file}")
    )


def _files(pair: Pair, older: Path, newer: Path) -> Iterator[str]:
    for path in sorted((older / pair.code).rglob("*.py")):
        file = path.relative_to(older)
        if not file.is_relative_to(pair.tests) and (newer / file).exists():
            yield str(file)


def _lines(text: str) -> Sequence[str]:
    return text.splitlines(keepends=True)
