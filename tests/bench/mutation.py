"""Generic structural mutation operators, after the mutation-testing literature; they know no repair template.

Arithmetic, relational, logical, constant and loop operators are left to an independent tool
(cosmic_mutants.py). Here are the ones it lacks: statement deletion, dropped guard, dropped clause, argument
swap and drop, wrong variable, wrong attribute, changed default, return value, string and slice changes.
"""

import ast
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """Replace bytes `start`..`end` of a file by `text`."""

    operator: str
    start: int
    end: int
    text: bytes

    def applied_to(self, content: bytes) -> bytes:
        """The content with the mutation in it."""
        return content[: self.start] + self.text + content[self.end :]


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed file whose nodes know their byte spans."""

    content: bytes
    tree: ast.Module
    line_starts: tuple[int, ...]

    @classmethod
    def parse(cls, content: bytes) -> "Module":
        """Parse; raises SyntaxError."""
        starts = [0]
        for line in content.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return cls(content, ast.parse(content), tuple(starts))

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """First byte of a node and the one after its last."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.line_starts[node.lineno - 1] + node.col_offset
        return start, self.line_starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt | ast.keyword) -> bytes:
        """A node's bytes as written."""
        start, end = self.span(node)
        return self.content[start:end]

    def replace(self, operator: str, node: ast.expr | ast.stmt | ast.keyword, text: bytes) -> Mutant:
        """The mutant that writes `text` in a node's place."""
        start, end = self.span(node)
        return Mutant(operator=operator, start=start, end=end, text=text)

    def functions(self) -> Iterator[FunctionNode]:
        """Every function and method, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                yield node


Operator = Callable[[Module, FunctionNode], Iterator[Mutant]]


def mutants_of(module: Module, function: FunctionNode) -> Mapping[str, tuple[Mutant, ...]]:
    """Every mutant of a function that compiles and changes its tree, by operator."""
    found: dict[str, tuple[Mutant, ...]] = {}
    for name, operator in OPERATORS.items():
        mutants = tuple(mutant for mutant in operator(module, function) if is_change(module, mutant))
        if mutants:
            found[name] = mutants
    return found


def is_change(module: Module, mutant: Mutant) -> bool:
    """Whether the mutated file compiles to something else."""
    try:
        tree = ast.parse(mutant.applied_to(module.content))
        compile(tree, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return ast.dump(tree) != ast.dump(module.tree)


def pick(random_: random.Random, mutants: Mapping[str, tuple[Mutant, ...]]) -> Mutant:
    """An operator at random, then one of its mutants at random."""
    return random_.choice(mutants[random_.choice(sorted(mutants))])


def _inside(function: FunctionNode) -> Iterator[ast.AST]:
    for statement in function.body:
        yield from ast.walk(statement)


def _blocks(function: FunctionNode) -> Iterator[list[ast.stmt]]:
    for node in (function, *_inside(function)):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _remove(module: Module, operator: str, block: list[ast.stmt], statement: ast.stmt) -> Mutant:
    if all(other is statement or _is_docstring(other) for other in block):
        return module.replace(operator, statement, b"pass")
    assert statement.end_lineno is not None
    start, end = module.line_starts[statement.lineno - 1], module.line_starts[statement.end_lineno]
    return Mutant(operator=operator, start=start, end=end, text=b"")


def statement_deletion(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """SDL: a call, assignment, raise or deletion is gone."""
    simple = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Raise, ast.Delete)
    for block in _blocks(function):
        for statement in block:
            if isinstance(statement, simple) and not _is_docstring(statement):
                yield _remove(module, "statement-deletion", block, statement)


def dropped_guard(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """An `if` that only leaves early is gone with its body."""
    leaves = (ast.Return, ast.Raise, ast.Continue, ast.Break)
    for block in _blocks(function):
        for statement in block:
            if (
                isinstance(statement, ast.If)
                and not statement.orelse
                and isinstance(statement.body[-1], leaves)
            ):
                yield _remove(module, "dropped-guard", block, statement)


def dropped_clause(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """One operand of `and`/`or` is gone."""
    for node in _inside(function):
        if isinstance(node, ast.BoolOp) and len(node.values) == 2:
            for operand in node.values:
                yield module.replace("dropped-clause", node, b"(" + module.text(operand) + b")")


def argument_swap(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """Two neighbouring positional arguments have changed places."""
    for node in _inside(function):
        if not isinstance(node, ast.Call):
            continue
        for left, right in zip(node.args, node.args[1:], strict=False):
            if isinstance(left, ast.Starred) or isinstance(right, ast.Starred):
                continue
            between = module.content[module.span(left)[1] : module.span(right)[0]]
            yield Mutant(
                operator="argument-swap",
                start=module.span(left)[0],
                end=module.span(right)[1],
                text=module.text(right) + between + module.text(left),
            )


def argument_drop(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """The last argument of a call with several is gone."""
    for node in _inside(function):
        if not isinstance(node, ast.Call):
            continue
        arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        if len(arguments) >= 2:
            start, end = module.span(arguments[-2])[1], module.span(arguments[-1])[1]
            yield Mutant(operator="argument-drop", start=start, end=end, text=b"")


def wrong_variable(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """A variable that is read is another one of the same function."""
    arguments = function.args
    names = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    stores = (node for node in _inside(function) if isinstance(node, ast.Name))
    names |= {node.id for node in stores if isinstance(node.ctx, ast.Store)}
    names -= {"self", "cls"}
    for node in _inside(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            for other in sorted(names - {node.id}):
                yield module.replace("wrong-variable", node, other.encode())


def wrong_attribute(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """An attribute of `self` that is read is another one that the function uses."""
    reads = [
        node
        for node in _inside(function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    ]
    names = sorted({node.attr for node in reads})
    for node in reads:
        for other in names:
            if isinstance(node.ctx, ast.Load) and other != node.attr:
                yield module.replace("wrong-attribute", node, b"self." + other.encode())


def changed_default(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """A parameter's default is another value of its type."""
    defaults = [*function.args.defaults, *(value for value in function.args.kw_defaults if value is not None)]
    for node in defaults:
        if isinstance(node, ast.Constant):
            for text in _other_constants(node.value):
                yield module.replace("changed-default", node, text)


def return_value(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """The value returned is None, its negation, or a tuple in another order."""
    for node in _inside(function):
        if not isinstance(node, ast.Return) or node.value is None:
            continue
        value = node.value
        yield module.replace("return-value", value, b"None")
        if isinstance(value, ast.Compare | ast.BoolOp):
            yield module.replace("return-value", value, b"not (" + module.text(value) + b")")
        if isinstance(value, ast.Tuple) and len(value.elts) == 2:
            swapped = module.text(value.elts[1]) + b", " + module.text(value.elts[0])
            yield module.replace("return-value", value, b"(" + swapped + b")")


def string_change(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """A string is empty, shorter, in another case, or has something before it."""
    inner = {
        id(part) for node in _inside(function) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    }
    docstrings = {id(node.value) for node in _inside(function) if isinstance(node, ast.Expr)}
    for node in _inside(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            if id(node) in inner or id(node) in docstrings or node.lineno != node.end_lineno:
                continue
            for text in _other_constants(node.value):
                yield module.replace("string-change", node, text)


def slice_change(module: Module, function: FunctionNode) -> Iterator[Mutant]:
    """A bound of a slice is gone."""
    for node in _inside(function):
        if isinstance(node, ast.Slice):
            for bound in (node.lower, node.upper):
                if bound is not None:
                    yield module.replace("slice-change", bound, b"")


def _other_constants(value: object) -> Iterator[bytes]:
    others: tuple[object, ...] = ()
    if isinstance(value, bool):
        others = (not value,)
    elif value is None:
        others = (0, False)
    elif isinstance(value, int | float):
        others = (value + 1, value - 1)
    elif isinstance(value, str):
        others = ("", value[:-1], value.swapcase(), f"XX{value}")
    for other in others:
        if other != value or type(other) is not type(value):
            yield repr(other).encode()


OPERATORS: Mapping[str, Operator] = {
    "statement-deletion": statement_deletion,
    "dropped-guard": dropped_guard,
    "dropped-clause": dropped_clause,
    "argument-swap": argument_swap,
    "argument-drop": argument_drop,
    "wrong-variable": wrong_variable,
    "wrong-attribute": wrong_attribute,
    "changed-default": changed_default,
    "return-value": return_value,
    "string-change": string_change,
    "slice-change": slice_change,
}
