"""Which value at which place would turn a test green: candidates tried for what they tell, never offered.

After the angelic values of Chandra et al. 2011 and Nopol: a returned, assigned or yielded value is replaced
by a literal, a condition forced, or the function left early; the tests that then pass say what the place
should give.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from pytest_buddy.coder.hints import Hints, read_hints
from pytest_buddy.coder.ordering import weigh_statements
from pytest_buddy.coder.outline import Outline, Statement
from pytest_buddy.coder.scope import own_nodes
from pytest_buddy.coder.templates import outlines_of
from pytest_buddy.domain import Edit, Patch
from pytest_buddy.ports import Context

Kind = Literal["value", "condition", "guard"]
_MOST_PLACES: Final = 12
_MOST_VALUES: Final = 8
_MOST_GUARDS: Final = 4
_LONGEST: Final = 200
_USUAL: Final = ("None", "True", "False", "[]", "''", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value is asked for: an expression of a statement, or (`guard`) the point before it."""

    outline: Outline
    statement: Statement
    node: ast.expr | None
    kind: Kind
    weight: float

    @property
    def span(self) -> tuple[int, int]:
        """The bytes of the expression; empty, where the statement starts, for a guard."""
        source = self.outline.source
        if self.node is not None:
            return source.span(self.node)
        start = source.span(self.statement.node)[0]
        return start, start


@dataclass(frozen=True, slots=True, kw_only=True)
class Angel:
    """A candidate that puts `value`, the text of a literal or of a leaving statement, at a place."""

    place: Place
    value: str
    patch: Patch


def angels(context: Context) -> Iterator[Angel]:
    """The values worth trying at the likeliest places, best place first."""
    hints = read_hints(context.failures)
    outlines = outlines_of(context)
    values = tuple(_values(hints))
    ends = _ends(hints, values)
    seen: set[str] = set()
    for count, (weight, outline, statement) in enumerate(weigh_statements(outlines, context.suspects)):
        if count >= _MOST_PLACES:
            return
        if statement.owner.function is None:
            continue
        for place in _places(outline, statement, weight):
            for angel in _angels_at(place, values, ends):
                if angel.patch.id not in seen:
                    seen.add(angel.patch.id)
                    yield angel


def _values(hints: Hints) -> Iterator[str]:
    """Literals that a place may be wanted to give: what tests expect, its parts, the usual empty ones."""
    found: dict[str, None] = {}
    for wished in hints.wished:
        found[repr(wished)] = None
    for wished in hints.wished:
        if isinstance(wished, list | tuple):
            found |= dict.fromkeys(repr(item) for item in wished[:3])
        elif isinstance(wished, dict):
            found |= dict.fromkeys(repr(item) for item in [*wished.values()][:3])
    yield from [text for text in found if len(text) <= _LONGEST][:_MOST_VALUES]
    yield from (text for text in _USUAL if text not in found)


def _ends(hints: Hints, values: tuple[str, ...]) -> tuple[str, ...]:
    raised = tuple(f"raise {name}" for name in hints.wanted_errors[:2] if name.isidentifier())
    returned = tuple(f"return {value}" for value in values[: _MOST_GUARDS + len(_USUAL)])
    return (*raised, *returned)


def _places(outline: Outline, statement: Statement, weight: float) -> Iterator[Place]:
    def place(node: ast.expr | None, kind: Kind) -> Place:
        return Place(outline=outline, statement=statement, node=node, kind=kind, weight=weight)

    node = statement.node
    if isinstance(node, ast.If | ast.While) and not isinstance(node.test, ast.Constant):
        yield place(node.test, "condition")
    for inner in own_nodes(node) if not hasattr(node, "body") else ():
        if isinstance(inner, ast.IfExp):
            yield place(inner.test, "condition")
        elif isinstance(inner, ast.comprehension):
            for test in inner.ifs:
                yield place(test, "condition")
    match node:
        case ast.Return(value=ast.expr() as value) | ast.Assign(targets=[ast.Name()], value=value):
            yield place(value, "value")
        case ast.AugAssign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            yield place(value, "value")
        case ast.Expr(value=ast.Yield(value=ast.expr() as value)):
            yield place(value, "value")
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append" | "add"), args=[value])):
            yield place(value, "value")
    if isinstance(node, ast.stmt) and _starts_line(outline, node) and not statement.chained:
        yield place(None, "guard")


def _starts_line(outline: Outline, node: ast.stmt) -> bool:
    source = outline.source
    start = source.span(node)[0]
    decorated = getattr(node, "decorator_list", [])
    return not decorated and not source.content[source.line_starts[node.lineno - 1] : start].strip()


def _angels_at(place: Place, values: Iterable[str], ends: Iterable[str]) -> Iterator[Angel]:
    if place.kind == "condition":
        texts: Iterable[str] = ("True", "False")
    elif place.kind == "value":
        texts = values
    else:
        texts = (*ends, *(("continue",) if place.statement.in_loop else ()))
    source = place.outline.source
    start, end = place.span
    old = source.content[start:end].decode(source.encoding, "replace")
    for text in texts:
        if text == old:
            continue
        written = f"{text}\n{margin(place)}" if place.kind == "guard" else f"({text})"
        try:
            replacement = written.encode(source.encoding.removesuffix("-sig"))
        except UnicodeEncodeError:
            continue
        edit = Edit(
            path=source.path,
            digest=source.digest,
            start=start,
            end=end,
            replacement=replacement.replace(b"\n", source.newline),
        )
        yield Angel(place=place, value=text, patch=Patch(edits=(edit,), origin="angel"))


def margin(place: Place) -> str:
    """The white space before the statement of a place."""
    source = place.outline.source
    start = source.span(place.statement.node)[0]
    line = source.line_starts[place.statement.node.lineno - 1]
    return source.content[line:start].decode(source.encoding, "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What a place should give in some failing tests: test -> the text of a value or a leaving statement."""

    place: Place
    values: tuple[tuple[str, str], ...]


def wants(green: Iterable[tuple[Angel, frozenset[str]]]) -> list[Want]:
    """What is wanted where, from the angels and the tests that they turned green; most tests first."""
    by_place: dict[tuple[Any, ...], tuple[Place, dict[str, str]]] = {}
    for angel, tests in green:
        place = angel.place
        # One guard leaves in one way; a place of a value may be wanted to give another in each test.
        end = angel.value if place.kind == "guard" else ""
        key = (place.outline.source.path, *place.span, place.kind, end)
        _, found = by_place.setdefault(key, (place, {}))
        for test in tests:
            found.setdefault(test, angel.value)
    made = [Want(place=place, values=tuple(sorted(found.items()))) for place, found in by_place.values()]
    made.sort(key=lambda want: (-len(want.values), -want.place.weight))
    return made
