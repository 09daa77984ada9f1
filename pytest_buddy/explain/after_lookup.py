"""What to try when a name, a key or an index is not there."""

import ast
import builtins
import re
import sys
from collections.abc import Iterator, Mapping

from pytest_buddy.domain import Frame
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.differences import Record, Unreadable, read
from pytest_buddy.explain.names import bound_in, bound_in_module, nearest
from pytest_buddy.explain.reading import own_parts, statements_of
from pytest_buddy.explain.wording import code, compose, listed, number, place

_QUOTED = re.compile(r"'([^']+)'")


def unknown_name(case: Case, frame: Frame) -> str | None:
    """A name that nothing defines."""
    quoted = _QUOTED.search(case.failure.message)
    tree = case.library.tree(frame.path)
    if quoted is None or tree is None:
        return None
    name = quoted[1]
    function = case.library.function(frame.path, frame.line)
    local = bound_in(function) if function else set()
    near = nearest(name, local | bound_in_module(tree)) or nearest(name, dir(builtins))
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


def unbound_name(case: Case, frame: Frame) -> str | None:
    """A local variable without a value on some way through the function."""
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


def missing_key(case: Case, frame: Frame) -> str | None:
    """A key that a dictionary lacks."""
    for holder, wanted, value in _subscripts(case, frame):
        if not isinstance(value, dict):
            continue
        key = case.failure.message.strip()
        keys = [repr(one) for one in value]
        near = nearest(key, keys)
        if near:
            return compose(f"Check the spelling of {code(key)}: {code(holder)} has the key {code(near)}")
        has = f"only the keys {listed([code(one, 30) for one in keys], most=4)}" if keys else "no keys at all"
        return compose(
            f"{code(holder)} has {has}: see who should have put {code(key)} in",
            f" ({code(wanted)})" if wanted != key else "",
        )
    return None


def bad_index(case: Case, frame: Frame) -> str | None:
    """An index outside a sequence."""
    for holder, wanted, value in _subscripts(case, frame):
        if not isinstance(value, list | tuple | str):
            continue
        if not value:
            return compose(
                f"{code(holder)} is empty at {place(frame.path, frame.line)}: decide what an empty one gives",
                f" before {code(f'{holder}[{wanted}]')} is read",
            )
        known = {one.name: one.value for one in frame.variables}
        if _is_inside(wanted, known, len(value)):
            continue
        size = number(len(value), "element")
        return compose(
            f"{code(holder)} has {size} there, so its last index is {len(value) - 1}:",
            f" check the bounds of {code(wanted)} at {place(frame.path, frame.line)}",
        )
    return None


def _is_inside(index: str, known: Mapping[str, str], length: int) -> bool:
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
