"""Templates that insert a line: guards, updates, initialisations."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_statement
from pytest_buddy.coder.layout import after, before, ends_flow
from pytest_buddy.coder.outline import LOOPS, Guard
from pytest_buddy.coder.scope import bound_names, own_nodes
from pytest_buddy.coder.siblings import by_name, by_position, renamed
from pytest_buddy.coder.site import Site

_MOST_LINES: Final = 60
_MOST_GUARDS: Final = 25
_EARLY: Final = 0.4  # how suspicious an early return is


def _read_names(site: Site) -> list[str]:
    """Variables that the statement reads, in the order of the text."""
    names = [node for node in site.nodes_of(ast.Name) if isinstance(node.ctx, ast.Load)]
    found = [node.id for node in names if node.id != site.scope.instance]
    kinds = ("parameter", "local")
    return [
        name
        for name in dict.fromkeys(found)
        if name in site.scope.names and site.scope.names[name].kind in kinds
    ]


def _empty_values(site: Site) -> dict[str, float]:
    """What the function could return when there is nothing to work on."""
    values = dict(site.ingredients.empty_values)
    for actual, expected in site.hints.pairs[:3]:
        for value in (expected, actual):
            if value in (None, 0, "", False) or value in ([], {}, ()):
                values[repr(value)] = 2.0
    return values


def _guard(site: Site, test: str, action: str) -> Splice | None:
    return before(site, f"if {test}:", f"{site.step}{action}")


@on_statement("guard-empty", 0.05, spread=6)
def guard_empty(site: Site) -> Iterator[Change]:
    """A way out when a variable is empty or None."""
    function = site.statement.owner.function
    if function is None:
        return
    names = _read_names(site)[:4]
    for name in names:
        may_be_none = "NoneType" in site.hints.values.get(name, ())
        for test, likely in ((f"not {name}", 1.0), (f"{name} is None", 3.0 if may_be_none else 0.6)):
            if site.statement.in_loop:
                for action, prior in (("continue", 1.0), ("break", 0.5)):
                    yield from _guarded(site, test, action, prior * likely)
            for value, prior in _empty_values(site).items():
                text = "return" if site.scope.is_generator else f"return {value}"
                share = 0.3 if site.statement.in_loop else 1.0
                yield from _guarded(site, test, text, prior * likely * share)


def _guarded(site: Site, test: str, action: str, prior: float) -> Iterator[Change]:
    splice = _guard(site, test, action)
    if splice is not None:
        early = _EARLY if action.startswith("return") else 0.2
        why = f"handles the case `{test}` first, with `{action}`"
        yield Change(splices=(splice,), rationale=why, prior=prior, suspicion=early, structural=True)


@on_statement("guard-zero", 0.03)
def guard_zero(site: Site) -> Iterator[Change]:
    """A way out before a division by zero, or for the smallest input."""
    if site.statement.owner.function is None or site.scope.is_generator:
        return
    for node in site.nodes_of(ast.BinOp):
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and not isinstance(node.right, ast.Constant):
            test = f"{site.operand(node.right, 7)} == 0"
            for value, prior in _empty_values(site).items():
                yield from _guarded(site, test, f"return {value}", prior)
    if "RecursionError" in site.hints.errors:
        for name in _read_names(site):
            for bound in ("<= 0", "<= 1", "== 0"):
                for value in ("0", "1", name, "[]", "None"):
                    yield from _guarded(site, f"{name} {bound}", f"return {value}", 1.0)


@on_statement("guard-membership", 0.03)
def guard_membership(site: Site) -> Iterator[Change]:
    """A key set, or a way out, when a dictionary does not have it yet."""
    for node in site.nodes_of(ast.Subscript):
        if isinstance(node.slice, ast.Slice) or not isinstance(node.value, ast.Name | ast.Attribute):
            continue
        owner, key = site.text(node.value), site.text(node.slice)
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            continue
        for value, prior in (("[]", 1.0), ("0", 1.0), ("set()", 0.4), ("{}", 0.4)):
            splice = _guard(site, f"{key} not in {owner}", f"{owner}[{key}] = {value}")
            if splice is not None:
                why = f"starts `{owner}[{key}]` at `{value}`"
                yield Change(splices=(splice,), rationale=why, prior=prior, structural=True)
        if site.statement.in_loop:
            yield from _guarded(site, f"{key} not in {owner}", "continue", 0.7)
    yield from _seen(site)


def _seen(site: Site) -> Iterator[Change]:
    match site.node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="append" | "add"), args=[item])):
            if site.starts_line and site.statement.in_loop:
                test = f"{site.operand(item, 7)} in {site.text(owner)}"
                yield from _guarded(site, test, "continue", 1.0)


@on_statement("guard-raise", 0.04)
def guard_raise(site: Site) -> Iterator[Change]:
    """The exception that the test waits for, raised for values that look wrong."""
    function, instance = site.statement.owner.function, site.scope.instance
    if function is None or not site.hints.wanted_errors or site.statement.ancestors:
        return
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    members = (*site.scope.properties, *site.scope.data_attributes) if instance else ()
    held = [f"{instance}.{name}" for name in members]
    # A further guard goes behind those that are there already.
    first = isinstance(site.node, ast.If) and isinstance(site.node.body[-1], ast.Raise | ast.Return)
    ahead = 0.3 if first else 0.0
    called = {
        node.func.id
        for node in own_nodes(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    for name in dict.fromkeys((*(argument.arg for argument in arguments), *_read_names(site))):
        if name == instance:
            continue
        tests = {f"{name} < 0": 1.0, f"not {name}": 1.0, f"{name} <= 0": 0.8, f"{name} is None": 0.8}
        tests |= {f"not callable({name})": 1.0} if name in called else {}
        tests |= {f"not isinstance({name}, {kind})": 0.4 for kind in [*site.outline.types_tested][:6]}
        for other in held[:8]:
            tests |= {f"{name} > {other}": 0.5, f"{name} in {other}": 0.2, f"{name} not in {other}": 0.3}
        for test, prior in tests.items():
            for error in site.hints.wanted_errors:
                splice = _guard(site, test, f"raise {_constructed(site, error)}")
                if splice is not None:
                    why = f"raises `{error}` when `{test}`"
                    yield Change(
                        splices=(splice,), rationale=why, prior=prior, suspicion=ahead, structural=True
                    )


def _constructed(site: Site, error: str) -> str:
    """The exception with the arguments that its class asks for, taken from the variables of these names."""
    body = site.outline.classes[error].body if error in site.outline.classes else []
    for item in body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            wanted = [argument.arg for argument in item.args.args[1:]]
            given = [name if name in site.scope.names else site.scope.instance for name in wanted]
            return f"{error}({', '.join(given)})" if all(given) else error
    return error


@on_statement("copied-guard", 0.07, spread=3)
def copied_guard(site: Site) -> Iterator[Change]:
    """A guard that another function of the file has, before the statement, with our names for its own."""
    function = site.statement.owner.function
    if function is None or site.statement.chained:
        return
    offered: dict[str, tuple[float, Guard]] = {}
    for text, guard in site.outline.guards.items():
        if guard.word == "raise" or (guard.word == "return" and not site.scope.is_generator):
            for here, prior in _guards_here(site, text, guard):
                if here not in offered or offered[here][0] < prior:
                    offered[here] = (prior, guard)
    ordered = sorted(offered.items(), key=lambda item: -item[1][0])
    for text, (prior, guard) in ordered[:_MOST_GUARDS]:
        splice = before(site, *(line.replace("\t", site.step) for line in text.split("\n")))
        if splice is not None:
            first = text.split("\n")[0].removesuffix(":")
            why = f"guards with `{first}`, as `{guard.owner.qualname}` does"
            wanted = guard.error in site.hints.wanted_errors
            yield Change(
                splices=(splice,), rationale=why, prior=prior, structural=True,
                suspicion=0.1 if guard.word == "raise" else 0.3, signal="raise" if wanted else "",
            )  # fmt: skip


def _guards_here(site: Site, text: str, guard: Guard) -> Iterator[tuple[str, float]]:
    """How a guard of another function reads in this one, and how likely it is missing here."""
    theirs = guard.owner.function
    assert theirs is not None
    known = site.scope.known
    held = [text for text, other in site.outline.guards.items() if other.owner is site.statement.owner]
    likely = 4.0 if guard.error in site.hints.wanted_errors else 0.4
    likely *= 1.0 if site.statement.index <= 1 and not site.statement.ancestors else 0.4
    positions = by_position(site, theirs) if guard.owner is not site.statement.owner else {}
    for names, share in (
        (positions | by_name(site, theirs), 1.0),
        (positions, 0.8),
        ({}, 0.6 if guard.owner is not site.statement.owner else 0.0),
    ):
        reads = {names.get(name, name) for name in guard.names}
        here = renamed(text, names)
        if reads <= known and here not in held and share:
            unread = 2.0 if reads & site.scope.unread else 1.0
            yield here, likely * share * unread


@on_statement("flush-last", 0.08)
def flush_last(site: Site) -> Iterator[Change]:
    """What a loop collects handed on once more after the loop."""
    node = site.node
    if not isinstance(node, ast.For | ast.While):
        return
    for inner in ast.walk(node):
        match inner:
            case ast.Expr(value=ast.Yield(value=ast.Name(id=name))):
                action = f"yield {name}"
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append"), args=[ast.Name(id=name)])):
                action = site.text(inner)
            case _:
                continue
        if isinstance(node, ast.For) and name in {bound.id for bound in bound_names(node.target)}:
            continue
        for lines in ((f"if {name}:", f"{site.step}{action}"), (action,)):
            splice = after(site, *lines)
            if splice is not None:
                why = f"does `{action}` once more for what is left after the loop"
                yield Change(splices=(splice,), rationale=why, structural=True, signal="longer")


@on_statement("insert-line", 0.06, spread=10)
def insert_line(site: Site) -> Iterator[Change]:
    """A line after the statement: an update, an append, an assignment."""
    statement = site.statement
    if statement.owner.function is None or isinstance(
        statement.node, (*LOOPS, ast.ExceptHandler, ast.Import)
    ):
        return
    for text, prior in _lines(site).items():
        for place, share in ((after(site, text), 1.0), (before(site, text), 0.4)):
            if place is not None:
                yield Change(
                    splices=(place,), rationale=f"adds `{text}`", prior=prior * share, structural=True
                )
    if statement.in_loop and statement.index == len(statement.block) - 1 and not ends_flow(statement.node):
        for word in ("continue", "break"):
            inside = bool(statement.ancestors) and not isinstance(statement.ancestors[-1], LOOPS)
            place = after(site, word)
            if place is not None and (inside or word == "break"):
                yield Change(splices=(place,), rationale=f"adds `{word}`", prior=1.0, structural=True)


def _lines(site: Site) -> dict[str, float]:
    scope = site.scope
    loops = [node for node in site.statement.ancestors if isinstance(node, LOOPS)]
    lines = _progress(site, loops)
    local = [name for name in scope.names.values() if name.kind == "local"]
    numeric = [name.id for name in local if name.id not in scope.container_names]
    bound = {name.id for loop in loops for name in bound_names(loop)}
    for container, method in site.ingredients.collections.items():
        for name in sorted(bound) if bound else numeric:
            if name != container:
                lines.setdefault(f"{container}.{method}({name})", 1.0 if bound else 0.4)
    for name in numeric:
        if loops and name not in bound:
            lines.setdefault(f"{name} += 1", 0.7)
    values = [name.id for name in scope.names.values() if name.kind in ("local", "parameter")]
    for target in numeric[:6]:
        for value in values[:8]:
            if target != value != scope.instance and (loops or value in scope.reads):
                lines.setdefault(f"{target} = {value}", 0.25)
    lines.update(_sibling_lines(site))
    return dict(sorted(lines.items(), key=lambda item: -item[1])[:_MOST_LINES])


def _progress(site: Site, loops: list[ast.For | ast.AsyncFor | ast.While]) -> dict[str, float]:
    """Updates of the variables that `while` loops around the statement test."""
    lines: dict[str, float] = {}
    for loop in loops:
        if isinstance(loop, ast.While):
            for node in ast.walk(loop.test):
                if isinstance(node, ast.Name) and node.id in site.scope.names:
                    lines.update({f"{node.id} += 1": 1.5, f"{node.id} -= 1": 1.0, f"{node.id} //= 2": 0.2})
    return lines


def _sibling_lines(site: Site) -> dict[str, float]:
    """Lines that other methods or branches have: `self.x = x`, and copies of short statements."""
    lines: dict[str, float] = {}
    function, scope = site.statement.owner.function, site.scope
    assert function is not None
    if scope.instance and function.name == "__init__":
        for argument in (*function.args.args, *function.args.kwonlyargs):
            if argument.arg not in (scope.instance, *scope.reads):
                missing = argument.arg in site.hints.unknown
                lines[f"{scope.instance}.{argument.arg} = {argument.arg}"] = 20.0 if missing else 4.0
        for attribute in sorted(site.hints.unknown):
            for value in ("None", "[]", "{}", "0", '""', "set()"):
                lines[f"{scope.instance}.{attribute} = {value}"] = 2.0
    for attribute in scope.data_attributes if scope.instance and function.name != "__init__" else ():
        lines[f"{scope.instance}.{attribute} += 1"] = 0.15
        lines[f"{scope.instance}.{attribute} -= 1"] = 0.15
        for argument in (*function.args.args[1:], *function.args.kwonlyargs):
            unread = 4.0 if argument.arg not in scope.reads else 1.0
            lines[f"{scope.instance}.{attribute} = {argument.arg}"] = 0.2 * unread
            lines[f"{scope.instance}.{attribute}.append({argument.arg})"] = 0.1 * unread
    for text, node in site.ingredients.lines.items():
        if node is not site.node:
            lines.setdefault(text, 0.25)
    return lines


@on_statement("initialise", 0.03)
def initialise(site: Site) -> Iterator[Change]:
    """A first value for a variable that a path leaves unset, or the declaration that it is an outer one."""
    statement = site.statement
    function = statement.owner.function
    if function is None or statement.ancestors or statement.index > 1:
        return
    for name in sorted(site.hints.unknown):
        known = site.scope.names.get(name)
        if known is None or known.kind not in ("local", "parameter"):
            continue
        outer = {item.id for item in site.outline.nodes if isinstance(item, ast.Name)}
        module = {
            target.id
            for node in site.source.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in bound_names(node)
        }
        lines = [f"global {name}"] if name in module else []
        lines += [f"nonlocal {name}"] if name in outer and statement.owner.parent is not None else []
        lines += [f"{name} = {value}" for value in ("None", "0", "[]", '""', "False", "{}", "1")]
        for line in lines:
            place = before(site, line)
            if place is not None:
                prior = 2.0 if line.startswith(("global", "nonlocal")) else 1.0
                yield Change(splices=(place,), rationale=f"adds `{line}`", prior=prior, structural=True)


TEMPLATES: Final[tuple[Template, ...]] = (
    guard_empty,
    guard_zero,
    guard_membership,
    guard_raise,
    copied_guard,
    flush_last,
    insert_line,
    initialise,
)
