"""What speaks for a statement, each kind of evidence by itself as a figure in 0..1."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_buddy.domain import Change, Failure
from pytest_buddy.localize.evidence import is_shown
from pytest_buddy.localize.ochiai import ochiai
from pytest_buddy.localize.priors import holds_logic
from pytest_buddy.localize.program import Element, Function, Program
from pytest_buddy.localize.tracebacks import Site, sites, weight

# A definition is suspected through what reads it, which is a step further from the failure; but a table or a
# pattern is as good as the code that looks into it.
_INDIRECT = 0.9
# A failed assertion calls `__repr__` to show what it compared, unless the test asks for it itself.
_SHOWN = 0.5
# All of a class is run through its header, which is seldom at fault itself.
_CLASS = 0.8
_DECIDE = frozenset({"if", "while", "for", "asyncfor", "match_case"})
_COMMITTED = 0.3
UNCOMMITTED = "not committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault to rank: its failures and the bit sets of its failing and of all passing executions.

    `traced` is false when no execution of the failing tests is known and tracebacks stand in for them.
    """

    failures: tuple[Failure, ...]
    failing: int
    passing: int
    traced: bool = True


class Spectra:
    """Ochiai per distinct bit set: there are few of them, whatever the size of the program."""

    def __init__(self, case: Case, asked: Collection[Function]) -> None:
        self._case = case
        self._asked = asked
        self._known: dict[int, float] = {}

    def suspicion(self, element: Element) -> float:
        """Ochiai of the statement; of a definition, of the most suspicious that reads it, lessened."""
        statement = element.statement
        known = self._of(element.runs)
        if statement.kind != "classdef":
            known = max([known, *(self._of(bits) for _, bits in element.through)])
        else:
            known *= _CLASS
        if is_shown(element) and (statement.path, statement.qualname) not in self._asked:
            known *= _SHOWN
        if element.indirect:
            known *= _INDIRECT ** (element.distance + (not holds_logic(statement)))
        return known

    def _of(self, bits: int) -> float:
        known = self._known.get(bits)
        if known is None:
            case = self._case
            ran = (bits & case.failing).bit_count(), (bits & case.passing).bit_count()
            known = self._known[bits] = ochiai(*ran, case.failing.bit_count())
        return known


class Stack:
    """Where the tracebacks of a fault's failures point, averaged over the failures that have such frames."""

    def __init__(self, failures: Sequence[Failure], program: Program) -> None:
        self._program = program
        found = [known for failure in failures if (known := sites(failure, program.tests))]
        self._weights: dict[tuple[str, int], float] = {}
        self._innermost: dict[tuple[str, int], int] = {}
        self._counts: dict[tuple[str, int], int] = {}
        self._functions: dict[Function, float] = {}
        self._guards: dict[tuple[str, int], float] = {}
        for failure_sites in found:
            self._add(failure_sites, 1 / len(found))

    def _add(self, found: Sequence[Site], share: float) -> None:
        for site in found:
            line = (site.path, site.line)
            self._weights[line] = self._weights.get(line, 0.0) + share * weight(site)
            self._counts[line] = self._counts.get(line, 0) + 1
            if site.distance == 1:
                self._innermost[line] = self._innermost.get(line, 0) + 1
            function = (site.path, site.function)
            self._functions[function] = max(self._functions.get(function, 0.0), weight(site))
        guards: dict[tuple[str, int], float] = {}
        for site in found:
            for index, near in self._around(site):
                key = (site.path, index)
                guards[key] = max(guards.get(key, 0.0), near * weight(site))
        for key, value in guards.items():
            self._guards[key] = self._guards.get(key, 0.0) + share * value

    def _around(self, site: Site) -> Iterator[tuple[int, float]]:
        """The statements that decide whether a line runs, the nearest first, with 1, 1/2, 1/4 ..."""
        table = self._program.table(site.path)
        for statement in table.at(site.line)[-1:] if table else ():
            parent, near = statement.parent, 1.0
            while table and parent >= 0:
                around = table.all[parent]
                if around.kind in _DECIDE:
                    yield parent, near
                    near /= 2
                parent = around.parent

    def guard(self, element: Element) -> float:
        """0..1: how directly the statement decides that a line of the traceback runs."""
        return self._guards.get((element.statement.path, element.statement.index), 0.0)

    def of(self, element: Element) -> float:
        """0..1: the value of the best line of the statement."""
        return self._best(self._weights, element)

    def frame(self, element: Element) -> float:
        """0..1: the value of the innermost frame of the statement's function."""
        return self._functions.get((element.statement.path, element.statement.qualname), 0.0)

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


class Recency:
    """Which lines git says were changed last."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._labels: dict[tuple[str, int], str] = {}
        for change in sorted(changes, key=lambda change: change.label != UNCOMMITTED):
            for line in change.lines:
                self._labels.setdefault((change.path, line), change.label)

    def label(self, element: Element) -> str:
        """The latest change that touches the statement; empty when there is none."""
        if not self._labels:
            return ""
        statement = element.statement
        lines = range(statement.line, statement.end_line + 1)
        labels = [found for line in lines if (found := self._labels.get((statement.path, line)))]
        return UNCOMMITTED if UNCOMMITTED in labels else next(iter(labels), "")

    def of(self, element: Element) -> float:
        """1 for what is not committed, less for what is."""
        label = self.label(element)
        return (1.0 if label == UNCOMMITTED else _COMMITTED) if label else 0.0
