"""The last run's proposals, kept under `.buddy/`, and what the person does with them."""

import contextlib
import json
import os

from pytest_buddy.codec import CodecError, decode, encode
from pytest_buddy.domain import Diagnosis, Fault, NoticeGiven, PatchHandled, Proposal
from pytest_buddy.errors import BuddyError, PatchError
from pytest_buddy.patch import apply, staging, standing
from pytest_buddy.patch.journal import SCHEMA, Action, Entry, IndexRewrite, Journal
from pytest_buddy.patch.lock import locked
from pytest_buddy.patch.standing import Kept, State
from pytest_buddy.redact import Redactor
from pytest_buddy.workspace import Workspace

_KEPT_SCHEMA = "pytest-buddy-state/1"
_FILE = "diagnosis.json"
_AGAIN = "Run pytest --buddy to get proposals for the project as it is now."


class Ledger:
    """Keeps the diagnosis of the last run and applies, stages, discards and undoes its proposals.

    `exclude` are the globs of `Config.exclude`. Ids may be shortened as long as they stay unique.
    """

    def __init__(self, workspace: Workspace, *, exclude: tuple[str, ...] = ()) -> None:
        self._workspace = workspace
        self._exclude = exclude
        self._journal = Journal(workspace)
        self._last_read: tuple[tuple[int, ...], Kept] | None = None

    def keep(self, diagnosis: Diagnosis) -> None:
        """Replace what is kept by the diagnosis of a new run; raises BuddyError when it cannot be written.

        Output, messages and values are kept without secrets, edits and diffs exactly: for the owner's eyes.
        """
        clean = Redactor(environment=os.environ).cleaned(diagnosis)
        kept = Kept(schema=_KEPT_SCHEMA, after=self._journal.next_number() - 1, diagnosis=clean)
        self._workspace.prepare_state()
        try:
            self._workspace.write_state(_FILE, json.dumps(encode(kept)).encode("ascii"))
        except OSError as error:
            raise BuddyError(
                f"The proposals cannot be kept in .buddy/: {error.strerror}",
                hint="They are shown, but `buddy apply` will not find them.",
            ) from error

    def diagnosis(self) -> Diagnosis | None:
        """What is known of the last run, None when nothing is kept; raises BuddyError for a broken file."""
        kept = self._kept()
        return kept.diagnosis if kept else None

    def find(self, prefix: str = "") -> tuple[Fault, Proposal]:
        """The proposal with that id, or the first offered one that is not yet handled; raises BuddyError."""
        kept = self._kept()
        if kept is None:
            raise BuddyError("There are no proposals yet", hint=_AGAIN)
        if not any(fault.proposals for fault in kept.diagnosis.faults):
            raise BuddyError(
                "No fix was found in the last run", hint="`buddy explain` says what is known of its failures."
            )
        wanted = prefix.strip().lower()
        if wanted:
            return standing.by_id(kept.diagnosis.faults, wanted)
        return standing.first_open(kept, self._journal.entries())

    def status(self, patch: str) -> State:
        """What became of a patch, by its full id."""
        return standing.state(self._kept(), self._journal.entries(), patch)

    def apply(self, patch: str = "") -> PatchHandled:
        """Write a proposal to its files, all or none; raises BuddyError with nothing changed."""
        with locked(self._workspace):
            self._recover()
            _, proposal = self.find(patch)
            if self.status(proposal.patch.id) == "applied":
                raise PatchError(
                    f"{proposal.patch.id} is applied already",
                    hint=f"`buddy undo {proposal.patch.id}` takes it back.",
                )
            todo = apply.targets(self._workspace, proposal.patch, exclude=self._exclude)
            entry = apply.replace(
                self._workspace, self._journal, todo, patch=proposal.patch.id, action="applied"
            )
            return _event(entry)

    def stage(self, patch: str = "") -> PatchHandled:
        """Put a proposal into the git index and leave its files alone; raises BuddyError, nothing changed."""
        with locked(self._workspace):
            self._recover()
            _, proposal = self.find(patch)
            entries = self._journal.entries()
            index = staging.plan(
                self._workspace,
                proposal.patch,
                originals=standing.originals(entries, proposal.patch.id),
                exclude=self._exclude,
            )
            return _event(self._write_index("staged", proposal.patch.id, index))

    def discard(self, patch: str = "") -> PatchHandled:
        """Offer a proposal no more, in this run and in later ones; raises BuddyError."""
        with locked(self._workspace):
            self._recover()
            _, proposal = self.find(patch)
            state = self.status(proposal.patch.id)
            if state in ("applied", "discarded"):
                raise PatchError(
                    f"{proposal.patch.id} is {state} already",
                    hint=f"`buddy undo {proposal.patch.id}` takes that back.",
                )
            entry = self._entry("discarded", proposal.patch.id)
            self._journal.add(entry)
            return _event(entry)

    def undo(self, patch: str = "") -> PatchHandled:
        """Take back the last action on a proposal, or the last apply or stage; raises BuddyError.

        Files get their exact content back. When one of them was changed since, none is touched.
        """
        with locked(self._workspace):
            self._recover()
            entry = standing.last_done(self._journal.entries(), patch.strip().lower())
            if entry.index:
                back = staging.reversed_plan(self._workspace, entry.index)
                return _event(self._write_index("undone", entry.patch, back, undoes=entry.number))
            if not entry.files:
                done = self._entry("undone", entry.patch, undoes=entry.number)
                self._journal.add(done)
                return _event(done)
            done = apply.replace(
                self._workspace,
                self._journal,
                apply.reversals(self._workspace, entry),
                patch=entry.patch,
                action="undone",
                undoes=entry.number,
            )
            return _event(done)

    def recover(self) -> tuple[NoticeGiven, ...]:
        """Finish or take back what a killed process left half done; every action does this first."""
        if not self._journal.prepared():
            return ()
        with locked(self._workspace):
            return self._recover()

    def _recover(self) -> tuple[NoticeGiven, ...]:
        notices = []
        for entry in self._journal.prepared():
            try:
                settle = staging.settle if entry.index else apply.settle
                settled = settle(self._workspace, self._journal, entry)
            except OSError as error:
                raise PatchError(
                    f"An interrupted change of {', '.join(entry.paths)} cannot be taken back: {error}",
                    hint="Nothing is lost: make the files and .buddy/ writable and try again.",
                ) from error
            end = "was complete" if settled.complete else "was taken back"
            hint = f"Edited since and left alone: {', '.join(settled.left)}." if settled.left else ""
            notices.append(NoticeGiven(text=f"An interrupted change by {entry.patch} {end}.", hint=hint))
        return tuple(notices)

    def _write_index(
        self, action: Action, patch: str, index: tuple[IndexRewrite, ...], *, undoes: int = 0
    ) -> Entry:
        entry = self._entry(action, patch, index=index, undoes=undoes)
        self._journal.prepare(entry)
        try:
            staging.write(self._workspace, index)
        except BuddyError:
            # A git that was cut off may have written all the same; what cannot be told now, recovery tells.
            with contextlib.suppress(OSError, BuddyError):
                if staging.settle(self._workspace, self._journal, entry).complete:
                    return entry
            raise
        with contextlib.suppress(
            BuddyError
        ):  # the next action finds the index written and completes the entry
            self._journal.commit(entry)
        return entry

    def _entry(
        self, action: Action, patch: str, *, index: tuple[IndexRewrite, ...] = (), undoes: int = 0
    ) -> Entry:
        number = self._journal.next_number()
        return Entry(schema=SCHEMA, number=number, patch=patch, action=action, index=index, undoes=undoes)

    def _kept(self) -> Kept | None:
        path = self._workspace.state / _FILE
        try:
            status = path.stat()
            key = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._last_read and self._last_read[0] == key:
                return self._last_read[1]
            data = json.loads(path.read_bytes())
            if isinstance(data, dict) and data.get("schema") != _KEPT_SCHEMA:
                raise CodecError(f"its format is {data.get('schema')!r}, not {_KEPT_SCHEMA!r}")
            kept = decode(Kept, data)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise BuddyError(
                f"The proposals kept in .buddy/{_FILE} cannot be used: {error}", hint=_AGAIN
            ) from error
        self._last_read = (key, kept)
        return kept


def _event(entry: Entry) -> PatchHandled:
    return PatchHandled(action=entry.action, patch=entry.patch, paths=entry.paths)
