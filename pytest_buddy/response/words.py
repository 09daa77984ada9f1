"""Numbers and verdicts as words."""

from pytest_buddy.domain import Fault, Proposal, Question, Search, Verdict

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


def asked(question: Question) -> str:
    """The question that tells two patches apart, the one shown as the fix first."""
    first, other = (answer.result for answer in question.answers[:2])
    return f"For `{question.call}`: the first patch {first}, the other {other}. Which do you want?"


def checked(fault: Fault) -> str:
    """That a fix passes cases it was not made for; empty when there were none."""
    if fault.search is None or fault.fix is None or not fault.search.kept_out:
        return ""
    kept = fault.search.kept_out
    passed = [test for test in kept if test in fault.fix.verdict.fixed]
    if len(passed) < len(kept):
        return ""
    names = {test.partition("[")[0] for test in kept}
    cases = sum(1 for test in fault.tests if test.partition("[")[0] in names)
    it = "it passes too" if len(kept) == 1 else "they pass too"
    verb = "was" if len(kept) == 1 else "were"
    others = f"; {count(fault.search.refuted, 'other patch', 'other patches')} failed there"
    return (
        f"{len(kept):,} of {count(cases, 'failing case')} {verb} kept out of the search: {it}"
        f"{others if fault.search.refuted else ''}"
    )
