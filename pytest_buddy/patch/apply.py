"""Writing a patch to the person's files: everything is checked first, then all files change or none."""

import ast
import contextlib
import errno
import hashlib
import secrets
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pytest_buddy.domain import Patch
from pytest_buddy.errors import BuddyError, PatchError, SourceError, StaleFileError
from pytest_buddy.patch.journal import SCHEMA, Action, Entry, Journal, Rewrite
from pytest_buddy.source import Source
from pytest_buddy.workspace import HeldFile, Workspace

_RERUN = "Nothing was written. Run pytest --buddy again to get a patch for the file as it is now."


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A file to replace: its content now and the content it gets."""

    path: str
    before: bytes
    after: bytes


def targets(workspace: Workspace, patch: Patch, *, exclude: tuple[str, ...] = ()) -> tuple[Target, ...]:
    """What applying the patch would do to each file; raises StaleFileError or PatchError, writes nothing."""
    found = []
    for path in patch.paths:
        check_path(workspace, path, exclude=exclude)
        with told(path), workspace.held(path) as held:
            before = held.read()
        source = Source(path=path, module=workspace.module_name(path), content=before)
        edits = [edit for edit in patch.edits if edit.path == path]
        if any(edit.digest != source.digest for edit in edits):
            raise StaleFileError(f"{path} has changed since the patch was made", hint=_RERUN)
        after = source.edited(edits)
        check_python(after)
        if after.content != before:
            found.append(Target(path=path, before=before, after=after.content))
    if not found:
        raise PatchError(f"the patch {patch.id} changes nothing", hint="Nothing was written.")
    return tuple(found)


def reversals(workspace: Workspace, entry: Entry) -> tuple[Target, ...]:
    """What undoing an entry would do; raises StaleFileError when a file was changed since, PatchError."""
    found = []
    for rewrite in entry.files:
        check_path(workspace, rewrite.path)
        with told(rewrite.path), workspace.held(rewrite.path) as held:
            now = held.read()
        if digest(now) != rewrite.after:
            raise StaleFileError(
                f"{rewrite.path} has changed since {entry.patch} was {entry.action}",
                hint="Nothing was written, your changes are kept. Take the patch back by hand.",
            )
        found.append(Target(path=rewrite.path, before=now, after=rewrite.before))
    return tuple(found)


def check_path(workspace: Workspace, path: str, *, exclude: tuple[str, ...] = ()) -> None:
    """Raise PatchError for a path that no patch may touch."""
    if "\0" in path or "\\" in path or str(PurePosixPath(path)) != path:
        raise PatchError(f"{path!r} is not a path inside the project", hint="Nothing was written.")
    if workspace.protected(path, exclude=exclude):
        raise PatchError(
            f"{path} is protected: tests, configuration and excluded files are never edited",
            hint="Nothing was written. `git apply` takes the diff when you do want this change.",
        )


def check_python(source: Source) -> None:
    """Raise PatchError unless the file, as edited, is Python that compiles."""
    if b"\0" in source.content:
        raise PatchError(f"the patch would put a NUL byte into {source.path}", hint="Nothing was written.")
    try:
        assert source.text is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.content, filename=source.path)
            compile(tree, source.path, "exec", dont_inherit=True)
    except (SourceError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PatchError(
            f"{source.path} would no longer be Python: {error}", hint="Nothing was written."
        ) from error


@contextlib.contextmanager
def told(path: str) -> Iterator[None]:
    """Turn what the system refuses for a file into an error of ours."""
    try:
        yield
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: str, error: OSError) -> BuddyError:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return PatchError(
            f"{path} is reached through a symbolic link",
            hint="Nothing was written. Apply the diff to the file the link leads to.",
        )
    if error.errno == errno.ENOENT:
        return StaleFileError(f"{path} is not there any more", hint=_RERUN)
    reason = error.strerror or type(error).__name__
    return PatchError(
        f"{path} cannot be replaced: {reason}",
        hint="Nothing was changed. Make room or the directory writable, then try again.",
    )


def replace(
    workspace: Workspace,
    journal: Journal,
    todo: Sequence[Target],
    *,
    patch: str,
    action: Action,
    undoes: int = 0,
) -> Entry:
    """Replace all files or none; the entry is in the journal before the first file changes.

    Raises StaleFileError or PatchError with everything as it was before.
    """
    number = journal.next_number()
    files = tuple(
        Rewrite(
            path=target.path,
            before=target.before,
            after=digest(target.after),
            temporary=f".buddy-{patch}-{secrets.token_hex(6)}.tmp",
        )
        for target in todo
    )
    entry = Entry(schema=SCHEMA, number=number, patch=patch, action=action, files=files, undoes=undoes)
    try:
        journal.prepare(entry)
        with contextlib.ExitStack() as stack:
            _swap([(_enter(stack, workspace, target.path), target) for target in todo], files)
        journal.commit(entry)
    except BaseException as error:
        if not journal.complete(entry):
            _take_back_now(workspace, journal, entry, error)
        raise
    return entry


def _enter(stack: contextlib.ExitStack, workspace: Workspace, path: str) -> HeldFile:
    with told(path):
        return stack.enter_context(workspace.held(path))


def _swap(pairs: Sequence[tuple[HeldFile, Target]], files: Sequence[Rewrite]) -> None:
    for (held, target), rewrite in zip(pairs, files, strict=True):
        with told(held.path):
            held.write_beside(rewrite.temporary, target.after)
    for held, target in pairs:
        with told(held.path):
            if held.read() != target.before:
                raise StaleFileError(f"{held.path} was changed by another program just now", hint=_RERUN)
    for (held, _), rewrite in zip(pairs, files, strict=True):
        with told(held.path):
            held.replace_by(rewrite.temporary)
    for held, _ in pairs:
        with told(held.path):
            held.flush()


def _take_back_now(workspace: Workspace, journal: Journal, entry: Entry, error: BaseException) -> None:
    try:
        settle(workspace, journal, entry, forward=False)
    except (OSError, BuddyError) as second:
        raise PatchError(
            f"The patch {entry.patch} could not be written ({error}), nor could it be taken back ({second})",
            hint="Nothing is lost: the next `buddy` command finishes this, once files can be written again.",
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How an action that was cut off ended; the files in `left` were edited since and left alone."""

    complete: bool
    left: tuple[str, ...] = ()


def settle(workspace: Workspace, journal: Journal, entry: Entry, *, forward: bool = True) -> Settled:
    """End an action that was cut off, so that its files are all old or all new; raises OSError, PatchError.

    Files are told apart by their hashes. With `forward`, an action that changed every file counts as
    complete. A file that is neither old nor new has been edited by the person since and is left alone.
    """
    with contextlib.ExitStack() as stack:
        old: list[tuple[HeldFile, Rewrite]] = []
        new: list[tuple[HeldFile, Rewrite]] = []
        left: list[str] = []
        for rewrite in entry.files:
            check_path(workspace, rewrite.path)
            held, found = _look(workspace, rewrite, stack)
            if held is None or found not in (rewrite.before_digest, rewrite.after):
                left.append(rewrite.path)
            else:
                (new if found == rewrite.after else old).append((held, rewrite))
        if forward and new and not old and not left:
            journal.commit(entry)
            return Settled(complete=True)
        for held, rewrite in new:
            held.write_beside(rewrite.temporary, rewrite.before)
        for held, rewrite in new:
            held.replace_by(rewrite.temporary)
            held.flush()
    journal.drop(entry)
    return Settled(complete=False, left=tuple(left))


def _look(workspace: Workspace, rewrite: Rewrite, stack: contextlib.ExitStack) -> tuple[HeldFile | None, str]:
    """The file and the hash of its content; None when something else is in its place now."""
    try:
        held = stack.enter_context(workspace.held(rewrite.path))
        held.remove_beside(rewrite.temporary)
        return held, digest(held.read())
    except PatchError:
        return None, ""
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
            return None, ""
        raise


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal, as edits carry it."""
    return hashlib.sha256(content).hexdigest()
