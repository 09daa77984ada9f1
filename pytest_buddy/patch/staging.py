"""Putting a patch into the git index while the file in the work tree stays as it is.

The new blob is the *index* version of the file with the edit carried over, so that what the person has not
staged stays unstaged.
"""

import os
import re
from collections.abc import Mapping, Sequence

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.errors import BuddyError, PatchError, StaleFileError
from pytest_buddy.patch.apply import Settled, check_path, check_python, digest, told
from pytest_buddy.patch.journal import Entry, IndexRewrite, Journal
from pytest_buddy.processes import git_answer
from pytest_buddy.source import Source
from pytest_buddy.workspace import Workspace

_NEWLINE = re.compile(rb"\r\n|\r|\n")
_CONVERTED_BY = ("filter", "working-tree-encoding", "ident")
_UNSET = (b"unspecified", b"unset")
_NOTHING = "Nothing was staged."


def plan(
    workspace: Workspace,
    patch: Patch,
    *,
    originals: Mapping[str, bytes],
    exclude: tuple[str, ...] = (),
) -> tuple[IndexRewrite, ...]:
    """What staging the patch would do to each index entry; raises StaleFileError or PatchError.

    `originals` holds files as the patch was made for, where it has been applied since. New blobs are
    written to git's object store; the index is not touched.
    """
    found = []
    for path in patch.paths:
        check_path(workspace, path, exclude=exclude)
        entry = _entry(workspace, path)
        _refuse_converted(workspace, path)
        edits = [edit for edit in patch.edits if edit.path == path]
        old = _original(workspace, path, edits, originals)
        indexed = Source(path=path, module="", content=_git(workspace, "cat-file", "blob", entry.before))
        staged = indexed.edited(carried(edits, old, indexed))
        check_python(staged)
        if staged.content == indexed.content:
            raise PatchError(f"{path}: the index has this change already", hint=_NOTHING)
        oid = _git(workspace, "hash-object", "-w", "--stdin", "--no-filters", stdin=staged.content).decode(
            "ascii"
        )
        found.append(
            IndexRewrite(
                path=path, full_path=entry.full_path, mode=entry.mode, before=entry.before, after=oid.strip()
            )
        )
    return tuple(found)


def reversed_plan(workspace: Workspace, index: Sequence[IndexRewrite]) -> tuple[IndexRewrite, ...]:
    """What unstaging would do; raises StaleFileError when an index entry was changed since."""
    for item in index:
        if _entry(workspace, item.path).before != item.after:
            raise StaleFileError(
                f"{item.path} was staged anew since",
                hint="The index was left alone. Use `git restore --staged`.",
            )
    return tuple(
        IndexRewrite(
            path=item.path,
            full_path=item.full_path,
            mode=item.mode,
            before=item.after,
            after=item.before,
        )
        for item in index
    )


def write(workspace: Workspace, index: Sequence[IndexRewrite]) -> None:
    """Change all entries of the index in one step, as git does it; raises PatchError."""
    lines = b"".join(
        f"{item.mode} {item.after}\t".encode() + os.fsencode(item.full_path) + b"\0" for item in index
    )
    _git(workspace, "update-index", "-z", "--index-info", stdin=lines)


def settle(workspace: Workspace, journal: Journal, entry: Entry) -> Settled:
    """End a staging that was cut off: git wrote the whole index or nothing. Raises PatchError."""
    complete = all(_entry(workspace, item.path).before == item.after for item in entry.index)
    if complete:
        journal.commit(entry)
    else:
        journal.drop(entry)
    return Settled(complete=complete)


def _entry(workspace: Workspace, path: str) -> IndexRewrite:
    """The index entry of a file, its blob as `before`."""
    answer = _git(workspace, "--literal-pathspecs", "ls-files", "-s", "-v", "-z", "--full-name", "--", path)
    lines = [line for line in answer.split(b"\0") if line]
    if not lines:
        raise PatchError(
            f"{path} is not tracked by git", hint=f"{_NOTHING} `git add` it first, or use `buddy apply`."
        )
    head, _, name = lines[0].partition(b"\t")
    tag, mode, oid, stage = head.decode("ascii").split(" ")
    if len(lines) > 1 or stage != "0":
        raise PatchError(f"{path} is in the middle of a merge", hint=f"{_NOTHING} Finish the merge first.")
    if mode not in ("100644", "100755"):
        raise PatchError(f"{path} is not a regular file in git", hint=_NOTHING)
    if tag != "H":
        raise PatchError(
            f"git is told to look past {path} (skip-worktree or assume-unchanged)",
            hint=f"{_NOTHING} Take that mark off with `git update-index`.",
        )
    return IndexRewrite(path=path, full_path=os.fsdecode(name), mode=mode, before=oid, after="")


def _refuse_converted(workspace: Workspace, path: str) -> None:
    answer = _git(workspace, "check-attr", "-z", *_CONVERTED_BY, "--", path)
    fields = answer.split(b"\0")
    for name, value in zip(fields[1::3], fields[2::3], strict=False):
        if value not in _UNSET:
            raise PatchError(
                f"git stores {path} in another form ({name.decode()}={os.fsdecode(value)})",
                hint=f"{_NOTHING} Use `buddy apply`, then `git add`.",
            )


def _original(
    workspace: Workspace, path: str, edits: Sequence[Edit], originals: Mapping[str, bytes]
) -> Source:
    content = originals.get(path)
    if content is None:
        with told(path), workspace.held(path) as held:
            content = held.read()
    if any(edit.digest != digest(content) for edit in edits):
        raise StaleFileError(
            f"{path} has changed since the patch was made",
            hint=f"{_NOTHING} Run pytest --buddy again to get a patch for the file as it is now.",
        )
    return Source(path=path, module="", content=content)


def carried(edits: Sequence[Edit], old: Source, new: Source) -> tuple[Edit, ...]:
    """The edits of `old` as edits of `new`, each placed by the one place its surroundings match.

    Raises PatchError when there is no such place, or more than one.
    """
    if old.digest == new.digest:
        return tuple(edits)
    return tuple(_carried(edit, old, new) for edit in edits)


def _carried(edit: Edit, old: Source, new: Source) -> Edit:
    ours, theirs = _Lines(old.content), _Lines(new.content)
    first, first_column = ours.locate(edit.start)
    last, last_column = ours.locate(edit.end)
    place = _place(ours.texts, theirs.texts, first, last)
    if place is None:
        raise PatchError(
            f"{edit.path}: the version in the index differs where the patch would go",
            hint=f"{_NOTHING} Stage or commit your own changes to the file first, or use `buddy apply`.",
        )
    return Edit(
        path=edit.path,
        digest=new.digest,
        start=theirs.starts[place] + first_column,
        end=theirs.starts[place + last - first] + last_column,
        replacement=_NEWLINE.sub(lambda _: new.newline, edit.replacement)
        if old.newline != new.newline
        else edit.replacement,
    )


def _place(ours: Sequence[bytes], theirs: Sequence[bytes], first: int, last: int) -> int | None:
    """Where the lines `first`..`last` are in `theirs`, told by as much context as makes them unique."""
    places = [
        place
        for place in range(len(theirs) - (last - first))
        if list(theirs[place : place + last - first + 1]) == list(ours[first : last + 1])
    ]
    for reach in range(1, len(ours) + 1):
        places = [place for place in places if _alike(ours, theirs, first, last, place, reach)]
        if len(places) < 2:
            break
    return places[0] if len(places) == 1 else None


def _alike(
    ours: Sequence[bytes], theirs: Sequence[bytes], first: int, last: int, place: int, reach: int
) -> bool:
    """Whether the lines `reach` above and below are equal, or outside the file on our side."""
    above, below = first - reach, last + reach
    there_above, there_below = place - reach, place + (last - first) + reach
    if above >= 0 and (there_above < 0 or ours[above] != theirs[there_above]):
        return False
    return below >= len(ours) or (there_below < len(theirs) and ours[below] == theirs[there_below])


class _Lines:
    """The lines of some content without their endings, and where each starts."""

    def __init__(self, content: bytes) -> None:
        self.starts = [0, *(match.end() for match in _NEWLINE.finditer(content))]
        self.texts = _NEWLINE.split(content)

    def locate(self, offset: int) -> tuple[int, int]:
        """The line that holds an offset and the column in it."""
        line = max(index for index, start in enumerate(self.starts) if start <= offset)
        return line, offset - self.starts[line]


def _git(workspace: Workspace, *arguments: str, stdin: bytes = b"") -> bytes:
    answer = git_answer(workspace.root, *arguments, stdin=stdin)
    if answer is None:
        raise BuddyError("git cannot be run", hint=f"{_NOTHING} Install git, or use `buddy apply`.")
    if answer.returncode:
        said = answer.stderr.decode("utf-8", "replace").strip().splitlines() or ["it does not say why"]
        raise PatchError(f"git refuses: {said[0]}", hint=f"{_NOTHING} `buddy apply` works without git.")
    return answer.stdout
