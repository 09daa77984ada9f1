"""One fault on a page: its tests, where it is, why, and the fix."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from pytest_buddy.domain import Failure, Fault, Suspect
from pytest_buddy.errors import SourceError
from pytest_buddy.response.fix import add_fix, add_offer, fix_title
from pytest_buddy.response.page import Page
from pytest_buddy.response.words import count
from pytest_buddy.source import Source

_STATEMENT_LINES = 3
_ERROR_ROOM = 24
_MESSAGE = 20_000
_EVIDENCE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a diagnosis is shown."""

    tests: int = 3
    suspects: int = 5
    evidence: int = 3
    diff: int = 40
    lines: int = 118


def add_fault(
    page: Page, fault: Fault, failures: Mapping[str, Failure], sources: Mapping[str, Source], limits: Limits
) -> None:
    """Everything that is known of a fault, within the limits."""
    page.indent(0)
    page.add(_headline(page, fault))
    page.indent(2)
    for test in fault.tests[: limits.tests]:
        add_test(page, test, failures.get(test))
    if len(fault.tests) > limits.tests:
        page.add(Text(f"and {len(fault.tests) - limits.tests:,} more", "dim"))
    if fault.note:
        page.add(page.prose(fault.note, "yellow"))
    page.blank()
    page.section("where")
    if fault.suspects:
        add_suspects(page, fault.suspects[: limits.suspects], sources, limits)
    else:
        page.add(Text("no line of the program could be singled out", "dim"))
    if fault.explanation:
        page.blank()
        page.section("why")
        add_bullets(page, fault.explanation.bullets)
    page.blank()
    page.section("fix")
    add_fix(page, fault, limits.diff)
    page.indent(0)


def add_bullets(page: Page, bullets: Iterable[str]) -> None:
    """The reasons, one after the other."""
    for bullet in bullets:
        page.add(page.prose(bullet), lead=Text(f"{page.symbols.bullet} ", "dim"))


def add_essentials(
    page: Page, fault: Fault, sources: Mapping[str, Source], limits: Limits, *, bullets: bool = False
) -> None:
    """Headline, first suspect, the reasons when wanted, diff and command."""
    page.indent(0)
    page.add(_headline(page, fault))
    page.indent(2)
    if fault.suspects:
        first = fault.suspects[0]
        tie = f"one of {first.tied_with + 1} lines that coverage cannot tell apart" if first.tied_with else ""
        where = (page.user(first.function, "bold"), place(page, first), Text(tie, "yellow"))
        page.add(page.joined(where))
        _add_lines(page, (first,), sources, evidence=0, digits=len(str(first.end_line)))
    elif fault.note:
        page.add(page.prose(fault.note, "yellow"))
    if bullets and fault.explanation:
        add_bullets(page, fault.explanation.bullets)
        page.blank()
    add_offer(page, fault, limits.diff)
    page.indent(0)


def fault_line(page: Page, fault: Fault) -> Text:
    """The fault on one line."""
    parts: list[Text | str] = [Text(fault.id, "bold red"), count(len(fault.tests), "test")]
    if fault.suspects:
        first = fault.suspects[0]
        parts += [place(page, first), page.user(first.function)]
    elif fault.note:
        parts.append(page.prose(fault.note, limit=80))
    return page.joined([*parts, fix_title(page, fault)])


def _headline(page: Page, fault: Fault) -> Text:
    number = len(fault.tests)
    verb = "fails" if number == 1 else "fail"
    return page.joined(
        (Text(f"fault {fault.id}", "bold red"), Text(f"{count(number, 'test')} {verb}", "bold"))
    )


def add_test(page: Page, test: str, failure: Failure | None) -> None:
    """A failing test and how it fails, on one line."""
    line = page.user(test)
    if failure is not None and page.room - line.cell_len >= _ERROR_ROOM:
        line = Text.assemble(line, "  ", page.prose(_reason(failure), "dim", limit=page.width))
    page.add_cut(line)


def _reason(failure: Failure) -> str:
    lines = [line.strip() for line in failure.message[:_MESSAGE].splitlines() if line.strip()]
    named = [line for line in lines if failure.error_type and line.startswith(failure.error_type)]
    if named:
        return named[-1]
    return ": ".join(part for part in (failure.error_type, *lines[:1]) if part)


def place(page: Page, suspect: Suspect) -> Text:
    """Where a suspect is."""
    return page.user(f"{suspect.path}:{suspect.line}", "cyan")


def add_suspects(
    page: Page, suspects: Sequence[Suspect], sources: Mapping[str, Source], limits: Limits
) -> None:
    """The suspects with their code and evidence; those that coverage cannot tell apart together."""
    digits = len(str(max(suspect.end_line for suspect in suspects)))
    for tied, alike in itertools.groupby(suspects, key=lambda one: one.rank if one.tied_with else 0):
        block = list(alike)
        if tied:
            evidence = limits.evidence if tied == 1 else 1
            _add_tie(page, block, sources, evidence=evidence, digits=digits)
        else:
            _add_places(page, block, sources, evidence=limits.evidence, digits=digits)


def _add_tie(
    page: Page, block: list[Suspect], sources: Mapping[str, Source], *, evidence: int, digits: int
) -> None:
    number = block[0].tied_with + 1
    shown = "" if number <= len(block) else f" ({len(block)} shown)"
    page.add(Text(f"coverage cannot tell these {number} lines apart{shown}", "yellow"))
    shared = [item for item in block[0].evidence if all(item in other.evidence for other in block)]
    ordered = sorted(block, key=lambda suspect: (suspect.path, suspect.line))
    _add_places(page, ordered, sources, evidence=0, digits=digits, shared=shared[:evidence])


def _add_places(
    page: Page,
    suspects: Iterable[Suspect],
    sources: Mapping[str, Source],
    *,
    evidence: int,
    digits: int,
    shared: Sequence[str] = (),
) -> None:
    gutter = Text()
    for _, alike in itertools.groupby(suspects, key=lambda suspect: (suspect.function, suspect.path)):
        group = tuple(alike)
        page.add(page.joined((page.user(group[0].function, "bold"), place(page, group[0]))))
        gutter = _add_lines(page, group, sources, evidence=evidence, digits=digits)
    for item in shared:
        page.add(page.prose(item, "dim", limit=_EVIDENCE), lead=gutter, hang=gutter)


def _add_lines(
    page: Page, suspects: tuple[Suspect, ...], sources: Mapping[str, Source], *, evidence: int, digits: int
) -> Text:
    """Show the statements with their evidence; returns the gutter, for what is to be said below them."""
    bar = Text(f" {page.symbols.bar} ", "dim")
    gutter = Text.assemble(" " * (digits + 1), bar, "  ")
    statements = [_statement(suspect, sources) for suspect in suspects]
    margin = min((_depth(line) for lines in statements for line in lines if line.strip()), default=0)
    for suspect, lines in zip(suspects, statements, strict=True):
        for offset, line in enumerate(page.code([line[margin:] for line in lines])):
            style = "bold red" if suspect.rank == 1 else "bold"
            page.add_cut(line, lead=Text.assemble((f" {suspect.line + offset:>{digits}}", style), bar))
        shown = evidence if suspect.rank == 1 else min(evidence, 1)
        for item in suspect.evidence[:shown]:
            page.add(page.prose(item, "dim", limit=_EVIDENCE), lead=gutter, hang=gutter)
    return gutter


def _statement(suspect: Suspect, sources: Mapping[str, Source]) -> list[str]:
    source = sources.get(suspect.path)
    if source is None:
        return []
    last = min(suspect.end_line, suspect.line + _STATEMENT_LINES - 1)
    try:
        lines = [source.line(number).expandtabs(4) for number in range(suspect.line, last + 1)]
    except (SourceError, LookupError):
        return []
    if last < suspect.end_line:
        lines[-1] += " ..."
    return lines if any(line.strip() for line in lines) else []


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
