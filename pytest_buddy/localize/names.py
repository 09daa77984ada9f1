"""The names of one source: what its statements read and bind, and what it imports."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pytest_buddy.localize.statements import Statement, Statements, header_nodes, statements
from pytest_buddy.source import Source

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_WORD = re.compile(r"[^\W\d]\w*")
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one statement reads: dotted names from a plain name on, attributes of anything; what it binds."""

    chains: tuple[tuple[str, ...], ...]
    attributes: tuple[str, ...]
    binds: tuple[str, ...]


class Names:
    """The names of one source; what a statement reads is worked out when asked for.

    `bound` maps names of the module to the statements that bind them, `imports` local names to the dotted
    names they stand for, `stars` are the modules that all names are imported from.
    """

    def __init__(self, source: Source) -> None:
        self.table: Statements = statements(source)
        self.imports: dict[str, tuple[str, ...]] = {}
        self.stars: list[tuple[str, ...]] = []
        self.bound: dict[str, list[int]] = {}
        self._readings: dict[int, Reading] = {}
        self._locals: dict[int, frozenset[str]] = {}
        for statement in self.table.all:
            if isinstance(statement.node, ast.Import | ast.ImportFrom):
                for name, dotted in _imported(source, statement.node):
                    if name == "*":
                        self.stars.append(dotted[:-1])
                    else:
                        self.imports[name] = dotted
            elif statement.scope < 0:
                for name in self.reading(statement).binds:
                    self.bound.setdefault(name, []).append(statement.index)

    @cached_property
    def lines(self) -> Mapping[str, set[int]]:
        """Word -> the lines it is on, in code or not."""
        found: dict[str, set[int]] = {}
        for number, line in enumerate(_NEWLINE.split(self.table.source.text), start=1):
            for word in _WORD.findall(line):
                if word in found:
                    found[word].add(number)
                else:
                    found[word] = {number}
        return found

    def mentioning(self, words: Iterable[str]) -> list[Statement]:
        """The statements with one of these words on their lines, in source order."""
        lines: set[int] = set()
        for word in words:
            lines |= self.lines.get(word, set())
        indices = {index for line in lines for index in self.table.by_line.get(line, ())}
        return [self.table.all[index] for index in sorted(indices)]

    def reading(self, statement: Statement) -> Reading:
        """What a statement reads and binds."""
        known = self._readings.get(statement.index)
        if known is None:
            known = self._readings[statement.index] = reading(statement)
        return known

    def is_local(self, statement: Statement, name: str) -> bool:
        """Whether a name read by a statement is a variable of a function around it."""
        scope = statement.scope
        while scope >= 0:
            if name in self._variables(scope):
                return True
            scope = self.table.all[scope].scope
        return False

    def _variables(self, scope: int) -> frozenset[str]:
        """The parameters and assigned names of a function; none of a class, whose methods don't see them."""
        known = self._locals.get(scope)
        if known is None:
            node = self.table.all[scope].node
            found: set[str] = set()
            if isinstance(node, _FUNCTIONS):
                found.update(argument.arg for argument in _arguments(node.args))
                parts = list(ast.walk(node))
                for part in parts:
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                        found.add(part.id)
                found.difference_update(*(part.names for part in parts if isinstance(part, ast.Global)))
            known = self._locals[scope] = frozenset(found)
        return known


@lru_cache(maxsize=512)
def names(source: Source) -> Names:
    """The names of a source; raises SourceError when it does not parse."""
    return Names(source)


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
