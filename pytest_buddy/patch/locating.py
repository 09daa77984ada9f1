"""A hunk and a file -> edits: found in one place only, spliced into the raw bytes.

Lines are compared without their endings; what is put there ends as its neighbours do.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_buddy.domain import Edit
from pytest_buddy.errors import SourceError
from pytest_buddy.patch.diff import changed_runs
from pytest_buddy.patch.hunks import Hunk
from pytest_buddy.patch.refusal import RefusedError
from pytest_buddy.source import Source

_NEWLINE = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"
_UNITS = (1, 2, 3, 4, 8)
_INDENT = re.compile(rb"[ \t]*")


@dataclass(frozen=True, slots=True)
class Placed:
    """A hunk's edits, the lines of the file it covers (from 0, end exclusive), and what was noted."""

    edits: tuple[Edit, ...]
    start: int
    end: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a file without endings, their endings, and where each starts; then where the file ends."""

    texts: tuple[bytes, ...]
    endings: tuple[bytes, ...]
    starts: tuple[int, ...]

    @property
    def open(self) -> bool:
        """Whether the last line has no newline."""
        return bool(self.endings) and not self.endings[-1]


class Locator:
    """Finds hunks in one file; raises RefusedError from every method."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = _lines(source.content)
        self._style = _indentation(self._lines.texts)

    def place(self, hunk: Hunk) -> Placed:
        """The edits that a hunk means, when it fits exactly one place."""
        if hunk.old == hunk.new and hunk.old_open == hunk.new_open:
            raise RefusedError("noop", f"it changes nothing of {self._source.path}")
        old, new = self._encoded(hunk.old), self._encoded(hunk.new)
        notes = list(hunk.notes)
        place = self._exact(old, hunk)
        if place is None:
            place, new = self._reindented(old, new, hunk)
            notes.append(f"{self._source.path}: indentation written as in the file")
        elif self._style in ("tab", "blank") and _indentation(_added(old, new)) not in ("", self._style):
            raise RefusedError("indentation", f"{self._source.path} is indented by {self._style}s only")
        if hunk.line and hunk.line != place + 1 and hunk.old:
            notes.append(f"{self._source.path}: found at line {place + 1}, {place + 1 - hunk.line:+d}")
        return Placed(self._edits(place, len(old), new, hunk), place, place + len(old), tuple(notes))

    def _encoded(self, lines: Sequence[str]) -> tuple[bytes, ...]:
        try:
            encoding = self._source.encoding
        except SourceError:
            encoding = "utf-8"
        encoding = encoding.removesuffix("-sig")
        try:
            encoded = tuple(line.encode(encoding, "surrogateescape") for line in lines)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise RefusedError(
                "encoding", f"{self._source.path} is {encoding}, which has no {character!r}"
            ) from error
        if encoded and self._source.content.startswith(_BOM):
            return (encoded[0].removeprefix(_BOM), *encoded[1:])
        return encoded

    def _exact(self, old: Sequence[bytes], hunk: Hunk) -> int | None:
        texts = self._lines.texts
        if not old:
            if texts:
                raise RefusedError("ambiguous", "it says nothing of the lines around the change")
            return 0
        found = [place for place in _places(old, texts) if self._ends(place, len(old), hunk)]
        if len(found) > 1:
            raise RefusedError("ambiguous", self._told("fits at the lines", found))
        return found[0] if found else None

    def _ends(self, place: int, count: int, hunk: Hunk) -> bool:
        """Whether what the hunk says of the file's end is true at that place."""
        at_end = place + count == len(self._lines.texts)
        if hunk.old_open:
            return at_end and self._lines.open
        return at_end or not hunk.new_open

    def _told(self, what: str, places: Iterable[int]) -> str:
        numbers = ", ".join(str(place + 1) for place in sorted(places)[:5])
        return f"it {what} {numbers} of {self._source.path}"

    def _reindented(
        self, old: Sequence[bytes], new: Sequence[bytes], hunk: Hunk
    ) -> tuple[int, tuple[bytes, ...]]:
        """The place where only tabs stand for blanks or blanks for tabs, each tab for as many blanks."""
        theirs = _indentation((*old, *new))
        found: dict[int, tuple[bytes, ...]] = {}
        if {theirs, self._style} == {"tab", "blank"}:
            for unit in _UNITS:
                there = _converted(old, unit, to_tabs=self._style == "tab")
                lines = _converted(new, unit, to_tabs=self._style == "tab")
                if there is None or lines is None:
                    continue
                for place in _places(there, self._lines.texts):
                    if self._ends(place, len(old), hunk):
                        found[place] = lines
        if not found:
            raise RefusedError("unmatched", f"its lines are nowhere in {self._source.path}")
        if len(found) > 1:
            raise RefusedError("ambiguous", self._told("fits at the lines", found))
        ((place, lines),) = found.items()
        return place, lines

    def _edits(self, place: int, count: int, new: Sequence[bytes], hunk: Hunk) -> tuple[Edit, ...]:
        """One edit for each run of changed lines, whole lines with their endings."""
        lines = self._lines
        old = lines.texts[place : place + count]
        endings = self._endings(place, count, new, hunk)
        before = [text + lines.endings[place + index] for index, text in enumerate(old)]
        after = [text + ending for text, ending in zip(new, endings, strict=True)]
        self._keep_apart(after, place, count)
        return tuple(
            Edit(
                path=self._source.path,
                digest=self._source.digest,
                start=lines.starts[place + run.start],
                end=lines.starts[place + run.end],
                replacement=b"".join(after[run.new_start : run.new_end]),
            )
            for run in changed_runs(before, after)
        )

    def _keep_apart(self, after: list[bytes], place: int, count: int) -> None:
        """See to it that no CR comes to stand before the LF of an empty line: the two would be one ending."""
        lines = self._lines
        if after and place and lines.endings[place - 1] == b"\r" and after[0] == b"\n":
            after[0] = b"\r"
        following = lines.texts[place + count : place + count + 1]
        if not after and place and lines.endings[place - 1] == b"\r" and following == (b"",):
            raise RefusedError("ambiguous", f"the line endings around line {place + 1} would become one")
        for index, line in enumerate(after):
            if index + 1 < len(after):
                meets = after[index + 1] == b"\n"
            else:
                meets = following == (b"",) and lines.endings[place + count] == b"\n"
            if meets and line.endswith(b"\r"):
                after[index] = line[:-1] + b"\n"

    def _endings(self, place: int, count: int, new: Sequence[bytes], hunk: Hunk) -> list[bytes]:
        lines = self._lines
        there = list(lines.endings[place : place + count])
        fallback = lines.endings[place - 1] if place else b""
        fallback = fallback or self._source.newline
        endings: list[bytes] = []
        position = 0
        for run in (*changed_runs(lines.texts[place : place + count], new), None):
            until = run.start if run else count
            endings += there[position:until]
            if run is None:
                break
            replaced = there[run.start : run.end]
            near = (replaced or endings or there[run.end : run.end + 1] or [fallback])[-1] or fallback
            added = run.new_end - run.new_start
            endings += [*replaced[:added], *[near] * (added - len(replaced))]
            position = run.end
        if place + count == len(lines.texts) and endings:
            said = hunk.old_open or hunk.new_open
            stays_open = hunk.new_open if said else lines.open
            endings[:-1] = [ending or fallback for ending in endings[:-1]]
            endings[-1] = b"" if stays_open else endings[-1] or fallback
        return endings


def _lines(content: bytes) -> _Lines:
    start = len(_BOM) if content.startswith(_BOM) else 0
    texts, endings, starts = [], [], [start]
    for match in _NEWLINE.finditer(content):
        texts.append(content[starts[-1] : match.start()])
        endings.append(match[0])
        starts.append(match.end())
    if starts[-1] < len(content):
        texts.append(content[starts[-1] :])
        endings.append(b"")
        starts.append(len(content))
    return _Lines(tuple(texts), tuple(endings), tuple(starts))


def _places(wanted: Sequence[bytes], texts: Sequence[bytes]) -> list[int]:
    wanted = tuple(wanted)
    size = len(wanted)
    return [
        place
        for place in range(len(texts) - size + 1)
        if texts[place] == wanted[0] and tuple(texts[place : place + size]) == wanted
    ]


def _added(old: Sequence[bytes], new: Sequence[bytes]) -> list[bytes]:
    kept = set(old)
    return [line for line in new if line not in kept]


def _indentation(lines: Iterable[bytes]) -> str:
    """`tab` or `blank` when all indented lines are indented by that alone, `mixed`, or nothing."""
    found = {
        character
        for line in lines
        if line.strip()
        for character in set(line[: len(line) - len(line.lstrip())])
    }
    found &= {9, 32}
    if len(found) > 1:
        return "mixed"
    return {9: "tab", 32: "blank"}[found.pop()] if found else ""


def _converted(lines: Sequence[bytes], unit: int, *, to_tabs: bool) -> tuple[bytes, ...] | None:
    """The lines with a tab for each `unit` blanks, or the other way round; None when that is not even."""
    result = []
    for line in lines:
        match = _INDENT.match(line)
        depth = match.end() if match and line.strip() else 0
        if to_tabs and depth % unit:
            return None
        indent = b"\t" * (depth // unit) if to_tabs else b" " * (depth * unit)
        result.append((indent + line[depth:]) if line.strip() else line)
    return tuple(result)
