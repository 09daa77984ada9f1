"""Kept proposals for `buddy show`, and events as the plain lines of `buddy-watch`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_buddy.domain import (
    Diagnosis,
    Event,
    Fault,
    FaultLocated,
    FaultSettled,
    FixConfirmed,
    NoticeGiven,
    PatchHandled,
    Proposal,
    RunEnded,
    RunStarted,
    SearchAdvanced,
    StepStarted,
    VerdictReached,
    WorkEnded,
    WorkStarted,
)
from pytest_buddy.response.diffs import changed
from pytest_buddy.response.escape import one_line, visible
from pytest_buddy.response.words import asked, count, judged, searched, tests_run

if TYPE_CHECKING:
    from pytest_buddy.response.page import Page

_OPEN = "open"
_VERDICTS: Mapping[str, str] = {
    "xfailed": "passed",
    "xpassed": "passed",
    "crashed": "error",
    "timeout": "error",
    "missing": "error",
}
_STYLES = {"applied": "green", "staged": "green", "discarded": "dim"}


def render_proposal(
    proposal: Proposal,
    *,
    fault: Fault | None = None,
    status: str = _OPEN,
    width: int = 80,
    color: bool = False,
    ascii: bool = False,  # noqa: A002
    redact: Callable[[str], str] | None = None,
) -> str:
    """One proposal in full: its diff, what was run with it, what can be done with it."""
    from rich.text import Text

    from pytest_buddy.response.fix import SUSPICIOUS, add_diff, proposal_title
    from pytest_buddy.response.page import Page

    page = Page(width=width, color=color, ascii=ascii, redact=redact)
    page.add(page.joined((proposal_title(page, proposal), Text(status, _STYLES.get(status, "bold")))))
    for reason in proposal.patch.rationale:
        page.add(page.prose(reason))
    page.blank()
    add_diff(page, proposal)
    page.blank()
    if fault is not None:
        worth = judged(proposal, len(fault.tests))
        page.add(page.joined((f"fault {fault.id}", Text(worth, "green" if proposal.offered else "yellow"))))
    page.add(tests_run(proposal.verdict))
    for label, tests in (("fixed", proposal.verdict.fixed), ("broken", proposal.verdict.broken)):
        _add_tests(page, label, tests)
    for answer in fault.question.answers if fault and fault.question else ():
        if answer.patch == proposal.patch.id and fault and fault.question:
            page.add(page.prose(f"for `{fault.question.call}` it {answer.result}", "yellow"))
    if proposal.patch.suspicion >= SUSPICIOUS:
        page.add(Text("it may please these tests only: read it before you apply it", "yellow"))
    page.blank()
    if status == _OPEN:
        actions = [f"buddy {verb} {proposal.patch.id}" for verb in ("apply", "stage", "discard")]
        page.add(page.joined(Text(action, "bold") for action in actions))
    elif status in ("applied", "staged"):
        page.add(Text("buddy undo", "bold"))
    return page.render()


def render_list(
    faults: Sequence[Fault],
    statuses: Mapping[str, str],
    *,
    width: int = 80,
    color: bool = False,
    ascii: bool = False,  # noqa: A002
    redact: Callable[[str], str] | None = None,
) -> str:
    """Faults with their proposals, a line each; `statuses` maps patch ids, absent ones are open."""
    from rich.text import Text

    from pytest_buddy.response.page import Page

    page = Page(width=width, color=color, ascii=ascii, redact=redact)
    if not faults:
        page.add("no proposals are kept: run pytest --buddy first")
    for fault in faults:
        page.indent(0)
        parts: list[Text | str] = [Text(f"fault {fault.id}", "bold red"), count(len(fault.tests), "test")]
        if fault.suspects:
            first = fault.suspects[0]
            parts += [page.user(f"{first.path}:{first.line}", "cyan"), page.user(first.function)]
        page.add_cut(page.joined(parts))
        page.indent(2)
        for proposal in fault.proposals:
            added, removed = changed(proposal.diff)
            status = statuses.get(proposal.patch.id, _OPEN)
            head = Text.assemble(
                (proposal.patch.id, "bold"), "  ", (f"{status:<9}", _STYLES.get(status, "")), "  "
            )
            page.add(f"{f'+{added} -{removed}':<8} {judged(proposal, len(fault.tests))}", lead=head)
        if fault.question is not None:
            page.add(page.prose(asked(fault.question), "yellow"))
        if not fault.proposals:
            page.add(Text(searched(fault.search), "yellow"))
    return page.render()


def render_event(event: Event) -> str:
    """The event on one plain line without a newline; empty for events that say nothing by themselves."""
    words: Iterable[str]
    match event:
        case WorkStarted():
            words = ("work START", f"failed={event.failed}", f"passed={event.passed}")
        case StepStarted():
            words = ("step", event.step, event.detail)
        case FaultLocated():
            words = ("fault", *_place(event.fault))
        case SearchAdvanced():
            words = ("search", event.fault, f"candidates={event.candidates}", f"passing={event.passing}")
        case FixConfirmed():
            words = ("fix", event.proposal.patch.id, "confirmed", *_size(event.proposal))
        case FaultSettled():
            words = ("settled", event.fault.id, *_result(event.fault))
        case NoticeGiven():
            words = ("notice", event.text, f"({event.hint})" if event.hint else "")
        case WorkEnded():
            words = ("work END", *_totals(event.diagnosis))
        case PatchHandled():
            words = (event.action, event.patch, *event.paths)
        case RunStarted() | VerdictReached() | RunEnded():
            words = _run_words(event)
    return visible(one_line(" ".join(word for word in words if word), limit=1000))


def _add_tests(page: "Page", label: str, tests: tuple[str, ...]) -> None:
    for test in tests[:20]:
        page.add_cut(page.user(test), lead=f"  {label:<7} ")
    if len(tests) > 20:
        page.add(f"  and {len(tests) - 20:,} more {label}")


def _run_words(event: RunStarted | VerdictReached | RunEnded) -> tuple[str, ...]:
    if isinstance(event, VerdictReached):
        return ("verdict", _VERDICTS.get(event.status, event.status), event.test, _milliseconds(event))
    if isinstance(event, RunStarted):
        chosen = (f"selected={event.selected}", f"of={event.of}", f"why={event.why}")
        return ("run START", *chosen, "background" if event.background else "")
    counts = (f"passed={event.passed}", f"failed={event.failed}", f"ms={_milliseconds(event)}")
    return ("run END", *counts, *(() if event.outcome == "done" else (event.outcome, event.detail)))


def _milliseconds(event: VerdictReached | RunEnded) -> str:
    return f"{event.seconds * 1000:.0f}"


def _place(fault: Fault) -> tuple[str, ...]:
    if not fault.suspects:
        return (fault.id, fault.note)
    first = fault.suspects[0]
    return (fault.id, f"{first.path}:{first.line}", first.function)


def _size(proposal: Proposal) -> tuple[str, ...]:
    added, removed = changed(proposal.diff)
    return (*proposal.patch.paths, f"+{added}", f"-{removed}")


def _result(fault: Fault) -> tuple[str, ...]:
    if fault.fix is not None:
        return ("fixed", fault.fix.patch.id)
    search = fault.search
    return (
        ("no-fix", f"candidates={search.candidates}", f"stopped={search.stopped}") if search else ("no-fix",)
    )


def _totals(diagnosis: Diagnosis) -> tuple[str, ...]:
    fixed = sum(fault.fix is not None for fault in diagnosis.faults)
    return (
        f"failed={diagnosis.failed}",
        f"flaky={len(diagnosis.flaky)}",
        f"faults={len(diagnosis.faults)}",
        f"fixed={fixed}",
        f"ms={diagnosis.timing.total * 1000:.0f}",
    )
