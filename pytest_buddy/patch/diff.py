"""Our own unified diff, made from bytes, that `git apply` takes from the rootdir.

A line is what git calls a line: it ends at LF alone. A CRLF line keeps its CR as content, a file whose lines
end in CR is one line, and bytes that are not UTF-8 travel as surrogate escapes (see `domain.Proposal`).
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_buddy.domain import Patch
from pytest_buddy.source import Source

_CONTEXT = 3
_EXHAUSTIVE = 400
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of changed lines: `old[start:end]` became `new[new_start:new_end]`, counted from 0."""

    start: int
    end: int
    new_start: int
    new_end: int


def unified_diff(patch: Patch, sources: Mapping[str, Source]) -> str:
    """The patch as a unified diff with three lines of context; empty when it changes nothing.

    `sources` holds the files as they were when the patch was made. There is no `diff --git` line: git reads
    the names of such a diff relative to the top of the repository, ours are relative to the rootdir.
    """
    parts: list[bytes] = []
    for path in patch.paths:
        old, new = _versions(patch, sources[path])
        runs = changed_runs(old, new)
        if runs:
            parts += [b"--- ", _label("a/", path), b"\n+++ ", _label("b/", path), b"\n"]
            for hunk in _hunks(runs):
                parts += _hunk(hunk, old, new)
    return b"".join(parts).decode("utf-8", "surrogateescape")


def changed_lines(patch: Patch, sources: Mapping[str, Source]) -> int:
    """How many lines the patch changes: for each run of changed lines, the larger of removed and added.

    One replaced line counts 1, as does one added or one removed line; a line removed here and one added
    elsewhere count 2.
    """
    return sum(
        max(run.end - run.start, run.new_end - run.new_start)
        for path in patch.paths
        for run in changed_runs(*_versions(patch, sources[path]))
    )


def _versions(patch: Patch, source: Source) -> tuple[list[bytes], list[bytes]]:
    edited = source.edited(patch.edits)
    return _lines(source.content), _lines(edited.content)


def _lines(content: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in content.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def changed_runs(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[Run, ...]:
    """The fewest changed lines that turn `old` into `new`, as runs in order."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    runs: list[Run] = []
    for start, end, new_start, new_end in _changes(before, after):
        runs.append(
            Run(start=start + head, end=end + head, new_start=new_start + head, new_end=new_end + head)
        )
    return tuple(runs)


def _changes(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Spans that differ: Myers' greedy search while the distance is small, difflib's heuristic beyond."""
    frontiers = _frontiers(old, new)
    if frontiers is None:
        for tag, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new).get_opcodes():
            if tag != "equal":
                yield start, end, new_start, new_end
        return
    kept = [*_kept(frontiers, len(old), len(new)), (len(old), len(new))]
    start = new_start = 0
    for x, y in kept:
        if (start, new_start) != (x, y):
            yield start, x, new_start, y
        start, new_start = x + 1, y + 1


def _frontiers(old: Sequence[bytes], new: Sequence[bytes]) -> list[dict[int, int]] | None:
    """For each distance, the furthest line of `old` reached on each diagonal before that step."""
    reach = {1: 0}
    frontiers: list[dict[int, int]] = []
    for distance in range(min(len(old) + len(new), _EXHAUSTIVE) + 1):
        frontiers.append(dict(reach))
        for diagonal in range(-distance, distance + 1, 2):
            x = _step(reach, diagonal, distance)
            y = x - diagonal
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            reach[diagonal] = x
            if x >= len(old) and y >= len(new):
                return frontiers
    return None


def _adds(reach: Mapping[int, int], diagonal: int, distance: int) -> bool:
    """Whether the furthest way onto the diagonal adds a line, rather than removing one."""
    return diagonal == -distance or (diagonal != distance and reach[diagonal - 1] < reach[diagonal + 1])


def _step(reach: Mapping[int, int], diagonal: int, distance: int) -> int:
    adds = _adds(reach, diagonal, distance)
    return reach[diagonal + 1] if adds else reach[diagonal - 1] + 1


def _kept(frontiers: Sequence[Mapping[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """The pairs of equal lines on the shortest path to the end, in order."""
    pairs: list[tuple[int, int]] = []
    for distance in range(len(frontiers) - 1, -1, -1):
        reach, diagonal = frontiers[distance], x - y
        landed = _step(reach, diagonal, distance)
        while x > landed:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        if distance:
            x, y = (x, y - 1) if _adds(reach, diagonal, distance) else (x - 1, y)
    pairs.reverse()
    return pairs


def _hunks(runs: Sequence[Run]) -> list[list[Run]]:
    hunks: list[list[Run]] = []
    for run in runs:
        if hunks and run.start - hunks[-1][-1].end <= 2 * _CONTEXT:
            hunks[-1].append(run)
        else:
            hunks.append([run])
    return hunks


def _hunk(runs: Sequence[Run], old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[bytes]:
    first, last = runs[0], runs[-1]
    lead = min(first.start, _CONTEXT)
    trail = min(len(old) - last.end, _CONTEXT)
    ranges = (
        _range(first.start - lead, last.end + trail),
        _range(first.new_start - lead, last.new_end + trail),
    )
    yield "@@ -{} +{} @@\n".format(*ranges).encode()
    position = first.start - lead
    for run in runs:
        yield from _marked(b" ", old[position : run.start])
        yield from _marked(b"-", old[run.start : run.end])
        yield from _marked(b"+", new[run.new_start : run.new_end])
        position = run.end
    yield from _marked(b" ", old[position : position + trail])


def _marked(mark: bytes, lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


def _range(start: int, end: int) -> str:
    count = end - start
    if count == 1:
        return f"{start + 1}"
    return f"{start + 1 if count else start},{count}"


def _label(prefix: str, path: str) -> bytes:
    """The name as git writes it: quoted like a C string where needed, closed by a tab when it has a space."""
    raw = (prefix + path).encode("utf-8", "surrogateescape")
    tab = b"\t" if b" " in raw else b""
    if all(32 <= byte < 127 and byte not in _ESCAPES for byte in raw):
        return raw + tab
    quoted = "".join(_quoted(byte) for byte in raw)
    return f'"{quoted}"'.encode() + tab


def _quoted(byte: int) -> str:
    if byte in _ESCAPES:
        return "\\" + _ESCAPES[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
