"""The names of one source: what its statements read and bind, and what it imports."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pytest_buddy.localize.statements import Statement, Statements, header_nodes, statements
from pytest_buddy.source import Source

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one statement reads: dotted names from a plain name on, attributes of anything; what it binds."""

    chains: tuple[tuple[str, ...], ...]
    attributes: tuple[str, ...]
    binds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Names:
    """`bound`: module-level names; `imports`: what a local name stands for; `locals`: those of functions."""

    readings: tuple[Reading, ...]
    bound: Mapping[str, tuple[int, ...]]
    imports: Mapping[str, tuple[str, ...]]
    locals: Mapping[int, frozenset[str]]

    def is_local(self, table: Statements, statement: Statement, name: str) -> bool:
        """Whether a name read by a statement is a variable of a function around it."""
        scope = statement.index if isinstance(statement.node, _FUNCTIONS) else statement.scope
        while scope >= 0:
            if name in self.locals.get(scope, ()) and scope != statement.index:
                return True
            scope = table.all[scope].scope
        return False


@lru_cache(maxsize=512)
def names(source: Source) -> Names:
    """The names of a source; raises SourceError when it does not parse."""
    table = statements(source)
    readings = tuple(reading(statement) for statement in table.all)
    bound: dict[str, list[int]] = {}
    imports: dict[str, tuple[str, ...]] = {}
    variables: dict[int, set[str]] = {}
    for statement, read in zip(table.all, readings, strict=True):
        if isinstance(statement.node, ast.Import | ast.ImportFrom):
            imports.update(_imported(source, statement.node))
        elif statement.scope < 0:
            for name in read.binds:
                bound.setdefault(name, []).append(statement.index)
        elif isinstance(table.all[statement.scope].node, _FUNCTIONS):
            variables.setdefault(statement.scope, set()).update(read.binds)
        if isinstance(statement.node, _FUNCTIONS):
            arguments = {argument.arg for argument in _arguments(statement.node.args)}
            variables.setdefault(statement.index, set()).update(arguments)
    return Names(
        readings=readings,
        bound={name: tuple(indices) for name, indices in bound.items()},
        imports=imports,
        locals={scope: frozenset(found) for scope, found in variables.items()},
    )


def reading(statement: Statement) -> Reading:
    """What a statement, or the header of a compound one, reads and binds."""
    chains: dict[tuple[str, ...], None] = {}
    attributes: dict[str, None] = {}
    binds: dict[str, None] = {}
    node = statement.node
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        binds[node.name] = None
    for part in header_nodes(node):
        if isinstance(part, ast.Attribute):
            if isinstance(part.ctx, ast.Load):
                attributes[part.attr] = None
            if chain := _chain(part):
                chains[chain] = None
        elif isinstance(part, ast.Name):
            if isinstance(part.ctx, ast.Load):
                chains[part.id,] = None
            else:
                binds[part.id] = None
    for name in _grown(node):
        binds[name] = None
    return Reading(chains=tuple(chains), attributes=tuple(attributes), binds=tuple(binds))


def _grown(node: ast.AST) -> Iterator[str]:
    """The name of a container that a statement adds to: `TABLE[key] = ...`, `TABLE.update(...)`."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        targets = [node.value.func] if isinstance(node.value.func, ast.Attribute) else []
    for target in targets:
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
            if isinstance(target, ast.Name):
                yield target.id


def _chain(node: ast.expr) -> tuple[str, ...]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (argument for argument in (arguments.vararg, arguments.kwarg) if argument)


def _imported(source: Source, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Local name -> the dotted name it stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            dotted = tuple(alias.name.split("."))
            yield (alias.asname, dotted) if alias.asname else (dotted[0], dotted[:1])
        return
    base: tuple[str, ...] = ()
    if node.level:
        package = source.module.split(".")
        drop = node.level - (1 if source.path.rpartition("/")[2] == "__init__.py" else 0)
        base = tuple(package[: len(package) - drop])
    base += tuple(node.module.split(".")) if node.module else ()
    for alias in node.names:
        yield alias.asname or alias.name, (*base, alias.name)
