"""A number worked out from two runs: how the result moves with it tells where it should be."""

import ast
import math
import re
from collections.abc import Iterator, Mapping

from pytest_buddy.domain import Edit, Outcome, Patch, Trial
from pytest_buddy.progress import compared
from pytest_buddy.source import Source

_NUMBER = re.compile(rb"-?\d+(\.\d+)?")


def secants(trial: Trial, failing: Mapping[str, Outcome], sources: Mapping[str, Source]) -> Iterator[Patch]:
    """Other numbers in place of the one that a trial has changed, when the result changed with it."""
    if len(trial.patch.edits) != 1:
        return
    edit = trial.patch.edits[0]
    old = sources[edit.path].content[edit.start : edit.end]
    if not _NUMBER.fullmatch(old) or not _NUMBER.fullmatch(edit.replacement):
        return
    before, after = float(old), float(edit.replacement)
    for end in trial.outcomes:
        base = failing.get(end.test)
        first = compared(base.message) if base is not None else None
        second = compared(end.message)
        if first is None or second is None or first[1] != second[1] or before == after:
            continue
        came, moved, wanted = first[0], second[0], first[1]
        if not all(isinstance(item, int | float) for item in (came, moved, wanted)) or came == moved:
            continue
        found = before + (wanted - came) * (after - before) / (moved - came)
        yield from (_with(trial.patch, edit, text) for text in _spellings(found, old))


def _spellings(number: float, old: bytes) -> Iterator[str]:
    """The number with few digits, as it may have been meant; whole when the old one is."""
    if not math.isfinite(number) or number == 0:
        return
    whole = b"." not in old
    enough = len(old.strip(b"-0").replace(b".", b"").strip(b"0")) + 1
    seen = {old.decode()}
    for digits in range(2, max(enough, 2) + 1):
        short = float(f"{number:.{digits}g}")
        text = repr(int(short)) if whole and short.is_integer() else repr(short)
        if text not in seen and isinstance(ast.literal_eval(text), int | float) and "e" not in text:
            seen.add(text)
            yield text


def _with(patch: Patch, edit: Edit, text: str) -> Patch:
    changed = Edit(
        path=edit.path, digest=edit.digest, start=edit.start, end=edit.end, replacement=text.encode()
    )
    return Patch(
        edits=(changed,),
        origin="template:number-by-values",
        rationale=(f"Uses {text}, to which the result of another number points.",),
        prior=patch.prior,
        function=patch.function,
    )
