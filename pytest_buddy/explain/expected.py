"""First bullet: what was expected, and what came instead."""

import ast
import re
from collections.abc import Callable

from pytest_buddy.domain import Comparison
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.differences import Unreadable, read
from pytest_buddy.explain.reading import name_of
from pytest_buddy.explain.wording import code, compose, place, qualified, valued

_DID_NOT_RAISE = re.compile(r"DID NOT RAISE (?:any of )?(.+)", re.DOTALL)
_NOT_RAISED = re.compile(r"(\w+) not raised")
_CLASS = re.compile(r"<class '(?:[\w.<>]*\.)?(\w+)'>")
_WHERE = re.compile(r"where (.+?) = (.+)")
_NO_MATCH = re.compile(r"(?:Regex|Expected regex)[^:]*: (.+?)\n\s*(?:Input|Actual message): (.+)", re.DOTALL)
_NEVER = re.compile(r"coroutine '([\w.<>]+)' was never awaited")
_RECURSION = re.compile(r"maximum recursion depth exceeded")
_FILE = re.compile(r" \(\S*[/\\]\S*\)$")
_ROOM = 150
_SHORT = 40
_SYMBOLS = {"<": "below", ">": "above", "<=": "at most", ">=": "at least"}


def expected(case: Case) -> str | None:
    """What the failed check wanted and what it got, or which exception ended the test where."""
    for rule in _RULES:
        text = rule(case)
        if text:
            return text
    return None


def _subject(case: Case) -> str:
    """The tested expression as the start of a sentence."""
    subject = case.subject
    if subject is None or not subject.text:
        return "The checked value"
    if subject.whole and subject.whole != subject.variable:
        since = f" and {code(subject.since, 50)}" if subject.since else ""
        return f"{code(subject.whole)} after {code(f'{subject.variable} = {subject.text}', 70)}{since}"
    if subject.variable:
        return code(f"{subject.variable} = {subject.text}", 70)
    return code(subject.text, 70)


def _difference(case: Case) -> str:
    return f": {case.difference.text}" if case.difference and case.difference.text else ""


def _crash(case: Case) -> str | None:
    said = case.failure.message.strip()
    told = f": {code(said, 90)}" if said else ""
    if case.error == "Crash":
        return compose("The test ended its process before it could finish", told)
    if case.error == "Timeout":
        frame = case.code_frame
        where = f"; it was at {place(frame.path, frame.line)}" if frame else ""
        return compose("The test did not finish in its time", told, where)
    return None


def _collection(case: Case) -> str | None:
    if case.failure.phase != "collect":
        return None
    first = _FILE.sub("", case.failure.message.strip()).splitlines() or [""]
    return compose(
        f"{code(case.test_path)} cannot be collected, so none of its tests runs: {code(case.error)}",
        f": {code(first[-1] if case.error == 'SyntaxError' else first[0], 100)}" if first[0] else "",
    )


def _fixture(case: Case) -> str | None:
    if case.failure.phase not in ("setup", "teardown"):
        return None
    frame = case.failure.project_frames[-1] if case.failure.project_frames else None
    inside = f" in {qualified(frame.function)} ({place(frame.path, frame.line)})" if frame else ""
    said = f": {code(case.failure.message.splitlines()[0], 60)}" if case.failure.message.strip() else ""
    if case.failure.phase == "setup":
        return compose(f"A fixture fails before the test starts, with {code(case.error)}", said, inside)
    return compose(f"The test itself is over when its clean-up fails with {code(case.error)}", said, inside)


def _doctest(case: Case) -> str | None:
    if case.failure.kind != "doctest" or case.came_and_wanted is None:
        return None
    got, wanted = case.came_and_wanted
    frame = case.failure.frames[-1] if case.failure.frames else None
    example = f" {code(frame.source)}" if frame and frame.source else ""
    if not got.strip():
        return compose(f"The documented example{example} promises {code(wanted)}, but prints nothing")
    text = f"The documented example{example} promises {code(wanted)}, but gives {code(got)}"
    return compose(text, _difference(case))


def _not_raised(case: Case) -> str | None:
    message = case.failure.message
    match, unittest = _DID_NOT_RAISE.search(message), _NOT_RAISED.search(message)
    if case.error not in ("Failed", "AssertionError") or not (match or unittest):
        return None
    names = _CLASS.findall(match[1]) or [match[1].strip()] if match else [unittest[1] if unittest else ""]
    body = raising_call(case)
    who = code(body) if body else "The block"
    what = " or ".join(code(name) for name in names)
    return compose(f"{who} should have raised {what}, but came back without any exception")


def raising_call(case: Case) -> str:
    """The source of what was to raise: the last statement of the `with` block of the failing line."""
    frame = case.test_frame
    statement = case.library.statement(frame.path, frame.line) if frame else None
    if frame and isinstance(statement, ast.With | ast.AsyncWith):
        return case.library.header(frame.path, statement.body[-1])
    if frame and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        arguments = [case.library.text(frame.path, one) for one in statement.value.args[1:]]
        if name_of(statement.value.func) == "assertRaises" and arguments:
            return f"{arguments[0]}({', '.join(arguments[1:])})"
    return ""


def _wrong_message(case: Case) -> str | None:
    match = _NO_MATCH.search(case.failure.message)
    if match is None:
        return None
    wanted, came = match[1].strip(), match[2].strip()
    return compose(f"The right exception came, but its message {code(came)} does not match {code(wanted)}")


def _equality(case: Case) -> str | None:
    if case.came_and_wanted is None:
        return None
    came, wanted = case.came_and_wanted
    compared = case.failure.comparison
    if came == wanted and compared is not None and case.operator == "is":
        return compose(f"{_subject(case)} equals {code(wanted)}, but is another object")
    if came == wanted:
        same = " They differ in something that the repr does not show, or their type has no `__eq__`."
        return compose(f"{_subject(case)} gave {code(came)}, which reads like the expected value.", same)
    given, tail = _given(case), f" gave {code(came)}, but {code(wanted)} was expected"
    start = _subject(case)
    start = f"{start} with {given}" if given and len(start + given + tail) < _ROOM else start
    return compose(f"{start}{tail}", _difference(case))


def _given(case: Case) -> str:
    """The arguments of the tested call that the test holds in variables, as in parametrized tests."""
    frame, subject = case.test_frame, case.subject
    if frame is None or subject is None or subject.call is None:
        return ""
    arguments = [*subject.call.args, *(one.value for one in subject.call.keywords)]
    values = case.values(frame, [one.id for one in arguments if isinstance(one, ast.Name)])
    return valued(one for one in values if len(one.value) <= _SHORT)


def _relation(case: Case) -> str | None:
    compared = case.failure.comparison
    if compared is None:
        return None
    left, right = code(compared.left), code(compared.right)
    if case.operator in ("in", "not in"):
        return _membership(case, compared)
    if case.operator in _SYMBOLS:
        equal = " The two are equal." if compared.left == compared.right else ""
        return compose(f"{_subject(case)} was to be {_SYMBOLS[case.operator]} {right}, but is {left}.", equal)
    if case.operator in ("!=", "is not"):
        return compose(f"{_subject(case)} must not be {right}, but it is")
    return compose(f"The check {left} {case.operator} {right} does not hold")


def _membership(case: Case, compared: Comparison) -> str:
    left, right = code(compared.left), code(compared.right, 80)
    side = case.check.comparators[0] if isinstance(case.check, ast.Compare) else None
    text = case.library.text(case.test_path, side) if side else ""
    gave = f"{code(text)} gave {right}" if text and text != compared.right else right
    if case.operator == "not in":
        return compose(f"{gave}, which contains {left} and must not")
    return compose(f"{gave}, which does not contain {left}", _near_member(compared))


def _near_member(compared: Comparison) -> str:
    """A member that differs from the missing one only by case or white space."""
    try:
        wanted, members = read(compared.left), read(compared.right)
    except Unreadable:
        return ""
    if not members and not isinstance(members, int):
        return ": it is empty"
    if not isinstance(wanted, str) or isinstance(members, str) or not hasattr(members, "__iter__"):
        return ""
    near = [one for one in members if isinstance(one, str) and one.strip().lower() == wanted.strip().lower()]
    return f", only {code(repr(near[0]))}" if near else ""


def _truth(case: Case) -> str | None:
    """An assertion on a plain truth value."""
    if case.error != "AssertionError" or case.check is None or isinstance(case.check, ast.Compare):
        return None
    if isinstance(case.check, ast.Call) and name_of(case.check.func) in ("assertTrue", "assertFalse"):
        negated = name_of(case.check.func) == "assertFalse"
    else:
        negated = isinstance(case.check, ast.UnaryOp) and isinstance(case.check.op, ast.Not)
    match = _WHERE.search(case.failure.message)
    gave = f" gave {code(match[1])}," if match else " is"
    wants = "false" if negated else "true"
    if match:
        return compose(f"{_subject(case)}{gave} but the test wants it to be {wants}")
    return compose(f"{_subject(case)} is {'true' if negated else 'false'}, but the test wants it {wants}")


def _never_awaited(case: Case) -> str | None:
    match = _NEVER.search(case.failure.message)
    if match is None:
        return None
    return compose(f"The coroutine {code(match[1])} was called but never awaited, so its body did not run")


def _recursion(case: Case) -> str | None:
    if not (case.error == "RecursionError" or _RECURSION.search(case.failure.message)):
        return None
    circle = repeating(case)
    names = " → ".join(qualified(frame) for frame in circle)
    return compose(
        "The calls never come to an end (`RecursionError`)",
        f": {names} → {qualified(circle[0])} and so on" if circle else "",
    )


def repeating(case: Case) -> tuple[str, ...]:
    """The functions that call each other in circles, in order."""
    names = [frame.function for frame in case.failure.project_frames if frame.path != case.test_path]
    for length in range(1, min(len(names) // 2, 6) + 1):
        tail = names[-length:]
        if names[-2 * length : -length] == tail:
            return tuple(tail)
    return ()


def _assertion_in_code(case: Case) -> str | None:
    frame = case.code_frame
    if case.error != "AssertionError" or frame is None:
        return None
    said = case.failure.message.splitlines()[0] if case.failure.message else ""
    return compose(
        f"An `assert` of the program itself fails at {place(frame.path, frame.line)}",
        f": {code(case.header(frame.path, frame.line) or frame.source, 80)}",
        f", saying {code(said)}" if said and not said.startswith("assert ") else "",
    )


def _message_only(case: Case) -> str | None:
    if case.error not in ("AssertionError", "Failed") or not case.failure.message.strip():
        return None
    frame = case.test_frame
    where = f" at {place(frame.path, frame.line)}" if frame else ""
    where += f" in its subtest {code(case.failure.subtest)}" if case.failure.subtest else ""
    said = case.failure.message.strip().splitlines()[0]
    return compose(f"A check of the test fails{where}: {code(said, 90)}")


def _exception(case: Case) -> str | None:
    if not case.error:
        return None
    frames = case.failure.project_frames
    lines = case.failure.message.strip().splitlines()
    said = code(f"{case.error}: {lines[0]}" if lines else case.error, 100)
    subject = _tested(case)
    if case.code_frame and subject:
        return compose(f"{code(subject, 70)} in the test ended with {said} instead of a result")
    if frames:
        return compose(f"The test ended with {said} at {place(frames[-1].path, frames[-1].line)}")
    return compose(f"The test ended with {said}")


def _tested(case: Case) -> str:
    """The expression of the test that was under way: the checked one, or the whole statement."""
    frame = case.test_frame
    if frame is None:
        return ""
    subject = case.subject
    return subject.text if subject and subject.call else case.header(frame.path, frame.line)


_RULES: tuple[Callable[[Case], str | None], ...] = (
    _crash,
    _collection,
    _fixture,
    _doctest,
    _never_awaited,
    _not_raised,
    _wrong_message,
    _equality,
    _relation,
    _assertion_in_code,
    _truth,
    _recursion,
    _message_only,
    _exception,
)
