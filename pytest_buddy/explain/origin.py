"""Second bullet: where the wrong value or the exception came from."""

from collections.abc import Callable

from pytest_buddy.domain import Frame, Variable
from pytest_buddy.explain.case import Case, read_by
from pytest_buddy.explain.expected import repeating
from pytest_buddy.explain.reading import AnyFunction, names_read
from pytest_buddy.explain.wording import code, compose, listed, place, qualified, valued


def origin(case: Case) -> str | None:
    """The frame that raised with the values there, or the way out of the function that gave the value."""
    for rule in _RULES:
        text = rule(case)
        if text:
            return text
    return None


def values_at(case: Case, frame: Frame) -> tuple[Variable, ...]:
    """The known values of what the statement of a frame reads."""
    statement = case.library.statement(frame.path, frame.line)
    if statement is not None:
        names = names_read(statement)
        return read_by(statement, case.values(frame, names))
    return tuple(one for one in frame.variables if one.name in frame.source)


def _chain(case: Case) -> str | None:
    if not case.failure.causes or case.is_assertion:
        return None
    told = [cause for cause in case.failure.causes if any(frame.project for frame in cause.frames)]
    if not told:
        return None
    cause = told[-1]
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
    values = valued(values_at(case, frame))
    text = code(case.header(frame.path, frame.line))
    return compose(
        f"The last call stands at {place(frame.path, frame.line)}: {text}",
        f" with {values}" if values else "",
    )


def _raised(case: Case) -> str | None:
    """An exception out of project code, or out of a library that it called."""
    frame = case.code_frame
    if frame is None:
        return None
    deepest = case.failure.frames[-1]
    text = case.header(frame.path, frame.line) or frame.source
    values = valued(values_at(case, frame))
    where = f"{qualified(frame.function)} at {place(frame.path, frame.line)}"
    if case.error in ("SyntaxError", "IndentationError", "TabError"):
        return compose(f"Python cannot read {place(frame.path, frame.line)}: {code(text, 90)}")
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
    start = f"The value comes from {where}, left" if case.came_and_wanted else f"{where} is left"
    left_by = case.returns_run(called, case.failure.test)
    if len(left_by) != 1:
        if not left_by and case.ends_without_return(called, case.failure.test):
            return compose(f"{where} came to its end in this test without reaching a `return`")
        lines = listed(map(str, sorted(one.lineno for one in left_by)))
        return compose(f"{start} in this test in lines {lines}") if left_by else None
    statement = left_by[0]
    text = case.library.header(called.path, statement)
    failing, _ = case.observed(called.path, statement.lineno)
    mine = [one for one in failing if one.test == case.failure.test]
    values = valued(read_by(statement, mine[0].variables)) if mine else ""
    return compose(
        f"{start} in this test by {code(text, 70)} in line {statement.lineno}",
        f" with {values}" if values else "",
    )


def _path_of_calls(case: Case) -> str | None:
    """The way from the test to the suspect when nothing else shows it."""
    frames = case.failure.project_frames
    if len(frames) < 2:
        return None
    steps = [f"{qualified(frame.function)} ({place(frame.path, frame.line)})" for frame in frames[-3:]]
    return compose(f"The calls lead through {' → '.join(steps)}")


def _in_test(case: Case) -> str | None:
    """The line of the test's own file, with the values there."""
    frame = case.test_frame
    text = (case.header(frame.path, frame.line) or frame.source) if frame else ""
    if frame is None or case.code_frame is not None or not text:
        return None
    values = valued(values_at(case, frame))
    if case.failure.phase != "call":
        return compose(
            f"It happens at {place(frame.path, frame.line)}: {code(text, 90)}",
            f" with {values}" if values else "",
        )
    if not values:
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
