"""The template engine: a coder that needs no model."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from pytest_buddy.coder import (
    arguments,
    by_values,
    callees,
    calls,
    conditions,
    containers,
    conversions,
    defaults,
    elsewhere,
    formats,
    imports,
    insertions,
    literals,
    missing,
    names,
    operands,
    patterns,
    signatures,
    spellings,
    statements,
    tables,
)
from pytest_buddy.coder.awaited import awaited_errors
from pytest_buddy.coder.change import Change, Splice, Template, edits_of, encoded
from pytest_buddy.coder.checking import Checker
from pytest_buddy.coder.hints import Hints, read_hints
from pytest_buddy.coder.imports import imports_known
from pytest_buddy.coder.ingredients import Ingredients
from pytest_buddy.coder.ordering import PER_STATEMENT, Ranked, merge, rank_changes, weigh_statements
from pytest_buddy.coder.outline import Outline, Owner, Statement
from pytest_buddy.coder.restored import restored
from pytest_buddy.coder.scope import Scope
from pytest_buddy.coder.site import Site
from pytest_buddy.domain import Failure, Patch, Suspect
from pytest_buddy.errors import SourceError
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

CATALOGUE: Final[tuple[Template, ...]] = (
    *names.TEMPLATES,
    *operands.TEMPLATES,
    *conditions.TEMPLATES,
    *literals.TEMPLATES,
    *by_values.TEMPLATES,
    *formats.TEMPLATES,
    *conversions.TEMPLATES,
    *spellings.TEMPLATES,
    *tables.TEMPLATES,
    *defaults.TEMPLATES,
    *patterns.TEMPLATES,
    *callees.TEMPLATES,
    *arguments.TEMPLATES,
    *calls.TEMPLATES,
    *containers.TEMPLATES,
    *statements.TEMPLATES,
    *insertions.TEMPLATES,
    *missing.TEMPLATES,
    *elsewhere.TEMPLATES,
    *imports.TEMPLATES,
    *signatures.TEMPLATES,
)
PER_FUNCTION: Final = 5_000
PER_RUN: Final = 20_000
_COMMON: Final = frozenset(
    {"0", "1", "-1", "2", "True", "False", "None", "''", "[]", "{}", "()", "set()", "0.0", "1.0"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCoder:
    """Proposes the edits that fix most small faults: one catalogue, tried where the suspects are."""

    catalogue: tuple[Template, ...] = CATALOGUE

    @property
    def name(self) -> str:
        """What `--buddy-coder` and reports call it."""
        return "templates"

    def propose(self, context: Context) -> Iterator[Patch]:
        """Yield candidate patches, likeliest first; each compiles and differs from all others."""
        hints = read_hints(context.failures, awaited_errors(context.failures, context.sources))
        if "NameError" in hints.errors:
            hints = replace(hints, imports=imports_known(context.sources.values(), hints.unknown))
        outlines = outlines_of(context)
        search = _Search(catalogue=self.catalogue, hints=hints, sites={}, ingredients={}, checkers={})
        weighed = weigh_statements(outlines, context.suspects or _fallback(context.failures))
        places = [(weight, _Place(outline, statement)) for weight, outline, statement in weighed]
        tried = {trial.patch.id for trial in context.attempts}
        for patch in chain(restored(context, outlines), search.patches(places)):
            if patch.id not in tried:
                yield patch


@dataclass(frozen=True, slots=True)
class _Place:
    outline: Outline
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One walk through the candidates of a fault; its scopes are worked out once per function."""

    catalogue: tuple[Template, ...]
    hints: Hints
    sites: dict[Statement, Site]
    ingredients: dict[Owner, Ingredients]
    checkers: dict[Statement, Checker]

    def patches(self, places: Iterable[tuple[float, _Place]]) -> Iterator[Patch]:
        """The patches of all places, best first, without duplicates, within the caps."""
        seen: set[tuple[object, ...]] = set()
        by_statement: dict[Statement, int] = {}
        by_function: dict[Owner, int] = {}
        total = 0
        for place, ranked, score in merge(places, self.catalogue, self.hints, self._ranked):
            statement, owner = place.statement, place.statement.owner
            if by_statement.get(statement, 0) >= PER_STATEMENT or by_function.get(owner, 0) >= PER_FUNCTION:
                continue
            source = place.outline.source
            key = (source.path, *canonical(source, ranked.change.splices))
            if len(key) == 1 or key in seen:
                continue
            seen.add(key)
            if not self._compiles(place, ranked.change):
                continue
            patch = self._patch(place, ranked, score)
            if patch is None:
                continue
            yield patch
            by_statement[statement] = by_statement.get(statement, 0) + 1
            by_function[owner] = by_function.get(owner, 0) + 1
            total += 1
            if total >= PER_RUN:
                return

    def _ranked(self, place: _Place, template: Template) -> tuple[Ranked, ...]:
        site = self.sites.get(place.statement)
        if site is None:
            site = self.sites[place.statement] = self._site(place)
        return rank_changes(site, template)

    def _site(self, place: _Place) -> Site:
        owner = place.statement.owner
        ingredients = self.ingredients.get(owner)
        if ingredients is None:
            scope = Scope(outline=place.outline, owner=owner)
            ingredients = self.ingredients[owner] = Ingredients(scope=scope)
        return Site(
            outline=place.outline,
            statement=place.statement,
            scope=ingredients.scope,
            hints=self.hints,
            ingredients=ingredients,
        )

    def _compiles(self, place: _Place, change: Change) -> bool:
        checker = self.checkers.get(place.statement)
        if checker is None:
            checker = Checker(source=place.outline.source, statement=place.statement)
            self.checkers[place.statement] = checker
        return checker.accepts(change.splices, structural=change.structural)

    def _patch(self, place: _Place, ranked: Ranked, score: float) -> Patch | None:
        special = _writes_expected(place, ranked.change, self.hints)
        return patch_of(
            place.outline,
            place.statement,
            ranked.change,
            origin=ranked.template,
            score=score * (0.3 if special else 1.0),
            suspicion=0.8 if special else 0.0,
        )


def patch_of(
    outline: Outline,
    statement: Statement,
    change: Change,
    *,
    origin: str,
    score: float,
    suspicion: float = 0.0,
) -> Patch | None:
    """The patch that makes a change; None when the file's encoding cannot write it."""
    source = outline.source
    try:
        edits = edits_of(source, change.splices)
    except UnicodeEncodeError:
        return None
    qualname = statement.owner.qualname
    return Patch(
        edits=edits,
        origin=f"template:{origin}",
        rationale=(_sentence(change.rationale),),
        prior=min(score, 1.0),
        suspicion=max(change.suspicion, suspicion),
        function=f"{source.module}.{qualname}" if qualname else source.module,
    )


def _writes_expected(place: _Place, change: Change, hints: Hints) -> bool:
    """Whether the change writes out a value that the test expects, where it stood nowhere before.

    Constants and tables are where values belong: those outside functions are not meant.
    """
    node = place.statement.node
    if place.statement.owner.function is None and isinstance(node, ast.Assign | ast.AnnAssign):
        return False
    start, end = place.outline.source.span(node)
    for text in hints.expected:
        if text in _COMMON or (len(text) < 3 and not isinstance(node, ast.Return)):
            continue
        literal = re.compile(rf"(?<![\w.]){re.escape(text)}(?![\w.])")
        if any(literal.search(splice.text) for splice in change.splices):
            return text.encode() not in place.outline.source.content[start:end]
    return False


def canonical(source: Source, splices: tuple[Splice, ...]) -> tuple[object, ...]:
    """The same value for splices that give the same text; empty when the text stays as it is."""
    ordered = sorted(splices)
    content, pieces = source.content, []
    start = position = ordered[0].start
    for splice in ordered:
        pieces += [content[position : splice.start], encoded(source, splice.text, errors="replace")]
        position = splice.end
    new, end = b"".join(pieces), position
    while start < end and new and content[start] == new[0]:
        start, new = start + 1, new[1:]
    while start < end and new and content[end - 1] == new[-1]:
        end, new = end - 1, new[:-1]
    if start == end and not new:
        return ()
    while new and start == end < len(content) and content[start] == new[0]:
        start, end, new = start + 1, end + 1, new[1:] + new[:1]
    while not new and start < end < len(content) and content[start] == content[end]:
        start, end = start + 1, end + 1
    return start, end, new


def _sentence(text: str) -> str:
    short = " ".join(text.split())
    return short if len(short) <= 200 else f"{short[:199]}…"


def outlines_of(context: Context) -> dict[str, Outline]:
    """The outlines of the files that a fix may edit, by path."""
    found: dict[str, Outline] = {}
    for path, source in context.sources.items():
        if path not in context.editable:
            continue
        try:
            source.tree, source.text  # noqa: B018 - reading them is the test
        except SourceError:
            continue
        found[path] = Outline(source=source)
    return found


def _fallback(failures: Iterable[Failure]) -> Iterator[Suspect]:
    for failure in failures:
        for rank, frame in enumerate(reversed(failure.project_frames), 1):
            yield Suspect(
                path=frame.path, line=frame.line, end_line=frame.line, function=frame.function,
                score=1.0 / rank, rank=rank,
            )  # fmt: skip
