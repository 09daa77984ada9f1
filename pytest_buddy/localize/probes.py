"""Probes: generic mutants of the most suspicious statements, run to see which of them matters to the failure.

They are no repairs and know nothing of the repair templates; which tests they move tells apart statements
that coverage cannot (Moon et al., "Ask the Mutants", ICST 2014; Papadakis & Le Traon, "Metallaxis-FL", STVR
2015).
"""

import warnings
from collections.abc import Iterable, Mapping
from itertools import islice

from pytest_buddy.domain import Edit, Fault, Patch, Suspect
from pytest_buddy.errors import BuddyError
from pytest_buddy.localize.mutants import Mutant, mutants
from pytest_buddy.localize.statements import Statement, statements
from pytest_buddy.source import Source

ORIGIN = "template:probe"

_STATEMENTS = 15
_EACH = 3


def probes(fault: Fault, sources: Mapping[str, Source], *, limit: int = 24) -> tuple[Patch, ...]:
    """At most `limit` mutants of the first suspects having any: one of each, then a second, and so on."""
    every = (_of_suspect(suspect, sources) for suspect in fault.suspects)
    rows = list(islice(filter(None, every), _STATEMENTS))
    found: dict[str, Patch] = {}
    for position in range(_EACH):
        for row in rows:
            if position < len(row) and len(found) < limit:
                found.setdefault(row[position].id, row[position])
    return tuple(found.values())


def _of_suspect(suspect: Suspect, sources: Mapping[str, Source]) -> tuple[Patch, ...]:
    source = sources.get(suspect.path)
    statement = _statement(suspect, source) if source else None
    if source is None or statement is None:
        return ()
    found = [patch for mutant in mutants(statement, source) if (patch := _patch(mutant, suspect, source))]
    # The last one is the most drastic: it tells whether the statement matters at all.
    return tuple(found) if len(found) <= _EACH else (*found[: _EACH - 1], found[-1])


def _statement(suspect: Suspect, source: Source) -> Statement | None:
    try:
        found: Iterable[Statement] = statements(source).at(suspect.line)
    except BuddyError:
        return None
    return next((s for s in found if s.kind == suspect.kind and s.line == suspect.line), None)


def _patch(mutant: Mutant, suspect: Suspect, source: Source) -> Patch | None:
    """The mutant as a patch; None when it changes nothing or does not compile."""
    if all(source.content[start:end] == new for start, end, new in mutant.spans):
        return None
    if not _compiles(mutant, suspect, source):
        return None
    return Patch(
        edits=tuple(
            Edit(path=source.path, digest=source.digest, start=start, end=end, replacement=new)
            for start, end, new in mutant.spans
        ),
        origin=ORIGIN,
        rationale=(mutant.text,),
        function=suspect.function,
    )


def _compiles(mutant: Mutant, suspect: Suspect, source: Source) -> bool:
    """Whether the statement of the module that holds the mutant compiles, without a warning.

    Compiling that much alone keeps the cost independent of the size of the file.
    """
    ends = [node.end_lineno or node.lineno for node in source.tree.body]
    position = next((i for i, end in enumerate(ends) if end >= suspect.line), None)
    if position is None:
        return False
    first = source.line_starts[ends[position - 1]] if position else source.line_starts[0]
    text = bytearray(source.content[first : source.line_starts[ends[position]]])
    for start, end, new in sorted(mutant.spans, reverse=True):
        text[start - first : end - first] = new
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(text.decode(source.encoding), source.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, SyntaxWarning):
        return False
    return True
