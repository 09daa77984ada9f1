"""Templates for lines and branches that seem to be missing: by what nothing sets or reads, by their like."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_statement
from pytest_buddy.coder.layout import after, before, ends_flow, line_end
from pytest_buddy.coder.names import likeness
from pytest_buddy.coder.outline import Line
from pytest_buddy.coder.roles import key_of
from pytest_buddy.coder.scope import own_nodes
from pytest_buddy.coder.siblings import by_name, by_position, renamed, renames
from pytest_buddy.coder.site import Site

_MOST: Final = 30
_MOST_TOGETHER: Final = 4
_ENOUGH: Final = 0.04
_SETS_UNSET: Final = 1.0  # it sets a name that nothing sets here
_READS_UNREAD: Final = 0.5  # it reads a variable that nothing reads here
_BETWEEN: Final = 0.6  # it stands between statements like ours
_BESIDE: Final = 0.25  # it stands beside a statement like ours
_NAMESAKE: Final = 0.12  # it is in a function of the same name
_RELATED: Final = 0.03  # it is in the same class


@on_statement("missing-line", 0.3, spread=15)
def missing_line(site: Site) -> Iterator[Change]:
    """A line that sets what nothing sets, or reads what nothing reads: one may have been forgotten."""
    if site.statement.owner.function is None or not isinstance(site.node, ast.stmt):
        return
    if site.scope.unset or site.scope.unread:
        yield from _lines_elsewhere(site, clued=True)
    for text in _returned(site):
        place = after(site, text)
        if place is not None:
            why = f"adds `{text}`, which nothing reads so far"
            yield Change(splices=(place,), rationale=why, prior=1.0, structural=True, signal="return")
    found = {**_made_for_unset(site), **_stored(site)}
    for text, prior in sorted(found.items(), key=lambda item: -item[1])[:_MOST]:
        for place, share in ((before(site, text), 1.0), (after(site, text), 0.6)):
            if place is not None:
                yield Change(
                    splices=(place,), rationale=f"adds `{text}`", prior=prior * share, structural=True
                )


@on_statement("line-as-elsewhere", 0.07, spread=8)
def line_as_elsewhere(site: Site) -> Iterator[Change]:
    """A line that stands elsewhere in the file beside such a statement."""
    if site.statement.owner.function is not None and isinstance(site.node, ast.stmt):
        yield from _lines_elsewhere(site, clued=False)


def _made_for_unset(site: Site) -> dict[str, float]:
    """First values of variables that the statement, or one behind it, reads before they are set."""
    found: dict[str, float] = {}
    scope, line = site.scope, site.statement.node.lineno
    for name, first in scope.unset.items():
        if first < line:
            continue
        if name in scope.data_attributes or name in scope.properties:
            found[f"{name} = {scope.instance}.{name}"] = 1.0
        else:
            for attribute in [*scope.data_attributes][:_MOST] if scope.instance else ():
                alike = likeness(name, attribute.lstrip("_"))
                starts = 0.2 if attribute.lstrip("_").startswith(name) else 0.0
                found[f"{name} = {scope.instance}.{attribute}"] = 0.05 + 0.5 * alike + starts
        for value, prior in _first_values(site, name).items():
            found[f"{name} = {value}"] = prior
    return found


def _first_values(site: Site, key: str) -> dict[str, float]:
    values = dict.fromkeys(("None", "0", "[]", "{}", "False", '""', "set()", "True"), 0.15)
    root = site.statement.owner.enclosing_class if "." in key else site.statement.owner.node
    for node in ast.walk(root) if root is not None else ():
        match node:
            case ast.Attribute(value=owner, attr=attribute) if key_of(owner) == key:
                values |= dict.fromkeys(_USED_AS.get(attribute, ()), 0.7)
            case ast.Subscript(value=owner, ctx=ast.Store()) if key_of(owner) == key:
                values["{}"] = 0.7
            case ast.AugAssign(target=owner, op=ast.Add() | ast.Sub()) if key_of(owner) == key:
                values["0"] = 0.7
            case ast.UnaryOp(op=ast.Not(), operand=owner) | ast.If(test=owner) if key_of(owner) == key:
                values["False"] = 0.4
            case ast.Compare(left=owner, ops=[ast.Is() | ast.IsNot()]) if key_of(owner) == key:
                values["None"] = 0.7
    return values


_USED_AS: Final = {
    "append": ("[]",), "extend": ("[]",), "insert": ("[]",), "add": ("set()",), "discard": ("set()",),
    "items": ("{}",), "keys": ("{}",), "values": ("{}",), "setdefault": ("{}",), "get": ("{}",),
    "update": ("{}", "set()"), "pop": ("{}", "[]"), "clear": ("{}", "[]"), "remove": ("[]",),
}  # fmt: skip


def _returned(site: Site) -> Iterator[str]:
    """What the last statement of a function leaves unread, where nothing is returned."""
    function, scope = site.statement.owner.function, site.scope
    assert function is not None
    ends = any(isinstance(node, ast.Return) and node.value is not None for node in own_nodes(function))
    if site.node is not function.body[-1] or ends or scope.is_generator:
        return
    local = [scope.names[name] for name in scope.unread if scope.names[name].kind == "local"]
    names = [name.id for name in sorted(local, key=lambda name: name.line)]
    if len(names) == 1:
        yield f"return {names[0]}"
    elif 2 <= len(names) <= _MOST_TOGETHER:
        yield f"return {', '.join(names)}"


def _stored(site: Site) -> dict[str, float]:
    """Lines that keep a parameter, or give an attribute its first value, where a method lacks them."""
    scope, function = site.scope, site.statement.owner.function
    assert function is not None
    found: dict[str, float] = {}
    if not scope.instance or site.statement.ancestors:
        return found
    starting = function.name == "__init__"
    for name in scope.unread:
        for attribute in (name, f"_{name}"):
            known = attribute in scope.data_attributes
            if scope.names[name].kind == "parameter" and (known or starting):
                sure = known and attribute in scope.unstored
                found[f"{scope.instance}.{attribute} = {name}"] = 1.0 if sure else 0.5 if known else 0.15
    for attribute in scope.unstored if starting or site.hints.unknown & scope.unstored else ():
        for value in (attribute, attribute.removeprefix("_")):
            if value in scope.names and scope.names[value].kind == "parameter":
                found[f"{scope.instance}.{attribute} = {value}"] = 1.0
        for value, prior in _first_values(site, f"self.{attribute}").items():
            found.setdefault(f"{scope.instance}.{attribute} = {value}", prior)
    return found


def _lines_elsewhere(site: Site, *, clued: bool) -> Iterator[Change]:
    found: dict[tuple[str, bool], float] = {}
    asked = site.scope.unread | site.scope.unset.keys()
    for line in site.outline.lines:
        concerned = not clued or not asked.isdisjoint(line.reads | line.binds)
        if concerned and line.statement.node is not site.node:
            for text, below, prior, clue in _offers(site, line):
                if prior + clue >= _ENOUGH and bool(clue) is clued:
                    key = (text, below)
                    found[key] = max(found.get(key, 0.0), prior + clue) + (0.02 if key in found else 0.0)
    for (text, below), prior in sorted(found.items(), key=lambda item: -item[1])[:_MOST]:
        place = after(site, text) if below else before(site, text)
        if place is not None:
            why = f"adds `{text}`, as elsewhere"
            early = 0.2 if text.startswith("return") else 0.0
            yield Change(splices=(place,), rationale=why, prior=prior, suspicion=early, structural=True)


def _offers(site: Site, line: Line) -> Iterator[tuple[str, bool, float, float]]:
    """The line as it reads here, whether it goes below, how well it fits, and what asks for it."""
    block, index = site.statement.block, site.statement.index
    above = block[index - 1] if index else None
    under = block[index + 1] if index + 1 < len(block) else None
    ends = ends_flow(line.statement.node)
    theirs = line.statement.owner.function
    assert theirs is not None
    base = _kinship(site, line)
    for below, mine, far, near, other in (
        (True, site.node, under, line.before, line.behind),
        (False, site.node, above, line.behind, line.before),
    ):
        if ends and (not below or under is not None):
            continue
        names = renames(near, mine) if near is not None else None
        beside = 0.0
        if names is not None:
            matches = far is None if other is None else far is not None and renames(other, far) is not None
            beside = _BETWEEN if matches else _BESIDE
        names = by_position(site, theirs) if names is None else names
        names = (by_name(site, theirs) | names) if base else names
        text = renamed(line.text, names)
        reads = {names.get(name, name) for name in line.reads}
        binds = {names.get(name, name) for name in line.binds}
        if not reads <= site.scope.known | binds or text in (_text(site, far), _text(site, mine)):
            continue
        if reads & site.scope.unset.keys() - binds:
            continue
        sets = _SETS_UNSET if binds & site.scope.unset.keys() and not below else 0.0
        yields = _READS_UNREAD if reads & site.scope.unread else 0.0
        yield text, below, base + beside, sets + yields


def _kinship(site: Site, line: Line) -> float:
    ours, theirs = site.statement.owner, line.statement.owner
    assert ours.function is not None
    assert theirs.function is not None
    namesake = _NAMESAKE if ours is not theirs and ours.function.name == theirs.function.name else 0.0
    related = _RELATED if ours.enclosing_class is theirs.enclosing_class else 0.0
    return namesake + related


def _text(site: Site, node: ast.AST | None) -> str:
    return site.text(node) if isinstance(node, ast.stmt) else ""


@on_statement("missing-branch", 0.14, spread=8)
def missing_branch(site: Site) -> Iterator[Change]:
    """An `else` for the case that nobody thought of: it does the like of what the branch above does."""
    node, function = site.node, site.statement.owner.function
    if not isinstance(node, ast.If) or node.orelse or function is None or not site.starts_line:
        return
    last = node.body[-1]
    end = line_end(site, last)
    if end is None or last.lineno == node.lineno:
        return
    margin = site.indentation
    for text, prior in sorted(_other_cases(site, last).items(), key=lambda item: -item[1])[:_MOST]:
        splice = Splice(end, end, f"\n{margin}else:\n{margin}{site.step}{text}")
        early = 0.3 if text.startswith("return") else 0.0
        yield Change(
            splices=(splice,), rationale=f"does `{text}` in the other case", prior=prior, suspicion=early,
            structural=True,
        )  # fmt: skip


def _other_cases(site: Site, last: ast.stmt) -> dict[str, float]:
    """Lines like the last one of a branch: they set the same variable, return, or call the same function."""
    known = site.scope.known
    found: dict[str, float] = {}
    head = _head(site, last)
    sets = isinstance(last, ast.Assign | ast.AnnAssign | ast.AugAssign)
    asked = 1.0
    if sets and head in site.scope.reads:
        earlier = site.scope.names.get(head)
        asked = 3.0 if earlier is not None and earlier.line >= site.statement.node.lineno else 1.0
    for line in site.outline.lines:
        other = line.statement.node
        if other is last or not line.reads <= known or _head(site, other) != head or not head:
            continue
        near = 1.0 if line.statement.owner is site.statement.owner else 0.4
        found[line.text] = max(found.get(line.text, 0.0), near * asked)
    if sets and isinstance(last, ast.Assign | ast.AnnAssign):
        names = [name for name, likely in site.names_at(last).items() if likely >= 1.0]
        for value in (*names, "None", "[]", '""', "0", "{}", "False", "True"):
            if value not in (head, site.scope.instance):
                given = value in site.scope.names and site.scope.names[value].kind == "parameter"
                found.setdefault(f"{head} = {value}", (0.5 if given else 0.2) * asked)
    elif isinstance(last, ast.Return) and site.statement.index < len(site.statement.block) - 1:
        return {}
    return found


def _head(site: Site, node: ast.AST) -> str:
    """What a line is about: the target that it sets, the word it begins with, or the function it calls."""
    match node:
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return site.text(target)
        case ast.Expr(value=ast.Call(func=function)):
            return f"{site.text(function)}("
        case ast.Return():
            return "return"
        case ast.Raise():
            return "raise"
    return ""


TEMPLATES: Final[tuple[Template, ...]] = (missing_line, line_as_elsewhere, missing_branch)
