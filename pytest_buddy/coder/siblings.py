"""How a piece of code elsewhere in the file reads here: which names of it stand for which names of ours."""

import ast
import re
from collections.abc import Mapping
from typing import Final

from pytest_buddy.coder.outline import FunctionNode
from pytest_buddy.coder.scope import parameters
from pytest_buddy.coder.site import Site

_BLOCKS: Final = frozenset({"body", "orelse", "finalbody", "handlers", "cases", "ctx"})
_WORD: Final = re.compile(r"\.?\b[A-Za-z_]\w*")


def renames(other: ast.AST, mine: ast.AST) -> dict[str, str] | None:
    """What to write for the names of one statement to get the other; None when they differ in more.

    Of compound statements, the headers are compared. Attributes are named with their dot.
    """
    found: dict[str, str] = {}
    return found if type(other) is type(mine) and _compare(other, mine, found, top=True) else None


def _compare(other: object, mine: object, found: dict[str, str], *, top: bool = False) -> bool:
    if isinstance(other, ast.AST):
        if type(other) is not type(mine):
            return False
        if isinstance(other, ast.Constant):
            return _same_word(other.value, getattr(mine, "value", None), found)
        if isinstance(other, ast.Attribute) and isinstance(mine, ast.Attribute):
            same = found.setdefault(f".{other.attr}", f".{mine.attr}") == f".{mine.attr}"
            return same and _compare(other.value, mine.value, found)
        return all(
            _compare(value, getattr(mine, name), found)
            for name, value in ast.iter_fields(other)
            if not (top and name in _BLOCKS)
        )
    if isinstance(other, list) and isinstance(mine, list):
        return len(other) == len(mine) and all(
            _compare(left, right, found) for left, right in zip(other, mine, strict=True)
        )
    if isinstance(other, str) and isinstance(mine, str):
        return found.setdefault(other, mine) == mine
    return other == mine


def _same_word(other: object, mine: object, found: dict[str, str]) -> bool:
    if isinstance(other, str) and isinstance(mine, str) and other.isidentifier() and mine.isidentifier():
        return found.setdefault(other, mine) == mine
    return type(other) is type(mine) and other == mine


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with whole words replaced; those behind a dot only where the dot is named, too."""
    return _WORD.sub(lambda word: names.get(word[0], word[0]), text) if names else text


def by_position(site: Site, function: FunctionNode) -> dict[str, str]:
    """Parameter of another function -> the parameter of ours at its place, where the names differ."""
    mine = site.statement.owner.function
    if mine is None or mine is function:
        return {}
    pairs = zip(parameters(function), parameters(mine), strict=False)
    return {left.arg: right.arg for left, right in pairs if left.arg != right.arg}


def by_name(site: Site, function: FunctionNode) -> dict[str, str]:
    """The name of another function, alone and as an attribute -> our own."""
    mine = site.statement.owner.function
    if mine is None or mine.name == function.name:
        return {}
    return {function.name: mine.name, f".{function.name}": f".{mine.name}"}
