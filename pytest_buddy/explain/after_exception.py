"""What to try after an exception: a concrete step for each common kind, none when nothing is known."""

import ast
import builtins
from collections.abc import Callable, Mapping
from dataclasses import replace

from pytest_buddy.domain import Frame
from pytest_buddy.explain.after_loading import bad_syntax, failed_import, missing_await, missing_fixture
from pytest_buddy.explain.after_lookup import bad_index, missing_key, unbound_name, unknown_name
from pytest_buddy.explain.after_none import missing_attribute, wrong_type
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.reading import name_of, names_read, own_parts, statements_of
from pytest_buddy.explain.wording import code, compose, place, qualified, valued


def after_exception(case: Case) -> str | None:
    """The next step that the exception itself suggests."""
    frame = case.code_frame or case.test_frame or _anywhere(case)
    found = missing_fixture(case) or missing_await(case)
    if found or case.is_assertion:
        return found
    imported = failed_import(case)
    if imported or frame is None:
        return imported
    rule = _RULES.get(case.error)
    return (
        (rule(case, frame) if rule else None)
        or _after_cause(case)
        or _in_library(case, frame)
        or _raise(case, frame)
    )


def _after_cause(case: Case) -> str | None:
    """What the exception before this one suggests."""
    told = [cause for cause in case.failure.causes if any(frame.project for frame in cause.frames)]
    if not told:
        return None
    first = replace(
        case.failure,
        error_type=told[-1].error_type,
        message=told[-1].message,
        frames=told[-1].frames,
        causes=(),
    )
    return after_exception(replace(case, failures=(first,)))


def _in_library(case: Case, frame: Frame) -> str | None:
    """A library raised: what it was given was not acceptable."""
    if not case.failure.frames or case.failure.frames[-1].project or case.code_frame is None:
        return None
    statement = case.library.statement(frame.path, frame.line)
    value = getattr(statement, "value", None)
    written = case.library.text(frame.path, value) if isinstance(value, ast.expr) else ""
    text = code(written or frame.source, 60)
    return compose(
        f"Decide what {qualified(frame.function)} should do when {text} at {place(frame.path, frame.line)}",
        f" ends with {code(case.error)}",
        ": check its input first, or catch the exception",
    )


def _raise(case: Case, frame: Frame) -> str | None:
    """A `raise` of the program: the condition above it held, rightly or not."""
    statement = case.library.statement(frame.path, frame.line)
    function = case.library.function(frame.path, frame.line)
    if case.code_frame is None or function is None or statement is None:
        return None
    if not isinstance(statement, ast.Raise):
        return _risky_call(case, frame, statement)
    for one in statements_of(function):
        if isinstance(one, ast.If) and statement in one.body:
            values = valued(case.values(frame, names_read(one)))
            text = code(case.library.text(frame.path, one.test))
            given = f" with {values}" if values else ""
            return compose(
                f"Check whether {text} in line {one.lineno} of {code(frame.path)} should hold{given}"
            )
    return None


def _risky_call(case: Case, frame: Frame, statement: ast.stmt) -> str | None:
    """A built-in that refused its argument."""
    calls = [
        node
        for node in own_parts(statement)
        if isinstance(node, ast.Call) and hasattr(builtins, name_of(node.func))
    ]
    values = valued(case.values(frame, names_read(statement)))
    if not calls or not values:
        return None
    text = code(case.library.text(frame.path, calls[0]))
    where = place(frame.path, frame.line)
    return compose(
        f"See whether {text} at {where} should get this at all: {values}", "; if so, handle it there"
    )


def _anywhere(case: Case) -> Frame | None:
    """A stand-in for the frame that a killed test could not leave behind: the first suspect."""
    suspect = case.suspect
    if suspect is None:
        return None
    return Frame(path=suspect.path, line=suspect.line, function=suspect.function, project=True)


def _division(case: Case, frame: Frame) -> str | None:
    statement = case.library.statement(frame.path, frame.line)
    divisors = [
        case.library.text(frame.path, node.right)
        for node in (own_parts(statement) if statement else ())
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod)
    ]
    if not divisors:
        return None
    return compose(
        f"Decide what {qualified(frame.function)} should give when {code(divisors[0])} is 0,",
        f" and handle that before {place(frame.path, frame.line)}",
    )


def _recursion(case: Case, frame: Frame) -> str | None:
    function = case.library.function(frame.path, frame.line)
    if function is None:
        return None
    tests = [one for one in statements_of(function) if isinstance(one, ast.If)]
    calls = f"the call of {code(function.name)} at {place(frame.path, frame.line)}"
    if not tests:
        return compose(f"{code(function.name)} has no condition that ends it: add one before {calls}")
    text = case.library.header(frame.path, tests[0])
    return compose(
        f"Check that {calls} comes nearer to {code(text)} in line {tests[0].lineno}, which should end it"
    )


def _unicode(case: Case, frame: Frame) -> str | None:
    statement = case.library.statement(frame.path, frame.line)
    for node in own_parts(statement) if statement else ():
        named = isinstance(node, ast.Call) and name_of(node.func) in ("open", "read_text", "write_text")
        if named and isinstance(node, ast.Call) and not any(one.arg == "encoding" for one in node.keywords):
            text = code(case.library.text(frame.path, node))
            return compose(f"Give {text} at {place(frame.path, frame.line)} an explicit `encoding=`")
    return None


def _unpacking(case: Case, frame: Frame) -> str | None:
    statement = case.library.statement(frame.path, frame.line)
    if "to unpack" not in case.failure.message or not isinstance(statement, ast.Assign | ast.For):
        return None
    value = statement.value if isinstance(statement, ast.Assign) else statement.iter
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    texts = [code(case.library.text(frame.path, node)) for node in (value, target)]
    return compose(
        f"Compare what {texts[0]} gives with the names {texts[1]} at {place(frame.path, frame.line)}",
        f": {code(case.failure.message)}",
    )


def _loop(case: Case, frame: Frame) -> str | None:
    """The loops of the function in which the test stood when its time was over."""
    suspect = case.suspect
    path, line = (suspect.path, suspect.line) if suspect and not case.code_frame else (frame.path, frame.line)
    function = case.library.function(path, line)
    loops = [one for one in statements_of(function) if isinstance(one, ast.While)] if function else []
    if not loops or function is None:
        return None
    text = code(case.library.header(path, loops[0]))
    test = code(case.library.text(path, loops[0].test))
    is_endless = isinstance(loops[0].test, ast.Constant)
    ends = (
        ": does every way lead to a `break`?"
        if is_endless
        else f": does its body always work towards ending {test}?"
    )
    return compose(f"Check that {text} at {place(path, loops[0].lineno)} can end", ends)


_RULES: Mapping[str, Callable[[Case, Frame], str | None]] = {
    "NameError": unknown_name,
    "SyntaxError": bad_syntax,
    "IndentationError": bad_syntax,
    "TabError": bad_syntax,
    "UnboundLocalError": unbound_name,
    "AttributeError": missing_attribute,
    "KeyError": missing_key,
    "IndexError": bad_index,
    "TypeError": wrong_type,
    "ZeroDivisionError": _division,
    "RecursionError": _recursion,
    "UnicodeDecodeError": _unicode,
    "UnicodeEncodeError": _unicode,
    "ValueError": _unpacking,
    "Timeout": _loop,
}
