"""From failures and spectrum to faults with ranked suspects."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_buddy.domain import Change, Execution, Failure, Fault, Spectrum, Suspect
from pytest_buddy.localize.grouping import Block, Group, groups
from pytest_buddy.localize.ochiai import line_runs
from pytest_buddy.localize.program import Element, Program
from pytest_buddy.localize.ranking import KEPT, suspects
from pytest_buddy.localize.references import definitions
from pytest_buddy.localize.signals import Case
from pytest_buddy.localize.tracebacks import executed_frames, mentions
from pytest_buddy.source import Source

_REPRESENTATIVES = 3
_BEHIND = 0.999


def localize(
    failures: tuple[Failure, ...],
    spectrum: Spectrum,
    sources: Mapping[str, Source],
    *,
    tests: frozenset[str],
    changes: Sequence[Change] = (),
) -> tuple[Fault, ...]:
    """The faults behind the failures, the one of most tests first, each with its ranked suspects.

    `sources` holds the project's files, `tests` the paths among them that are never suspects. A failing
    execution belongs to the failure of the same test; a failure without one joins the fault it resembles.
    What git says of recent `changes` counts as evidence.
    """
    program = Program(sources=sources, tests=tests)
    failed = {failure.test for failure in failures}
    executions = [
        execution for execution in spectrum.executions if not execution.failed or execution.test in failed
    ]
    bits = {execution.test: 1 << i for i, execution in enumerate(executions) if execution.failed}
    passing = sum(1 << i for i, execution in enumerate(executions) if not execution.failed)
    elements = _elements(executions, sum(bits.values()), program) if bits else ()
    found = groups(failures, bits, _blocks(elements), passing, tests)
    return tuple(
        _fault(f"f{number}", group, elements, executions, passing, program, changes)
        for number, group in enumerate(found, start=1)
    )


def _fault(
    name: str,
    group: Group,
    elements: Sequence[Element],
    executions: Sequence[Execution],
    passing: int,
    program: Program,
    changes: Sequence[Change],
) -> Fault:
    failing, traced = group.failing, True
    if not failing:
        stand_ins = [_stand_in(failure, program) for failure in group.failures[:_REPRESENTATIVES]]
        compared = [*executions, *stand_ins]
        failing = sum(1 << i for i in range(len(executions), len(compared)))
        elements, traced = _elements(compared, failing, program), False
    case = Case(failures=group.failures, failing=failing, passing=passing, traced=traced)
    ranked = suspects(case, elements, program, changes)
    if broken := _broken(group, program):
        ranked = (broken, *map(_behind, ranked[: KEPT - 1]))
    return Fault(
        id=name,
        tests=tuple(dict.fromkeys(failure.test for failure in group.failures)),
        suspects=ranked,
    )


def _elements(executions: Sequence[Execution], failing: int, program: Program) -> tuple[Element, ...]:
    """All statements that failing executions ran, then the definitions that those read."""
    runs: dict[str, list[int]] = {}
    for path, lines in line_runs(executions, failing).items():
        if table := program.table(path):
            runs[path] = table.runs(lines)
    found: list[Element] = []
    for path, per_statement in runs.items():
        table = program.table(path)
        if table is None or path in program.tests:
            continue
        for statement, bits in zip(table.all, per_statement, strict=True):
            if bits & failing:
                found.append(Element(statement=statement, runs=bits))
    return (*found, *(element for element in definitions(program, runs) if element.runs & failing))


def _blocks(elements: Sequence[Element]) -> tuple[Block, ...]:
    seen = {(element.statement.path, element.statement.qualname, element.runs): None for element in elements}
    return tuple(Block(path=path, function=function, runs=runs) for path, function, runs in seen)


def _stand_in(failure: Failure, program: Program) -> Execution:
    """An execution made up of the functions on the traceback, for a test whose lines are not known."""
    lines: dict[str, set[int]] = {}
    for frame in executed_frames(failure, program.tests):
        lines.setdefault(frame.path, set()).add(frame.line)
        table = program.table(frame.path)
        for statement in table.all if table else ():
            if statement.qualname == frame.function and statement.kind not in (
                "functiondef",
                "asyncfunctiondef",
                "classdef",
            ):
                lines[frame.path].add(statement.line)
    for mention in mentions(failure):
        if mention.path and (path := program.find(mention.path)):
            lines.setdefault(path, set()).add(mention.line)
    return Execution(
        test=failure.test,
        failed=True,
        lines={path: frozenset(numbers) for path, numbers in lines.items()},
    )


def _broken(group: Group, program: Program) -> Suspect | None:
    """The line of a file that does not parse, and so has no statements, that an error points at."""
    places = dict.fromkeys(
        (mention.path, mention.line)
        for failure in group.failures
        for mention in mentions(failure)
        if mention.path
    )
    for named, line in places:
        path = program.find(named, broken=True)
        if path is not None and path not in program.tests:
            return Suspect(
                path=path,
                line=line,
                end_line=line,
                function=program.sources[path].module,
                score=1.0,
                rank=1,
                evidence=("the error points at this line",),
            )
    return None


def _behind(suspect: Suspect) -> Suspect:
    """The suspect, one rank further down."""
    return replace(suspect, rank=suspect.rank + 1, score=min(suspect.score, _BEHIND))
