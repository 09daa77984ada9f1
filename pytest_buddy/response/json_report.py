"""The JSON report, `pytest-buddy/1`: other programs read it, so it changes only by adding."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_buddy import __version__
from pytest_buddy.domain import Diagnosis, Explanation, Failure, Fault, Proposal, Question, Search, Suspect

SCHEMA = "pytest-buddy/1"
_MOST_SUSPECTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonReporter:
    """Renders the report; texts pass through `redact`, diffs through `redact_diff`.

    A diff that had to be redacted no longer applies; its patch then says `"redacted": true`.
    """

    redact: Callable[[str], str]
    redact_diff: Callable[[str], str]
    format: str = "json"

    def render(self, diagnosis: Diagnosis) -> str:
        """The report as ASCII text, keys and entries in a fixed order, ending with a newline."""
        return json.dumps(self._report(diagnosis), indent=1, ensure_ascii=True, allow_nan=False) + "\n"

    def _report(self, diagnosis: Diagnosis) -> dict[str, Any]:
        owner = {test: fault.id for fault in reversed(diagnosis.faults) for test in fault.tests}
        flaky = frozenset(diagnosis.flaky)
        timing = diagnosis.timing
        return {
            "schema": SCHEMA,
            "version": __version__,
            "sandbox": diagnosis.sandbox,
            "offline": diagnosis.offline,
            "summary": {
                "failed": diagnosis.failed,
                "flaky": len(flaky),
                "faults": len(diagnosis.faults),
                "fixed": sum(fault.fix is not None for fault in diagnosis.faults),
            },
            "failures": [
                self._failure(failure, failure.test in flaky, owner.get(failure.test))
                for failure in diagnosis.failures
            ],
            "faults": [self._fault(fault) for fault in diagnosis.faults],
            "notices": self._texts(diagnosis.notices),
            "timing": {
                "collect": _number(timing.collect),
                "localize": _number(timing.localize),
                "propose": _number(timing.propose),
                "total": _number(timing.total),
                "first_fix": None if timing.first_fix is None else _number(timing.first_fix),
            },
        }

    def _failure(self, failure: Failure, flaky: bool, fault: str | None) -> dict[str, Any]:  # noqa: FBT001
        return {
            "test": self.redact(failure.test),
            "error_type": self.redact(failure.error_type),
            "message": self.redact(failure.message),
            "flaky": flaky,
            "fault": fault,
            "phase": failure.phase,
        }

    def _fault(self, fault: Fault) -> dict[str, Any]:
        return {
            "id": fault.id,
            "tests": self._texts(fault.tests),
            "suspects": [self._suspect(suspect) for suspect in fault.suspects[:_MOST_SUSPECTS]],
            "explanation": self._explanation(fault.explanation),
            "patches": [self._patch(proposal) for proposal in fault.proposals],
            "search": self._search(fault.search),
            "note": self.redact(fault.note),
            "question": self._question(fault.question),
        }

    def _question(self, question: Question | None) -> dict[str, Any] | None:
        if question is None:
            return None
        return {
            "call": self.redact(question.call),
            "answers": [
                {"patch": answer.patch, "result": self.redact(answer.result)} for answer in question.answers
            ],
            "compared": question.compared,
        }

    def _suspect(self, suspect: Suspect) -> dict[str, Any]:
        return {
            "file": suspect.path,
            "line": suspect.line,
            "end_line": suspect.end_line,
            "function": suspect.function,
            "score": _number(suspect.score, digits=4),
            "rank": suspect.rank,
            "tied_with": suspect.tied_with,
            "evidence": self._texts(suspect.evidence),
        }

    def _explanation(self, explanation: Explanation | None) -> dict[str, Any] | None:
        if explanation is None:
            return None
        return {"bullets": self._texts(explanation.bullets), "origin": explanation.origin}

    def _patch(self, proposal: Proposal) -> dict[str, Any]:
        verdict = proposal.verdict
        diff = self.redact_diff(proposal.diff)
        return {
            "id": proposal.patch.id,
            "rank": proposal.rank,
            "diff": diff,
            "redacted": diff != proposal.diff,
            "origin": proposal.patch.origin,
            "changed_lines": proposal.changed_lines,
            "rationale": self._texts(proposal.patch.rationale),
            "verdict": {
                "outcome": verdict.outcome,
                "fixed": self._texts(verdict.fixed),
                "broken": self._texts(verdict.broken),
                "ran": verdict.ran,
                "confirmed": verdict.confirmed,
                "sandbox": verdict.sandbox,
                "seconds": _number(verdict.seconds),
            },
        }

    def _search(self, search: Search | None) -> dict[str, Any] | None:
        if search is None:
            return None
        return {
            "candidates": search.candidates,
            "validated": search.validated,
            "seconds": _number(search.seconds),
            "stopped": search.stopped,
            "coders": list(search.coders),
            "also_passing": search.also_passing,
            "kept_out": self._texts(search.kept_out),
            "refuted": search.refuted,
        }

    def _texts(self, texts: tuple[str, ...]) -> list[str]:
        return [self.redact(text) for text in texts]


def _number(value: float, *, digits: int = 3) -> float:
    return round(value, digits) if math.isfinite(value) else 0.0
