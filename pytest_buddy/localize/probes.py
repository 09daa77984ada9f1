"""Probes: generic mutants of the most suspicious statements, run to see which of them matters to the failure.

They are no repairs and know nothing of the repair templates; which tests they move tells apart statements
that coverage cannot (Moon et al., "Ask the Mutants", ICST 2014; Papadakis & Le Traon, "Metallaxis-FL", STVR
2015).
"""

from collections.abc import Iterable, Iterator, Mapping

from pytest_buddy.domain import Edit, Fault, Patch, Suspect
from pytest_buddy.errors import BuddyError
from pytest_buddy.localize.mutants import Mutant, mutants
from pytest_buddy.localize.statements import Statement, statements
from pytest_buddy.source import Source

ORIGIN = "template:probe"

_STATEMENTS = 10
_EACH = 3


def probes(fault: Fault, sources: Mapping[str, Source], *, limit: int = 24) -> tuple[Patch, ...]:
    """At most `limit` mutants of the first ten suspects: one of each, then a second, then a third."""
    rows = [list(_of_suspect(suspect, sources)) for suspect in fault.suspects[:_STATEMENTS]]
    found: dict[str, Patch] = {}
    for position in range(_EACH):
        for row in rows:
            if position < len(row) and len(found) < limit:
                found.setdefault(row[position].id, row[position])
    return tuple(found.values())


def _of_suspect(suspect: Suspect, sources: Mapping[str, Source]) -> Iterator[Patch]:
    source = sources.get(suspect.path)
    statement = _statement(suspect, source) if source else None
    if source is None or statement is None:
        return
    found = [patch for mutant in mutants(statement, source) if (patch := _patch(mutant, suspect, source))]
    # The last one is the most drastic: it tells whether the statement matters at all.
    yield from found if len(found) <= _EACH else (*found[: _EACH - 1], found[-1])


def _statement(suspect: Suspect, source: Source) -> Statement | None:
    try:
        found: Iterable[Statement] = statements(source).at(suspect.line)
    except BuddyError:
        return None
    return next((s for s in found if s.kind == suspect.kind and s.line == suspect.line), None)


def _patch(mutant: Mutant, suspect: Suspect, source: Source) -> Patch | None:
    """The mutant as a patch; None when it does not compile."""
    patch = Patch(
        edits=tuple(
            Edit(path=source.path, digest=source.digest, start=start, end=end, replacement=replacement)
            for start, end, replacement in mutant.spans
        ),
        origin=ORIGIN,
        rationale=(mutant.text,),
        function=suspect.function,
    )
    try:
        compile(source.edited(patch.edits).content, source.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, SyntaxWarning, BuddyError):
        return None
    return patch
