"""Numbers and verdicts as words."""

from pytest_buddy.domain import Fault, Proposal, Search, Verdict

_STOPPED = {
    "found": "",
    "exhausted": "",
    "budget": "; the time budget ended",
    "interrupted": ", then was interrupted",
}


def count(number: int, noun: str, plural: str = "") -> str:
    """The number with its noun, in the right form."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def seconds(value: float) -> str:
    """A duration, as short as it can be said."""
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def sandboxed(verdict: Verdict) -> str:
    """Under what protection a patch was tried."""
    return "without a sandbox" if verdict.sandbox == "none" else f"in sandbox {verdict.sandbox}"


def tests_run(verdict: Verdict) -> str:
    """What was run with a patch and what came of it."""
    broken = f"{len(verdict.broken):,} broken" if verdict.broken else "none broken"
    confirmed = "confirmed by a fresh pytest" if verdict.confirmed else "not confirmed by a fresh pytest"
    ran = f"{count(verdict.ran, 'test')} run: {len(verdict.fixed):,} fixed, {broken}"
    return f"{ran}, {confirmed} {sandboxed(verdict)}"


def judged(proposal: Proposal, tests: int) -> str:
    """What a patch is worth, in a few words."""
    verdict = proposal.verdict
    if proposal.offered:
        return "fixes the tests, confirmed"
    words = {
        "fixed": "fixes the tests in a warm process; no fresh pytest has confirmed it",
        "partial": f"fixes {len(verdict.fixed):,} of {count(tests, 'test')}",
        "no-change": "changes nothing",
        "breaks": f"fixes {len(verdict.fixed):,}, but breaks {count(len(verdict.broken), 'other test')}",
        "rejected": "rejected",
        "timeout": "ran out of time",
    }
    return words[verdict.outcome]


def searched(search: Search | None) -> str:
    """How a search without a fix went."""
    if search is None:
        return "no fix was searched for"
    if not search.candidates:
        return "no fix found: there was no candidate to try"
    every = "all " if search.stopped == "exhausted" and search.candidates > 1 else ""
    tried = f"tried {every}{count(search.candidates, 'candidate')} in {seconds(search.seconds)}"
    return f"no fix found: {tried}{_STOPPED[search.stopped]}"


def also_passing(fault: Fault) -> int:
    """How many other patches pass the same tests."""
    others = sum(proposal.offered for proposal in fault.proposals) - 1
    return max(others, fault.search.also_passing if fault.search else 0, 0)
