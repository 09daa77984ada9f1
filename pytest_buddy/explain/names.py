"""Which names a function, a module or a class brings into being."""

import ast
import difflib
from collections.abc import Iterable, Iterator

from pytest_buddy.explain.reading import AnyFunction


def bound_in(function: AnyFunction) -> set[str]:
    """Parameters and local variables of a function."""
    return {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)} | {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def bound_in_module(tree: ast.Module) -> set[str]:
    """Functions, classes, imports and variables at the top of a module."""
    return {name for statement in tree.body for name in _bound_by(statement)}


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, AnyFunction | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from ((one.asname or one.name).partition(".")[0] for one in statement.names)
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def attributes_of(definition: ast.ClassDef) -> set[str]:
    """Methods, class variables, and what the methods set on `self`."""
    own = {name for statement in definition.body for name in _bound_by(statement)}
    return own | {
        node.attr
        for node in ast.walk(definition)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The candidate that is spelt most like a name; empty when none is."""
    found = difflib.get_close_matches(name, [one for one in candidates if one != name], n=1, cutoff=0.7)
    return found[0] if found else ""
