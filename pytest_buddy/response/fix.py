"""The fix of a fault on a page: the coloured diff, what was run, how to apply it; or what was tried."""

import sys
from collections.abc import Iterator

from rich.text import Text

from pytest_buddy.domain import Fault, Proposal, Question
from pytest_buddy.response.diffs import DiffLine, LineKind, changed, lines_of, narrowed
from pytest_buddy.response.page import Page
from pytest_buddy.response.words import also_passing, asked, checked, count, judged, searched, tests_run

SUSPICIOUS = 0.5
_EMPHASIZED = 0.6
_ROWS = 4
_STYLES: dict[LineKind, str] = {
    "header": "bold",
    "hunk": "cyan",
    "context": "",
    "added": "green",
    "removed": "red",
    "note": "dim",
}


def add_fix(page: Page, fault: Fault, limit: int | None) -> None:
    """The fix in full, or what is known when there is none."""
    fix = fault.fix
    if fix is None:
        add_failed_search(page, fault)
        return
    page.add(proposal_title(page, fix))
    for reason in fix.patch.rationale[:3]:
        page.add(page.prose(reason))
    page.blank()
    add_diff(page, fix, limit)
    page.blank()
    page.add(Text(tests_run(fix.verdict), "green"))
    if more := checked(fault):
        page.add(Text(more, "green"))
    if fix.patch.suspicion >= SUSPICIOUS:
        page.add(Text("it may please these tests only: read it before you apply it", "yellow"))
    if others := also_passing(fault):
        verb = "passes" if others == 1 else "pass"
        page.add(Text(f"{count(others, 'other patch', 'other patches')} also {verb}: buddy show", "dim"))
    if fault.question is None:
        _add_command(page, fix.patch.id)
    else:
        page.blank()
        add_question(page, fault.question)


def add_question(page: Page, question: Question) -> None:
    """What no test decides, and the command for each answer."""
    page.section("ask")
    _add_answers(page, question)


def _add_answers(page: Page, question: Question) -> None:
    page.add(page.prose(asked(question), "yellow"))
    for number, answer in enumerate(question.answers, start=1):
        _add_command(page, answer.patch, note=f"{number} {answer.result}")


def _add_command(page: Page, patch: str, *, note: str = "") -> None:
    command = Text(f"buddy apply {patch}", "bold")
    if note:
        command = Text.assemble(command, "  ", page.prose(note, "dim", limit=page.width))
    page.add_cut(command, lead=Text(f"{page.symbols.prompt} ", "dim"))


def add_offer(page: Page, fault: Fault, limit: int | None) -> None:
    """The diff and the command alone, or that there is no fix."""
    fix = fault.fix
    if fix is None:
        page.add(Text(searched(fault.search), "yellow"))
        return
    add_diff(page, fix, limit)
    if fault.question is None:
        _add_command(page, fix.patch.id)
    else:
        _add_answers(page, fault.question)


def fix_title(page: Page, fault: Fault) -> Text:
    """The fix of a fault in a few words."""
    if fault.fix is None:
        return Text("no fix found", "yellow")
    return page.joined((Text(size(fault.fix), "green"), Text(f"buddy apply {fault.fix.patch.id}", "bold")))


def proposal_title(page: Page, proposal: Proposal) -> Text:
    """The id, size and origin of a proposal."""
    origin = page.user(proposal.patch.origin.replace(":", " ", 1), "dim")
    return page.joined((Text(proposal.patch.id, "bold"), Text(size(proposal)), origin))


def add_diff(page: Page, proposal: Proposal, limit: int | None = None, *, context: int | None = None) -> None:
    """The diff, coloured; with a limit, what would take more lines of the page than that is left out.

    With `context`, no more than so many unchanged lines are shown around each change, and no headers that say
    nothing new.
    """
    lines = lines_of(page.clean(proposal.diff))
    if context is not None:
        lines = narrowed(lines, context)
    most = None if limit is None else page.room * _ROWS
    shown = rows = 0
    for text in _coloured(page, lines[:limit], most):
        if limit is not None and rows >= limit - 1 and shown < len(lines) - 1:
            break
        rows += page.add_folded(text, rows=_ROWS if limit is not None else sys.maxsize)
        shown += 1
    if shown < len(lines):
        rest = count(len(lines) - shown, "more line")
        page.add(Text(f"{page.symbols.ellipsis} {rest}: buddy show {proposal.patch.id}", "dim"))


def size(proposal: Proposal) -> str:
    """How many lines it adds and removes."""
    added, removed = changed(proposal.diff)
    return f"+{added} -{removed}"


def _coloured(page: Page, lines: tuple[DiffLine, ...], most: int | None) -> Iterator[Text]:
    position = 0
    while position < len(lines):
        removed = _run(lines, position, "removed")
        added = _run(lines, position + len(removed), "added")
        if removed and len(removed) == len(added):
            pairs = [
                _compared(page, old.text[:most], new.text[:most])
                for old, new in zip(removed, added, strict=True)
            ]
            yield from (old for old, _ in pairs)
            yield from (new for _, new in pairs)
            position += 2 * len(removed)
        else:
            yield _line(page, lines[position].kind, lines[position].text[:most])
            position += 1


def _run(lines: tuple[DiffLine, ...], start: int, kind: str) -> list[DiffLine]:
    end = start
    while end < len(lines) and lines[end].kind == kind:
        end += 1
    return list(lines[start:end])


def _line(page: Page, kind: LineKind, text: str) -> Text:
    style = _STYLES[kind]
    if kind in ("header", "note", "hunk") or text[:1] not in ("+", "-", " "):
        return page.user(text, style)
    return Text.assemble((text[:1], style), page.user(text[1:], style))


def _compared(page: Page, old: str, new: str) -> tuple[Text, Text]:
    before, after = page.user(old[1:], "red"), page.user(new[1:], "green")
    start, end = _difference(before.plain, after.plain)
    for text in (before, after):
        stop = len(text.plain) - end
        if stop - start <= _EMPHASIZED * len(text.plain.strip()):
            text.stylize("bold reverse", start, stop)
    return Text.assemble(("-", "red"), before), Text.assemble(("+", "green"), after)


def _difference(before: str, after: str) -> tuple[int, int]:
    """The lengths of the common start and the common end, both at the edges of words."""
    shorter = min(len(before), len(after))
    start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    while start and before[start - 1].isidentifier():
        start -= 1
    most = shorter - start
    end = next((at for at in range(most) if before[-1 - at] != after[-1 - at]), most)
    while end and (before[-end].isidentifier() or before[-end].isdigit()):
        end -= 1
    return start, end


def add_failed_search(page: Page, fault: Fault) -> None:
    """How the search went, the patches that came closest, what might help."""
    page.add(Text(searched(fault.search), "yellow"))
    for proposal in fault.proposals[:2]:
        near = f"closest: {proposal.patch.id} {judged(proposal, len(fault.tests))}"
        page.add(Text(near), lead="")
    for hint in _hints(fault):
        page.add(Text(hint))


def _hints(fault: Fault) -> Iterator[str]:
    if fault.search is None:
        return
    if fault.search.stopped in ("budget", "interrupted"):
        longer = max(30, round(3 * fault.search.seconds / 10) * 10)
        yield f"search longer: pytest --buddy --buddy-budget {longer}"
    elif fault.search.stopped == "exhausted" and fault.search.candidates:
        yield "it probably takes more than one small edit, or code that is not there yet"
