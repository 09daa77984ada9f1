"""A unified diff -> its lines, each with what it is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

LineKind = Literal["header", "hunk", "context", "added", "removed", "note"]

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_BODY: dict[str, LineKind] = {" ": "context", "": "context", "+": "added", "-": "removed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line of a diff, marker included, without its newline."""

    kind: LineKind
    text: str


def lines_of(diff: str) -> tuple[DiffLine, ...]:
    """The lines of a diff; hunk counts decide what is content, so content cannot pose as a header.

    The carriage return before each newline is left out when every line of content has one.
    """
    lines = tuple(_classified(diff))
    content = [line for line in lines if line.kind in ("context", "added", "removed")]
    if not content or not all(line.text.endswith("\r") for line in content):
        return lines
    return tuple(DiffLine(kind=line.kind, text=line.text.removesuffix("\r")) for line in lines)


def changed(diff: str) -> tuple[int, int]:
    """How many lines the diff adds and removes."""
    kinds = [line.kind for line in _classified(diff)]
    return kinds.count("added"), kinds.count("removed")


def narrowed(lines: Sequence[DiffLine], context: int) -> tuple[DiffLine, ...]:
    """The lines with at most `context` unchanged ones around each change.

    Headers are left out when there is one file, hunks' own when there is one.
    """
    several = sum(line.kind == "header" and line.text.startswith("+++ ") for line in lines) > 1
    hunks = sum(line.kind == "hunk" for line in lines) > 1
    changes = [number for number, line in enumerate(lines) if line.kind in ("added", "removed", "note")]
    near = {other for number in changes for other in range(number - context, number + context + 1)}
    blank = {number for number, line in enumerate(lines) if not line.text.strip()}
    while outer := blank & {min(near, default=-1), max(near, default=-1)}:
        near -= outer
    return tuple(
        line
        for number, line in enumerate(lines)
        if (line.kind == "context" and number in near)
        or (line.kind == "header" and several)
        or (line.kind == "hunk" and (several or hunks))
        or line.kind in ("added", "removed", "note")
    )


def _classified(diff: str) -> Iterator[DiffLine]:
    old = new = 0
    for text in diff.removesuffix("\n").split("\n") if diff else ():
        kind: LineKind = "header"
        if text.startswith("\\"):
            kind = "note"
        elif old > 0 or new > 0:
            kind = _BODY.get(text[:1], "context")
            old -= kind != "added"
            new -= kind != "removed"
        elif match := _HUNK.match(text):
            kind = "hunk"
            old, new = (1 if count is None else int(count) for count in match.groups())
        yield DiffLine(kind=kind, text=text)
