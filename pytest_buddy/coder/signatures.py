"""Templates on the headers of functions: defaults, `self`, decorators, the base class's `__init__`."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_statement
from pytest_buddy.coder.layout import before, text_between
from pytest_buddy.coder.outline import FunctionNode
from pytest_buddy.coder.site import Site


def _first_body_statement(node: FunctionNode) -> ast.stmt:
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1
    return node.body[1] if documented and isinstance(first.value, ast.Constant) else first  # type: ignore[attr-defined]


@on_statement("mutable-default", 0.4)
def mutable_default(site: Site) -> Iterator[Change]:
    """None for a default that all calls share, and a new one made in each call."""
    node = site.node
    if not isinstance(node, FunctionNode):
        return
    plain = [*node.args.posonlyargs, *node.args.args]
    pairs = list(zip(plain[len(plain) - len(node.args.defaults) :], node.args.defaults, strict=True))
    pairs += [
        (argument, value)
        for argument, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if value is not None
    ]
    for argument, value in pairs:
        if not isinstance(value, ast.List | ast.Dict | ast.Set | ast.Call):
            continue
        first = _first_body_statement(node)
        margin = text_between(site, site.source.line_starts[first.lineno - 1], site.source.span(first)[0])
        if margin.strip() or not margin:
            continue
        outer = text_between(site, site.source.line_starts[node.lineno - 1], site.source.span(node)[0])
        step = margin[len(outer) :] if margin.startswith(outer) else "    "
        start = site.source.span(first)[0]
        name = argument.arg
        lines = f"if {name} is None:\n{margin}{step}{name} = {site.text(value)}\n{margin}"
        yield Change(
            splices=(site.splice(value, "None"), Splice(start, start, lines)),
            rationale=f"makes a new `{site.text(value)}` in each call: the default is shared by all calls",
            structural=True,
        )


@on_statement("add-self", 0.05)
def add_self(site: Site) -> Iterator[Change]:
    """The `self` that a method lacks, or `@staticmethod`."""
    node = site.node
    if not isinstance(node, FunctionNode) or not isinstance(site.statement.owner.node, ast.ClassDef):
        return
    names = [item.id if isinstance(item, ast.Name) else "" for item in node.decorator_list]
    arguments = [*node.args.posonlyargs, *node.args.args]
    if names or (arguments and arguments[0].arg in ("self", "cls")):
        yield from _decorators(site, node, names)
        return
    place = site.source.content.find(b"(", site.source.span(node)[0])
    text = "self, " if arguments or node.args.kwonlyargs or node.args.vararg or node.args.kwarg else "self"
    yield Change(
        splices=(Splice(place + 1, place + 1, text),),
        rationale="gives the method its `self`",
        structural=True,
    )
    yield from _decorated(site, node, "staticmethod", 0.7)


def _decorators(site: Site, node: FunctionNode, names: list[str]) -> Iterator[Change]:
    if (
        not names
        and len(node.args.args) == 1
        and node.args.args[0].arg == "self"
        and not node.name.startswith("__")
    ):
        yield from _decorated(site, node, "property", 0.5)
    if not names and node.args.args and node.args.args[0].arg == "cls":
        yield from _decorated(site, node, "classmethod", 1.0)
    if "property" in names:
        line = node.decorator_list[0].lineno
        start, end = site.source.line_starts[line - 1], site.source.line_starts[node.lineno - 1]
        if len(names) == 1 and end > start:
            why = "makes it a plain method"
            yield Change(splices=(Splice(start, end, ""),), rationale=why, prior=0.3, structural=True)


def _decorated(site: Site, node: FunctionNode, name: str, prior: float) -> Iterator[Change]:
    start = site.source.span(node)[0]
    margin = text_between(site, site.source.line_starts[node.lineno - 1], start)
    if not margin.strip():
        splice = Splice(start, start, f"@{name}\n{margin}")
        yield Change(
            splices=(splice,), rationale=f"makes it a `{name}`", prior=prior, structural=True,
            signal="call" if name == "property" else "",
        )  # fmt: skip


def _calls_super(function: FunctionNode) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "super" for node in ast.walk(function))


@on_statement("super-init", 0.04)
def super_init(site: Site) -> Iterator[Change]:
    """The call of the base class's `__init__`."""
    function, node = site.statement.owner.function, site.statement.owner.enclosing_class
    if function is None or node is None or function.name != "__init__" or not node.bases:
        return
    if site.node is not _first_body_statement(function) or _calls_super(function):
        return
    own = [argument.arg for argument in function.args.args[1:]]
    for base in node.bases:
        parent = site.outline.classes.get(site.text(base)) if isinstance(base, ast.Name) else None
        wanted: list[str] = []
        for item in parent.body if parent is not None else ():
            if isinstance(item, FunctionNode) and item.name == "__init__":
                wanted = [argument.arg for argument in item.args.args[1:]]
        for arguments in dict.fromkeys((", ".join(name for name in wanted if name in own), "")):
            line = f"super().__init__({arguments})"
            place = before(site, line)
            if place is not None:
                why = f"calls the `__init__` of `{site.text(base)}`"
                yield Change(splices=(place,), rationale=why, structural=True)


@on_statement("add-parameter-default", 0.04)
def parameter_default(site: Site) -> Iterator[Change]:
    """A default for a parameter that callers leave out."""
    node = site.node
    if not isinstance(node, FunctionNode) or not node.args.args:
        return
    plain = node.args.args
    required = plain[: len(plain) - len(node.args.defaults)]
    if required and required[-1].arg not in ("self", "cls"):
        last = required[-1]
        end = site.source.span(last)[1]
        sign = " = " if last.annotation is not None else "="
        for value in ("None", "0", "1", "True", "False", '""', "()"):
            why = f"lets callers leave out `{last.arg}`"
            yield Change(
                splices=(Splice(end, end, f"{sign}{value}"),), rationale=why, structural=True, suspicion=0.1
            )


TEMPLATES: Final[tuple[Template, ...]] = (
    mutable_default,
    add_self,
    super_init,
    parameter_default,
)
