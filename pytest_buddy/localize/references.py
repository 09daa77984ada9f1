"""Definitions that no test runs: tables, constants, class bodies, defaults; run when a module is imported.

Their part in a test is that code the test runs reads them by name. What reads a definition stands for it in
the spectrum.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pytest_buddy.localize.names import Names, names
from pytest_buddy.localize.program import Element, Function, Program
from pytest_buddy.localize.statements import Statement, Statements

Place = tuple[str, int]

_ROUNDS = 3
_MOST_READERS = 200
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def definitions(program: Program, runs: Mapping[str, list[int]]) -> tuple[Element, ...]:
    """The definitions outside tests that code which ran reads, directly or through other definitions."""
    graph = _Graph(program=program, runs=runs)
    graph.build()
    return tuple(graph.elements())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    names: Names
    runs: list[int]

    @property
    def table(self) -> Statements:
        return self.names.table

    def matters(self, statement: Statement) -> bool:
        """Whether what it reads can matter: a test ran it, or it is a definition itself."""
        return bool(self.runs[statement.index]) or _is_definition(self.names, statement)


class _Graph:
    """Who reads which definition, grown from the files that ran to the modules they take names from."""

    def __init__(self, *, program: Program, runs: Mapping[str, list[int]]) -> None:
        self._program = program
        self._runs = runs
        self._modules: dict[str, _Module] = {}
        self._readers: dict[Place, set[Place]] = {}
        self._attribute_readers: dict[str, set[Place]] = {}
        self._imports: dict[str, Mapping[str, tuple[str, ...]]] = {}

    def build(self) -> None:
        """Find the readers of every definition, in files that ran and in those they refer to."""
        waiting = list(self._runs)
        while waiting:
            path = waiting.pop()
            if path in self._modules or (module := self._load(path)) is None:
                continue
            self._modules[path] = module
            waiting.extend(self._read(path, module))
        self._read_attributes()

    def _load(self, path: str) -> _Module | None:
        table = self._program.table(path)
        if table is None:
            return None
        return _Module(names=names(table.source), runs=self._runs.get(path) or [0] * len(table.all))

    def _read(self, path: str, module: _Module) -> Iterator[str]:
        """Note which definitions each statement of a module reads; the paths of the modules they are in."""
        known = module.names
        for statement in known.mentioning((*known.bound, *self._imports_of(path, known))):
            if not module.matters(statement):
                continue
            place = (path, statement.index)
            for chain in known.reading(statement).chains:
                if known.is_local(statement, chain[0]):
                    continue
                for target in self._resolve(path, known, chain, hops=3):
                    yield target[0]
                    if target != place and target[1] >= 0:
                        self._readers.setdefault(target, set()).add(place)

    def _read_attributes(self) -> None:
        """Note which statements read an attribute that is called as a name bound in some class body."""
        fields = {
            name
            for module in self._modules.values()
            for statement in module.table.all
            if _is_field(module.table, statement)
            for name in module.names.reading(statement).binds
        }
        for path, module in self._modules.items():
            for statement in module.names.mentioning(fields):
                if module.matters(statement):
                    for attribute in fields.intersection(module.names.reading(statement).attributes):
                        self._attribute_readers.setdefault(attribute, set()).add((path, statement.index))

    def _resolve(self, path: str, known: Names, chain: tuple[str, ...], *, hops: int) -> Iterable[Place]:
        """Where the definition that a dotted name means is; index -1 stands for the module alone."""
        name, *rest = chain
        if bound := known.bound.get(name):
            return [(path, index) for index in bound]
        imported = self._imports_of(path, known).get(name)
        if imported is None or not hops:
            return ()
        dotted = [*imported, *rest]
        # `import a.b` binds `a`, `from a import b` may bind a module: the longest known prefix is the module.
        for length in range(len(dotted), 0, -1):
            target = self._program.modules.get(".".join(dotted[:length]))
            if target is None:
                continue
            left = tuple(dotted[length:])
            table = self._program.table(target)
            if table is None or not left:
                return [(target, -1)]
            found = self._resolve(target, names(table.source), left, hops=hops - 1)
            return [*found, (target, -1)]
        return ()

    def _imports_of(self, path: str, known: Names) -> Mapping[str, tuple[str, ...]]:
        """Local name -> the dotted name it stands for, names that `import *` brings included."""
        found = self._imports.get(path)
        if found is None:
            brought: dict[str, tuple[str, ...]] = {}
            for star in known.stars:
                target = self._program.modules.get(".".join(star))
                table = self._program.table(target) if target else None
                if table is not None:
                    public = (name for name in names(table.source).bound if not name.startswith("_"))
                    brought.update({name: (*star, name) for name in public})
            found = self._imports[path] = {**brought, **known.imports}
        return found

    def elements(self) -> Iterator[Element]:
        """Every definition with the executions of what reads it."""
        bodies = self._bodies()
        reach = self._reach(bodies)
        for path, module in self._modules.items():
            if path in self._program.tests:
                continue
            for statement in module.table.all:
                place = (path, statement.index)
                bits, distance = reach.get(place, (0, 0))
                if bits and not module.runs[statement.index]:
                    yield Element(
                        statement=statement,
                        runs=bits,
                        name=_name_of(module.names, statement),
                        readers=tuple(self._readers_of(place, reach)),
                        through=tuple(self._through(place, reach, bodies)),
                        distance=distance,
                    )

    def _readers_of(self, place: Place, reach: Mapping[Place, tuple[int, int]]) -> Iterator[tuple[str, int]]:
        """What reads a definition, by name ("" for tests), with the executions of each; never empty."""
        found: dict[str, int] = {}
        for path, index in sorted(self._all_readers(place)):
            module = self._modules[path]
            statement = module.table.all[index]
            bits = module.runs[index] or reach.get((path, index), (0, 0))[0]
            if bits:
                label = "" if path in self._program.tests else module.table.function_of(statement)
                if not module.runs[index]:
                    label = _name_of(module.names, statement) or label
                found[label] = found.get(label, 0) | bits
        if not found:
            path, index = place
            table = self._modules[path].table
            owner = (
                table.all[table.all[index].scope] if _is_field(table, table.all[index]) else table.all[index]
            )
            found[table.function_of(owner)] = reach[place][0]
        yield from found.items()

    def _through(
        self, place: Place, reach: Mapping[Place, tuple[int, int]], bodies: Mapping[Place, int]
    ) -> Iterator[tuple[Function, int]]:
        """The functions that ran by which tests depend on a definition, through other definitions too."""
        found: dict[Function, int] = {}
        waiting, seen = [place], {place}
        while waiting:
            current = waiting.pop()
            if bits := bodies.get(current, 0):
                statement = self._modules[current[0]].table.all[current[1]]
                if statement.kind != "classdef":
                    function = current[0], statement.qualname
                    found[function] = found.get(function, 0) | bits
            for path, index in self._all_readers(current) - seen:
                seen.add((path, index))
                module = self._modules[path]
                if bits := module.runs[index]:
                    function = path, module.table.all[index].qualname
                    found[function] = found.get(function, 0) | bits
                elif (path, index) in reach and len(seen) < _MOST_READERS:
                    waiting.append((path, index))
        yield from sorted(found.items())

    def _all_readers(self, place: Place) -> set[Place]:
        path, index = place
        module = self._modules[path]
        statement = module.table.all[index]
        found = set(self._readers.get(place, ()))
        if _is_field(module.table, statement):
            name = _name_of(module.names, statement)
            found |= {reader for reader in self._attribute_readers.get(name, ()) if reader != place}
        return found

    def _reach(self, bodies: Mapping[Place, int]) -> dict[Place, tuple[int, int]]:
        """Per definition: the executions that depend on it, and through how many definitions."""
        reach: dict[Place, tuple[int, int]] = {}
        places = [
            (path, statement.index)
            for path, module in self._modules.items()
            for statement in module.table.all
            if _is_definition(module.names, statement)
        ]
        for distance in range(_ROUNDS):
            changed = False
            for place in places:
                bits, further = self._bits(place, reach, bodies)
                known = reach.get(place)
                if known is None and bits:
                    reach[place] = (bits, distance + further)
                    changed = True
                elif known is not None and bits | known[0] != known[0]:
                    reach[place] = (bits | known[0], known[1])
                    changed = True
            if not changed:
                break
        return reach

    def _bits(
        self, place: Place, reach: Mapping[Place, tuple[int, int]], bodies: Mapping[Place, int]
    ) -> tuple[int, int]:
        """The executions that depend on a definition, and how much further than its readers' it is."""
        module = self._modules[place[0]]
        statement = module.table.all[place[1]]
        bits = bodies.get(place, 0) | self._bits_of(self._readers.get(place, ()), reach)
        if not _is_field(module.table, statement):
            return bits, 0
        owner = reach.get((place[0], statement.scope), (0, 0))[0]
        name = _name_of(module.names, statement)
        readers = [reader for reader in self._attribute_readers.get(name, ()) if reader != place]
        if read := self._bits_of(readers, reach) & owner:
            return bits | read, 0
        # Nothing is seen to read it, but objects of the class are used: shown, compared, iterated over.
        return bits | owner, 0 if bits else 1

    def _bits_of(self, readers: Iterable[Place], reach: Mapping[Place, tuple[int, int]]) -> int:
        bits = 0
        for reader in readers:
            bits |= self._modules[reader[0]].runs[reader[1]] or reach.get(reader, (0, 0))[0]
        return bits

    def _bodies(self) -> dict[Place, int]:
        """Per `def` and `class` header, the executions that ran something directly or deeper inside it."""
        found: dict[Place, int] = {}
        for path, module in self._modules.items():
            for statement in module.table.all:
                bits = module.runs[statement.index]
                scope = statement.scope
                while bits and scope >= 0:
                    known = found.get((path, scope), 0)
                    if known | bits == known:
                        break
                    found[path, scope] = known | bits
                    scope = module.table.all[scope].scope
        return found


def _is_definition(known: Names, statement: Statement) -> bool:
    """Whether it runs at import: module level, class level, or a header with defaults or decorators."""
    node = statement.node
    if isinstance(node, _FUNCTIONS):
        arguments = node.args
        return bool(arguments.defaults or any(arguments.kw_defaults) or node.decorator_list)
    if isinstance(node, ast.ClassDef):
        return True
    at_import = statement.scope < 0 or _is_field(known.table, statement)
    return at_import and bool(_name_of(known, statement))


def _is_field(table: Statements, statement: Statement) -> bool:
    """Whether it binds a name in a class body."""
    in_class = statement.scope >= 0 and isinstance(table.all[statement.scope].node, ast.ClassDef)
    return in_class and isinstance(statement.node, ast.Assign | ast.AnnAssign | ast.AugAssign)


def _name_of(known: Names, statement: Statement) -> str:
    """The name that a definition binds, or adds to; empty for other statements."""
    return next(iter(known.reading(statement).binds), "")
