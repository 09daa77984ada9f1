"""Which of the patches that pass is shown first, and what it tells about where the fault is."""

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pytest_buddy.behaviours import Behaviours
from pytest_buddy.domain import Fault, Patch, Proposal, Suspect
from pytest_buddy.judging import Judged
from pytest_buddy.patch import changed_lines, unified_diff
from pytest_buddy.source import Source

_TOKEN = re.compile(r"\w+|[<>=!+*/-]=|//|\*\*|[^\w\s]")
_LITERAL = re.compile(r"""(?<![\w.])\d+(?:\.\d+)?(?![\w.])|"[^"\n]+"|'[^'\n]+'""")
_USUAL = frozenset({"0", "1", "2"})
_NARROW = 0.6
_BELOW = 0.99
_SIZE = 0.25
_LINE = 2.0
_TAKES_AWAY = 0.1
_SIGNS = {"not", "-", "~", "(", ")"}
_MOST_SUSPECTS = 50


def ranked(items: Iterable[Judged], fault: Fault, sources: Mapping[str, Source]) -> list[Judged]:
    """The survivors, best first.

    Where the same guard passes in several places of a function, the last of them is meant: what is checked
    already stays in front of it.
    """
    found = list(items)
    earliest: dict[tuple[str, str, bytes], int] = {}
    for item in found:
        if place := _guard(item):
            earliest[place] = min(item.order, earliest.get(place, item.order))

    def key(item: Judged) -> tuple[float, ...]:
        place = _guard(item)
        order = earliest[place] if place else item.order
        return *rank_key(item, fault, sources, order=order), -item.patch.edits[
            0
        ].start if place else item.order

    return sorted(found, key=key)


def _guard(item: Judged) -> tuple[str, str, bytes] | None:
    """File, function and text of a patch that inserts one guard and does nothing else."""
    first = item.patch.edits[0]
    inserts = len(item.patch.edits) == 1 and first.start == first.end
    if not inserts or not first.replacement.lstrip().startswith(b"if "):
        return None
    return first.path, item.patch.function, b" ".join(first.replacement.split())


def rank_key(item: Judged, fault: Fault, sources: Mapping[str, Source], *, order: int) -> tuple[float, ...]:
    """Sorts survivors: least suspicious, most tests of other faults, then likely, small and on few lines.

    A patch that only takes code away counts as a little suspicious: it is how tests are pleased most easily.
    Likely is the order in which the search came to them (suspect's score times the template's prior), on a
    logarithmic scale; small is the number of tokens that differ, on the same scale and counting less: what
    was likely enough to come early has its size in that already.
    """
    pieces = [
        (_tokens(sources[edit.path].content[edit.start : edit.end]), _tokens(edit.replacement))
        for edit in item.patch.edits
    ]
    size = sum(_token_distance(before, after) for before, after in pieces)
    suspicion = item.patch.suspicion + (_TAKES_AWAY if all(map(_only_shortens, pieces)) else 0.0)
    mine = set(fault.tests)
    more = sum(1 for test in item.verdict.fixed if test not in mine)
    lines = changed_lines(item.patch, sources)
    unlikely = math.log2(1 + order) + _SIZE * math.log2(1 + size) + _LINE * lines
    return round(suspicion, 1), -more, unlikely


def narrowed(patch: Patch, behaviours: Behaviours, sources: Mapping[str, Source]) -> Patch:
    """The patch, marked as suspicious when it asks for the failing test's own input and helps only there.

    That is: it changes what the test's calls do but nothing that is like them, and it brings in a literal
    that stands in those calls.
    """
    calls = behaviours.narrow(patch.id)
    if not calls or not any(literal in call for literal in _new_literals(patch, sources) for call in calls):
        return patch
    reason = f"of all that was tried, it changes only `{calls[0]}`, which a failing test calls"
    return replace(patch, suspicion=max(patch.suspicion, _NARROW), rationale=(*patch.rationale, reason))


def _new_literals(patch: Patch, sources: Mapping[str, Source]) -> frozenset[str]:
    """Numbers and texts, without their quotes, that edits bring in; none that are everywhere."""
    found: set[str] = set()
    for edit in patch.edits:
        old = sources[edit.path].content[edit.start : edit.end].decode("utf-8", "replace")
        new = _LITERAL.findall(edit.replacement.decode("utf-8", "replace"))
        found |= {literal.strip("\"'") for literal in new} - {
            literal.strip("\"'") for literal in _LITERAL.findall(old)
        }
    return frozenset(found - _USUAL)


def proposal_of(item: Judged, sources: Mapping[str, Source], *, rank: int = 1) -> Proposal:
    """A judged patch as it is shown."""
    return Proposal(
        patch=item.patch,
        diff=unified_diff(item.patch, sources),
        verdict=item.verdict,
        changed_lines=changed_lines(item.patch, sources),
        rank=rank,
    )


def with_fix_first(fault: Fault, fix: Proposal, sources: Mapping[str, Source]) -> Fault:
    """The fault with the statements that a confirmed fix changes as first suspects.

    A patch that turns the failing tests green and breaks none is the strongest evidence there is for a
    place: see Lou et al. 2020, "Can automated program repair refine fault localization?".
    """
    places = _edited_lines(fix.patch, sources)
    touched = [item for item in fault.suspects if _overlaps(item, places)]
    count = len(fix.verdict.fixed)
    reason = f"changing it as proposed makes {count} failing test{'s' if count > 1 else ''} pass"
    first = [
        replace(item, score=1.0, rank=1, tied_with=len(touched) - 1, evidence=(reason, *item.evidence))
        for item in touched
    ] or [
        Suspect(
            path=path,
            line=line,
            end_line=last,
            function=fix.patch.function or sources[path].module,
            score=1.0,
            rank=1,
            tied_with=len(places) - 1,
            evidence=(reason,),
        )
        for path, line, last in places
    ]
    rest = [item for item in fault.suspects if item not in touched]
    moved = [
        replace(item, score=min(item.score, _BELOW), rank=_rank(item, touched, len(first))) for item in rest
    ]
    return replace(fault, suspects=tuple([*first, *moved][:_MOST_SUSPECTS]))


def _rank(item: Suspect, touched: list[Suspect], first: int) -> int:
    """The rank behind the `first` ones in front; touched suspects that were ahead already count once."""
    return item.rank - sum(1 for other in touched if other.rank < item.rank) + first


def _overlaps(item: Suspect, places: tuple[tuple[str, int, int], ...]) -> bool:
    return any(
        item.path == path and item.line <= last and line <= item.end_line for path, line, last in places
    )


def _edited_lines(patch: Patch, sources: Mapping[str, Source]) -> tuple[tuple[str, int, int], ...]:
    return tuple((edit.path, *sources[edit.path].lines_of(edit.start, edit.end)) for edit in patch.edits)


def _tokens(text: bytes) -> list[str]:
    return _TOKEN.findall(text.decode("utf-8", "replace"))


def _only_shortens(piece: tuple[list[str], list[str]]) -> bool:
    """Whether the new tokens are some of the old ones, in the same order, and more than a sign is gone."""
    before, after = piece
    remaining = iter(before)
    if len(after) >= len(before) or not all(token in remaining for token in after):
        return False
    return not (Counter(before) - Counter(after)).keys() <= _SIGNS


def _token_distance(before: list[str], after: list[str]) -> int:
    """How many tokens differ between two pieces of source; things that change places count two."""
    if before != after and sorted(before) == sorted(after):
        return 2
    blocks = difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in blocks)
    return max(len(before), len(after)) - same
