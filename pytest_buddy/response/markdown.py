"""The Markdown report, made for GitHub's step summary."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_buddy.domain import Diagnosis, Failure, Fault, Proposal
from pytest_buddy.response.diffs import changed
from pytest_buddy.response.escape import one_line, visible
from pytest_buddy.response.words import (
    also_passing,
    asked,
    checked,
    count,
    judged,
    searched,
    seconds,
    tests_run,
)

LIMIT = 1024 * 1024
_ROOM = LIMIT - 4096
_TESTS = 10
_SUSPECTS = 5
_DIFF_LINES = 400
_LONGEST = 20_000
_SPECIAL = re.compile(r"([\\`*_{}\[\]()+\-.!|~:$>=])")
_LINKED = re.compile(r"([@#])")
_TICKS = re.compile(r"`+")
_QUOTED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownReporter:
    """Renders the report; text of the user's program appears only fenced or escaped."""

    redact: Callable[[str], str]
    format: str = "markdown"

    def render(self, diagnosis: Diagnosis) -> str:
        """The report, at most one mebibyte of UTF-8; faults that do not fit are counted, not cut in two."""
        parts = [self._summary(diagnosis)]
        used = len(parts[0].encode())
        messages = {failure.test: failure for failure in reversed(diagnosis.failures)}
        for position, fault in enumerate(diagnosis.faults):
            part = "\n".join(self._fault(fault, messages)) + "\n"
            used += len(part.encode())
            if used > _ROOM:
                left = len(diagnosis.faults) - position
                parts.append(f"\n{count(left, 'more fault')} did not fit into this report.\n")
                break
            parts.append(part)
        return "".join(parts)

    def _summary(self, diagnosis: Diagnosis) -> str:
        fixed = sum(fault.fix is not None for fault in diagnosis.faults)
        counts = [
            count(diagnosis.failed, "failing test"),
            count(len(diagnosis.faults), "fault"),
            f"{fixed:,} with a confirmed fix",
        ]
        lines = ["## pytest-buddy", "", f"**{' · '.join(counts)}** · {seconds(diagnosis.timing.total)}"]
        if diagnosis.flaky:
            lines += ["", f"Flaky: {count(len(diagnosis.flaky), 'test')} failed, then passed when run again."]
            lines += [f"- {self._span(test)}" for test in diagnosis.flaky[:_TESTS]]
        for notice in diagnosis.notices[:_TESTS]:
            lines += ["", f"> {self._text(notice)}"]
        return "\n".join(lines) + "\n"

    def _fault(self, fault: Fault, failures: dict[str, Failure]) -> Iterator[str]:
        yield f"\n### Fault {fault.id}: {count(len(fault.tests), 'failing test')}\n"
        for test in fault.tests[:_TESTS]:
            failure = failures.get(test)
            reason = f" {self._text(f'{failure.error_type}: {failure.message}')}" if failure else ""
            yield f"- {self._span(test)}{reason}"
        if len(fault.tests) > _TESTS:
            yield f"- and {len(fault.tests) - _TESTS:,} more"
        if fault.note:
            yield f"\n{self._text(fault.note)}"
        if fault.suspects:
            yield "\n**Where**\n"
        for suspect in fault.suspects[:_SUSPECTS]:
            tie = f" (tied with {suspect.tied_with} more)" if suspect.tied_with else ""
            evidence = f": {self._text(suspect.evidence[0])}" if suspect.evidence else ""
            place = f"{self._span(f'{suspect.path}:{suspect.line}')} in {self._span(suspect.function)}"
            yield f"- {place}{tie}{evidence}"
        if fault.explanation:
            yield "\n**Why**\n"
            yield from (f"- {self._text(bullet)}" for bullet in fault.explanation.bullets)
        yield "\n**Fix**\n"
        yield from self._fix(fault)

    def _fix(self, fault: Fault) -> Iterator[str]:
        fix = fault.fix
        if fix is None:
            yield f"{searched(fault.search)}."
            for proposal in fault.proposals[:1]:
                yield f"\nClosest, `{proposal.patch.id}`: {judged(proposal, len(fault.tests))}."
            return
        yield from (self._text(reason) for reason in fix.patch.rationale[:3])
        yield self._diff(fix)
        yield f"\n{tests_run(fix.verdict)}."
        if others := also_passing(fault):
            yield f"{count(others, 'other patch also passes', 'other patches also pass')}."
        if more := checked(fault):
            yield f"{more}."
        if fault.question is None:
            yield f"\nApply it with `buddy apply {fix.patch.id}`."
            return
        yield f"\n**{self._text(asked(fault.question))}**\n"
        for answer in fault.question.answers:
            yield f"- {self._text(answer.result)}: `buddy apply {answer.patch}`"

    def _diff(self, proposal: Proposal) -> str:
        lines = self.redact(proposal.diff).removesuffix("\n").split("\n")
        shown = [visible(line) for line in lines[:_DIFF_LINES]]
        fence = "`" * max(3, 1 + _longest(_TICKS.findall("\n".join(shown))))
        added, removed = changed(proposal.diff)
        rest = f"\n\n{count(len(lines) - len(shown), 'more line')}" if len(lines) > len(shown) else ""
        return "\n".join((f"\n+{added} -{removed}\n", f"{fence}diff", *shown, fence)) + rest

    def _span(self, text: str) -> str:
        flat = visible(one_line(self.redact(text[:_LONGEST]), limit=300))
        ticks = "`" * (1 + _longest(_TICKS.findall(flat)))
        padding = " " if flat.startswith("`") or flat.endswith("`") or not flat else ""
        return f"{ticks}{padding}{flat}{padding}{ticks}"

    def _text(self, text: str) -> str:
        """Flowing text, its `quoted code` as code and everything else as it stands."""
        parts = _QUOTED.split(one_line(self.redact(text[:_LONGEST]), limit=600))
        return "".join(
            self._span(part) if number % 2 else _plain(part) for number, part in enumerate(parts) if part
        )


def _plain(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", visible(text).replace("&", "&amp;").replace("<", "&lt;"))
    return _LINKED.sub(r"\1<!-- -->", escaped)


def _longest(runs: list[str]) -> int:
    return max(map(len, runs), default=0)
