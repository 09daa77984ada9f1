"""What to try after a failed check: the place in the code that explains this very difference."""

import ast
import re
from collections.abc import Callable, Iterator

from pytest_buddy.domain import Observation, Suspect
from pytest_buddy.explain.case import Case, read_by
from pytest_buddy.explain.reading import AnyFunction, own_parts, statements_of
from pytest_buddy.explain.wording import code, compose, listed, place, valued

_COROUTINE = re.compile(r"<coroutine ([\w.<>]+)>")
_UNRAISED = re.compile(r"DID NOT RAISE (?:any of \()?(?:<class ')?(?:[\w<>]+\.)*(\w+)|(\w+) not raised")
_HEALS = re.compile(r"\bmakes \d+ .*\bpass\b")
_NEIGHBOURS = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def after_difference(case: Case) -> str | None:
    """The next step that the failed check and the suspect suggest."""
    for rule in _RULES:
        text = rule(case)
        if text:
            return text
    return None


def _functions(case: Case) -> Iterator[tuple[str, AnyFunction]]:
    """The functions to look at: around the first suspect, and the one that gave the tested value."""
    suspect = case.suspect
    found = case.library.function(suspect.path, suspect.line) if suspect else None
    if suspect and found:
        yield suspect.path, found
    called = case.called
    if called and isinstance(called.node, AnyFunction) and called.node is not found:
        yield called.path, called.node


def _coroutine(case: Case) -> str | None:
    came = case.came_and_wanted[0] if case.came_and_wanted else case.failure.message
    match = _COROUTINE.search(came)
    if match is None:
        return None
    name = match[1].rpartition(".")[2]
    calls = case.library.calls_without_await(name)
    if len(calls) == 1:
        path, call = calls[0]
        return compose(
            f"Put `await` before {code(case.library.text(path, call))} at {place(path, call.lineno)}"
        )
    return compose(f"A call of {code(match[1])} lacks its `await`: the coroutine itself came back")


def _missing_raise(case: Case) -> str | None:
    match = _UNRAISED.search(case.failure.message)
    if match is None:
        return None
    name = match[1] or match[2]
    raises = [
        (path, statement)
        for path, statement in case.library.raises(name)
        if path != case.test_path and case.runs_function_at(path, statement.lineno)
    ]
    if not raises:
        who, called = "The tested code", case.called
        if called:
            who = f"{code(called.node.name)} ({place(called.path, called.node.lineno)})"
        return compose(f"{who} runs no function that has a `raise` of {code(name)}: the check is missing")
    path, statement = raises[0]
    guard = case.library.guard(path, statement)
    if guard is None:
        where = place(path, statement.lineno)
        return compose(f"Check why the `raise` of {code(name)} at {where} was not reached")
    text = code(case.library.text(path, guard.test))
    decides = f": it decides on the `raise` of {code(name)}"
    return compose(f"Check {text} at {place(path, guard.lineno)}", decides)


def _nothing_returned(case: Case) -> str | None:
    if (
        case.kind_of_difference != "none"
        or case.called is None
        or not isinstance(case.called.node, AnyFunction)
    ):
        return None
    node = case.called.node
    returns = [one for one in statements_of(node) if isinstance(one, ast.Return) and one.value is not None]
    name = f"{code(node.name)} ({place(case.called.path, node.lineno)})"
    if not returns:
        return compose(f"{name} returns no value on any way: add the `return`")
    lines = listed([str(one.lineno) for one in returns], last="or")
    wanted = f"; the test wants {code(case.came_and_wanted[1], 40)}" if case.came_and_wanted else ""
    return compose(f"Decide what {name} should return when it does not come to line {lines}", wanted)


def _boundary(case: Case) -> str | None:
    """A comparison whose two sides were equal in the failing test."""
    suspect = case.suspect
    statement = case.statement(suspect) if suspect else None
    if suspect is None or statement is None:
        return None
    failing, _ = case.observed(suspect.path, suspect.line)
    for node in own_parts(statement):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _NEIGHBOURS:
            left, right = node.left, node.comparators[0]
            values = [_value_of(case, suspect, failing, side) for side in (left, right)]
            if values[0] and values[0] == values[1]:
                text = code(case.library.text(suspect.path, node))
                other = _NEIGHBOURS[type(node.ops[0])]
                return compose(
                    f"In the failing test both sides of {text} are {code(values[0])}:",
                    f" decide whether equal counts, `{_SIGNS[type(node.ops[0])]}` or `{other}`",
                )
    return None


def _value_of(case: Case, suspect: Suspect, failing: tuple[Observation, ...], side: ast.expr) -> str:
    if isinstance(side, ast.Constant):
        return repr(side.value)
    text = case.library.text(suspect.path, side)
    values = {one.value for seen in failing for one in seen.variables if one.name == text}
    return next(iter(values)) if len(values) == 1 else ""


def _bounds(case: Case) -> str | None:
    """Ranges, slices and ±1 in the functions to look at, when one element or one step is at stake."""
    if case.kind_of_difference not in ("off-by-one", "missing", "extra", "prefix", "length", "empty"):
        return None
    for path, function in _functions(case):
        own = case.statement(case.suspect) if case.suspect else None
        statements = sorted(statements_of(function), key=lambda one: one is not own)
        nodes = [
            node
            for one in statements
            for node in own_parts(one)
            if isinstance(node, ast.expr) and _weight(node)
        ]
        if nodes:
            node = max(nodes, key=_weight)
            text = code(case.library.text(path, node))
            what = f"the bounds of {text}" if _weight(node) > 1 else text
            return compose(f"Check {what} at {place(path, node.lineno)}", _why_bounds(case))
    return None


def _weight(node: ast.expr) -> int:
    """How much an expression looks like a bound: a range most, then a slice, then one more or less."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        return 3
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return 2
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return int(isinstance(node.right, ast.Constant) and node.right.value == 1)
    return 0


def _why_bounds(case: Case) -> str:
    if case.kind_of_difference == "off-by-one":
        return ": one step more or less moves the result by one"
    return ": they decide which elements are taken"


def _shared_default(case: Case) -> str | None:
    for path, function in _functions(case):
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = [
            *zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        for argument, default in pairs:
            if isinstance(default, ast.List | ast.Dict | ast.Set) and case.kind_of_difference in (
                "extra",
                "length",
                "element",
            ):
                text = code(f"{argument.arg}={case.library.text(path, default)}")
                who = f"{code(function.name)} ({place(path, function.lineno)})"
                shared = "is made once and shared by all calls: make a new one in each call"
                return compose(f"The default {text} of {who} {shared}")
    return None


def _probed(case: Case) -> str | None:
    """A small change of the suspect that was tried and made failing tests pass."""
    suspect = case.suspect
    found = next((text for text in suspect.evidence if _HEALS.search(text)), "") if suspect else ""
    if suspect is None or not found:
        return None
    text = code(case.header(suspect.path, suspect.line), 60)
    where = place(suspect.path, suspect.line)
    return compose(f"Start with {text} at {where}: {found}" if text != "``" else f"Start at {where}: {found}")


def _by_kind(case: Case) -> str | None:
    """Steps that only depend on the kind of difference and on one place to look at."""
    where = _where(case)
    if case.kind_of_difference == "inverted" and (
        not case.suspect or case.observed(case.suspect.path, case.suspect.line)[1]
    ):
        return None  # some tests pass, so the condition is not simply the wrong way round
    steps = {
        "rounding": "Compare with `pytest.approx`, or compute without floating-point steps",
        "order": f"Check the order in which elements are put together or sorted{where}",
        "case": f"Check where upper and lower case are changed, or should be{where}",
        "whitespace": f"Check what strips or adds white space{where}",
        "truncated": f"Check for `//` or `int()` where the fraction should survive{where}",
        "rounded": f"Check for rounding before the last step{where}",
        "sign": _subtraction(case),
        "inverted": f"Check the condition for a missing or surplus `not`{where}",
    }
    steps |= {"type": _conversion(case)}
    text = steps.get(case.kind_of_difference)
    return compose(text) if text and (where or case.kind_of_difference == "rounding") else None


def _subtraction(case: Case) -> str:
    """The first subtraction or negation, the suspect's own before others."""
    for path, function in _functions(case):
        own = case.statement(case.suspect) if case.suspect else None
        for statement in sorted(statements_of(function), key=lambda one: one is not own):
            for node in own_parts(statement):
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
                    text = code(case.library.text(path, node))
                    return f"Check the order of the operands in {text} at {place(path, node.lineno)}"
                if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                    text = code(case.library.text(path, node))
                    return f"Check the sign in {text} at {place(path, node.lineno)}"
    return ""


def _conversion(case: Case) -> str:
    words = case.difference.text if case.difference else ""
    maker = "`int()` or `float()`" if words.startswith("a text where a number") else "`str()`"
    called = case.called
    if "where a" not in words or not ("number" in words and "text" in words) or called is None:
        return ""
    where = place(called.path, called.node.lineno)
    return f"Convert what {code(called.node.name)} ({where}) returns with {maker}"


def _where(case: Case) -> str:
    for path, function in _functions(case):
        last = function.end_lineno or function.lineno
        return f", in {code(function.name)} ({code(f'{path}:{function.lineno}-{last}')})"
    return ""


def _by_hand(case: Case) -> str | None:
    """The suspect's expression, to be worked out with the values of the failing test."""
    suspect = case.suspect
    statement = case.statement(suspect) if suspect else None
    if suspect is None or statement is None:
        return None
    if not case.is_assertion:
        return None
    expression = getattr(statement, "test", None) or getattr(statement, "value", None)
    if isinstance(statement, ast.Return | ast.Assign) and isinstance(expression, ast.Constant | ast.Name):
        return _guarded(case, suspect, statement)
    if isinstance(expression, ast.Constant):
        return None
    if not isinstance(expression, ast.expr):
        return None
    failing, _ = case.observed(suspect.path, suspect.line)
    function = case.library.function(suspect.path, suspect.line)
    is_condition = isinstance(statement, ast.If | ast.While)
    is_whole = isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign)
    text = code(case.library.text(suspect.path, statement if is_whole else expression), 70)
    what = "condition " if is_condition else "" if is_whole else "expression "
    own = [one for one in failing if one.test == case.failure.test]
    known = read_by(statement, own[0].variables) if own else ()
    whole = [one for one in known if "..." not in one.value]
    if known and not whole and isinstance(expression, ast.Call):
        return None  # a call with objects too large to show is nothing to work out by hand
    pairs = valued(whole)
    is_direct = case.called is not None and case.called.node is function
    wanted = case.came_and_wanted[1] if case.came_and_wanted and is_direct else ""
    goal = f"; the test wants {code(wanted, 30)} in the end" if wanted else ""
    return compose(
        f"Work out {what and 'the '}{what}{text} at {place(suspect.path, suspect.line)} by hand",
        f" with {pairs}" if pairs else "",
        goal,
    )


def _guarded(case: Case, suspect: Suspect, statement: ast.stmt) -> str | None:
    """A plain value under a condition: one of the two is wrong."""
    function = case.library.function(suspect.path, suspect.line)
    conditions = [
        one
        for one in (statements_of(function) if function else ())
        if isinstance(one, ast.If | ast.While) and statement in [*one.body, *one.orelse]
    ]
    if not conditions:
        return None
    text = code(case.library.text(suspect.path, conditions[0].test))
    holds = "holds" if statement in conditions[0].body else "does not hold"
    wanted = f" The test wants {code(case.came_and_wanted[1], 40)}." if case.came_and_wanted else ""
    header = code(case.library.header(suspect.path, statement))
    return compose(
        f"Decide whether {header} ({place(suspect.path, suspect.line)}) is right when",
        f" {text} {holds} (line {conditions[0].lineno}).",
        wanted,
    )


_RULES: tuple[Callable[[Case], str | None], ...] = (
    _coroutine,
    _missing_raise,
    _nothing_returned,
    _boundary,
    _shared_default,
    _bounds,
    _probed,
    _by_kind,
    _by_hand,
)
