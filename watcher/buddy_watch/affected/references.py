"""Which modules a syntax tree names: import statements anywhere in it, and strings that look like modules."""

import ast
import re
from collections.abc import Iterable, Iterator

_DOTTED = re.compile(r"\.*[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[\w.]+)?\Z")
_LONGEST = 200
_FILES = frozenset(
    (
        "cfg",
        "conf",
        "css",
        "csv",
        "db",
        "gif",
        "gz",
        "htm",
        "html",
        "ini",
        "jpg",
        "js",
        "json",
        "lock",
        "log",
        "md",
        "pdf",
        "png",
        "pyc",
        "rst",
        "sql",
        "sqlite",
        "svg",
        "tar",
        "toml",
        "tsv",
        "txt",
        "xml",
        "yaml",
        "yml",
        "zip",
    )
)  # suffixes of files that are no modules
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_CALLS = frozenset({"import_module", "__import__", "importorskip", "find_spec"})


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Every statement at any depth."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.stmt):
            yield node
        for block in _BLOCKS:
            pending.extend(getattr(node, block, ()))


def references(tree: ast.Module) -> Iterator[str]:
    """Modules that the statements import, and that `pytest_plugins` names, as dotted names.

    Of `from a import b`, both `a` and `a.b`, because `b` may be a module; of `from a import *`, `a.*`.
    """
    for statement in statements(tree):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield from _imported_from(statement)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr | ast.Return):
            yield from _asked_for(statement)


def literals(strings: Iterable[str]) -> Iterator[str]:
    """Strings with a dot that may name modules or things in them, without a `:` and what follows."""
    for text in strings:
        if "." in text and len(text) < _LONGEST and _DOTTED.match(text):
            name = text.partition(":")[0]
            if name.rpartition(".")[2] not in _FILES and "." in name:
                yield name


def _imported_from(statement: ast.ImportFrom) -> Iterator[str]:
    base = "." * statement.level + (statement.module or "")
    yield base
    inside = base if base.endswith(".") else f"{base}."
    yield from (inside + alias.name for alias in statement.names)


def _asked_for(statement: ast.Assign | ast.AnnAssign | ast.Expr | ast.Return) -> Iterator[str]:
    """Plain strings that are asked for as modules: `pytest_plugins`, and the literal of an import call."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name) and target.id == "pytest_plugins":
                yield from _plain(ast.walk(statement.value))
    value = statement.value
    if isinstance(value, ast.Call) and value.args:
        function = value.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in _CALLS:
            yield from _plain(value.args[:1])


def _plain(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.match(node.value):
            yield node.value
