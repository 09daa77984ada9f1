"""Mutants for the watch loop's selection: of functions that tests run, and of what runs at import time."""

import ast
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from mutation import FunctionNode, Module, Mutant, is_change, mutants_of, pick


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A mutant of one file."""

    file: str
    mutant: Mutant
    level: str

    @property
    def key(self) -> str:
        """The same in every process."""
        one = self.mutant
        return f"{self.file}:{one.start}-{one.end}:{one.operator}:{one.text.decode('utf-8', 'replace')}"


def mutants(
    sources: Mapping[str, bytes], ran: Collection[tuple[str, str]], *, seed: str, module_share: float
) -> Iterator[Placed]:
    """Endlessly: a file's function that tests run and a mutant of it; now and then one of module level."""
    random_ = random.Random(seed)
    modules = {path: Module.parse(content) for path, content in sources.items()}
    functions = [
        (path, function)
        for path, module in modules.items()
        for name, function in named_functions(module.tree)
        if (path, name) in ran
    ]
    outside = [(path, one) for path, module in modules.items() for one in _outside(module)]
    while functions or outside:
        if outside and (random_.random() < module_share or not functions):
            path, mutant = random_.choice(outside)
            if is_change(modules[path], mutant):
                yield Placed(file=path, mutant=mutant, level="module")
            continue
        path, function = random_.choice(functions)
        choices = mutants_of(modules[path], function)
        if choices:
            yield Placed(file=path, mutant=pick(random_, choices), level="function")


def named_functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, FunctionNode]]:
    """Every function with its qualified name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, FunctionNode):
            yield prefix + node.name, node
            yield from named_functions(node, f"{prefix}{node.name}.<locals>.")
        elif isinstance(node, ast.ClassDef):
            yield from named_functions(node, f"{prefix}{node.name}.")
        else:
            yield from named_functions(node, prefix)


def _outside(module: Module) -> Iterator[Mutant]:
    """Changes of constants, assignments, decorators and bases at module level and in class bodies."""
    for statement in _statements(module.tree.body):
        if isinstance(statement, ast.ClassDef | FunctionNode):
            for decorator in statement.decorator_list:
                if isinstance(decorator, ast.Call) and len(decorator.args) > 0:
                    yield module.replace("decorator-argument", decorator.args[0], b"None")
                else:
                    yield module.replace("decorator", decorator, b"(lambda decorated: decorated)")
        if isinstance(statement, ast.ClassDef):
            for base in statement.bases:
                yield module.replace("base-class", base, b"object")
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            yield module.replace("module-deletion", statement, b"pass")
            yield from _constants(module, statement)
        elif isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant):
            yield module.replace("module-deletion", statement, b"pass")


def _constants(module: Module, statement: ast.stmt) -> Iterator[Mutant]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Constant) and node.lineno == node.end_lineno:
            if isinstance(node.value, bool):
                yield module.replace("module-constant", node, repr(not node.value).encode())
            elif isinstance(node.value, int):
                yield module.replace("module-constant", node, repr(node.value + 1).encode())
            elif isinstance(node.value, str) and node.value:
                yield module.replace("module-constant", node, repr(node.value[:-1]).encode())


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run at import time."""
    for statement in body:
        yield statement
        if isinstance(statement, FunctionNode):
            continue
        for block in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, block, []))
