"""Templates that put another name in a name's place."""

import ast
import difflib
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.scope import BUILTINS
from pytest_buddy.coder.site import Site

_MODULE_OF: Final = {
    "defaultdict": "collections", "deque": "collections", "Counter": "collections",
    "OrderedDict": "collections", "namedtuple": "collections", "datetime": "datetime",
    "timedelta": "datetime", "date": "datetime", "timezone": "datetime", "Path": "pathlib",
    "reduce": "functools", "partial": "functools", "wraps": "functools", "lru_cache": "functools",
    "dataclass": "dataclasses", "field": "dataclasses", "chain": "itertools", "groupby": "itertools",
    "product": "itertools", "combinations": "itertools", "permutations": "itertools", "islice": "itertools",
    "Decimal": "decimal", "Fraction": "fractions", "Enum": "enum", "itemgetter": "operator",
    "attrgetter": "operator", "contextmanager": "contextlib", "suppress": "contextlib", "deepcopy": "copy",
    "sqrt": "math", "ceil": "math", "floor": "math", "StringIO": "io", "BytesIO": "io",
}  # fmt: skip


_MOST_NEAR: Final = 200
_OPPOSITES: Final = (
    "left right", "min max", "start end stop", "first last", "low high", "lower upper", "x y z",
    "width height", "row col column", "rows cols columns", "key value", "next prev previous",
    "open close", "before after", "head tail", "source target", "src dst", "top bottom",
    "begin end", "old new", "input output", "push pop",
    "parent child", "prefix suffix", "i j k", "a b c", "minimum maximum", "actual expected", "keys values",
    "true false", "add remove", "increment decrement", "north south east west", "numerator denominator",
    "year month day", "hours minutes seconds", "hour minute second", "debit credit", "length width",
    "read write", "load save", "get set", "enable disable", "encode decode", "name value", "floor ceil",
    "inner outer", "current previous next", "positive negative", "success failure", "sent received",
)  # fmt: skip


_OPPOSITE_OF: Final[dict[str, tuple[str, ...]]] = {
    word: tuple(
        other for other_family in _OPPOSITES if word in other_family.split() for other in other_family.split()
        if other != word
    )
    for family in _OPPOSITES
    for word in family.split()
}  # fmt: skip


def opposites(name: str) -> tuple[str, ...]:
    """The names that differ in one part and say the opposite there: `left_child` for `right_child`."""
    parts = name.split("_")
    return tuple(
        "_".join((*parts[:place], word, *parts[place + 1 :]))
        for place, part in enumerate(parts)
        for word in _OPPOSITE_OF.get(part, ())
    )


@lru_cache(maxsize=8_192)
def likeness(left: str, right: str) -> float:
    """How alike two names look, 0..1: shared parts, beginnings and endings, or opposites."""
    if left == right or right in opposites(left):
        return 1.0
    parts = set(left.lower().split("_")) & set(right.lower().split("_")) - {""}
    prefix = _shared(left, right)
    suffix = _shared(left[::-1], right[::-1])
    shared = min(prefix + suffix, min(len(left), len(right))) / max(len(left), len(right))
    return min(1.0, shared + 0.4 * bool(parts))


def _shared(left: str, right: str) -> int:
    count = 0
    for first, second in zip(left, right, strict=False):
        if first != second:
            break
        count += 1
    return count


def near(name: str, candidates: Iterator[str] | tuple[str, ...], limit: int = 3) -> list[str]:
    """The candidates that look like misspellings of the name, nearest first."""
    slack = max(2, len(name) // 3)
    pool = sorted({item for item in candidates if item != name and abs(len(item) - len(name)) <= slack})
    if len(pool) > _MOST_NEAR:
        pool = [item for item in pool if item[:1] == name[:1] or item[-2:] == name[-2:]][:_MOST_NEAR]
    return difflib.get_close_matches(name, pool, n=limit, cutoff=0.6)


def _is_callee(site: Site, node: ast.expr) -> bool:
    parent = site.parent(node)
    return isinstance(parent, ast.Call) and parent.func is node


def _beside(site: Site, node: ast.Name) -> set[str]:
    parent = site.parent(node)
    if isinstance(parent, ast.BinOp | ast.Compare | ast.BoolOp):
        return {child.id for child in ast.iter_child_nodes(parent) if isinstance(child, ast.Name)}
    if isinstance(parent, ast.Assign | ast.AugAssign | ast.AnnAssign) and parent.value is node:
        return {child.id for child in ast.iter_child_nodes(parent) if isinstance(child, ast.Name)}
    return set()


def _values(site: Site, node: ast.Name) -> Iterator[tuple[str, float]]:
    scope = site.scope
    used = set(scope.reads)
    wanted = scope.annotations.get(node.id)
    for name, likelihood in site.names_at(node).items():
        if name in (node.id, scope.instance) or name.startswith("__"):
            continue
        prior = likelihood * (0.3 + likeness(node.id, name))
        if likelihood == 1.0 and name not in used:
            prior *= 4  # a parameter or local nobody reads wants to be read
        if wanted is not None and scope.annotations.get(name) == wanted:
            prior *= 1.5
        prior *= scope.suits(node.id, name) * _same_type(site, node.id, name)
        yield name, prior


def _same_type(site: Site, old: str, new: str) -> float:
    """Whether the values that the failure shows for both variables have a type in common."""
    first, second = site.hints.values.get(old), site.hints.values.get(new)
    return 0.3 if first and second and not first & second else 1.0


@on_expressions("swap-name", 0.3, ast.Name, spread=3)
def swap_name(site: Site, node: ast.Name) -> Iterator[Change]:
    """Another variable in scope."""
    if _is_callee(site, node) or node.id == site.scope.instance:
        return
    stored = isinstance(node.ctx, ast.Store)
    beside = _beside(site, node)
    for name, prior in _values(site, node):
        known = site.scope.names.get(name)
        if stored and (known is None or known.kind not in ("parameter", "local")):
            continue
        doubled = name in beside
        yield site.change(
            node,
            name,
            f"{'assigns to' if stored else 'uses'} `{name}` instead of `{node.id}`",
            prior=prior * (0.2 if stored else 1.0) * (0.15 if doubled else 1.0),
            suspicion=0.5 if doubled else 0.0,
            structural=stored,
        )


@on_expressions("name-for-constant", 0.08, ast.Constant, spread=3)
def name_for_constant(site: Site, node: ast.Constant) -> Iterator[Change]:
    """A variable, or what the object holds, where a constant stands; most often where it is returned."""
    if isinstance(node.value, str | bytes) and node.value:
        return
    parent, scope = site.parent(node), site.scope
    if not isinstance(parent, ast.Return | ast.Assign | ast.Call | ast.keyword | ast.BinOp | ast.Compare):
        return
    returned = 2.0 if isinstance(parent, ast.Return) and node.value is None else 1.0
    unread = set(scope.reads)
    for name, likelihood in site.names_at(node).items():
        known = scope.names.get(name)
        if name == scope.instance or name.startswith("__"):
            continue
        if known is not None and known.kind not in ("parameter", "local", "enclosing"):
            continue
        prior = likelihood * returned * (1.0 if name in unread else 3.0)
        why = f"uses `{name}` instead of `{site.text(node)}`"
        yield site.change(node, name, why, prior=prior * (2.0 if known and known.kind == "local" else 1.0))
    if returned > 1 and scope.instance:
        for attribute in sorted(scope.data_attributes, key=lambda item: -scope.data_attributes[item])[:6]:
            held = f"{scope.instance}.{attribute}"
            yield site.change(node, held, f"returns `{held}`", prior=0.5)
            yield site.change(node, f"len({held})", f"returns how many `{held}` holds", prior=0.3)


@on_statement("swap-name-everywhere", 0.1, spread=3)
def swap_name_everywhere(site: Site) -> Iterator[Change]:
    """Another variable in scope at every place where the statement reads the name."""
    groups: dict[str, list[ast.Name]] = {}
    for node in site.nodes_of(ast.Name):
        if isinstance(node.ctx, ast.Load) and not _is_callee(site, node):
            groups.setdefault(node.id, []).append(node)
    for name, nodes in groups.items():
        if len(nodes) < 2 or name == site.scope.instance:
            continue
        for other, prior in _values(site, nodes[0]):
            yield Change(
                splices=tuple(site.splice(node, other) for node in nodes),
                rationale=f"uses `{other}` instead of `{name}`, everywhere in the statement",
                prior=prior,
            )


@on_statement("swap-two-names", 0.06)
def swap_two_names(site: Site) -> Iterator[Change]:
    """Two variables of the statement change places."""
    names: dict[str, list[ast.Name]] = {}
    for node in site.nodes_of(ast.Name):
        owns = isinstance(site.parent(node), ast.Attribute)
        if not _is_callee(site, node) and (node.id != site.scope.instance or owns):
            names.setdefault(node.id, []).append(node)
    for (left, lefts), (right, rights) in list(combinations(names.items(), 2))[:10]:
        splices = [site.splice(node, right) for node in lefts] + [site.splice(node, left) for node in rights]
        yield Change(
            splices=tuple(splices),
            rationale=f"swaps `{left}` and `{right}`",
            prior=0.3 + likeness(left, right),
            structural=any(isinstance(node.ctx, ast.Store) for node in (*lefts, *rights)),
        )


@on_expressions("other-object", 0.1, ast.Attribute)
def other_object(site: Site, node: ast.Attribute) -> Iterator[Change]:
    """The attribute of the other object: `other.x` for `self.x`, and back."""
    if not isinstance(node.value, ast.Name) or not site.scope.instance:
        return
    base, instance = node.value, site.scope.instance
    parent = site.parent(node)
    twice = isinstance(parent, ast.Compare | ast.BinOp) and _is_doubled(site, parent)
    if base.id != instance:
        known = node.attr in site.scope.data_attributes or node.attr in site.scope.methods
        if known and base.id in site.names_at(node):
            why = f"uses the `{node.attr}` of `{instance}`, not of `{base.id}`"
            yield site.change(base, instance, why, prior=1.0, structural=isinstance(node.ctx, ast.Store))
        return
    for name, likelihood in site.names_at(node).items():
        attributes = site.ingredients.attributes_of.get(name, {})
        if name != instance and likelihood == 1.0 and (attributes or name == "other"):
            why = f"uses the `{node.attr}` of `{name}`, not of `{instance}`"
            prior = (1.5 if node.attr in attributes or name == "other" else 0.4) * (3.0 if twice else 1.0)
            yield site.change(base, name, why, prior=prior, structural=isinstance(node.ctx, ast.Store))


def _is_doubled(site: Site, node: ast.Compare | ast.BinOp) -> bool:
    right = node.comparators[0] if isinstance(node, ast.Compare) else node.right
    return site.text(node.left) == site.text(right)


@on_expressions("missing-self", 0.08, ast.Name)
def missing_self(site: Site, node: ast.Name) -> Iterator[Change]:
    """The attribute of that name instead of the variable."""
    scope = site.scope
    if (
        not scope.instance
        or node.id == scope.instance
        or (isinstance(node.ctx, ast.Store) and not _plain(site))
    ):
        return
    held = scope.methods if _is_callee(site, node) else scope.data_attributes
    found = [attribute for attribute in held if node.id in (attribute, attribute.lstrip("_"))]
    if not found and node.id in site.hints.unknown:
        found = [node.id]  # a base class may have it
    for attribute in found:
        text = f"{scope.instance}.{attribute}"
        yield site.change(node, text, f"uses the attribute `{text}` instead of the variable `{node.id}`")


def _plain(site: Site) -> bool:
    return isinstance(site.node, ast.Assign | ast.AugAssign)


@on_expressions("self-attribute", 0.08, ast.Name, spread=2)
def self_attribute(site: Site, node: ast.Name) -> Iterator[Change]:
    """A data attribute of the object instead of a variable."""
    scope = site.scope
    if not scope.instance or _is_callee(site, node) or isinstance(node.ctx, ast.Store):
        return
    if node.id == scope.instance:
        return
    for attribute in scope.data_attributes:
        if attribute.lstrip("_") != node.id:
            text = f"{scope.instance}.{attribute}"
            prior = (0.2 + likeness(attribute, node.id)) * scope.suits(node.id, f"self.{attribute}")
            yield site.change(node, text, f"uses `{text}` instead of `{node.id}`", prior=prior)


def _known_names(site: Site) -> Iterator[str]:
    read, called = site.outline.attributes
    yield from (
        *site.scope.names,
        *BUILTINS,
        *read,
        *called,
        *site.scope.methods,
        *site.scope.data_attributes,
    )
    for function in site.outline.functions.values():
        for node in function:
            yield from (argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))


@on_statement("did-you-mean", 0.12)
def did_you_mean(site: Site) -> Iterator[Change]:
    """The known name that the unknown one is a misspelling of, here and everywhere in the function."""
    for wrong in sorted(site.hints.unknown):
        places = list(_spelled(site, wrong))
        if not places:
            continue
        everywhere = list(_spelled(site, wrong, ast.walk(site.statement.owner.node)))
        offered = [*sorted(site.hints.suggested), *near(wrong, tuple(_known_names(site)))]
        for rank, name in enumerate(dict.fromkeys(offered)):
            why = f"`{wrong}` is not known here; `{name}` is, and is spelled alike"
            for spans, prior in ((places, 1.0), (everywhere, 0.9)):
                splices = tuple(Splice(start, end, name) for start, end in spans)
                yield Change(splices=splices, rationale=why, prior=prior * 0.6**rank, structural=True)


def _spelled(site: Site, wrong: str, nodes: Iterable[ast.AST] = ()) -> Iterator[tuple[int, int]]:
    for node in nodes or site.parents:
        if isinstance(node, ast.Name) and node.id == wrong:
            yield site.source.span(node)
        elif isinstance(node, ast.Attribute) and node.attr == wrong:
            end = site.source.span(node)[1]
            yield end - len(wrong.encode(site.source.encoding)), end
        elif isinstance(node, ast.keyword) and node.arg == wrong:
            start = site.source.span(node)[0]
            yield start, start + len(wrong.encode(site.source.encoding))


@on_statement("add-import", 0.05)
def add_import(site: Site) -> Iterator[Change]:
    """The missing import of a standard module or of a well-known name."""
    for wrong in sorted(site.hints.unknown):
        if wrong in site.scope.names or not any(True for _ in _spelled(site, wrong)):
            continue
        if wrong in _MODULE_OF:
            line = f"from {_MODULE_OF[wrong]} import {wrong}"
        elif wrong in sys.stdlib_module_names:
            line = f"import {wrong}"
        else:
            continue
        place = _import_place(site)
        yield Change(
            splices=(Splice(place, place, f"{line}\n"),), rationale=f"adds `{line}`", structural=True
        )


def _import_place(site: Site) -> int:
    body = site.source.tree.body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    plain = [
        node for node in imports if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")
    ]
    if plain:
        return site.source.line_starts[plain[0].lineno - 1]
    documented = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    line = max((node.end_lineno or 0 for node in (*imports, *body[: int(documented)])), default=0)
    return site.source.line_starts[line] if line else site.source.line_starts[0]


TEMPLATES: Final[tuple[Template, ...]] = (
    swap_name,
    name_for_constant,
    swap_name_everywhere,
    swap_two_names,
    other_object,
    missing_self,
    self_attribute,
    did_you_mean,
    add_import,
)
