"""Ranked suspects of one fault.

score = (Ochiai + 0.3 x stack + 0.3 x kind + 0.02 x function) / 1.62

`stack` is 1 for the innermost frame of all failures that have one and falls with the distance (only the
frame's own line gets it: giving its function a share made rankings worse); `kind` is the prior of the
statement's kind; `function` is the suspicion of the function around it, too small to do more than order
what would be tied. The two weights of 0.3 come from earlier measurements on other programs and are not
fitted here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from pytest_buddy.domain import Failure, Suspect
from pytest_buddy.localize.evidence import Facts, evidence, is_shown
from pytest_buddy.localize.mentions import Named, named
from pytest_buddy.localize.ochiai import ochiai
from pytest_buddy.localize.priors import definition_prior, priors
from pytest_buddy.localize.program import Element, Program
from pytest_buddy.localize.tracebacks import Site, sites, weight

STACK = 0.3
KIND = 0.3
FUNCTION = 0.02
TOTAL = 1 + STACK + KIND + FUNCTION
KEPT = 50

# A definition is suspected through what reads it, which is a step further from the failure.
_INDIRECT = 0.9
# A failed assertion calls `__repr__` to show what it compared; in a passing test nothing does.
_SHOWN = 0.5
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault to rank: its failures and the bit sets of its failing and of all passing executions.

    `traced` is false when no execution of the failing tests is known and tracebacks stand in for them.
    """

    failures: tuple[Failure, ...]
    failing: int
    passing: int
    traced: bool = True


def suspects(case: Case, elements: Sequence[Element], program: Program) -> tuple[Suspect, ...]:
    """The fault's suspects, likeliest first, at most 50; ties are counted over all of them."""
    stack = _Stack(case.failures, program.tests)
    mentioned = named(case.failures, elements, program)
    known = {_place(element) for element in elements}
    unread = [
        Element(statement=mention.statement, runs=case.failing, named=True)
        for place, mention in mentioned.items()
        if place not in known
    ]
    spectra = _Spectra(case)
    scored: list[tuple[float, Element]] = []
    for element in (*elements, *unread):
        suspicion = spectra.suspicion(element)
        is_named = _place(element) in mentioned
        if suspicion or is_named or stack.count(element):
            scored.append((suspicion + STACK * max(stack.of(element), float(is_named)), element))
    functions = _functions(scored)
    final: list[tuple[float, Element]] = []
    for score, element in scored:
        score += KIND * _kind(element, program) + FUNCTION * functions[_function(element)]
        final.append((round(score / TOTAL, _DIGITS), element))
    return _ranked(final, _Told(case, stack, mentioned, final), program)


def _ranked(final: Sequence[tuple[float, Element]], told: "_Told", program: Program) -> tuple[Suspect, ...]:
    equal = Counter(score for score, _ in final)
    kept = nsmallest(KEPT, final, key=lambda item: (-item[0], item[1].statement.path, item[1].statement.line))
    found: list[Suspect] = []
    for position, (score, element) in enumerate(kept):
        statement = element.statement
        table = program.table(statement.path)
        assert table is not None
        found.append(
            Suspect(
                path=statement.path,
                line=statement.line,
                end_line=statement.end_line,
                function=table.function_of(statement),
                score=score,
                rank=found[-1].rank if found and found[-1].score == score else position + 1,
                tied_with=equal[score] - 1,
                evidence=told.evidence(element),
                kind=statement.kind,
            )
        )
    return tuple(found)


class _Told:
    """The evidence of each suspect of one case."""

    def __init__(
        self,
        case: Case,
        stack: "_Stack",
        mentioned: Mapping[tuple[str, int], Named],
        final: Iterable[tuple[float, Element]],
    ) -> None:
        self._case = case
        self._stack = stack
        self._mentioned = mentioned
        self._alike = Counter(self._runs(element) for _, element in final if not element.indirect)

    def evidence(self, element: Element) -> tuple[str, ...]:
        """What a person is told about a suspect."""
        mention = self._mentioned.get(_place(element))
        facts = Facts(
            failing=self._case.failing,
            passing=self._case.passing,
            traced=self._case.traced,
            alike=self._alike[self._runs(element)] - 1,
            innermost=self._stack.innermost(element),
            on_stack=self._stack.count(element),
            mention=mention.text if mention else "",
        )
        return evidence(element, facts)

    def _runs(self, element: Element) -> int:
        return element.runs & (self._case.failing | self._case.passing)


class _Spectra:
    """Ochiai per distinct bit set: there are few of them, whatever the size of the program."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._known: dict[int, float] = {}

    def suspicion(self, element: Element) -> float:
        """Ochiai of the statement, or of what reads it, lessened by the distance from it."""
        case = self._case
        bits = element.runs
        known = self._known.get(bits)
        if known is None:
            ran = (bits & case.failing).bit_count(), (bits & case.passing).bit_count()
            known = self._known[bits] = ochiai(*ran, case.failing.bit_count())
        if not bits & case.passing and is_shown(element):
            known *= _SHOWN
        return known * _INDIRECT ** (1 + element.distance) if element.indirect else known


class _Stack:
    """Where the tracebacks of a fault's failures point, averaged over the failures that have such frames."""

    def __init__(self, failures: Sequence[Failure], tests: Collection[str]) -> None:
        found = [failure_sites for failure in failures if (failure_sites := sites(failure, tests))]
        self._weights: dict[tuple[str, int], float] = {}
        self._innermost: dict[tuple[str, int], int] = {}
        self._counts: dict[tuple[str, int], int] = {}
        for failure_sites in found:
            self._add(failure_sites, 1 / len(found))

    def _add(self, found: Sequence[Site], share: float) -> None:
        for site in found:
            line = (site.path, site.line)
            self._weights[line] = self._weights.get(line, 0.0) + share * weight(site)
            self._counts[line] = self._counts.get(line, 0) + 1
            if site.distance == 1:
                self._innermost[line] = self._innermost.get(line, 0) + 1

    def of(self, element: Element) -> float:
        """0..1: the value of the best line of the statement."""
        return self._best(self._weights, element)

    def innermost(self, element: Element) -> int:
        """In how many failures the statement is the innermost frame."""
        return int(self._best(self._innermost, element))

    def count(self, element: Element) -> int:
        """In how many failures the statement is on the traceback."""
        return int(self._best(self._counts, element))

    def _best(self, values: Mapping[tuple[str, int], float], element: Element) -> float:
        statement = element.statement
        path = statement.path
        if statement.line == statement.end_line:
            return values.get((path, statement.line), 0.0)
        lines = range(statement.line, statement.end_line + 1)
        return max(values.get((path, line), 0.0) for line in lines)


def _kind(element: Element, program: Program) -> float:
    statement = element.statement
    if element.indirect:
        return definition_prior(statement)
    return priors(program.sources[statement.path])[statement.index]


def _place(element: Element) -> tuple[str, int]:
    return element.statement.path, element.statement.index


def _function(element: Element) -> tuple[str, str]:
    return element.statement.path, element.statement.qualname


def _functions(scored: Sequence[tuple[float, Element]]) -> dict[tuple[str, str], float]:
    """Per function, half its most suspicious statement and half the mean of all that ran; 0..1."""
    sums: dict[tuple[str, str], float] = {}
    counts: dict[tuple[str, str], int] = {}
    best: dict[tuple[str, str], float] = {}
    for score, element in scored:
        key = _function(element)
        sums[key] = sums.get(key, 0.0) + score
        counts[key] = counts.get(key, 0) + 1
        best[key] = max(best.get(key, 0.0), score)
    highest = 1 + STACK
    return {key: (best[key] + sums[key] / counts[key]) / 2 / highest for key in sums}
