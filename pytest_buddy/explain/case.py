"""Everything known about one fault, as the rules ask for it."""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pytest_buddy.domain import (
    Change,
    Failure,
    Fault,
    Frame,
    Observation,
    Spectrum,
    Suspect,
    Variable,
)
from pytest_buddy.explain.differences import (
    Difference,
    Record,
    Unreadable,
    difference,
    is_readable,
    read,
    written,
)
from pytest_buddy.explain.reading import (
    Definition,
    Library,
    failed_part,
    name_of,
    names_read,
    own_parts,
    statements_of,
)
from pytest_buddy.source import Source

_APPROX = re.compile(r"Approx\w+\(expected=(.*), abs=.*, rel=.*, nan_ok=\w+\)", re.DOTALL)
_UNITTEST = {
    "assertIs": "is",
    "assertIsNot": "is not",
    "assertIn": "in",
    "assertNotIn": "not in",
    "assertLess": "<",
    "assertLessEqual": "<=",
    "assertGreater": ">",
    "assertGreaterEqual": ">=",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an assertion is about: the tested expression and, when a variable holds it, where that was set."""

    text: str
    path: str
    call: ast.Call | None = None
    variable: str = ""
    line: int = 0
    whole: str = ""
    since: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """The inputs of an explanation with the questions that several rules ask of them.

    `spectrum` holds this fault's failing tests and all passing ones, `suite` all that were run.
    """

    fault: Fault
    failures: tuple[Failure, ...]
    spectrum: Spectrum
    suite: Spectrum
    library: Library
    observations: tuple[Observation, ...]
    changes: tuple[Change, ...]

    @cached_property
    def failure(self) -> Failure:
        """The failure that is explained: the first that shows most with the least text."""
        return min(self.failures, key=_effort)

    @cached_property
    def error(self) -> str:
        """The exception's name without its module."""
        return self.failure.error_type.rpartition(".")[2]

    @cached_property
    def suspect(self) -> Suspect | None:
        """The first suspect."""
        return min(self.fault.suspects, key=lambda one: one.rank, default=None)

    @cached_property
    def test_path(self) -> str:
        """The file of the test."""
        return self.failure.test.partition("::")[0]

    @cached_property
    def test_frame(self) -> Frame | None:
        """The innermost frame in the test's own file."""
        frames = [frame for frame in self.failure.project_frames if frame.path == self.test_path]
        return frames[-1] if frames else None

    @cached_property
    def code_frame(self) -> Frame | None:
        """The innermost project frame outside the test's file, when the failure comes from there."""
        frames = self.failure.project_frames
        return frames[-1] if frames and frames[-1].path != self.test_path else None

    @cached_property
    def is_assertion(self) -> bool:
        """Whether a check of the test itself failed."""
        return self.code_frame is None and (self.error in ("AssertionError", "Failed") or self.has_comparison)

    @property
    def has_comparison(self) -> bool:
        """Whether both sides of the failed check are known."""
        return self.failure.comparison is not None

    @cached_property
    def check(self) -> ast.expr | None:
        """The condition of the failed `assert`, or the call of the failed unittest assertion."""
        frame = self.test_frame
        statement = self.library.statement(frame.path, frame.line) if frame else None
        if isinstance(statement, ast.Assert):
            compared = self.failure.comparison
            written = (compared.left, compared.right) if compared else ()
            return failed_part(statement.test, written)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            return statement.value if name_of(statement.value.func).startswith("assert") else None
        return None

    @cached_property
    def swapped(self) -> bool:
        """Whether the test wrote the expected value first and the comparison still has it there."""
        sides, compared = self._sides, self.failure.comparison
        if len(sides) != 2 or compared is None or not _is_literal(sides[0]) or _is_literal(sides[1]):
            return False
        return bool(compared.left == repr(ast.literal_eval(sides[0])))

    @property
    def _sides(self) -> list[ast.expr]:
        check = self.check
        if check is None and self.test_frame is not None:
            return _blamed(self.library.statement(self.test_frame.path, self.test_frame.line))
        if isinstance(check, ast.Compare) and len(check.comparators) == 1:
            return [check.left, check.comparators[0]]
        if isinstance(check, ast.Call) and name_of(check.func).startswith("assert"):
            return check.args[:2]
        return [check] if check is not None else []

    @cached_property
    def subject(self) -> Subject | None:
        """What the failed check is about; None when its source is not at hand."""
        frame, sides = self.test_frame, self._sides
        if frame is None or not sides:
            return None
        chosen = sides[0]
        if len(sides) == 2 and _is_literal(sides[0]) and not _is_literal(sides[1]):
            chosen = sides[1]
        if isinstance(chosen, ast.UnaryOp) and isinstance(chosen.op, ast.Not):
            chosen = chosen.operand
        if _is_literal(chosen):
            return None
        return self._traced(chosen, frame)

    def _traced(self, node: ast.expr, frame: Frame) -> Subject:
        text, path = self.library.text(frame.path, node), frame.path
        base = node
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        origin = self._assignment(base.id, frame) if isinstance(base, ast.Name) else None
        if origin is not None and isinstance(base, ast.Name):
            value = self.library.text(path, origin.value)
            call = _first_call(origin.value)
            return Subject(
                text=value,
                path=path,
                call=call,
                variable=base.id,
                line=origin.lineno,
                whole=text,
                since=self._last_use(base.id, origin.lineno, frame),
            )
        return Subject(text=text, path=path, call=_first_call(node), line=frame.line)

    def _assignment(self, name: str, frame: Frame) -> ast.Assign | None:
        function = self.library.function(frame.path, frame.line)
        found = [
            node
            for node in (ast.walk(function) if function else ())
            if isinstance(node, ast.Assign)
            and node.lineno < frame.line
            and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        ]
        return max(found, key=lambda node: node.lineno, default=None)

    def _last_use(self, name: str, line: int, frame: Frame) -> str:
        """The last simple statement between an assignment and the failing line that names the variable."""
        function = self.library.function(frame.path, frame.line)
        found = [
            one
            for one in (statements_of(function) if function else ())
            if line < one.lineno < frame.line
            and isinstance(one, ast.Expr | ast.Assign | ast.AugAssign | ast.Delete)
            and any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(one))
        ]
        last = max(found, key=lambda one: one.lineno, default=None)
        return self.library.text(frame.path, last) if last else ""

    @cached_property
    def called(self) -> Definition | None:
        """The project's function that gave the tested value."""
        subject = self.subject
        if subject is None or subject.call is None:
            return None
        found = self.library.called(subject.path, subject.call)
        if found is None or found.path == self.test_path:
            return None
        lines = self._lines_run(found.path, self.failure.test)
        body = {one.lineno for one in statements_of(found.node)}
        return found if body & lines or not self.spectrum.failing else None

    @cached_property
    def came_and_wanted(self) -> tuple[str, str] | None:
        """The written value that came and the one that was expected, for a failed equality."""
        compared = self.failure.comparison
        if compared is None or self.operator not in ("==", "is"):
            return None
        came, wanted = (compared.right, compared.left) if self.swapped else (compared.left, compared.right)
        approximate = _APPROX.fullmatch(wanted)
        return came, approximate[1] if approximate else wanted

    @cached_property
    def operator(self) -> str:
        """The operator of the failed check; that of a unittest method by its meaning."""
        compared = self.failure.comparison
        if compared is None:
            return ""
        name = compared.operator
        if name.startswith("assert") and name.endswith("Equal"):
            return "!=" if "Not" in name else "=="
        return _UNITTEST.get(name, name)

    @cached_property
    def difference(self) -> Difference | None:
        """What exactly is different in a failed equality."""
        if self.came_and_wanted is None or self.failure.comparison is None:
            return None
        came, wanted = self.came_and_wanted
        if self.failure.kind == "doctest" and not (is_readable(came) and is_readable(wanted)):
            came, wanted = repr(came), repr(wanted)
        return difference(came, wanted, () if self.swapped else self.failure.comparison.detail)

    @property
    def kind_of_difference(self) -> str:
        """The kind of the difference; empty when there is none to tell."""
        return self.difference.kind if self.difference else ""

    def ran(self, path: str, line: int, end_line: int = 0) -> tuple[int, int]:
        """How many failing and how many passing tests ran any of the lines."""
        lines = frozenset(range(line, max(line, end_line) + 1))
        failing, passing = (
            sum(1 for one in group if lines & one.lines.get(path, frozenset()))
            for group in (self.spectrum.failing, self.spectrum.passing)
        )
        return failing, passing

    def observed(self, path: str, line: int) -> tuple[tuple[Observation, ...], tuple[Observation, ...]]:
        """What was seen at a statement in failing and in passing tests."""
        there = [one for one in self.observations if one.path == path and one.line == line and one.hits]
        return (
            tuple(one for one in there if one.failed),
            tuple(one for one in there if not one.failed),
        )

    def runs_function_at(self, path: str, line: int) -> bool:
        """Whether the failing test ran the function around a line, as far as is known."""
        function = self.library.function(path, line)
        if function is None or not self.spectrum.failing:
            return True
        lines = self._lines_run(path, self.failure.test)
        return any(one.lineno in lines for one in statements_of(function))

    def returns_run(self, definition: Definition, test: str) -> list[ast.stmt]:
        """The `return` statements of a function that a test reached."""
        lines = self._lines_run(definition.path, test)
        return [
            statement
            for statement in statements_of(definition.node)
            if isinstance(statement, ast.Return) and statement.lineno in lines
        ]

    def ends_without_return(self, definition: Definition, test: str) -> bool:
        """Whether a test is known to have run a function and none of its `return` statements."""
        statements = list(statements_of(definition.node))
        if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(definition.node)):
            return False
        lines = self._lines_run(definition.path, test)
        return any(one.lineno in lines for one in statements) and not self.returns_run(definition, test)

    def _lines_run(self, path: str, test: str) -> frozenset[int]:
        own = next((one for one in self.spectrum.failing if one.test == test), None)
        return own.lines.get(path, frozenset()) if own else frozenset()

    def values(self, frame: Frame, names: Iterable[str]) -> tuple[Variable, ...]:
        """The known variables of a frame among `names`, in that order."""
        known = {variable.name: variable for variable in frame.variables}
        return tuple(known[name] for name in names if name in known)

    def statement(self, suspect: Suspect) -> ast.stmt | None:
        """The suspect's statement in the source."""
        return self.library.statement(suspect.path, suspect.line)

    def header(self, path: str, line: int) -> str:
        """The text of the statement at a line, or of the line where it cannot be told."""
        statement = self.library.statement(path, line)
        return self.library.header(path, statement) if statement else self.library.line(path, line)


def build(
    fault: Fault,
    failures: tuple[Failure, ...],
    *,
    spectrum: Spectrum,
    sources: Mapping[str, Source],
    observations: tuple[Observation, ...],
    changes: tuple[Change, ...],
) -> Case:
    """The case of a fault, with its own failures only."""
    own = tuple(failure for failure in failures if failure.test in fault.tests) or failures
    name = fault.tests[0] if fault.tests else ""
    bare = Failure(test=name, phase="call", error_type="", message="")
    return Case(
        fault=fault,
        failures=own or (bare,),
        spectrum=_of_fault(spectrum, fault),
        suite=spectrum,
        library=Library(sources),
        observations=observations,
        changes=changes,
    )


def _of_fault(spectrum: Spectrum, fault: Fault) -> Spectrum:
    """The spectrum without failing tests that belong to other faults."""
    own = tuple(one for one in spectrum.executions if not one.failed or one.test in fault.tests)
    return replace(spectrum, executions=own)


def _effort(failure: Failure) -> tuple[bool, int]:
    compared = failure.comparison
    shown = len(compared.left) + len(compared.right) if compared else min(len(failure.message), 200)
    return not (compared or failure.project_frames), shown


def _blamed(statement: ast.stmt | None) -> list[ast.expr]:
    """What a statement without a check runs: its expression, or that of the last statement in its `with`."""
    if isinstance(statement, ast.With | ast.AsyncWith):
        return _blamed(statement.body[-1])
    value = statement.value if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign) else None
    return [value] if value is not None else []


def read_by(statement: ast.stmt | None, variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    """The variables that a statement reads: plain ones, then attributes that show in an object's text."""
    if statement is None:
        return variables
    known = {variable.name: variable for variable in variables}
    inner = _attributes_read(statement, known)
    owners = {name.partition(".")[0] for name in inner}
    names = [name for name in names_read(statement) if name in known]
    return (
        *(known[name] for name in names if name not in owners),
        *inner.values(),
    )


def _attributes_read(statement: ast.stmt, known: Mapping[str, Variable]) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for node in own_parts(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            try:
                owner = read(known[node.value.id].value)
            except Unreadable:
                continue
            if isinstance(owner, Record) and node.attr in owner.fields:
                name, value = f"{node.value.id}.{node.attr}", written(owner.fields[node.attr])
                found[name] = Variable(name=name, value=value, type="")
    return found


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _first_call(node: ast.expr) -> ast.Call | None:
    """The outermost call of an expression that is about a name: the one whose result it is."""
    if isinstance(node, ast.Await):
        node = node.value
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call) and name_of(node.func) in (
        "list",
        "tuple",
        "set",
        "sorted",
        "len",
        "str",
        "dict",
    ):
        inner = node.args[0] if node.args else None
        return _first_call(inner) if inner is not None else None
    return node if isinstance(node, ast.Call) else None
