"""Faults in what runs at import: tables, constants, patterns, class attributes, defaults, decorators.

Rules of their own, written without a look at what localization or repair does: an entry of a table is gone
or has a neighbour's value, a constant is another one, a pattern has lost a character, a decorator is gone.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise

from mutation import Module, Mutant, changed_default, is_change

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_PATTERN = "+*?^$|"


def mutants(module: Module) -> Iterator[tuple[ast.AST, Mutant]]:
    """Every fault of a module that compiles, with the statement it is in."""
    for statement in _statements(module.tree.body):
        for mutant in _of(module, statement):
            if is_change(module, mutant):
                yield statement, mutant
    for function in module.functions():
        for mutant in (*changed_default(module, function), *_decorators(module, function)):
            if is_change(module, mutant):
                yield function, mutant


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The simple statements of the module and of its class bodies."""
    for statement in body:
        if isinstance(statement, ast.ClassDef | ast.If | ast.Try):
            yield from _statements(statement.body)
            yield from _statements(getattr(statement, "orelse", []))
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr):
            yield statement


def _of(module: Module, statement: ast.stmt) -> Iterator[Mutant]:
    for node in _evaluated(statement):
        match node:
            case ast.Constant() if node is not getattr(statement, "value", None) or isinstance(
                statement, ast.Assign | ast.AnnAssign
            ):
                yield from _constants(module, node)
            case ast.List() | ast.Tuple() | ast.Set() if len(node.elts) > 1:
                yield from _gone(module, node.elts)
            case ast.Dict(keys=keys, values=values) if len(values) > 1 and all(keys):
                for left, right in pairwise(values):
                    yield module.replace("module-neighbour", left, module.text(right))
            case ast.BinOp(left=left):
                yield module.replace("module-operand", node, b"(" + module.text(left) + b")")
            case ast.keyword(value=ast.Constant(value=bool(value))):
                yield module.replace("module-flag", node.value, repr(not value).encode())


def _evaluated(statement: ast.stmt) -> Iterator[ast.AST]:
    """What runs at import, annotations and docstrings left out."""
    value = getattr(statement, "value", None)
    if value is None or (isinstance(statement, ast.Expr) and isinstance(value, ast.Constant)):
        return
    stack: list[ast.AST] = [value]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*_SCOPES, ast.JoinedStr)):
            stack.extend(ast.iter_child_nodes(node))


def _constants(module: Module, node: ast.Constant) -> Iterator[Mutant]:
    if node.lineno != node.end_lineno:
        return
    value = node.value
    text = module.text(node).decode()
    match value:
        case bool():
            yield module.replace("module-constant", node, repr(not value).encode())
        case int() | float():
            yield module.replace("module-constant", node, repr(value + 1).encode())
        case str() if len(value) > 1:
            for at in range(1, len(text) - 1):
                if text[at] in _PATTERN and text[at - 1] != "\\":
                    yield module.replace("module-pattern", node, (text[:at] + text[at + 1 :]).encode())
            yield module.replace("module-string", node, repr(value[:-1]).encode())
            yield module.replace("module-string", node, repr(value.swapcase()).encode())


def _gone(module: Module, items: list[ast.expr]) -> Iterator[Mutant]:
    for left, right in pairwise(items):
        start, end = module.span(left)[1], module.span(right)[1]
        yield Mutant(operator="module-entry-gone", start=start, end=end, text=b"")


def _decorators(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Mutant]:
    for node in function.decorator_list:
        start = module.line_starts[node.lineno - 1]
        end = module.line_starts[node.end_lineno or node.lineno]
        yield Mutant(operator="module-decorator-gone", start=start, end=end, text=b"")
