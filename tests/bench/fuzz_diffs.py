"""Damaged, mixed and hostile diffs by the thousand: each is read or refused, and no error escapes.

Usage: python tests/bench/fuzz_diffs.py [COUNT] [SEED]. Prints how many ended how; fails at the first that
raises, writes a file, or changes a line that the text does not name.
"""

# ruff: noqa: E501  diffs in one piece are easier to read

import collections
import random
import sys
import tempfile
from pathlib import Path

from pytest_buddy.patch import Reading, Refusal, read_patch
from pytest_buddy.workspace import Workspace

FILES = {
    "x.py": b"import os\n\n\ndef f(a):\n    if a > 1:\n        return a + 1\n    return 0\n\n\nx = f(2)\n",
    "pkg/y.py": b"def g(a):\r\n\treturn a - 1\r\n\r\n\r\ndef h(a):\r\n\treturn g(a)",
    "z.py": b"\xef\xbb\xbfa = 1\rb = 2\rc = 3\r",
    "latin.py": b"# coding: latin-1\na = '\xe9'\nb = 2\n",
    "empty.py": b"",
    "test_x.py": b"assert True\n",
}
SEEDS = (
    "--- a/x.py\n+++ b/x.py\n@@ -4,4 +4,4 @@ def f(a):\n def f(a):\n-    if a > 1:\n+    if a >= 1:\n         return a + 1\n"
    "     return 0\n",
    "Fix:\n```diff\n--- a/pkg/y.py\n+++ b/pkg/y.py\n@@ -1,2 +1,2 @@\n def g(a):\n-    return a - 1\n+    return a\n```\nDone.\n",
    "x.py\n```python\n<<<<<<< SEARCH\n        return a + 1\n=======\n        return a\n>>>>>>> REPLACE\n```\n",
    "--- a/z.py\n+++ b/z.py\n@@ -1,3 +1,3 @@\n a = 1\n-b = 2\n+b = 3\n c = 3\n",
    "diff --git a/latin.py b/latin.py\nindex 12345..6789a 100644\n--- a/latin.py\n+++ b/latin.py\n@@ -2,2 +2,2 @@\n-a = '\u00e9'\n"
    "+a = '\u00ea'\n b = 2\n",
    "--- a/empty.py\n+++ b/empty.py\n@@ -0,0 +1 @@\n+a = 1\n",
    "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-import os\n+import sys\n--- a/pkg/y.py\n+++ b/pkg/y.py\n@@ -5,2 +5,2 @@\n def h(a):\n"
    "-\treturn g(a)\n\\ No newline at end of file\n+\treturn g(a) + 1\n\\ No newline at end of file\n",
)  # fmt: skip
PIECES = (
    "", " ", "+", "-", "\\ No newline at end of file", "@@ -1 +1 @@", "@@ -1,9 +1,9 @@", "@@", "@@ ... @@", "```", "```diff",
    "~~~", "--- a/x.py", "+++ b/x.py", "--- /dev/null", "+++ /dev/null", "--- a/../x.py", "+++ b/../x.py",
    "diff --git a/x.py b/x.py", "rename from x.py", "new file mode 120000", "GIT binary patch", "<<<<<<< SEARCH",
    "=======", ">>>>>>> REPLACE", "x.py", "prose", "+++ \"b/x\\056py\"", "@@@ -1 -1 +1 @@@", "+\x00", "+\u202e", "\ufeff",
    "-- ", "+a = 1", "-import os", "     return 0", "\t\treturn", "\udce9", "@@ -99999999999999999999 +1 @@", "\r", "\x0c",
)  # fmt: skip


def damaged(rng: random.Random) -> str:
    """A text with a diff in it, changed in a few places."""
    lines = rng.choice(SEEDS).split("\n")
    if rng.random() < 0.2:
        lines += rng.choice(SEEDS).split("\n")
    for _ in range(rng.choice((0, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(lines) + 1)
        match rng.randrange(8):
            case 0:
                del lines[at : at + 1]
            case 1:
                lines.insert(at, rng.choice(PIECES))
            case 2:
                lines[at : at + 1] = lines[at : at + 1] * 2
            case 3:
                lines[at:] = []
            case 4:
                lines[at : at + 1] = [line + rng.choice(PIECES) for line in lines[at : at + 1]]
            case 5:
                lines[at : at + 1] = [rng.choice(PIECES) + line[1:] for line in lines[at : at + 1]]
            case 6:
                lines[at : at + 1] = [changed(rng, line) for line in lines[at : at + 1]]
            case 7:
                rng.shuffle(lines[at : at + 4])
        lines = lines or [""]
    return rng.choice(("\n", "\n", "\n", "\n", "\r\n", "\r")).join(lines)


def changed(rng: random.Random, line: str) -> str:
    """The line with one character replaced by any other."""
    at = rng.randrange(len(line) + 1)
    code = rng.choice((rng.randrange(128), rng.randrange(0x3000), rng.randrange(0x110000)))
    return line[:at] + chr(code) + line[at + 1 :]


def words(data: bytes) -> set[bytes]:
    """The lines without what is around them."""
    return {line.strip() for line in data.replace(b"\r", b"\n").removeprefix(b"\xef\xbb\xbf").split(b"\n")}


def judged(workspace: Workspace, text: str) -> str:
    """How reading ended; raises AssertionError when a line comes or goes that the text does not name."""
    found = read_patch(workspace, text, origin="model:x")
    if isinstance(found, Refusal):
        assert found.detail
        return found.reason
    assert isinstance(found, Reading)
    named = {
        token
        for mark in (b"", b"+", b"-", b" ")
        for encoding in ("utf-8", "latin-1")
        for line in text.replace("\r", "\n").split("\n")
        for token in (line.encode(encoding, "replace").removeprefix(mark).strip(),)
    }
    for path in found.patch.paths:
        source = workspace.source(path)
        after = source.edited(found.patch.edits)
        assert after.content != source.content
        for edit in found.patch.edits:
            if edit.path == path:
                gone, come = words(source.content[edit.start : edit.end]), words(edit.replacement)
                assert gone | come <= named | {b""}, (text, found)
    return "read"


def main(count: int, seed: int) -> collections.Counter[str]:
    """Read as many texts; how many ended how."""
    rng = random.Random(seed)
    ended: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        for path, content in FILES.items():
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_bytes(content)
        workspace = Workspace(root)
        for number in range(count):
            text = damaged(rng)
            try:
                ended[judged(workspace, text)] += 1
            except Exception as error:
                raise AssertionError(f"text {number} of seed {seed}: {text!r}") from error
        assert {path: (root / path).read_bytes() for path in FILES} == FILES
        assert sum(path.is_file() for path in root.rglob("*")) == len(FILES)
    return ended


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    print(dict(main(*(numbers + [1_000_000, 1][len(numbers) :]))))
