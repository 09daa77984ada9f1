"""What to try when a value is None or of another type than the code needs."""

import ast
import re
from collections.abc import Callable

from pytest_buddy.domain import Frame
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.names import attributes_of, nearest
from pytest_buddy.explain.reading import AnyFunction, own_parts, statements_of
from pytest_buddy.explain.wording import code, compose, listed, place

_NO_ATTRIBUTE = re.compile(r"(?:module )?'([\w.]+)'(?: object)? has no attribute '(\w+)'")
_SIGNATURE = re.compile(r"(\w+)\(\) (?:takes|missing|got an unexpected|got multiple|got some)")
_OPERANDS = re.compile(r"unsupported operand type\(s\) for (\S+?):? '(\w+)' and '(\w+)'")


def missing_attribute(case: Case, frame: Frame) -> str | None:
    """An attribute that an object or None lacks."""
    match = _NO_ATTRIBUTE.search(case.failure.message)
    if match is None:
        return None
    owner, attribute = match[1], match[2]
    if owner == "NoneType":
        return _none_at(case, frame, lambda node: isinstance(node, ast.Attribute) and node.attr == attribute)
    for one in case.library.definitions(owner):
        near = nearest(attribute, attributes_of(one.node)) if isinstance(one.node, ast.ClassDef) else ""
        if near:
            where = place(one.path, one.node.lineno)
            return compose(
                f"Check the spelling of {code(attribute)}: {code(owner)} ({where}) has {code(near)}"
            )
        return compose(
            f"{code(owner)} ({place(one.path, one.node.lineno)}) sets no {code(attribute)}",
            f": add it there, or use another name at {place(frame.path, frame.line)}",
        )
    return None


def _none_at(case: Case, frame: Frame, matches: Callable[[ast.AST], bool]) -> str | None:
    """Where the None in the failing expression was made."""
    statement = case.library.statement(frame.path, frame.line)
    for node in own_parts(statement) if statement else ():
        value = getattr(node, "value", None)
        if matches(node) and isinstance(value, ast.expr):
            return _source_of_none(case, frame, value)
    return None


def _source_of_none(case: Case, frame: Frame, value: ast.expr) -> str:
    text = code(case.library.text(frame.path, value))
    call, line = value, 0
    if isinstance(value, ast.Name):
        function = case.library.function(frame.path, frame.line)
        found = _last_assignment(function, value.id, frame.line) if function else None
        if (
            function
            and found is None
            and value.id in {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
        ):
            return compose(f"{text} is None already when {code(function.name)} is called: see who passes it")
        call, line = (found.value, found.lineno) if found else (value, 0)
    set_in = f", set in line {line} by {code(case.library.text(frame.path, call))}," if line else ""
    return compose(f"Find out why {text}{set_in} is None", _can_be_none(case, frame.path, call))


def _last_assignment(function: AnyFunction, name: str, before: int) -> ast.Assign | None:
    found = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and node.lineno < before
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
    return max(found, key=lambda node: node.lineno, default=None)


def _can_be_none(case: Case, path: str, value: ast.expr) -> str:
    called = case.library.called(path, value) if isinstance(value, ast.Call) else None
    if called is None or not isinstance(called.node, AnyFunction):
        return ""
    returns = [one for one in statements_of(called.node) if isinstance(one, ast.Return)]
    where = place(called.path, called.node.lineno)
    if not any(one.value for one in returns):
        return f": {code(called.node.name)} ({where}) returns nothing at all"
    if case.ends_without_return(called, case.failure.test):
        return f": {code(called.node.name)} ({where}) came to its end without a `return`"
    empty = [
        one
        for one in returns
        if one.value is None or (isinstance(one.value, ast.Constant) and one.value.value is None)
    ]
    if empty:
        return f": {code(called.node.name)} returns None in line {empty[0].lineno} ({where})"
    return f": {code(called.node.name)} ({where}) made it"


def wrong_type(case: Case, frame: Frame) -> str | None:
    """An argument or operand of a type that does not fit."""
    message = case.failure.message
    signature, operands = _SIGNATURE.search(message), _OPERANDS.search(message)
    if signature:
        found = [one for one in case.library.definitions(signature[1]) if isinstance(one.node, AnyFunction)]
        if len(found) == 1 and isinstance(found[0].node, AnyFunction):
            shape = f"{signature[1]}({ast.unparse(found[0].node.args)})"
            where = place(found[0].path, found[0].node.lineno)
            return compose(f"Bring the call in line with the definition {code(shape, 70)} at {where}")
    if operands:
        return _operands(case, frame, operands[1], (operands[2], operands[3]))
    if "NoneType" in message:
        kinds = (ast.Subscript, ast.Starred, ast.For)
        return _none_at(case, frame, lambda node: isinstance(node, kinds)) or _none_variable(case, frame)
    return None


def _operands(case: Case, frame: Frame, operator: str, types: tuple[str, str]) -> str | None:
    if "NoneType" in types:
        return _none_variable(case, frame)
    statement = case.library.statement(frame.path, frame.line)
    named = [
        one for one in frame.variables if one.type in types and (not statement or one.name in frame.source)
    ]
    if not named:
        return None
    kinds = listed([f"{code(one.name)} is of type {code(one.type)}" for one in named[:2]])
    return compose(f"Convert one side before {code(operator)} at {place(frame.path, frame.line)}: {kinds}")


def _none_variable(case: Case, frame: Frame) -> str | None:
    name = next((one.name for one in frame.variables if one.value == "None" and one.name in frame.source), "")
    return _source_of_none(case, frame, _located_name(case, frame, name)) if name else None


def _located_name(case: Case, frame: Frame, name: str) -> ast.expr:
    statement = case.library.statement(frame.path, frame.line)
    nodes = own_parts(statement) if statement else iter(())
    plain = ast.copy_location(
        ast.Name(id=name, ctx=ast.Load()), statement or ast.Pass(lineno=1, col_offset=0)
    )
    return next((node for node in nodes if isinstance(node, ast.Name) and node.id == name), plain)
