"""What to try after an exception: a concrete step for each common kind, none when nothing is known."""

import ast
import builtins
import difflib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from pytest_buddy.domain import Frame
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.differences import Record, Unreadable, read
from pytest_buddy.explain.names import attributes_of, bound_in, bound_in_module
from pytest_buddy.explain.reading import AnyFunction, name_of, names_read, own_parts, statements_of
from pytest_buddy.explain.wording import code, compose, listed, number, place, valued

_QUOTED = re.compile(r"'([^']+)'")
_NO_ATTRIBUTE = re.compile(r"(?:module )?'([\w.]+)'(?: object)? has no attribute '(\w+)'")
_NO_NAME = re.compile(r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'")
_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_SIGNATURE = re.compile(r"(\w+)\(\) (?:takes|missing|got an unexpected|got multiple|got some)")
_OPERANDS = re.compile(r"unsupported operand type\(s\) for (\S+?):? '(\w+)' and '(\w+)'")
_NEVER = re.compile(r"coroutine '([\w.<>]+)' was never awaited")
_FIXTURE = re.compile(r"fixture '(\w+)' not found")
_AVAILABLE = re.compile(r"available fixtures: (.+)")


def after_exception(case: Case) -> str | None:
    """The next step that the exception itself suggests."""
    frame = case.code_frame or case.test_frame or _anywhere(case)
    found = _fixture(case) or _coroutine(case)
    if found or case.is_assertion:
        return found
    imported = _import(case)
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
        f"Decide what {code(frame.function)} should do when {text} at {place(frame.path, frame.line)}",
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


def _near(name: str, candidates: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, [one for one in candidates if one != name], n=1, cutoff=0.7)
    return found[0] if found else ""


def _fixture(case: Case) -> str | None:
    missing, available = _FIXTURE.search(case.failure.message), _AVAILABLE.search(case.failure.message)
    if not missing or not available:
        return None
    names = [name.strip() for name in available[1].split(",")]
    near = _near(missing[1], names)
    if near:
        return compose(
            f"Check the spelling of the argument {code(missing[1])}: a fixture {code(near)} exists"
        )
    return compose(f"Define the fixture {code(missing[1])}, or take the argument out of the test")


def _coroutine(case: Case) -> str | None:
    """The call that lacks its `await`, when only one can be meant."""
    match = _NEVER.search(case.failure.message)
    if match is None:
        return None
    name = match[1].rpartition(".")[2]
    places = [
        (path, node)
        for path, source in case.library.sources.items()
        if name.encode() in source.content and (tree := case.library.tree(path)) is not None
        for node in _calls_without_await(tree, name)
    ]
    if len(places) != 1:
        return compose(f"Put `await` before the call of {code(name)}")
    path, call = places[0]
    return compose(f"Put `await` before {code(case.library.text(path, call))} at {place(path, call.lineno)}")


def _calls_without_await(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) == name and id(node) not in awaited:
            yield node


def _syntax(case: Case, frame: Frame) -> str | None:
    said = case.failure.message.partition(" (")[0].strip()
    return compose(
        f"Correct {place(frame.path, frame.line)}, or the end of the statement before it",
        f": {code(said, 80)}" if said else "",
    )


def _import(case: Case) -> str | None:
    message = case.failure.message
    name, module = _NO_NAME.search(message), _NO_MODULE.search(message)
    if name:
        return _missing_name(case, name[1], name[2])
    if module is None:
        return None
    modules = {source.module for source in case.library.sources.values()}
    near = _near(module[1], modules)
    if near:
        return compose(f"Check the spelling of {code(module[1])}: the project has {code(near)}")
    return compose(f"Install {code(module[1].partition('.')[0])} in this environment, or correct the import")


def _missing_name(case: Case, name: str, module: str) -> str | None:
    circular = (
        " The two modules import each other." if "partially initialized" in case.failure.message else ""
    )
    elsewhere = case.library.definitions(name)
    if elsewhere and not circular:
        one = elsewhere[0]
        return compose(f"Import {code(name)} from where it is defined: {place(one.path, one.node.lineno)}")
    for path, source in case.library.sources.items():
        tree = case.library.tree(path)
        near = _near(name, bound_in_module(tree)) if source.module == module and tree else ""
        if near:
            return compose(f"Check the spelling of {code(name)}: {code(path)} defines {code(near)}", circular)
    return compose(f"{code(module)} does not define {code(name)} at that moment: look there", circular)


def _name_error(case: Case, frame: Frame) -> str | None:
    quoted = _QUOTED.search(case.failure.message)
    tree = case.library.tree(frame.path)
    if quoted is None or tree is None:
        return None
    name = quoted[1]
    function = case.library.function(frame.path, frame.line)
    local = bound_in(function) if function else set()
    near = _near(name, local | bound_in_module(tree)) or _near(name, dir(builtins))
    where = place(frame.path, frame.line)
    if near:
        return compose(f"Check the spelling of {code(name)} at {where}: {code(near)} exists there")
    elsewhere = case.library.definitions(name)
    if elsewhere:
        found = place(elsewhere[0].path, elsewhere[0].node.lineno)
        return compose(f"Import {code(name)} in {code(frame.path)}: it is defined at {found}")
    if name in sys.stdlib_module_names:
        return compose(f"Add the missing import of {code(name)} to {code(frame.path)}")
    return compose(
        f"Nothing in {code(frame.path)} gives {code(name)} a value before {where}: define or import it"
    )


def _unbound(case: Case, frame: Frame) -> str | None:
    quoted = _QUOTED.search(case.failure.message)
    function = case.library.function(frame.path, frame.line)
    if quoted is None or function is None:
        return None
    lines = sorted(
        {
            node.lineno
            for statement in statements_of(function)
            for node in own_parts(statement)
            if isinstance(node, ast.Name) and node.id == quoted[1] and isinstance(node.ctx, ast.Store)
        }
    )
    if not lines:
        return None
    where = listed([str(line) for line in lines])
    return compose(
        f"Give {code(quoted[1])} a value on every way to line {frame.line} of {code(frame.path)}:",
        f" it is assigned only in line{'s' if len(lines) > 1 else ''} {where}",
    )


def _attribute(case: Case, frame: Frame) -> str | None:
    match = _NO_ATTRIBUTE.search(case.failure.message)
    if match is None:
        return None
    owner, attribute = match[1], match[2]
    if owner == "NoneType":
        return _none_at(case, frame, lambda node: isinstance(node, ast.Attribute) and node.attr == attribute)
    for one in case.library.definitions(owner):
        near = _near(attribute, attributes_of(one.node)) if isinstance(one.node, ast.ClassDef) else ""
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


def _key(case: Case, frame: Frame) -> str | None:
    for holder, wanted, value in _subscripts(case, frame):
        if not isinstance(value, dict):
            continue
        key = case.failure.message.strip()
        keys = [repr(one) for one in value]
        near = _near(key, keys)
        if near:
            return compose(f"Check the spelling of {code(key)}: {code(holder)} has the key {code(near)}")
        has = f"only the keys {listed([code(one, 30) for one in keys], most=4)}" if keys else "no keys at all"
        return compose(
            f"{code(holder)} has {has}: see who should have put {code(key)} in",
            f" ({code(wanted)})" if wanted != key else "",
        )
    return None


def _index(case: Case, frame: Frame) -> str | None:
    for holder, wanted, value in _subscripts(case, frame):
        if not isinstance(value, list | tuple | str):
            continue
        if not value:
            return compose(
                f"{code(holder)} is empty at {place(frame.path, frame.line)}: decide what an empty one gives",
                f" before {code(f'{holder}[{wanted}]')} is read",
            )
        known = {one.name: one.value for one in frame.variables}
        if is_inside(wanted, known, len(value)):
            continue
        size = number(len(value), "element")
        return compose(
            f"{code(holder)} has {size} there, so its last index is {len(value) - 1}:",
            f" check the bounds of {code(wanted)} at {place(frame.path, frame.line)}",
        )
    return None


def is_inside(index: str, known: Mapping[str, str], length: int) -> bool:
    """Whether an index made of a name, a number, or a sum of the two, is known to be valid."""
    try:
        tree = ast.parse(index, mode="eval").body
    except SyntaxError:
        return False  # a slice
    total = 0
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
        right = tree.right
        if not (isinstance(right, ast.Constant) and isinstance(right.value, int)):
            return False
        total += right.value if isinstance(tree.op, ast.Add) else -right.value
        tree = tree.left
    text = known.get(tree.id, "") if isinstance(tree, ast.Name) else ast.unparse(tree)
    try:
        position = int(text) + total
    except ValueError:
        return False
    return -length <= position < length


def _subscripts(case: Case, frame: Frame) -> Iterator[tuple[str, str, object]]:
    """Each `name[index]` of the failing statement: its text, the index's text, the container's value."""
    statement = case.library.statement(frame.path, frame.line)
    known = {one.name: one.value for one in frame.variables}
    for node in own_parts(statement) if statement else ():
        if isinstance(node, ast.Subscript):
            try:
                value = _value_of(node.value, known)
            except Unreadable:
                continue
            yield case.library.text(frame.path, node.value), case.library.text(frame.path, node.slice), value


def _value_of(node: ast.expr, known: Mapping[str, str]) -> object:
    """The value of a name or of an attribute of a shown object; raises Unreadable for anything else."""
    if isinstance(node, ast.Name) and node.id in known:
        return read(known[node.id])
    owner = _value_of(node.value, known) if isinstance(node, ast.Attribute) else None
    if isinstance(node, ast.Attribute) and isinstance(owner, Record) and node.attr in owner.fields:
        found: object = owner.fields[node.attr]
        return found
    raise Unreadable


def _type(case: Case, frame: Frame) -> str | None:
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
        f"Decide what {code(frame.function)} should give when {code(divisors[0])} is 0,",
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
    "NameError": _name_error,
    "SyntaxError": _syntax,
    "IndentationError": _syntax,
    "TabError": _syntax,
    "UnboundLocalError": _unbound,
    "AttributeError": _attribute,
    "KeyError": _key,
    "IndexError": _index,
    "TypeError": _type,
    "ZeroDivisionError": _division,
    "RecursionError": _recursion,
    "UnicodeDecodeError": _unicode,
    "UnicodeEncodeError": _unicode,
    "ValueError": _unpacking,
    "Timeout": _loop,
}
