"""Templates that take what the file does elsewhere: its returns, arguments, methods and fallbacks."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.arguments import insertion
from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.names import likeness
from pytest_buddy.coder.precedence import AND, OR
from pytest_buddy.coder.siblings import by_position, renamed
from pytest_buddy.coder.site import Site

_MOST_RETURNS: Final = 15
_MOST_FALLBACKS: Final = 12
_ALIKE: Final = 0.5


@on_statement("return-as-elsewhere", 0.08, spread=4)
def return_as_elsewhere(site: Site) -> Iterator[Change]:
    """The value that a function of the same name, or another branch of this one, returns."""
    node, owner = site.node, site.statement.owner
    if not isinstance(node, ast.Return) or owner.function is None:
        return
    end = site.source.span(node)[1]
    plain = node.value is None or isinstance(node.value, ast.Constant | ast.Name)
    known = site.scope.known
    offered: dict[str, float] = {}
    for line in site.outline.lines:
        other, theirs = line.statement.node, line.statement.owner
        if not isinstance(other, ast.Return) or other.value is None or other is node:
            continue
        names = by_position(site, theirs.function) if theirs.function is not None else {}
        text = renamed(line.text, names).removeprefix("return ")
        if not {names.get(name, name) for name in line.reads} <= known:
            continue
        namesake = theirs.function is not None and theirs.function.name == owner.function.name
        prior = 1.0 if namesake else 0.5 if theirs is owner else 0.08
        offered[text] = max(offered.get(text, 0.0), prior * (1.0 if plain else 0.4))
    for text, prior in sorted(offered.items(), key=lambda item: -item[1])[:_MOST_RETURNS]:
        why = f"returns `{text}`, as elsewhere"
        if node.value is not None and text != site.text(node.value):
            yield site.change(node.value, text, why, level=0, prior=prior)
        elif node.value is None:
            splice = Splice(end, end, f" {text}")
            yield Change(splices=(splice,), rationale=why, prior=prior, structural=True)


@on_expressions("argument-as-elsewhere", 0.14, ast.Call)
def argument_as_elsewhere(site: Site, node: ast.Call) -> Iterator[Change]:
    """An argument that other calls of the same function pass."""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            others = site.outline.calls.get(name, ())
        case _:
            return
    known, passed = site.scope.known, {item.arg for item in node.keywords}
    offered: dict[tuple[str, bool], float] = {}
    for other in others[:40]:
        alike = [site.text(item) for item in other.args[: len(node.args)]] == [*map(site.text, node.args)]
        share = 1.0 if alike and node.args else 0.4
        missing: list[ast.expr | ast.keyword] = [*other.args[len(node.args) : len(node.args) + 1]]
        missing = [] if node.keywords or any(isinstance(item, ast.Starred) for item in node.args) else missing
        missing += [item for item in other.keywords if item.arg is not None and item.arg not in passed]
        for item in missing if other is not node else ():
            names = {inner.id for inner in ast.walk(item) if isinstance(inner, ast.Name)}
            if names <= known and "\n" not in site.text(item):
                unread = 3.0 if names & site.scope.unread else 1.0
                key = (site.text(item), isinstance(item, ast.keyword))
                offered[key] = offered.get(key, 0.0) + share * unread
    for (text, _), prior in sorted(offered.items(), key=lambda item: -item[1])[:8]:
        splice = insertion(site, node, text)
        if splice is not None:
            why = f"passes `{text}`, as other calls of `{name}` do"
            yield Change(splices=(splice,), rationale=why, prior=min(prior, 3.0))


@on_statement("method-as-elsewhere", 0.06, spread=4)
def method_as_elsewhere(site: Site) -> Iterator[Change]:
    """A method without arguments that the file calls on such a value elsewhere."""
    for node in site.loads:
        parent = site.parent(node)
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word):
                called = isinstance(parent, ast.Call) and parent.func is node
            case ast.Call(func=ast.Name(id="super")):
                word, called = "", False
            case _:
                continue
        if called or word == site.scope.instance or isinstance(parent, ast.Expr):
            continue
        for name, receivers in site.outline.bare_methods.items():
            outer = parent.attr if isinstance(parent, ast.Attribute) else ""
            prior = 1.0 if word in receivers else 0.06 if not outer else 0.02
            if not word:
                own = site.function is not None and site.function.name == name
                prior = 3.0 if own else 0.0
            if prior and name != outer:
                why = f"calls `.{name}` on `{site.text(node)}`, as elsewhere"
                yield site.change(node, f"{site.text(node)}.{name}()", why, prior=prior, signal=name)


@on_statement("fallback", 0.07, spread=4)
def fallback(site: Site) -> Iterator[Change]:
    """What the file falls back on elsewhere, or an attribute for what was not given, behind an `or`."""
    known, scope = site.scope.known, site.scope
    offered = {text: (of, 0.4) for text, (of, names) in site.outline.fallbacks.items() if names <= known}
    for node in site.loads:
        parent = site.parent(node)
        if not isinstance(node, ast.Name | ast.Attribute | ast.Call) or not isinstance(
            parent, ast.Assign | ast.AnnAssign | ast.Return | ast.keyword | ast.FormattedValue | ast.JoinedStr
        ):
            continue
        text = site.text(node)
        pool = {other: share * (4.0 if of == text else 1.0) for other, (of, share) in offered.items()}
        own = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        for attribute in scope.data_attributes if scope.instance else ():
            alike = likeness(own, attribute.lstrip("_").removeprefix("default_"))
            if attribute != own and (alike >= _ALIKE or attribute.startswith(("default", "_default"))):
                pool.setdefault(f"{scope.instance}.{attribute}", 0.3 + alike)
        for other, prior in sorted(pool.items(), key=lambda item: -item[1])[:_MOST_FALLBACKS]:
            if other in (text, "None") or "\n" in text:
                continue
            why = f"uses `{other}` where `{text}` is empty or None"
            yield site.change(node, f"{text} or {other}", why, level=OR, prior=prior)
            why = f"uses `{other}` where `{text}` is None"
            yield site.change(
                node, f"{text} if {text} is not None else {other}", why, level=0, prior=prior * 0.4
            )


@on_statement("condition-as-elsewhere", 0.1, spread=2)
def condition_as_elsewhere(site: Site) -> Iterator[Change]:
    """A condition that the file joins with this one elsewhere."""
    for node in site.loads:
        joined = site.outline.joined.get(site.text(node))
        if joined is None or isinstance(node, ast.Constant):
            continue
        here = site.parent(node)
        for more, other in joined.items():
            names = {item.id for item in ast.walk(other) if isinstance(item, ast.Name)}
            within = isinstance(here, ast.BoolOp) and more.partition(" ")[2] in map(site.text, here.values)
            if not names <= site.scope.known or within:
                continue
            level = AND if more.startswith("and") else OR
            text = f"{site.operand(node, level)} {more}"
            yield site.change(node, text, f"also asks `{more.partition(' ')[2]}`, as elsewhere", level=level)


TEMPLATES: Final[tuple[Template, ...]] = (
    return_as_elsewhere,
    argument_as_elsewhere,
    method_as_elsewhere,
    fallback,
    condition_as_elsewhere,
)
