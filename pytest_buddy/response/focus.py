"""One fault as a screen shows it: as much as has room, the whole on demand."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.text import Text

from pytest_buddy.domain import Failure, Fault
from pytest_buddy.response.fault import Limits, add_bullets, add_suspects, add_test, place
from pytest_buddy.response.fix import (
    SUSPICIOUS,
    add_diff,
    add_failed_search,
    add_question,
    proposal_title,
    size,
)
from pytest_buddy.response.page import Page
from pytest_buddy.response.words import also_passing, checked, count, tests_run
from pytest_buddy.source import Source

_STYLES = {"applied": "bold green", "staged": "bold green", "discarded": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detail:
    """How much is shown; `context` counts the unchanged lines around a change."""

    tests: int
    suspects: int
    evidence: int
    bullets: int
    context: int
    rationale: int = 1
    airy: bool = True

    def gap(self, page: Page) -> None:
        if self.airy:
            page.blank()


_WHOLE = _Detail(tests=20, suspects=10, evidence=5, bullets=6, context=3, rationale=5)
_STEPS: tuple[dict[str, Any], ...] = (  # what is missed least goes first
    {"tests": 5, "suspects": 5, "evidence": 3, "rationale": 3},
    {"evidence": 1},
    {"suspects": 3, "rationale": 1},
    {"tests": 3, "context": 2},
    {"suspects": 2},
    {"suspects": 1, "tests": 2, "context": 1},
    {"rationale": 0},
    {"airy": False},
    {"bullets": 4},
    {"context": 0},
    {"tests": 1},
    {"bullets": 3},
    {"bullets": 2},
    {"evidence": 0},
    {"bullets": 1},
)
_LADDER = tuple(itertools.accumulate(_STEPS, lambda detail, step: replace(detail, **step), initial=_WHOLE))[
    1:
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """A fault as the person sees it now.

    `position` says which of several it is, `status` what became of its fix, `looking` that a fix is still
    searched for.
    """

    fault: Fault
    position: str = ""
    status: str = ""
    looking: bool = False

    def add(
        self,
        page: Page,
        failures: Mapping[str, Failure],
        sources: Mapping[str, Source],
        *,
        rows: int,
        whole: bool = False,
        beside: Page | None = None,
    ) -> None:
        """Where, why and fix, in `rows` lines where that is possible without cutting a diff.

        `whole` shows everything, however long. The fix goes on the page `beside`, when there is one.
        """

        def reasons(detail: _Detail, onto: Page) -> None:
            self._add_reasons(onto, detail, failures, sources)

        def all_of_it(detail: _Detail, onto: Page) -> None:
            reasons(detail, onto)
            detail.gap(onto)
            self._add_fix(onto, detail)

        if beside is None:
            _add_fitting(page, all_of_it, rows=rows, whole=whole)
        else:
            _add_fitting(page, reasons, rows=rows, whole=whole)
            _add_fitting(beside, lambda detail, onto: self._add_fix(onto, detail), rows=rows, whole=whole)

    def add_line(self, page: Page) -> None:
        """The fault on one line."""
        fault = self.fault
        parts: list[Text | str] = [Text(fault.id, "bold red"), count(len(fault.tests), "test")]
        if self.status:
            parts.append(Text(self.status, _STYLES.get(self.status, "")))
        elif fault.fix is not None:
            parts.append(Text(f"fix {size(fault.fix)}", "green"))
        elif self._still_looking:
            parts.append(Text("looking for a fix", "dim"))
        else:
            parts.append(Text("no fix", "yellow"))
        if fault.suspects:
            parts += [place(page, fault.suspects[0]), page.user(fault.suspects[0].function)]
        elif fault.note:
            parts.append(page.prose(fault.note, limit=80))
        page.add_cut(page.joined(parts))

    @property
    def _still_looking(self) -> bool:
        return self.looking and self.fault.fix is None and self.fault.search is None

    def _add_reasons(
        self, page: Page, detail: _Detail, failures: Mapping[str, Failure], sources: Mapping[str, Source]
    ) -> None:
        fault = self.fault
        verb = "fails" if len(fault.tests) == 1 else "fail"
        what = Text(f"{count(len(fault.tests), 'test')} {verb}", "bold")
        page.add_cut(page.joined((Text(f"fault {fault.id}", "bold red"), what, Text(self.position, "dim"))))
        page.indent(2)
        shown = detail.tests + (len(fault.tests) == detail.tests + 1)  # rather than "and 1 more"
        for test in fault.tests[:shown]:
            add_test(page, test, failures.get(test))
        if len(fault.tests) > shown:
            page.add(Text(f"and {len(fault.tests) - shown:,} more", "dim"))
        if fault.note:
            page.add(page.prose(fault.note, "yellow"))
        detail.gap(page)
        page.section("where")
        if fault.suspects:
            add_suspects(page, fault.suspects[: detail.suspects], sources, Limits(evidence=detail.evidence))
        else:
            page.add(Text("no line of the program could be singled out", "dim"))
        if fault.explanation:
            detail.gap(page)
            page.section("why")
            add_bullets(page, fault.explanation.bullets[: detail.bullets])
        page.indent(0)

    def _add_fix(self, page: Page, detail: _Detail) -> None:
        fault, fix = self.fault, self.fault.fix
        page.section("fix")
        if fix is None and self._still_looking:
            page.add(Text(f"looking for one{page.symbols.ellipsis}", "dim"))
            return
        if fix is None:
            add_failed_search(page, fault)
            return
        state = Text(self.status, _STYLES.get(self.status, "bold"))
        page.add_cut(page.joined((state, proposal_title(page, fix))))
        for reason in fix.patch.rationale[: detail.rationale]:
            page.add(page.prose(reason))
        detail.gap(page)
        add_diff(page, fix, context=detail.context)
        detail.gap(page)
        page.add(Text(tests_run(fix.verdict), "green"))
        if (more := checked(fault)) and detail.airy:
            page.add(Text(more, "green"))
        if fix.patch.suspicion >= SUSPICIOUS:
            page.add(Text("it may please these tests only: read it before you apply it", "yellow"))
        if (others := also_passing(fault)) and detail.airy:
            verb = "passes" if others == 1 else "pass"
            page.add(Text(f"{count(others, 'other patch', 'other patches')} also {verb}", "dim"))
        if fault.question is not None and not self.status:
            detail.gap(page)
            add_question(page, fault.question)


def _add_fitting(page: Page, tell: Callable[[_Detail, Page], None], *, rows: int, whole: bool) -> None:
    """Add what is told with the most detail that fits into `rows`, or with the least."""

    def told(detail: _Detail) -> Page:
        trial = page.fresh()
        tell(detail, trial)
        return trial

    first, last = 0, len(_LADDER) - 1
    while first < last and not whole:
        middle = (first + last) // 2
        if len(told(_LADDER[middle]).lines) <= rows:
            last = middle
        else:
            first = middle + 1
    page.extend(told(_WHOLE if whole else _LADDER[first]))
