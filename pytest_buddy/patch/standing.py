"""Which proposals are still open, and which actions on them stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_buddy.domain import Diagnosis, Fault, Proposal
from pytest_buddy.errors import BuddyError
from pytest_buddy.patch.journal import Entry

State = Literal["open", "applied", "staged", "discarded", "undone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A diagnosis and the number of the journal's last entry when it was kept."""

    schema: str
    after: int
    diagnosis: Diagnosis


def state(kept: Kept | None, entries: Sequence[Entry], patch: str) -> State:
    """What became of a patch.

    A patch that a later run proposes again fits the files as they are, so an earlier apply of it has been
    taken back by hand and counts no more.
    """
    since = kept.after if kept is not None and patch in _ids(kept.diagnosis.faults) else 0
    mine = [
        entry
        for entry in entries
        if entry.patch == patch and (entry.number > since or entry.action in ("staged", "discarded"))
    ]
    actions = [entry.action for entry in _unless_undone(mine, entries)]
    if "applied" in actions:
        return "applied"
    if actions:
        return actions[-1]
    # A discard that was taken back touched no file: the patch is as good as new.
    return "undone" if mine and mine[-1].action == "undone" and mine[-1].paths else "open"


def originals(entries: Sequence[Entry], patch: str) -> Mapping[str, bytes]:
    """The content before an apply that stands, of the files it changed."""
    return {
        rewrite.path: rewrite.before
        for entry in _unless_undone(entries, entries)
        if entry.patch == patch
        for rewrite in entry.files
    }


def last_done(entries: Sequence[Entry], prefix: str) -> Entry:
    """The last action that can be taken back, discards only when named; raises BuddyError."""
    candidates = [
        entry
        for entry in _unless_undone(entries, entries)
        if (entry.patch.startswith(prefix) if prefix else entry.action != "discarded")
    ]
    patches = {entry.patch for entry in candidates}
    if prefix and len(patches) > 1:
        raise _ambiguous(prefix, patches)
    if not candidates:
        what = f"There is nothing to undo for {prefix!r}" if prefix else "There is nothing to undo"
        raise BuddyError(what, hint="`buddy show` lists the proposals and what became of them.")
    return candidates[-1]


def by_id(faults: Sequence[Fault], prefix: str) -> tuple[Fault, Proposal]:
    """The proposal whose id starts with `prefix`, with its first fault; raises BuddyError."""
    every = _ids(faults)
    matching = [patch for patch in every if patch.startswith(prefix)]
    if not matching:
        raise BuddyError(f"No proposal has the id {prefix!r}", hint=f"Known: {', '.join(sorted(every))}.")
    if len(matching) > 1:
        raise _ambiguous(prefix, matching)
    return every[matching[0]]


def first_open(kept: Kept, entries: Sequence[Entry]) -> tuple[Fault, Proposal]:
    """The first offered proposal of a fault that has no fix yet; raises BuddyError.

    One that was taken back comes after all that were never tried.
    """
    undone: list[tuple[Fault, Proposal]] = []
    states: dict[str, State] = {}
    for fault in kept.diagnosis.faults:
        mine = {
            proposal.patch.id: state(kept, entries, proposal.patch.id)
            for proposal in fault.proposals
            if proposal.offered
        }
        states |= mine
        if "applied" in mine.values() or "staged" in mine.values():
            continue
        for proposal in fault.proposals:
            if mine.get(proposal.patch.id) == "open":
                return fault, proposal
            if mine.get(proposal.patch.id) == "undone":
                undone.append((fault, proposal))
    if undone:
        return undone[0]
    if not states:
        raise BuddyError("The last run found no confirmed fix", hint="`buddy show` lists what it tried.")
    told = ", ".join(f"{patch} {became}" for patch, became in states.items())
    raise BuddyError(f"Every fix of the last run is dealt with: {told}", hint="Name one by its id.")


def _ids(faults: Sequence[Fault]) -> dict[str, tuple[Fault, Proposal]]:
    return {
        proposal.patch.id: (fault, proposal) for fault in reversed(faults) for proposal in fault.proposals
    }


def _unless_undone(some: Sequence[Entry], entries: Sequence[Entry]) -> list[Entry]:
    undone = {entry.undoes for entry in entries}
    return [entry for entry in some if entry.action != "undone" and entry.number not in undone]


def _ambiguous(prefix: str, matching: Sequence[str] | set[str]) -> BuddyError:
    return BuddyError(
        f"Several proposals have an id that starts with {prefix!r}",
        hint=f"Type one more digit: {', '.join(sorted(set(matching)))}.",
    )
