"""Diagnosis -> the section a person reads after pytest's own output."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pytest_buddy.domain import Diagnosis
from pytest_buddy.response.words import count, seconds
from pytest_buddy.source import Source

if TYPE_CHECKING:
    from pytest_buddy.response.page import Page

_FLAKY_SHOWN = 3
_NOTICES_SHOWN = 6
_ONE_LINERS = 20


def render_diagnosis(
    diagnosis: Diagnosis,
    sources: Mapping[str, Source],
    *,
    width: int = 80,
    color: bool = False,
    verbosity: int = 0,
    ascii: bool = False,  # noqa: A002
    redact: Callable[[str], str] | None = None,
) -> str:
    """The section, about 120 lines at most unless more is asked for; empty when there is nothing to say.

    `verbosity` is pytest's: 1 shows more, -1 only the essentials, -2 a line a fault. Text of the user's
    program is shown escaped, never interpreted, and passes through `redact` when that is given.
    """
    if not (diagnosis.failed or diagnosis.failures or diagnosis.flaky or diagnosis.notices):
        return ""
    from pytest_buddy.response.page import Page

    page = Page(width=width, color=color, ascii=ascii, redact=redact)
    if verbosity <= -2:
        _add_one_liners(page, diagnosis)
        _add_flaky(page, diagnosis.flaky, shown=0)
        return page.render()
    _add_summary(page, diagnosis)
    tail = page.fresh()
    _add_flaky(tail, diagnosis.flaky, shown=_FLAKY_SHOWN if verbosity >= 0 else 0)
    _add_notices(tail, diagnosis.notices)
    _add_faults(page, diagnosis, sources, verbosity, reserved=len(tail.lines))
    page.blank()
    page.extend(tail)
    return page.render()


def _add_summary(page: "Page", diagnosis: Diagnosis) -> None:
    from rich.text import Text

    failed = max(
        diagnosis.failed, len({failure.test for failure in diagnosis.failures}), len(diagnosis.flaky)
    )
    faults = len(diagnosis.faults)
    fixed = sum(fault.fix is not None for fault in diagnosis.faults)
    parts = [Text(count(failed, "failing test"), "bold")]
    if faults:
        parts.append(Text(count(faults, "fault"), "bold"))
        parts.append(Text(count(fixed, "fix", "fixes"), "bold green") if fixed else Text("no fix", "yellow"))
    elif failed > len(diagnosis.flaky):
        parts.append(Text("no fault located", "yellow"))
    if diagnosis.flaky:
        parts.append(Text(f"{len(diagnosis.flaky):,} flaky", "yellow"))
    parts.append(Text(seconds(diagnosis.timing.total), "dim"))
    page.add(page.joined(parts))


def _add_faults(
    page: "Page", diagnosis: Diagnosis, sources: Mapping[str, Source], verbosity: int, *, reserved: int
) -> None:
    from pytest_buddy.response.fault import Limits, add_essentials, add_fault, fault_line

    limits = Limits() if verbosity <= 0 else Limits(tests=20, suspects=10, evidence=5, diff=400, lines=1200)
    failures = {failure.test: failure for failure in reversed(diagnosis.failures)}
    remaining = limits.lines - len(page.lines) - reserved
    faults = list(diagnosis.faults)
    while faults:
        kept = min(len(faults) - 1, _ONE_LINERS) + 3 if len(faults) > 1 else 1
        full, short = page.fresh(), page.fresh()
        if verbosity >= 0:
            add_fault(full, faults[0], failures, sources, limits)
        else:
            add_essentials(full, faults[0], sources, limits, bullets=True)
        add_essentials(short, faults[0], sources, limits)
        fitting = [one for one in (full, short) if one.lines and len(one.lines) + kept <= remaining]
        if not fitting:
            break
        page.blank()
        page.extend(fitting[0])
        remaining -= len(fitting[0].lines) + 1
        faults.pop(0)
    if faults:
        page.blank()
        for fault in faults[:_ONE_LINERS]:
            page.add_cut(fault_line(page, fault))
        if len(faults) > _ONE_LINERS:
            page.add(f"and {count(len(faults) - _ONE_LINERS, 'more fault')}: buddy show")


def _add_one_liners(page: "Page", diagnosis: Diagnosis) -> None:
    from pytest_buddy.response.fault import fault_line

    for fault in diagnosis.faults[:_ONE_LINERS]:
        page.add(fault_line(page, fault))
    if len(diagnosis.faults) > _ONE_LINERS:
        page.add(f"and {count(len(diagnosis.faults) - _ONE_LINERS, 'more fault')}: buddy show")


def _add_flaky(page: "Page", flaky: tuple[str, ...], *, shown: int) -> None:
    from rich.text import Text

    if not flaky:
        return
    page.indent(0)
    what = "test failed, then passed" if len(flaky) == 1 else "tests failed, then passed"
    page.add(Text(f"flaky {page.symbols.dot} {len(flaky):,} {what} when run again: not repaired", "yellow"))
    page.indent(2)
    for test in flaky[:shown]:
        page.add_cut(page.user(test))
    if shown and len(flaky) > shown:
        page.add(Text(f"and {len(flaky) - shown:,} more", "dim"))
    page.indent(0)


def _add_notices(page: "Page", notices: tuple[str, ...]) -> None:
    from rich.text import Text

    if notices:
        page.blank()
    for notice in notices[:_NOTICES_SHOWN]:
        text, _, hint = notice.strip().partition("\n")
        page.add(page.prose(text), lead=Text("note: ", "bold yellow"))
        if hint.strip():
            page.add(page.prose(hint, "dim"), lead="      ")
    if len(notices) > _NOTICES_SHOWN:
        page.add(Text(f"and {count(len(notices) - _NOTICES_SHOWN, 'more note')}", "dim"))
