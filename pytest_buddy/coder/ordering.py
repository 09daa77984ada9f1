"""In which order statements and their changes are tried: line first, function next, the rest after."""

import ast
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Generic, TypeVar

from pytest_buddy.coder.change import Change, Template
from pytest_buddy.coder.hints import Hints
from pytest_buddy.coder.outline import FunctionNode, Outline, Owner, Statement
from pytest_buddy.coder.scope import own_nodes
from pytest_buddy.coder.site import Site
from pytest_buddy.domain import Suspect

T = TypeVar("T")
PER_STATEMENT: Final = 300
_FUNCTION: Final = 0.15  # of the top suspect's weight, for unlisted statements of its function
_DEFINITION: Final = 0.1  # ... for module-level definitions that the function reads
_CALLEE: Final = 0.04  # ... for functions of the same file that it calls
_RELATED: Final = 3  # functions whose definitions and callees are tried
_TOP: Final = 0.5  # statements of this weight are searched for what the values of the failure suggest
_ALLOWANCE: Final = 1.5  # ... others only as far as this raises a template
_MOST_STATEMENTS: Final = 600
_DULL: Final = (ast.Pass, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A change with its template, and its likelihood among the changes at one statement."""

    change: Change
    template: str
    score: float


def rank_changes(site: Site, template: Template) -> tuple[Ranked, ...]:
    """A template's changes at a statement, likeliest first: its weight is shared among them."""
    changes = tuple(template.changes(site))
    total = max(1.0, sum(change.prior for change in changes))
    ranked = [
        Ranked(
            change=change,
            template=template.name,
            score=template.weight
            * site.hints.factor(template.name, change.signal)
            * (change.prior / total)
            * (1 - change.suspicion / 2),
        )
        for change in changes
    ]
    ranked.sort(key=lambda item: -item.score)
    return tuple(ranked)


def weigh_statements(
    outlines: Mapping[str, Outline], suspects: Iterable[Suspect]
) -> list[tuple[float, Outline, Statement]]:
    """Statements worth changing, likeliest first, with their weight relative to the top suspect."""
    weights: dict[Statement, float] = {}
    home: dict[Statement, Outline] = {}

    def note(outline: Outline, statement: Statement, weight: float) -> None:
        if not statement.is_docstring and not isinstance(statement.node, _DULL):
            weights[statement] = max(weights.get(statement, 0.0), weight)
            home[statement] = outline

    owners: dict[Owner, tuple[Outline, float]] = {}
    ordered = sorted(suspects, key=lambda suspect: suspect.rank)
    top = max((suspect.score for suspect in ordered), default=1.0) or 1.0
    for suspect in ordered:
        outline = outlines.get(suspect.path)
        if outline is None:
            continue
        middle = suspect.rank + suspect.tied_with / 2
        weight = max(suspect.score, 0.01) / top / middle**0.7
        for statement, share in _at(outline, suspect):
            note(outline, statement, weight * share)
            owners.setdefault(statement.owner, (outline, max(suspect.score, 0.01) / top))
    for place, (owner, (outline, share)) in enumerate(owners.items()):
        weight = share / (1 + place) ** 0.8
        for statement in outline.by_owner.get(owner, ()) if owner.function else ():
            note(outline, statement, weight * _FUNCTION)
        for statement, part in _related(outline, owner) if place < _RELATED else ():
            note(outline, statement, weight * part)
    found = [(weight, home[statement], statement) for statement, weight in weights.items()]
    found.sort(key=lambda item: -item[0])
    return found[:_MOST_STATEMENTS]


def _at(outline: Outline, suspect: Suspect) -> Iterator[tuple[Statement, float]]:
    here = outline.by_line.get(suspect.line, ())
    exact = [statement for statement in here if type(statement.node).__name__.lower() == suspect.kind]
    for statement in here:
        yield statement, 1.0 if statement in exact or not exact else 0.5


def _related(outline: Outline, owner: Owner) -> Iterator[tuple[Statement, float]]:
    read: set[str] = set()
    if owner.function is None:
        return
    for node in own_nodes(owner.node):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            read.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            read.add(node.attr)
    for statement in outline.statements:
        node = statement.node
        if node is owner.node:
            yield statement, _FUNCTION
        elif statement.owner.function is None and isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id in read for target in targets):
                yield statement, _DEFINITION
        else:
            function = node if isinstance(node, FunctionNode) else statement.owner.function
            if function is not None and function.name in read:
                yield statement, _CALLEE


@dataclass(frozen=True, slots=True)
class _Source(Generic[T]):
    """Where changes come from: a statement, one template at it, or the rest of what that made."""

    weight: float
    statement: T
    template: Template | None = None
    rest: Iterator[Ranked] | None = None
    head: Ranked | None = None


def merge(
    statements: Iterable[tuple[float, T]],
    catalogue: Sequence[Template],
    hints: Hints,
    expand: Callable[[T, Template], Iterable[Ranked]],
) -> Iterator[tuple[T, Ranked, float]]:
    """Merge the changes of all statements, best first; a template is applied when it can have the best."""
    bounds = [template.weight * hints.factor(template.name, "") for template in catalogue]
    signal = max(hints.signals.values(), default=1.0)
    serial = count()
    heap: list[tuple[float, int, _Source[T]]] = []

    def push(bound: float, source: _Source[T]) -> None:
        heapq.heappush(heap, (-bound, next(serial), source))

    for weight, statement in statements:
        push(weight * max(bounds, default=0.0), _Source(weight, statement))
    while heap:
        _, _, source = heapq.heappop(heap)
        weight, statement, template, rest = source.weight, source.statement, source.template, source.rest
        if template is None:
            top = weight >= _TOP
            allowance = signal if top else min(signal, _ALLOWANCE)
            for bound, each in zip(bounds, catalogue, strict=True):
                push(
                    weight * bound * allowance / (1 if top else each.spread), _Source(weight, statement, each)
                )
            continue
        if rest is None or source.head is None:
            rest = iter(expand(statement, template))
        else:
            yield statement, source.head, weight * source.head.score
        following = next(rest, None)
        if following is not None:
            push(weight * following.score, _Source(weight, statement, template, rest, following))
