"""Random edits of random files: edit -> diff -> read -> apply -> undo, every byte as it was.

Usage: python tests/bench/round_trips.py [COUNT] [SEED]. Prints how the trips went; fails at the
first that went wrong.
"""

import collections
import random
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_buddy.domain import Diagnosis, Edit, Fault, Patch, Proposal, Verdict
from pytest_buddy.patch import Ledger, Refusal, Terms, read_patch, unified_diff
from pytest_buddy.source import Source
from pytest_buddy.workspace import Workspace

NEWLINES = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r", "mixed": b""}
NAMES = ("x.py", "pkg/x.py", "a b.py", "caf\u00e9.py", "pkg/\u6f22.py")
WORDS = ("value", "total", "x", "y + 1", "f(x)", "'text'", "[1, 2]", "caf", "1 if x else 2", "not y")


@dataclass(frozen=True)
class Shape:
    """How a file is written."""

    newline: str
    bom: bool
    encoding: str
    open_end: bool


def shapes():
    return [
        Shape(newline, bom, encoding, open_end)
        for newline in NEWLINES
        for encoding in ("utf-8", "latin-1")
        for bom in ((False, True) if encoding == "utf-8" else (False,))
        for open_end in (False, True)
        if (newline, encoding) != ("cr", "latin-1")  # Python itself finds no coding line there
    ]


def content(rng: random.Random, shape: Shape) -> bytes:
    """A Python file, its lines now and then alike."""
    lines = ["# coding: latin-1"] if shape.encoding == "latin-1" else []
    for number in range(rng.randrange(1, 25)):
        lines += rng.choice(
            [
                [""],
                [f"v{number} = {rng.choice(WORDS[:3])!r}"],
                [f"v{number} = '\u00e9\u00e8 {number}'  # \u00fc"],
                [f"def f{number}(x, y=1):", f"    z = {rng.choice(WORDS)}", "    return z"],
                ["pass"],
            ]
        )
    newline = NEWLINES[shape.newline]
    ended = [line.encode(shape.encoding) + (newline or rng.choice([b"\n", b"\r\n", b"\r"])) for line in lines]
    if lines[0].startswith("# coding"):
        ended[0] = ended[0].rstrip(b"\r\n") + (newline or b"\n")
    if shape.open_end:
        ended[-1] = ended[-1].rstrip(b"\r\n")
    return (b"\xef\xbb\xbf" if shape.bom else b"") + b"".join(ended)


def patch_of(rng: random.Random, source: Source) -> Patch:
    """One to three whole lines replaced, removed or added; the file stays Python that compiles."""
    starts = source.line_starts
    newline = source.newline
    edits = []
    end = 0
    for line in sorted(rng.sample(range(1, len(starts)), min(len(starts) - 1, rng.randrange(1, 4)))):
        text = source.line(line)
        start, stop = starts[line - 1], starts[line]
        raw = source.content[start:stop]
        ending = raw[len(raw.rstrip(b"\r\n")) :]
        if text.startswith("# coding") or start < end:
            continue
        indent = text[: len(text) - len(text.lstrip())] if not text.startswith("def") else ""
        new = f"{indent}w{line} = '\u00ea {rng.randrange(10**9)}'".encode(
            source.encoding.removesuffix("-sig")
        )
        kind = rng.choice(["replace", "insert", "append", "remove"])
        if text.startswith("def") or (kind == "remove" and text.startswith(" ")):
            kind = "insert" if not text.startswith(" ") else "replace"
        if kind == "replace":
            edit = start, stop, new + ending
        elif kind == "insert":
            edit = start, start, new + newline
        elif kind == "append":
            edit = stop, stop, (new + newline) if ending else newline + new
        else:
            edit = start, stop, b""
        edits.append(
            Edit(path=source.path, digest=source.digest, start=edit[0], end=edit[1], replacement=edit[2])
        )
        end = stop + 1
    return Patch(edits=tuple(edits), origin="template:random")


def trip(rng: random.Random, root: Path, shape: Shape) -> str:
    """One round trip in a fresh project; says how it ended, raises AssertionError when a byte is wrong."""
    path = rng.choice(NAMES)
    workspace = Workspace(root)
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    before = content(rng, shape)
    target.write_bytes(before)
    source = Source(path=path, module="x", content=before)
    patch = patch_of(rng, source)
    after = source.edited(patch.edits).content
    diff = unified_diff(patch, {path: source})
    terms = Terms(seen={path: source.digest})
    found = read_patch(workspace, diff, origin="model:x", terms=terms)
    if after == before:
        assert isinstance(found, Refusal)
        assert found.reason == "empty", found
        return "nothing changed"
    if isinstance(found, Refusal):
        assert found.reason in ("ambiguous", "noop"), (found, diff, before)
        assert found.reason != "ambiguous" or repeated(before), (found, diff, before)
        assert found.reason != "noop" or only_endings(before, after), (found, diff, before)
        return f"refused: {found.reason}"
    proposal = Proposal(
        patch=replace(found.patch, origin="model:x"),
        diff=diff,
        verdict=Verdict(outcome="fixed", confirmed=True),
        changed_lines=1,
    )
    ledger = Ledger(workspace)
    ledger.keep(Diagnosis(failures=(), faults=(Fault(id="f1", tests=("t",), proposals=(proposal,)),)))
    ledger.apply()
    now = target.read_bytes()
    if now != after:
        assert shape.newline == "mixed", (diff, before, after, now)
        assert lines(now) == lines(after), (diff, before, after, now)
    ledger.undo()
    assert target.read_bytes() == before
    assert [item for item in root.rglob("*") if item.is_file() and ".buddy" not in item.parts] == [target]
    return "exact" if now == after else "exact but for endings of new lines"


def lines(data: bytes) -> list[bytes]:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")


def only_endings(before: bytes, after: bytes) -> bool:
    return lines(before) == lines(after)


def repeated(data: bytes) -> bool:
    """Whether some line is there twice, so that a hunk may fit twice."""
    every = lines(data)
    return len(set(every)) < len(every)


def utf_16(root: Path) -> None:
    """A file in UTF-16 is refused as it is."""
    data = "a = 1\n".encode("utf-16")
    (root / "x.py").write_bytes(data)
    text = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"
    found = read_patch(Workspace(root), text, origin="model:x")
    assert isinstance(found, Refusal)
    assert found.reason == "binary"
    assert (root / "x.py").read_bytes() == data


def main(count: int, seed: int) -> collections.Counter[str]:
    """Make the trips; how many ended how."""
    rng = random.Random(seed)
    ended: collections.Counter[str] = collections.Counter()
    every = shapes()
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            ended[trip(rng, Path(folder).resolve(), every[number % len(every)])] += 1
    with tempfile.TemporaryDirectory() as folder:
        utf_16(Path(folder).resolve())
    return ended


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    print(dict(main(*(numbers + [10_000, 1][len(numbers) :]))))
