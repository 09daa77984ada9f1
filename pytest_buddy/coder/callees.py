"""Templates that put another function, method or attribute in place of one."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.ingredients import arity
from pytest_buddy.coder.names import likeness, opposites
from pytest_buddy.coder.precedence import level_of
from pytest_buddy.coder.site import Site

_FAMILIES: Final = (
    ("append", "extend", "insert", "appendleft", "add"), ("add", "update", "discard"),
    ("remove", "discard", "pop"), ("pop", "popleft", "popitem"), ("get", "setdefault", "pop"),
    ("keys", "values", "items"), ("strip", "lstrip", "rstrip"), ("split", "rsplit", "splitlines"),
    ("partition", "rpartition"), ("startswith", "endswith"), ("removeprefix", "removesuffix"),
    ("lower", "upper", "title", "capitalize", "casefold", "swapcase"), ("find", "rfind", "index", "rindex"),
    ("isdigit", "isalpha", "isalnum", "isnumeric", "isdecimal", "isspace", "isidentifier"),
    ("islower", "isupper", "istitle"), ("union", "intersection", "difference", "symmetric_difference"),
    ("issubset", "issuperset", "isdisjoint"), ("encode", "decode"), ("read", "readline", "readlines"),
    ("extend", "extendleft", "append"), ("match", "fullmatch", "search"), ("findall", "finditer", "search"),
    ("dump", "dumps"), ("load", "loads"), ("ljust", "rjust", "center", "zfill"), ("setdefault", "update"),
    ("sort", "reverse"), ("floor", "ceil", "trunc"), ("write", "writelines"), ("group", "groups"),
    ("bisect_left", "bisect_right"), ("insort_left", "insort_right"), ("today", "now"),
    ("sin", "cos"), ("log", "log2", "log10"), ("start", "end"), ("heappush", "heappop", "heappushpop"),
)  # fmt: skip
_BUILTIN_FAMILIES: Final = (
    ("min", "max", "sum"), ("any", "all"), ("sum", "len"), ("sorted", "reversed", "list"),
    ("int", "float", "str", "round", "bool"), ("list", "tuple", "set", "frozenset", "sorted"),
    ("dict", "list"), ("isinstance", "issubclass"), ("map", "filter"), ("zip", "enumerate"),
    ("range", "enumerate"), ("int", "round", "abs"), ("str", "repr"), ("setattr", "getattr"),
    ("ord", "chr"), ("iter", "next"),
)  # fmt: skip


def _families(name: str, families: tuple[tuple[str, ...], ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in families:
        if name in family:
            for other in family:
                if other != name:
                    found[other] = 1.0
    return found


@on_expressions("sibling-function", 0.12, ast.Call)
def sibling_function(site: Site, node: ast.Call) -> Iterator[Change]:
    """Another function: a relative of the builtin, or one of the file that takes as many arguments."""
    if not isinstance(node.func, ast.Name):
        return
    name = node.func.id
    builtin = _families(name, _BUILTIN_FAMILIES) if name not in site.scope.names else {}
    choices = {other: 0.5 * prior for other, prior in builtin.items()}
    choices |= {other: p for other, p in _families(name, _FAMILIES).items() if other in site.scope.names}
    given = len(node.args) + len(node.keywords)
    is_class = name in site.outline.classes
    for other, known in site.scope.names.items():
        if other == name or known.kind not in ("callable", "import"):
            continue
        functions = site.outline.functions.get(other, ())
        prior = 0.15 + 0.6 * likeness(name, other)
        if functions:
            least, most = arity(functions[0], bound=False)
            prior *= 1.0 if least <= given <= most else 0.1
        elif (other in site.outline.classes) != is_class or known.kind == "import":
            prior *= 0.3
        if site.function is not None and other == site.function.name:
            prior *= 0.2
        choices.setdefault(other, prior)
    for other, prior in choices.items():
        why = f"calls `{other}` instead of `{name}`"
        yield site.change(node.func, other, why, prior=prior, signal=other)


@on_expressions("sibling-method", 0.13, ast.Attribute)
def sibling_method(site: Site, node: ast.Attribute) -> Iterator[Change]:
    """Another method: a relative of a standard one, one of the class, one that the file calls."""
    parent = site.parent(node)
    if not (isinstance(parent, ast.Call) and parent.func is node):
        return
    choices = _families(node.attr, _FAMILIES)
    own = isinstance(node.value, ast.Name) and node.value.id == site.scope.instance
    given = len(parent.args) + len(parent.keywords)
    if own:
        for other, function in site.scope.methods.items():
            least, most = arity(function, bound=True)
            fits = 1.0 if least <= given <= most else 0.1
            dunder = 0.1 if other.startswith("__") else 1.0
            choices.setdefault(other, (0.2 + likeness(node.attr, other)) * fits * dunder)
    else:
        for other in site.outline.frequent_calls:
            choices.setdefault(other, 0.03 + 0.15 * likeness(node.attr, other))
    choices.pop(node.attr, None)
    for other, prior in choices.items():
        why = f"calls `{other}` instead of `{node.attr}`"
        yield Change(splices=(_attribute(site, node, other),), rationale=why, prior=prior, signal=other)


def _attribute(site: Site, node: ast.Attribute, name: str) -> Splice:
    end = site.source.span(node)[1]
    return Splice(end - len(node.attr.encode(site.source.encoding)), end, name)


@on_expressions("attribute", 0.12, ast.Attribute)
def sibling_attribute(site: Site, node: ast.Attribute) -> Iterator[Change]:
    """Another attribute: of the class, or one that the file reads."""
    parent = site.parent(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return
    own = isinstance(node.value, ast.Name) and node.value.id == site.scope.instance
    pool = dict.fromkeys(site.scope.data_attributes if own else site.outline.frequent_reads, 1.0)
    if not own:
        pool = dict.fromkeys(opposites(node.attr), 0.5) | pool
    stored = 0.3 if isinstance(node.ctx, ast.Store) else 1.0
    for other, known in pool.items():
        if other != node.attr:
            why = f"uses the attribute `{other}` instead of `{node.attr}`"
            prior = ((0.3 if own else 0.05) + likeness(node.attr, other)) * stored * known
            prior *= site.scope.suits(f"self.{node.attr}", f"self.{other}") if own else 1.0
            yield Change(splices=(_attribute(site, node, other),), rationale=why, prior=prior)


@on_statement("drop-attribute", 0.05)
def drop_attribute(site: Site) -> Iterator[Change]:
    """The object itself instead of its attribute."""
    for node in site.nodes_of(ast.Attribute):
        called = isinstance(parent := site.parent(node), ast.Call) and parent.func is node
        if called or isinstance(node.ctx, ast.Store):
            continue
        if isinstance(node.value, ast.Name) and node.value.id == site.scope.instance:
            if node.attr in site.scope.names:
                why = f"uses the variable `{node.attr}` instead of the attribute"
                yield site.change(node, node.attr, why, prior=1.5)
            continue
        why = f"uses `{site.text(node.value)}` itself, not its `{node.attr}`"
        yield site.change(node, site.text(node.value), why, level=level_of(node.value))


@on_statement("add-attribute", 0.05, spread=4)
def add_attribute(site: Site) -> Iterator[Change]:
    """An attribute of the object instead of the object itself."""
    pool = {name: count for name, count in site.outline.attributes[0].items() if not name.startswith("__")}
    for node in site.nodes_of(ast.Name):
        parent = site.parent(node)
        if isinstance(parent, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if isinstance(parent, ast.Call) and parent.func is node:
            continue
        seen = site.ingredients.attributes_of.get(node.id, {})
        for name in (
            *(name for name in seen if name in pool),
            *[name for name in pool if name not in seen][:10],
        ):
            if name in site.scope.methods and node.id == site.scope.instance:
                continue
            why = f"uses the `{name}` of `{node.id}`, not `{node.id}` itself"
            yield site.change(node, f"{node.id}.{name}", why, prior=1.0 if name in seen else 0.15)


TEMPLATES: Final[tuple[Template, ...]] = (
    sibling_function,
    sibling_method,
    sibling_attribute,
    drop_attribute,
    add_attribute,
)
