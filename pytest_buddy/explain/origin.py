"""Second bullet: where the wrong value or the exception came from."""

import ast
from collections.abc import Callable, Iterable

from pytest_buddy.domain import Frame, Variable
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.expected import repeating
from pytest_buddy.explain.reading import AnyFunction, Definition, names_read, statements_of
from pytest_buddy.explain.wording import code, compose, listed, number, place


def origin(case: Case) -> str | None:
    """The frame that raised with the values there, or the way out of the function that gave the value."""
    for rule in _RULES:
        text = rule(case)
        if text:
            return text
    return None


def with_values(variables: Iterable[Variable], most: int = 3) -> str:
    """Variables and their values as the end of a sentence."""
    pairs = [f"{code(one.name)} = {code(one.value, 40)}" for one in variables]
    return listed(pairs[:most])


def values_at(case: Case, frame: Frame) -> tuple[Variable, ...]:
    """The known values of what the statement of a frame reads."""
    statement = case.library.statement(frame.path, frame.line)
    if statement is not None:
        return case.values(frame, names_read(statement))
    return tuple(one for one in frame.variables if one.name in frame.source)


def _chain(case: Case) -> str | None:
    if not case.failure.causes or case.is_assertion:
        return None
    cause = case.failure.causes[-1]
    frames = [frame for frame in cause.frames if frame.project]
    first = code(
        f"{cause.error_type.rpartition('.')[2]}: {cause.message.splitlines()[0]}"
        if cause.message
        else cause.error_type,
        80,
    )
    where = f" at {place(frames[-1].path, frames[-1].line)}" if frames else ""
    source = f", in {code(frames[-1].source)}" if frames and frames[-1].source else ""
    return compose(f"Before that came {first}{where}", source, f"; {code(case.error)} followed from it")


def _circle(case: Case) -> str | None:
    circle, frame = repeating(case), case.code_frame
    if not circle or frame is None:
        return None
    count = sum(1 for one in case.failure.project_frames if one.function == frame.function)
    values = with_values(values_at(case, frame))
    text = code(case.header(frame.path, frame.line))
    return compose(
        f"The last call stands at {place(frame.path, frame.line)}: {text}",
        f" with {values}" if values else "",
        f" ({number(count, 'call')} of {code(frame.function)} in the traceback)" if count > 1 else "",
    )


def _raised(case: Case) -> str | None:
    """An exception out of project code, or out of a library that it called."""
    frame = case.code_frame
    if frame is None:
        return None
    deepest = case.failure.frames[-1]
    text = case.header(frame.path, frame.line) or frame.source
    values = with_values(values_at(case, frame))
    where = f"{code(frame.function)} at {place(frame.path, frame.line)}"
    if deepest.project:
        head = f"It is raised in {where} by {code(text, 70)}"
    else:
        head = f"{where} called into a library with {code(text, 70)}"
    return compose(head, f", where {values}" if values else "")


def _exit_of_function(case: Case) -> str | None:
    """The one `return` by which the function that gave the value was left in the failing test."""
    called = case.called
    if called is None or not isinstance(called.node, AnyFunction):
        return None
    where = f"{code(called.node.name)} ({place(called.path, called.node.lineno)})"
    left_by = _returns_run(case, called)
    if len(left_by) != 1:
        return compose(f"The value comes from {where}", _way(left_by))
    statement = left_by[0]
    text = case.library.header(called.path, statement)
    failing, _ = case.observed(called.path, statement.lineno)
    mine = [one for one in failing if one.test == case.failure.test] or list(failing[:1])
    values = with_values(mine[0].variables) if mine else ""
    return compose(
        f"The value comes from {where}, left in this test by {code(text, 70)} in line {statement.lineno}",
        f" with {values}" if values else "",
    )


def _returns_run(case: Case, called: Definition) -> list[ast.stmt]:
    assert isinstance(called.node, AnyFunction)
    own = next((one for one in case.spectrum.failing if one.test == case.failure.test), None)
    lines = own.lines.get(called.path, frozenset()) if own else frozenset()
    return [
        statement
        for statement in statements_of(called.node)
        if isinstance(statement, ast.Return) and statement.lineno in lines
    ]


def _way(left_by: list[ast.stmt]) -> str:
    if not left_by:
        return ""
    return f", left in this test by the `return` in lines {listed([str(one.lineno) for one in left_by])}"


def _path_of_calls(case: Case) -> str | None:
    """The way from the test to the suspect when nothing else shows it."""
    frames = case.failure.project_frames
    if len(frames) < 2:
        return None
    steps = [f"{code(frame.function)} ({place(frame.path, frame.line)})" for frame in frames[-3:]]
    return compose(f"The calls lead through {' → '.join(steps)}")


def _in_test(case: Case) -> str | None:
    """The line of the test itself, with the values there."""
    frame = case.test_frame
    if frame is None or case.code_frame is not None:
        return None
    values = with_values(values_at(case, frame))
    text = case.header(frame.path, frame.line) or frame.source
    if not values or not text:
        return None
    return compose(f"In the test, {code(text, 80)} ({place(frame.path, frame.line)}) ran with {values}")


_RULES: tuple[Callable[[Case], str | None], ...] = (
    _chain,
    _circle,
    _raised,
    _exit_of_function,
    _path_of_calls,
    _in_test,
)
