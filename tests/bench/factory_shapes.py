"""Real fixes of statements, reversed: lines and branches that were forgotten, swapped or put elsewhere."""

import ast
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TypeVar

import mutation
from factory_ground import Edits, Ground, Shape, spliced, without_item, without_lines, written

_T = TypeVar("_T")
SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Raise, ast.Delete, ast.Assert)
_EXCEPTIONS = (
    "ValueError",
    "TypeError",
    "KeyError",
    "IndexError",
    "RuntimeError",
    "AttributeError",
    "LookupError",
    "OSError",
)


def adopted(operator: mutation.Operator) -> Shape:
    """An operator of mutation.py as a shape."""

    def shape(ground: Ground) -> Iterator[Edits]:
        if ground.function is not None:
            yield from ((mutant,) for mutant in operator(ground.module, ground.function))

    return shape


def swapped_lines(ground: Ground) -> Iterator[Edits]:
    """Two neighbouring simple statements have changed places."""
    module = ground.module
    for block in ground.blocks():
        for left, right in pairwise(block):
            if _is_line(left) and _is_line(right) and left.end_lineno != right.lineno:
                (start, middle), (again, end) = module.span(left), module.span(right)
                between = module.content[middle:again]
                text = module.text(right) + between + module.text(left)
                yield spliced("swapped-lines", start, end, text)


def dedented_line(ground: Ground) -> Iterator[Edits]:
    """The last line of a loop or condition stands after it."""
    module = ground.module
    for node in ground.nodes():
        if not isinstance(node, ast.For | ast.While | ast.If | ast.With) or len(node.body) < 2:
            continue
        last = node.body[-1]
        if getattr(node, "orelse", None) or not _is_line(last) or last.lineno != last.end_lineno:
            continue
        start = module.line_starts[last.lineno - 1]
        indent = module.line_starts[node.lineno - 1], node.col_offset
        blank = module.content[indent[0] : indent[0] + indent[1]]
        if not blank.strip() and not module.content[start : module.span(last)[0]].strip():
            yield spliced("dedented-line", start, module.span(last)[0], blank)


def dropped_branch(ground: Ground) -> Iterator[Edits]:
    """An `elif` or an `else` is gone: a case that nobody thought of."""
    module = ground.module
    for node in ground.nodes():
        if not isinstance(node, ast.If) or not node.orelse:
            continue
        first, last = node.orelse[0], node.orelse[-1]
        line = module.content[module.line_starts[first.lineno - 1] :].lstrip()
        if isinstance(first, ast.If) and line.startswith(b"elif"):
            end = first.body[-1].end_lineno
            assert end is not None
            yield without_lines(module, "dropped-branch", first.lineno, end)
        else:
            begin, end = node.body[-1].end_lineno, last.end_lineno
            assert begin is not None
            assert end is not None
            yield without_lines(module, "dropped-branch", begin + 1, end)


def missing_return(ground: Ground) -> Iterator[Edits]:
    """The value of a call is not returned, or the last `return` is missing."""
    module = ground.module
    for block in ground.blocks():
        for statement in block:
            if isinstance(statement, ast.Return) and statement.value is not None:
                if isinstance(statement.value, ast.Call):
                    yield written(module, "missing-return", statement, module.text(statement.value))
                elif len(block) > 1 and statement is block[-1]:
                    assert statement.end_lineno is not None
                    yield without_lines(module, "missing-return", statement.lineno, statement.end_lineno)


def wrong_exception(ground: Ground) -> Iterator[Edits]:
    """Another exception is raised or caught."""
    for node in ground.nodes():
        name: ast.expr | None = None
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        elif isinstance(node, ast.ExceptHandler):
            name = node.type
        if isinstance(name, ast.Name) and name.id.endswith(("Error", "Exception")):
            for other in _EXCEPTIONS[:4]:
                if other != name.id:
                    yield written(ground.module, "wrong-exception", name, other.encode())


def dropped_except(ground: Ground) -> Iterator[Edits]:
    """A type is missing in an `except`, or a handler of several."""
    module = ground.module
    for node in ground.nodes():
        if not isinstance(node, ast.Try):
            continue
        for handler in node.handlers:
            if isinstance(handler.type, ast.Tuple) and len(handler.type.elts) > 1:
                for kept in _less_one(handler.type.elts):
                    text = b", ".join(module.text(item) for item in kept)
                    text = b"(" + text + b")" if len(kept) > 1 else text
                    yield written(module, "dropped-except", handler.type, text)
            if len(node.handlers) > 1:
                assert handler.end_lineno is not None
                yield without_lines(module, "dropped-except", handler.lineno, handler.end_lineno)


def dropped_import(ground: Ground) -> Iterator[Edits]:
    """A name that functions use is not imported."""
    if ground.function is not None:
        return
    module = ground.module
    for statement in module.tree.body:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            continue
        for kept in _less_one(statement.names):
            if kept:
                fewer = ast.copy_location(type(statement)(**{**vars(statement), "names": kept}), statement)
                yield written(module, "dropped-import", statement, ast.unparse(fewer).encode())
            else:
                assert statement.end_lineno is not None
                yield without_lines(module, "dropped-import", statement.lineno, statement.end_lineno)


def dropped_argument(ground: Ground) -> Iterator[Edits]:
    """Any one argument of a call is missing, a keyword first of all."""
    module = ground.module
    for call in ground.calls():
        items: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        if not items or any(isinstance(item, ast.GeneratorExp) for item in items):
            continue
        spans = [module.span(item) for item in items]
        for index, item in enumerate(items):
            if isinstance(item, ast.keyword) or index == len(items) - 1:
                if len(items) == 1:
                    yield spliced("dropped-argument", *spans[0])
                yield from without_item(module, "dropped-argument", spans, index)


def mutable_default(ground: Ground) -> Iterator[Edits]:
    """`None` and the line that replaces it by a new list or dict have become a list or dict as default."""
    function, module = ground.function, ground.module
    if function is None:
        return
    names = [*function.args.posonlyargs, *function.args.args]
    pairs = zip(reversed(names), reversed(function.args.defaults), strict=False)
    defaults = {name.arg: default for name, default in pairs}
    for statement in function.body:
        if not isinstance(statement, ast.If) or len(statement.body) != 1 or statement.orelse:
            continue
        only = statement.body[0]
        if not isinstance(only, ast.Assign) or not isinstance(only.targets[0], ast.Name):
            continue
        default = defaults.get(only.targets[0].id)
        if isinstance(default, ast.Constant) and default.value is None and statement is not function.body[-1]:
            assert statement.end_lineno is not None
            gone = without_lines(module, "mutable-default", statement.lineno, statement.end_lineno)
            yield (*written(module, "mutable-default", default, module.text(only.value)), *gone)


def _is_line(statement: ast.stmt) -> bool:
    docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, SIMPLE) and not docstring


def _less_one(items: list[_T]) -> Iterator[list[_T]]:
    for index in range(len(items)):
        yield items[:index] + items[index + 1 :]


SHAPES: Mapping[str, Shape] = {
    "dropped-line": adopted(mutation.statement_deletion),
    "dropped-guard": adopted(mutation.dropped_guard),
    "dropped-conjunct": adopted(mutation.dropped_clause),
    "swapped-arguments": adopted(mutation.argument_swap),
    "wrong-variable": adopted(mutation.wrong_variable),
    "wrong-attribute": adopted(mutation.wrong_attribute),
    "changed-default": adopted(mutation.changed_default),
    "return-value": adopted(mutation.return_value),
    "swapped-lines": swapped_lines,
    "dedented-line": dedented_line,
    "dropped-branch": dropped_branch,
    "missing-return": missing_return,
    "wrong-exception": wrong_exception,
    "dropped-except": dropped_except,
    "dropped-import": dropped_import,
    "dropped-argument": dropped_argument,
    "mutable-default": mutable_default,
}
