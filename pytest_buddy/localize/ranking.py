"""Ranked suspects of one fault: functions first, then their statements.

    score = (Ochiai + 0.2 x stack + 0.25 x guard + 0.05 x kind        of the statement
             + 0.3 x mean Ochiai + 0.1 x frame + 0.1 x nearness       of its function) / 1.75

with something on top for what git says was just changed. `stack` is 1 for the innermost frame of all failures
that have one and falls with the distance; `guard` is the same for the conditions that such a line is under,
which are wrong more often than the line itself; `frame` is the same for the function, whatever the line;
`nearness` is 1 for what the failing line of the test calls and falls with every call from there; `kind` is
the prior of the statement's kind, so small that it orders only what coverage cannot.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import mul

from pytest_buddy.domain import Change, Suspect
from pytest_buddy.localize.assertion import Nearness
from pytest_buddy.localize.evidence import Facts, evidence
from pytest_buddy.localize.mentions import Named, named
from pytest_buddy.localize.priors import definition_prior, priors
from pytest_buddy.localize.program import Element, Function, Program
from pytest_buddy.localize.signals import Case, Recency, Spectra, Stack
from pytest_buddy.localize.weights import TOTAL, WEIGHTS, Signals

KEPT = 50

# Whatever fills the list, the best statements of the best functions are in it, and the best definitions.
_FUNCTIONS = 15
_OF_EACH = 2
_DEFINITIONS = 10
_DIGITS = 6
# What decides over the innermost line of half the failures is worth a word.
_DECIDES = 0.5
_HEADERS = ("functiondef", "asyncfunctiondef")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    element: Element
    score: float


def suspects(
    case: Case, elements: Sequence[Element], program: Program, changes: Sequence[Change] = ()
) -> tuple[Suspect, ...]:
    """The fault's suspects, likeliest first, at most 50; ties are counted over all of them."""
    clues = Clues(case, elements, program, changes)
    final = [_Scored(element=element, score=scored(signals)) for element, signals in clues.signals()]
    return _ranked(final, _Told(clues, final), program)


def scored(signals: Signals, weights: Signals = WEIGHTS) -> float:
    """0..1, rounded: what is equal but for the last bits is a tie."""
    total: float = sum(map(mul, weights, signals))
    return round(min(1.0, total / TOTAL), _DIGITS)


class Clues:
    """Everything that is known about the statements of one fault."""

    def __init__(
        self, case: Case, elements: Sequence[Element], program: Program, changes: Sequence[Change] = ()
    ) -> None:
        self.case = case
        self.stack = Stack(case.failures, program)
        self.mentioned: Mapping[tuple[str, int], Named] = named(case.failures, elements, program)
        self.nearness = Nearness(case.failures, elements, program)
        self.recency = Recency(changes)
        self._program = program
        known = {_place(element) for element in elements}
        unread = (
            Element(statement=mention.statement, runs=case.failing, named=True)
            for place, mention in self.mentioned.items()
            if place not in known
        )
        self._elements = (*elements, *unread)

    def signals(self) -> Iterator[tuple[Element, Signals]]:
        """The statements that anything speaks for, with what does."""
        spectra = Spectra(self.case, self.nearness.asked)
        considered: list[tuple[float, Element]] = []
        for element in self._elements:
            suspicion = spectra.suspicion(element)
            if suspicion or _place(element) in self.mentioned or self.stack.count(element):
                considered.append((suspicion, element))
        means = _means(considered)
        for suspicion, element in considered:
            is_named = float(_place(element) in self.mentioned)
            yield (
                element,
                Signals(
                    run=suspicion,
                    stack=max(self.stack.of(element), is_named),
                    guard=self.stack.guard(element),
                    kind=_kind(element, self._program),
                    function=means.get(_function(element), suspicion),
                    frame=max(self.stack.frame(element), is_named),
                    near=self.nearness.of(element),
                    recent=self.recency.of(element),
                ),
            )


def _ranked(final: Sequence[_Scored], told: "_Told", program: Program) -> tuple[Suspect, ...]:
    equal = Counter(one.score for one in final)
    found: list[Suspect] = []
    for position, one in enumerate(_kept(final)):
        statement = one.element.statement
        table = program.table(statement.path)
        assert table is not None
        found.append(
            Suspect(
                path=statement.path,
                line=statement.line,
                end_line=statement.end_line,
                function=table.function_of(statement),
                score=one.score,
                rank=found[-1].rank if found and found[-1].score == one.score else position + 1,
                tied_with=equal[one.score] - 1,
                evidence=told.evidence(one.element),
                kind=statement.kind,
            )
        )
    return tuple(found)


def _kept(final: Sequence[_Scored]) -> list[_Scored]:
    """The best of all, but for the places that the best statements of the best functions need."""
    ordered = sorted(final, key=_order)
    if len(ordered) <= KEPT:
        return ordered
    of_function: dict[Function, list[_Scored]] = {}
    definitions = [one for one in ordered if one.element.indirect]
    for one in ordered:
        key = _function(one.element)
        if key in of_function or len(of_function) < _FUNCTIONS:
            of_function.setdefault(key, []).append(one)
    needed = [one for group in of_function.values() for one in group[:_OF_EACH]]
    chosen = {id(one) for one in needed}
    needed += [one for one in definitions[:_DEFINITIONS] if id(one) not in chosen]
    chosen.update(id(one) for one in needed)
    rest = [one for one in ordered if id(one) not in chosen]
    return sorted([*needed, *rest[: KEPT - len(needed)]], key=_order)


def _order(one: _Scored) -> tuple[float, str, int]:
    return -one.score, one.element.statement.path, one.element.statement.line


class _Told:
    """The evidence of each suspect of one case."""

    def __init__(self, clues: Clues, final: Iterable[_Scored]) -> None:
        self._clues = clues
        self._alike = Counter(self._runs(one.element) for one in final if not one.element.indirect)

    def evidence(self, element: Element) -> tuple[str, ...]:
        """What a person is told about a suspect."""
        clues = self._clues
        mention = clues.mentioned.get(_place(element))
        facts = Facts(
            failing=clues.case.failing,
            passing=clues.case.passing,
            traced=clues.case.traced,
            alike=self._alike[self._runs(element)] - 1,
            innermost=clues.stack.innermost(element),
            on_stack=clues.stack.count(element),
            mention=mention.text if mention else "",
            called=clues.nearness.is_called(element),
            changed=clues.recency.label(element),
            decides=clues.stack.guard(element) >= _DECIDES,
        )
        return evidence(element, facts)

    def _runs(self, element: Element) -> int:
        case = self._clues.case
        return element.runs & (case.failing | case.passing)


def _kind(element: Element, program: Program) -> float:
    statement = element.statement
    if element.indirect:
        return definition_prior(statement)
    return priors(program.sources[statement.path])[statement.index]


def _place(element: Element) -> tuple[str, int]:
    return element.statement.path, element.statement.index


def _function(element: Element) -> Function:
    return element.statement.path, element.statement.qualname


def _means(considered: Sequence[tuple[float, Element]]) -> dict[Function, float]:
    """Per function, the mean suspicion of what ran of it; definitions stand each for themselves."""
    sums: dict[Function, float] = {}
    counts: dict[Function, int] = {}
    for suspicion, element in considered:
        if not element.indirect:
            key = _function(element)
            sums[key] = sums.get(key, 0.0) + suspicion
            counts[key] = counts.get(key, 0) + 1
    return {key: total / counts[key] for key, total in sums.items()}
