"""A unified diff -> its lines, each with what it is."""

import re
from collections.abc import Iterator
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
