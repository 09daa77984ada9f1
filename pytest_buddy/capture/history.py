"""What git knows about recent changes of a few files.

Git is asked only for objects and commits, and the comparing is done here: comparing with the working tree,
git would run whatever clean filter the repository's configuration names.
"""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from pytest_buddy import processes
from pytest_buddy.domain import NOT_COMMITTED, Change
from pytest_buddy.workspace import Workspace

_BUDGET = 0.3
_LARGEST = 1 << 20
_MOST_HUNKS = 40
_MOST_REMOVED = 20
_MOST_COMPARED = 4_000_000
_REVISION = re.compile(r"[0-9A-Za-z][\w./^~@{}-]*")
_COMMIT = re.compile(
    rb"(?P<id>[0-9a-f]{40,64})\0(?P<short>[0-9a-f]+)\0(?P<subject>[^\0]*)\0\n?"
    rb"(?:[A-Z]\0(?P<name>[^\0]+)|[RC][0-9]*\0(?P<before>[^\0]+)\0(?P<after>[^\0]+))\0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commit:
    """A commit and the names a file had before and after it, relative to the top of the repository."""

    id: bytes
    label: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hunk:
    """Lines `start`..`end` (from 0, end excluded) stand where `then_start`..`then_end`, `removed`, stood."""

    start: int
    end: int
    then_start: int
    then_end: int
    removed: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether all that stood there is known."""
        return len(self.removed) == self.then_end - self.then_start


def changes(
    workspace: Workspace, paths: Iterable[str], *, since: str = "", budget: float = _BUDGET
) -> tuple[Change, ...]:
    """The changes not yet committed of each file or, where there are none, its last commit (after `since`).

    Files come in the order of `paths`; what does not fit into `budget` seconds is left out, and so is all
    that git does not know.
    """
    deadline = time.monotonic() + budget
    texts = {path: text for path in dict.fromkeys(paths) if (text := _text_now(workspace, path)) is not None}
    if not texts or (since and not _REVISION.fullmatch(since)):
        return ()
    committed = _blobs(
        workspace, [f"HEAD:./{path}".encode("utf-8", "surrogateescape") for path in texts], deadline
    )
    found: list[Change] = []
    for (path, text), blob in zip(texts.items(), committed, strict=False):
        head = None if blob is None else _lines(blob)
        if head is None or time.monotonic() > deadline:
            continue
        if head != text:
            found += _as_changes(path, _hunks(head, text), len(text), NOT_COMMITTED)
        else:
            found += _changes_of_last(workspace, path, text, since, deadline)
    return tuple(found)


def _text_now(workspace: Workspace, path: str) -> list[str] | None:
    if "\n" in path or "\0" in path:
        return None  # `git cat-file --batch` takes one name a line
    try:
        return _lines(workspace.read(path))
    except OSError:
        return None


def _lines(content: bytes) -> list[str] | None:
    """The lines without their endings; None for what is no text or too large to compare in time."""
    if len(content) > _LARGEST or b"\0" in content:
        return None
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _remaining(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


def _blobs(workspace: Workspace, names: list[bytes], deadline: float) -> list[bytes | None]:
    """The content of each named object, None for those that git cannot find."""
    asked = b"".join(name + b"\n" for name in names)
    output = processes.git(workspace.root, "cat-file", "--batch", stdin=asked, timeout=_remaining(deadline))
    return [] if output is None else list(_parsed_blobs(output))


def _parsed_blobs(output: bytes) -> Iterator[bytes | None]:
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        fields = output[at:end].rsplit(b" ", 2)
        at = end + 1
        if len(fields) == 3 and fields[2].isdigit() and fields[1] in (b"blob", b"commit", b"tree", b"tag"):
            size = int(fields[2])
            content = output[at : at + size]
            at += size + 1
            yield content if fields[1] in (b"blob", b"commit") else None
        else:
            yield None


def _last_commits(workspace: Workspace, path: str, since: str, deadline: float) -> list[_Commit]:
    """The last few commits that touched the file: renaming alone does not count, so one may not do."""
    if time.monotonic() > deadline:
        return []
    output = processes.git(
        workspace.root,
        "--literal-pathspecs",
        "log",
        "-3",
        "--follow",
        "--no-merges",
        "--no-show-signature",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=all",
        "--name-status",
        "-z",
        "--format=%H%x00%h%x00%s",
        *([f"{since}..HEAD"] if since else ["HEAD"]),
        "--",
        path,
        timeout=_remaining(deadline),
    )
    return [
        _Commit(
            id=match["id"],
            label=f"{match['short'].decode()} {_printable(match['subject'])}".strip(),
            before=match["before"] or match["name"],
            after=match["after"] or match["name"],
        )
        for match in _COMMIT.finditer(output or b"")
    ]


def _printable(subject: bytes) -> str:
    text = subject.decode("utf-8", "replace")
    return "".join(character if character.isprintable() else " " for character in text)


def _changes_of_last(
    workspace: Workspace, path: str, text: list[str], since: str, deadline: float
) -> list[Change]:
    """What the last commit that changed the file's text changed, in lines of the text as it is now."""
    for commit in _last_commits(workspace, path, since, deadline):
        hunks = _hunks_of(workspace, commit, text, deadline)
        if hunks:
            return _as_changes(path, hunks, len(text), commit.label)
    return []


def _hunks_of(workspace: Workspace, commit: _Commit, text: list[str], deadline: float) -> list[_Hunk]:
    parent = commit.id + b"^"
    names = [commit.id, parent, parent + b":" + commit.before, commit.id + b":" + commit.after]
    if any(b"\n" in name for name in names) or time.monotonic() > deadline:
        return []
    blobs = _blobs(workspace, names, deadline)
    if len(blobs) != len(names) or blobs[0] is None or blobs[3] is None:
        return []
    header = blobs[0].partition(b"\n\n")[0]
    if blobs[1] is None and b"\nparent " in header:
        return []  # the edge of a shallow clone: what changed is not known
    before, after = _lines(blobs[2] or b""), _lines(blobs[3])
    if before is None or after is None:
        return []
    return _moved(_hunks(before, after), after, text)


def _moved(hunks: list[_Hunk], then: list[str], now: list[str]) -> list[_Hunk]:
    """The hunks of an older text at their places in the one of now; those that are gone are left out."""
    if then == now:
        return hunks
    changed = _hunks(then, now)
    moved = []
    for hunk in hunks:
        if any(later.then_start < hunk.end and hunk.start < later.then_end for later in changed):
            continue
        shift = sum(
            (later.end - later.start) - (later.then_end - later.then_start)
            for later in changed
            if later.then_end <= hunk.start
        )
        moved.append(replace(hunk, start=hunk.start + shift, end=hunk.end + shift))
    return moved


def _hunks(old: list[str], new: list[str]) -> list[_Hunk]:
    shortest = min(len(old), len(new))
    head = next((at for at in range(shortest) if old[at] != new[at]), shortest)
    tail = next((at for at in range(shortest - head) if old[-1 - at] != new[-1 - at]), shortest - head)
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(left) * len(right) > _MOST_COMPARED:
        operations = [("replace", 0, len(left), 0, len(right))]
    else:
        operations = list(SequenceMatcher(None, left, right, autojunk=False).get_opcodes())
    return [
        _Hunk(
            start=head + start,
            end=head + end,
            then_start=head + then_start,
            then_end=head + then_end,
            removed=tuple(left[then_start:then_end][:_MOST_REMOVED]),
        )
        for tag, then_start, then_end, start, end in operations
        if tag != "equal"
    ]


def _as_changes(path: str, hunks: list[_Hunk], length: int, label: str) -> list[Change]:
    return [
        Change(
            path=path,
            lines=_touched(hunk, length),
            removed=hunk.removed,
            label=label,
            start=hunk.start + 1 if hunk.whole else 0,
            end=hunk.end + 1 if hunk.whole else 0,
        )
        for hunk in hunks[:_MOST_HUNKS]
    ]


def _touched(hunk: _Hunk, length: int) -> tuple[int, ...]:
    """The changed lines, from 1; for a pure deletion the line before and the line after it."""
    if hunk.start < hunk.end:
        return tuple(range(hunk.start + 1, hunk.end + 1))
    return tuple(line for line in (hunk.start, hunk.start + 1) if 1 <= line <= length)
