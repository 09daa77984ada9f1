"""Why a line is or is not suspected, in plain sentences."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_buddy.domain import Failure, Fault, Spectrum, Suspect
from pytest_buddy.localize.ochiai import line_runs
from pytest_buddy.localize.program import Program
from pytest_buddy.localize.statements import Statement, Statements
from pytest_buddy.source import Source

_HEADERS = frozenset({"functiondef", "asyncfunctiondef", "classdef"})
_CONDITIONS: Mapping[str, str] = {
    "if": "the condition in line {} kept them from it",
    "while": "the loop in line {} had no round for them",
    "for": "the loop in line {} had no round for them",
    "asyncfor": "the loop in line {} had no round for them",
    "match_case": "the case in line {} did not match",
    "excepthandler": "nothing was caught in line {}",
}


def why(
    path: str,
    line: int,
    failures: Sequence[Failure],
    spectrum: Spectrum,
    sources: Mapping[str, Source],
    faults: Sequence[Fault],
    *,
    tests: Collection[str] = (),
) -> tuple[str, ...]:
    """Plain sentences on why a line is or is not suspected; never empty.

    `tests` are paths that are never suspected, beside the files that failing tests are in.
    """
    own = {failure.test.split("::", 1)[0] for failure in failures}
    program = Program(sources=sources, tests=frozenset(own.union(tests)))
    if path in program.tests:
        return (f"{path} is a test file: tests are never suspected.",)
    source = sources.get(path)
    if source is None:
        return (_unread(path, spectrum),)
    table = program.table(path)
    if table is None:
        return (f"{path} does not parse, so nothing of it has run.", *_ranks(path, line, line, faults))
    if nothing := _nothing(source, table, line):
        return (nothing,)
    return tuple(_sentences(path, line, table, spectrum, faults))


def _unread(path: str, spectrum: Spectrum) -> str:
    if path.startswith(("/", "..")) or path[1:3] in (":/", ":\\"):
        return f"{path} is outside the workspace: only the project's own files are suspected."
    if not path.endswith(".py"):
        return f"{path} is no Python file: only those are suspected."
    ran = sum(bool(execution.lines.get(path)) for execution in spectrum.passing)
    also = f"; {ran} of the passing tests do{'es' if ran == 1 else ''}" if ran else ""
    return f"No failing test runs a line of {path}{also}."


def _nothing(source: Source, table: Statements, line: int) -> str:
    """What to say of a line where no statement is; empty when there is one."""
    count = len(source.line_starts) - 1
    if not 1 <= line <= count:
        return f"{source.path} has {count} line{'s' * (count != 1)}: there is no line {line}."
    if line in table.by_line:
        return ""
    text = source.line(line).strip()
    if not text:
        return f"Line {line} is blank: nothing runs there."
    if text.startswith("#"):
        return f"Line {line} is a comment: nothing runs there."
    return f"Line {line} is part of no statement that runs (a docstring, `else:`, a declaration)."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """Bit sets of executions: per statement of a file, and of the failing and passing ones at large."""

    runs: Sequence[int]
    failing: int
    passing: int


def _sentences(
    path: str, line: int, table: Statements, spectrum: Spectrum, faults: Sequence[Fault]
) -> Iterator[str]:
    statement = max(table.at(line), key=lambda statement: statement.index)
    if statement.line != statement.end_line:
        yield (
            f"Line {line} belongs to the statement of lines {statement.line} to {statement.end_line}, "
            "which is suspected as a whole."
        )
    seen = _seen(path, table, spectrum)
    yield from _runs(statement, table, seen)
    yield from _ranks(path, statement.line, statement.end_line, faults, run=_is_run(statement, seen))


def _seen(path: str, table: Statements, spectrum: Spectrum) -> _Seen:
    executions = spectrum.executions
    failing = sum(1 << i for i, execution in enumerate(executions) if execution.failed)
    passing = sum(1 << i for i, execution in enumerate(executions) if not execution.failed)
    lines = line_runs(executions, failing | passing).get(path, {})
    return _Seen(runs=table.runs(lines), failing=failing, passing=passing)


def _is_run(statement: Statement, seen: _Seen) -> bool:
    return bool(seen.runs[statement.index] & seen.failing)


def _runs(statement: Statement, table: Statements, seen: _Seen) -> Iterator[str]:
    if not seen.failing:
        yield "Which lines the failing tests run is not known: only tracebacks are."
        return
    bits = seen.runs[statement.index]
    failed, all_failed = (bits & seen.failing).bit_count(), seen.failing.bit_count()
    passed, all_passed = (bits & seen.passing).bit_count(), seen.passing.bit_count()
    if failed:
        yield f"It is run by {failed} of {all_failed} failing and {passed} of {_tests(all_passed)}."
        return
    if _is_imported(statement, table):
        yield "It runs when its module is imported, so no test in particular runs it."
        return
    yield _missed(statement, table, seen)
    if passed:
        yield f"Of {_tests(all_passed)}, {passed} run{'s' * (passed == 1)} it."


def _is_imported(statement: Statement, table: Statements) -> bool:
    scope = statement.scope
    if statement.kind in _HEADERS and scope < 0:
        return True
    while scope >= 0:
        if table.all[scope].kind != "classdef":
            return False
        scope = table.all[scope].scope
    return True


def _missed(statement: Statement, table: Statements, seen: _Seen) -> str:
    """Why no failing test runs a statement of a function."""
    scope = table.all[statement.scope]
    name = table.function_of(scope)
    body = [s for s in table.all if s.scope == scope.index]
    if not any(_is_run(other, seen) for other in body):
        return f"No failing test runs it, nor any other line of {name}."
    parent = statement.parent
    while parent >= 0 and not _is_run(table.all[parent], seen):
        parent = table.all[parent].parent
    if parent < 0:
        return f"The failing tests run {name}, but leave it before this line."
    around = table.all[parent]
    reason = _CONDITIONS.get(around.kind, "they leave the block of line {} before it").format(around.line)
    return f"The failing tests run {name}, but not this line: {reason}."


def _ranks(path: str, first: int, last: int, faults: Sequence[Fault], *, run: bool = False) -> Iterator[str]:
    if not faults:
        yield "No fault has been located, so nothing is ranked."
    for fault in faults:
        found = [s for s in fault.suspects if s.path == path and s.line <= last and s.end_line >= first]
        if found:
            yield from _ranked(min(found, key=lambda suspect: suspect.rank), fault)
        elif run and fault.suspects:
            number = len(fault.suspects)
            yield f"It is not among the {number} suspects of {fault.id}: each of them has more against it."
            yield _ahead(fault.suspects[0])
        else:
            yield f"It is no suspect of {fault.id}: nothing leads from the failing tests to it."


def _ranked(suspect: Suspect, fault: Fault) -> Iterator[str]:
    level = f", level with {suspect.tied_with} more" if suspect.tied_with else ""
    reasons = "; ".join(suspect.evidence)
    number = f"number {suspect.rank} of the {len(fault.suspects)} suspects of {fault.id}"
    yield f"It is {number}{level}: {reasons}."
    if suspect.rank > 1:
        yield _ahead(fault.suspects[0])


def _ahead(first: Suspect) -> str:
    reason = f": {first.evidence[0]}" if first.evidence else ""
    return f"The first is {first.path}:{first.line} in {first.function}{reason}."


def _tests(count: int) -> str:
    return f"{count} passing test{'s' * (count != 1)}"
