"""Candidates that put back what git remembers: the text that stood in a changed place before."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from pytest_buddy.coder.change import Splice, edits_of, encoded
from pytest_buddy.coder.outline import Outline
from pytest_buddy.domain import Change, Patch, Suspect
from pytest_buddy.errors import SourceError
from pytest_buddy.ports import Context

_MOST_PLACES = 40
_MOST_LINES = 12
_MOST_ADDED = 4
_PRIOR = 0.9
_ADDED_PRIOR = 0.2
_ADDED_SUSPICION = 0.2
_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)


def restored(context: Context, outlines: Mapping[str, Outline]) -> Iterator[Patch]:
    """Changes taken back, the most suspected first: their words, their lines, then all of each."""
    weighed = sorted(
        ((_suspicion(change, context.suspects), change) for change in context.changes),
        key=lambda pair: -pair[0],
    )
    for weight, change in weighed[:_MOST_PLACES]:
        outline = outlines.get(change.path)
        if not weight or outline is None or not _is_small(change):
            continue
        for splices in _pieces(outline, change):
            patch = _patch(outline, change, splices)
            if patch is not None:
                yield patch


def _is_small(change: Change) -> bool:
    """Whether it is known in full, and no more than a person takes in at a glance.

    What a commit has only added is a feature, and taking it out no fix.
    """
    added = change.end - change.start
    if not change.start or (change.committed and not change.removed):
        return False
    return max(added, len(change.removed)) <= _MOST_LINES if change.removed else added <= _MOST_ADDED


def _suspicion(change: Change, suspects: Sequence[Suspect]) -> float:
    """The highest score of a suspect that it touches, or a part of that of one in the same file."""
    here = [suspect for suspect in suspects if suspect.path == change.path]
    first, last = (change.lines[0], change.lines[-1]) if change.lines else (change.start, change.start)
    touched = [suspect.score for suspect in here if suspect.line <= last and first <= suspect.end_line]
    return max([*touched, *(0.1 * suspect.score for suspect in here)], default=0.0)


def _pieces(outline: Outline, change: Change) -> Iterator[tuple[Splice, ...]]:
    """The smallest ways to take the change back come first: words of a line, lines, all of it."""
    source = outline.source
    starts = source.line_starts
    if not change.start <= change.end <= len(starts):
        return
    now = [source.line(number) for number in range(change.start, change.end)]
    if len(now) == len(change.removed):
        for number, (line, before) in enumerate(zip(now, change.removed, strict=True), change.start):
            if line != before:
                yield from _words(outline, number, line, before)
        if len(now) == 1:
            return
    text = "".join(f"{line}\n" for line in change.removed)
    yield (Splice(starts[change.start - 1], starts[change.end - 1], text),)


def _words(outline: Outline, number: int, now: str, then: str) -> Iterator[tuple[Splice, ...]]:
    """The differing stretches of a line, one by one; then the line, when there are several."""
    source = outline.source
    here, there = _TOKEN.findall(now), _TOKEN.findall(then)
    begin = source.line_starts[number - 1]
    splices = []
    for tag, start, end, was_start, was_end in SequenceMatcher(
        None, here, there, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            first = begin + _length(outline, here[:start])
            last = first + _length(outline, here[start:end])
            splices.append(Splice(first, last, "".join(there[was_start:was_end])))
    yield from ((splice,) for splice in splices if len(splices) > 1)
    yield tuple(splices)


def _length(outline: Outline, tokens: Sequence[str]) -> int:
    return len(encoded(outline.source, "".join(tokens)))


def _patch(outline: Outline, change: Change, splices: tuple[Splice, ...]) -> Patch | None:
    source = outline.source
    try:
        edits = edits_of(source, splices)
        source.edited(edits).tree  # noqa: B018  does it still parse?
    except (UnicodeEncodeError, SourceError):
        return None
    added = not change.removed
    return Patch(
        edits=edits,
        origin="template:restore",
        rationale=(_sentence(change),),
        prior=_ADDED_PRIOR if added else _PRIOR,
        suspicion=_ADDED_SUSPICION if added else 0.0,
        function=_function(outline, change),
    )


def _sentence(change: Change) -> str:
    when = f"commit {change.label}" if change.committed else "a change that is not committed"
    if change.removed:
        return f"puts back what stood here before {when}"
    return f"takes out what was added here by {when}"


def _function(outline: Outline, change: Change) -> str:
    line = change.lines[0] if change.lines else change.start
    names = [
        statement.owner.qualname
        for statement in outline.statements
        if statement.node.lineno <= line <= (statement.node.end_lineno or line)
    ]
    module = outline.source.module
    return f"{module}.{names[-1]}" if names and names[-1] else module
