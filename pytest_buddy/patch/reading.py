"""What a model or a person wrote -> a patch, or the reason why not; never a part of what was written.

Nothing here writes. Edits carry the hash of the file as it is now, so that applying checks it once more.
"""

import errno
import os
import stat
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.errors import PatchError
from pytest_buddy.patch.apply import check_python
from pytest_buddy.patch.hunks import Hunk
from pytest_buddy.patch.locating import Locator, Placed
from pytest_buddy.patch.naming import resolve
from pytest_buddy.patch.refusal import Reason, Refusal, RefusedError
from pytest_buddy.patch.scanning import Change, changes
from pytest_buddy.source import Source
from pytest_buddy.workspace import Workspace, is_test

_OURS = frozenset({".git", ".buddy"})
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_HIDDEN = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\u2060\ufeff")
_BY_ERROR: Mapping[int, Reason] = {
    errno.ELOOP: "symlink",
    errno.ENOTDIR: "symlink",
    errno.ENOENT: "missing",
    errno.ENAMETOOLONG: "path",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A patch read from a text, and what was repaired or noticed on the way."""

    patch: Patch
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a text may change.

    `seen` maps the files that its writer saw to their SHA-256 then; a text that names no file means the only
    one of them. `tests` are files of tests whatever they are called, `named` the protected files that the
    person asked to change by name, `exclude` the globs of `Config.exclude`.
    """

    seen: Mapping[str, str] | None = None
    tests: Collection[str] = ()
    named: Collection[str] = ()
    exclude: tuple[str, ...] = ()


def read_patch(
    workspace: Workspace, text: str, *, origin: str, terms: Terms | None = None, complete: bool = True
) -> Reading | Refusal:
    """The one patch that a text means, as edits of the files as they are; a Refusal when a part is in doubt.

    The text may hold unified diffs, git's or a model's, in fences or not, and search/replace blocks.
    `complete` is false when its writer was cut off. Bytes that are not UTF-8 are surrogate escapes.
    """
    try:
        if not complete:
            raise RefusedError("truncated", "the text was cut off before its end")
        _refuse_unwritable(text)
        return _read(workspace, text, origin, terms or Terms())
    except RefusedError as error:
        return error.refusal


def _read(workspace: Workspace, text: str, origin: str, terms: Terms) -> Reading:
    wanted: dict[str, list[Hunk]] = {}
    for change in changes(text):
        path = _path(workspace, change, terms)
        _refuse_hidden(change.hunk)
        wanted.setdefault(path, []).append(change.hunk)
    edits: list[Edit] = []
    notes: list[str] = []
    for path, hunks in wanted.items():
        source = _source(workspace, path, terms)
        locator = Locator(source)
        mine, said = _joined([locator.place(hunk) for hunk in hunks], path)
        notes += [*said, *_checked(source, mine)]
        edits += mine
    return Reading(patch=Patch(edits=tuple(edits), origin=origin), notes=tuple(dict.fromkeys(notes)))


def _refuse_unwritable(text: str) -> None:
    """Raise for halves of characters: they stand for no bytes."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise RefusedError("encoding", f"U+{code:04X} is no character that a file can hold") from error


def _path(workspace: Workspace, change: Change, terms: Terms) -> str:
    seen = terms.seen or {}
    if change.labels:
        path = resolve(workspace, change.labels)
    elif len(seen) == 1:
        (path,) = seen
    else:
        raise RefusedError("missing", "the text does not say which file it changes")
    if _OURS & set(path.split("/")):
        raise RefusedError("protected", f"{path} is never changed")
    if path in terms.named:
        return path
    if is_test(path) or path in terms.tests:
        raise RefusedError("test", f"{path} holds tests: a fix does not change what it is judged by")
    if workspace.protected(path, exclude=terms.exclude):
        raise RefusedError("protected", f"{path} is changed only when it is named")
    return path


def _refuse_hidden(hunk: Hunk) -> None:
    """Raise for characters in added lines that do not show as what they are and are not in the old lines."""
    known = set("".join(hunk.old))
    added = set("".join(hunk.new)) - known
    for character in sorted(added):
        if _hidden(character):
            name = f"U+{ord(character):04X}"
            raise RefusedError("control", f"it adds the character {name}, which does not show")


def _hidden(character: str) -> bool:
    if character in "\t\ufe0f\u200d":  # the last two are parts of emoji
        return False
    if character in _HIDDEN or 0xE0000 <= ord(character) <= 0xE007F:
        return True
    return unicodedata.category(character) == "Cc" or unicodedata.bidirectional(character) in (
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    )  # fmt: skip


def _source(workspace: Workspace, path: str, terms: Terms) -> Source:
    """The file as it is, reached without following a link; raises RefusedError."""
    try:
        status = os.lstat(workspace.root / path)
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            raise RefusedError("link", f"{path} has {status.st_nlink} hard links, and one would be parted")
        with workspace.held(path) as held:
            content = held.read()
    except OSError as error:
        reason = _BY_ERROR.get(error.errno or 0, "unreadable")
        raise RefusedError(reason, f"{path} cannot be read: {error.strerror}") from error
    except PatchError as error:
        raise RefusedError("unreadable", error.message) from error
    source = Source(path=path, module=workspace.module_name(path), content=content)
    seen = (terms.seen or {}).get(path)
    if seen is not None and seen != source.digest:
        raise RefusedError("stale", f"{path} has changed since the text was written")
    if b"\0" in content or content.startswith(_UTF_16):
        raise RefusedError("binary", f"{path} is not text of one byte a letter")
    return source


def _joined(placed: Sequence[Placed], path: str) -> tuple[list[Edit], list[str]]:
    """The edits of all hunks of a file; raises RefusedError when two of them speak of the same lines."""
    edits: list[Edit] = []
    notes: list[str] = []
    last: Placed | None = None
    for item in sorted(placed, key=lambda item: (item.start, item.end)):
        if last is not None and (item.start < last.end or item.start == last.start):
            if item.edits != last.edits:
                raise RefusedError("ambiguous", f"it changes line {item.start + 1} of {path} in two ways")
            notes.append(f"{path}: said twice")
            continue
        edits += item.edits
        notes += item.notes
        last = item
    return edits, notes


def _checked(source: Source, edits: Sequence[Edit]) -> list[str]:
    """Raise RefusedError when the file changes nowhere, or is Python no longer; a note when it was not."""
    after = source.edited(edits)
    if after.content == source.content:
        raise RefusedError("noop", f"it changes nothing of {source.path}")
    if not source.path.endswith(".py"):
        return []
    try:
        check_python(after)
    except PatchError as error:
        try:
            check_python(source)
        except PatchError:
            return [f"{source.path} is no valid Python, neither before nor after"]
        raise RefusedError("python", error.message) from error
    return []
