"""The last run's proposals, kept under `.buddy/`, and what the person does with them."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_buddy.codec import CodecError, decode, encode
from pytest_buddy.domain import Diagnosis, Fault, NoticeGiven, PatchHandled, Proposal
from pytest_buddy.errors import BuddyError, PatchError
from pytest_buddy.patch import apply, staging
from pytest_buddy.patch.journal import SCHEMA, Action, Entry, IndexRewrite, Journal
from pytest_buddy.patch.lock import locked
from pytest_buddy.workspace import Workspace

_KEPT_SCHEMA = "pytest-buddy-state/1"
_FILE = "diagnosis.json"
_AGAIN = "Run pytest --buddy to get proposals for the project as it is now."

State = Literal["open", "applied", "staged", "discarded", "undone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A diagnosis and the number of the journal's last entry when it was kept."""

    schema: str
    after: int
    diagnosis: Diagnosis


class Ledger:
    """Keeps the diagnosis of the last run and applies, stages, discards and undoes its proposals.

    `exclude` are the globs of `Config.exclude`. Ids may be shortened as long as they stay unique.
    """

    def __init__(self, workspace: Workspace, *, exclude: tuple[str, ...] = ()) -> None:
        self._workspace = workspace
        self._exclude = exclude
        self._journal = Journal(workspace)

    def keep(self, diagnosis: Diagnosis) -> None:
        """Replace what is kept by the diagnosis of a new run; raises BuddyError when it cannot be written."""
        kept = Kept(schema=_KEPT_SCHEMA, after=self._journal.next_number() - 1, diagnosis=diagnosis)
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
        if kept is None or not any(fault.proposals for fault in kept.diagnosis.faults):
            raise BuddyError("There are no proposals from the last run", hint=_AGAIN)
        wanted = prefix.strip().lower()
        return _by_id(kept.diagnosis.faults, wanted) if wanted else _first_open(kept, self._journal.entries())

    def status(self, patch: str) -> State:
        """What became of a patch, by its full id."""
        return _state(self._kept(), self._journal.entries(), patch)

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
                originals=_originals(entries, proposal.patch.id),
                exclude=self._exclude,
            )
            return _event(self._write_index("staged", proposal.patch.id, index))

    def discard(self, patch: str = "") -> PatchHandled:
        """Offer a proposal no more, in this run and in later ones; raises BuddyError."""
        with locked(self._workspace):
            self._recover()
            _, proposal = self.find(patch)
            if self.status(proposal.patch.id) == "applied":
                raise PatchError(
                    f"{proposal.patch.id} is applied",
                    hint=f"`buddy undo {proposal.patch.id}` takes it back; discard it then.",
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
            entry = _last_done(self._journal.entries(), patch.strip().lower())
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
            self._journal.drop(entry)
            raise
        with contextlib.suppress(OSError):  # the next action finds the index written and completes the entry
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
            data = json.loads(path.read_bytes())
            if isinstance(data, dict) and data.get("schema") != _KEPT_SCHEMA:
                raise CodecError(f"its format is {data.get('schema')!r}, not {_KEPT_SCHEMA!r}")
            return decode(Kept, data)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise BuddyError(
                f"The proposals kept in .buddy/{_FILE} cannot be used: {error}", hint=_AGAIN
            ) from error


def _state(kept: Kept | None, entries: Sequence[Entry], patch: str) -> State:
    """What became of a patch; when a later run proposes it again, earlier applies have been taken back."""
    again = kept is not None and any(
        proposal.patch.id == patch for fault in kept.diagnosis.faults for proposal in fault.proposals
    )
    since = kept.after if kept is not None and again else 0
    mine = [
        entry
        for entry in entries
        if entry.patch == patch and (entry.number > since or entry.action in ("staged", "discarded"))
    ]
    standing = [entry.action for entry in _standing(entries) if entry in mine]
    if "applied" in standing:
        return "applied"
    if standing:
        return standing[-1]
    undone = (
        bool(mine) and mine[-1].action == "undone" and bool(mine[-1].paths)
    )  # not just a discard taken back
    return "undone" if undone else "open"


def _standing(entries: Sequence[Entry]) -> list[Entry]:
    """The entries that have not been undone."""
    undone = {entry.undoes for entry in entries}
    return [entry for entry in entries if entry.action != "undone" and entry.number not in undone]


def _originals(entries: Sequence[Entry], patch: str) -> Mapping[str, bytes]:
    """The content before an apply that stands, of the files it changed."""
    return {
        rewrite.path: rewrite.before
        for entry in _standing(entries)
        if entry.patch == patch
        for rewrite in entry.files
    }


def _last_done(entries: Sequence[Entry], prefix: str) -> Entry:
    standing = [
        entry
        for entry in _standing(entries)
        if (entry.patch.startswith(prefix) if prefix else entry.action != "discarded")
    ]
    if len({entry.patch for entry in standing}) > 1 and prefix:
        raise _ambiguous(prefix, [entry.patch for entry in standing])
    if not standing:
        what = f"No action on {prefix} stands" if prefix else "There is nothing to undo"
        raise BuddyError(what, hint="`buddy show` lists the proposals and what became of them.")
    return standing[-1]


def _by_id(faults: Sequence[Fault], prefix: str) -> tuple[Fault, Proposal]:
    every = {
        proposal.patch.id: (fault, proposal) for fault in reversed(faults) for proposal in fault.proposals
    }
    matching = [patch for patch in every if patch.startswith(prefix)]
    if not matching:
        raise BuddyError(f"No proposal has the id {prefix!r}", hint=f"Known: {', '.join(sorted(every))}.")
    if len(matching) > 1:
        raise _ambiguous(prefix, matching)
    return every[matching[0]]


def _ambiguous(prefix: str, matching: Sequence[str]) -> BuddyError:
    return BuddyError(
        f"Several proposals have an id that starts with {prefix!r}",
        hint=f"Type one more digit: {', '.join(sorted(set(matching)))}.",
    )


def _first_open(kept: Kept, entries: Sequence[Entry]) -> tuple[Fault, Proposal]:
    """The first offered proposal to act on; one that was undone comes after those never tried."""
    undone = []
    states: dict[str, State] = {}
    for fault in kept.diagnosis.faults:
        offered = [proposal for proposal in fault.proposals if proposal.offered]
        mine = {proposal.patch.id: _state(kept, entries, proposal.patch.id) for proposal in offered}
        states |= mine
        if "applied" in mine.values() or "staged" in mine.values():
            continue
        for proposal in offered:
            if mine[proposal.patch.id] == "open":
                return fault, proposal
            if mine[proposal.patch.id] == "undone":
                undone.append((fault, proposal))
    if undone:
        return undone[0]
    if not states:
        raise BuddyError("The last run found no confirmed fix", hint="`buddy show` lists what it tried.")
    told = ", ".join(f"{patch} {state}" for patch, state in states.items())
    raise BuddyError(f"Every fix of the last run is dealt with: {told}", hint="Name one by its id.")


def _event(entry: Entry) -> PatchHandled:
    return PatchHandled(action=entry.action, patch=entry.patch, paths=entry.paths)
