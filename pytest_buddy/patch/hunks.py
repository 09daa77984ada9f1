"""The hunks of a unified diff, each line of each body accounted for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_buddy.patch.refusal import RefusedError

_HEADER = re.compile(r"@@ +-(\d{1,9})(?:,(\d{1,9}))? +\+(\d{1,9})(?:,(\d{1,9}))? +@@(?:.*)")
_BARE = re.compile(r"@@(?: *\.\.\. *@@)?\s*")
_SIGNATURE = re.compile(r"---?\s*")
_MARKS = " +-\\"
_LEFT_OVER = re.compile(r"\+|-(?! \S)|\\ No newline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Lines to find and lines to put there; `line` is where the text says that is, 0 when it does not.

    `old_open` and `new_open` tell that the last line has no newline, which is said of the end of a file only.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    line: int = 0
    old_open: bool = False
    new_open: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Counts:
    line: int
    old: int
    new: int


def is_hunk_header(line: str) -> bool:
    """Whether a line starts a hunk."""
    return line.startswith("@@")


def is_file_header(lines: Sequence[str], at: int) -> bool:
    """Whether the two lines that name a file are here."""
    return (
        at + 1 < len(lines)
        and lines[at].startswith("--- ")
        and lines[at + 1].startswith("+++ ")
        and (at + 2 >= len(lines) or is_hunk_header(lines[at + 2]) or not lines[at + 2].strip())
    )


def hunk_at(lines: Sequence[str], at: int, *, end: int, fenced: bool) -> tuple[Hunk, int]:
    """The hunk whose header is at `at`, and the line after it; raises RefusedError.

    `end` is where its fence or the text ends. Only a closed fence says that nothing has been cut off, so
    only there may a body be shorter than its header says.
    """
    counts = _counts(lines[at])
    stop = _body_end(lines, at + 1, end, counts, swallow=False)
    if counts and _measured(lines[at + 1 : stop]) != (counts.old, counts.new):
        longer = _body_end(lines, at + 1, end, counts, swallow=True)
        if _measured(_trimmed(lines[at + 1 : longer], counts)) == (counts.old, counts.new):
            stop = longer
    body = _trimmed(lines[at + 1 : stop], counts)
    old, new = _measured(body)
    notes: tuple[str, ...] = ()
    if counts and (old, new) != (counts.old, counts.new):
        short = old < counts.old or new < counts.new
        if short and not fenced and stop >= end:
            raise RefusedError("truncated", f"the text ends inside the hunk {lines[at].strip()!r}")
        notes = (f"recounted {lines[at].strip()!r}: {old} lines before and {new} after",)
    if fenced or (notes and stop < end):
        _refuse_unmarked(lines, stop, end)
    if not fenced:
        _refuse_left_over(lines, stop, end)
    return _hunk(body, counts.line if counts else 0, notes), stop


def _counts(header: str) -> _Counts | None:
    match = _HEADER.fullmatch(header.rstrip("\r"))
    if match:
        line, old, _, new = match.groups()
        return _Counts(int(line), int(old if old is not None else 1), int(new if new is not None else 1))
    if _BARE.fullmatch(header):
        return None
    raise RefusedError("malformed", f"not the header of a hunk: {header.strip()[:80]!r}")


def _body_end(lines: Sequence[str], start: int, end: int, counts: _Counts | None, *, swallow: bool) -> int:
    """Where the body ends; with `swallow`, what looks like the name of a next file is part of it."""
    old = new = 0
    at = start
    while at < end:
        line = lines[at]
        full = counts is not None and (old, new) == (counts.old, counts.new)
        if line and line[0] not in _MARKS:
            break
        if is_file_header(lines, at) and (full or not swallow):
            break
        if full and _SIGNATURE.fullmatch(line):
            break
        old += not line or line[0] in " -"
        new += not line or line[0] in " +"
        at += 1
    return at


def _measured(body: Sequence[str]) -> tuple[int, int]:
    """How many lines of the old and of the new file it holds; an empty line is an empty line of context."""
    old = sum(1 for line in body if not line or line[0] in " -")
    new = sum(1 for line in body if not line or line[0] in " +")
    return old, new


def _trimmed(body: Sequence[str], counts: _Counts | None) -> list[str]:
    """The body without the empty lines after it that its header does not count."""
    kept = list(body)
    while kept and not kept[-1].rstrip("\r"):
        old, new = _measured(kept)
        if counts and old <= counts.old and new <= counts.new:
            break
        kept.pop()
    return kept


def _refuse_unmarked(lines: Sequence[str], at: int, end: int) -> None:
    """Within a fence, a body is followed by another hunk, another file, or nothing."""
    if at < end and not (
        is_hunk_header(lines[at])
        or is_file_header(lines, at)
        or lines[at].startswith(("diff --git ", "Index: ", "<<<<<<< "))
        or _SIGNATURE.fullmatch(lines[at])
    ):
        raise RefusedError("malformed", f"a line of the diff has no mark: {lines[at].strip()[:80]!r}")


def _refuse_left_over(lines: Sequence[str], at: int, end: int) -> None:
    """After a body comes prose; lines of a diff there would be lines that no hunk has taken."""
    for number in range(at, end):
        line = lines[number]
        if is_hunk_header(line) or line.startswith(("diff --git ", "--- ", "```", "~~~", "<<<<<<< ")):
            return
        if _LEFT_OVER.match(line) and not _SIGNATURE.fullmatch(line):
            raise RefusedError("malformed", f"a line of the diff belongs to no hunk: {line.strip()[:80]!r}")


def _hunk(body: Sequence[str], line: int, notes: tuple[str, ...]) -> Hunk:
    old: list[str] = []
    new: list[str] = []
    previous = ""
    for text in body:
        mark = text[:1] or " "
        if mark == "\\":
            _close(previous, old, new, text)
        elif any(side and not side[-1].endswith("\n") for side in _sides(mark, old, new)):
            raise RefusedError("malformed", f"a line follows the end of the file: {text.strip()[:80]!r}")
        if mark in " -":
            old.append(text[1:] + "\n")
        if mark in " +":
            new.append(text[1:] + "\n")
        previous = mark
    old_lines, old_open = lines_of("".join(old))
    new_lines, new_open = lines_of("".join(new))
    return Hunk(old=old_lines, new=new_lines, line=line, old_open=old_open, new_open=new_open, notes=notes)


def _close(mark: str, old: list[str], new: list[str], text: str) -> None:
    """Take the newline from the line above, which the marker is about."""
    if not mark or mark == "\\":
        raise RefusedError("malformed", f"nothing ends without a newline at {text.strip()[:80]!r}")
    for side in _sides(mark, old, new):
        side[-1] = side[-1][:-1]


def _sides(mark: str, old: list[str], new: list[str]) -> tuple[list[str], ...]:
    return (old, new) if mark == " " else (old,) if mark == "-" else (new,)


def lines_of(text: str) -> tuple[tuple[str, ...], bool]:
    """The lines of a text however they end, and whether the last one does not end."""
    pieces = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = pieces.pop()
    return ((*pieces, last), True) if last else (tuple(pieces), False)
