"""Fourth bullet: which change in git touches the suspicious lines."""

from pytest_buddy.domain import Change, Suspect
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.wording import code, compose, place

_SUSPECTS = 5


def recent(case: Case) -> str | None:
    """The change that touches the best-ranked suspect it can; a file that is new as a whole says nothing."""
    ranked = sorted(case.fault.suspects, key=lambda one: one.rank)[:_SUSPECTS]
    frame = case.code_frame
    for suspect in ranked:
        for change in case.changes:
            if _touches(change, suspect.path, suspect.line, suspect.end_line) and not _is_whole(case, change):
                return _told(case, change, suspect)
    for change in case.changes:
        if frame and _touches(change, frame.path, frame.line, frame.line) and not _is_whole(case, change):
            return _told(case, change, None)
    return None


def _touches(change: Change, path: str, line: int, end_line: int) -> bool:
    return change.path == path and any(line <= one <= max(line, end_line) for one in change.lines)


def _is_whole(case: Case, change: Change) -> bool:
    source = case.library.sources.get(change.path)
    return source is not None and not change.removed and len(change.lines) >= len(source.line_starts) - 1


def _told(case: Case, change: Change, suspect: Suspect | None) -> str:
    frame = case.code_frame
    line = suspect.line if suspect else frame.line if frame else change.lines[0]
    where = place(change.path, line)
    is_open = change.label == "not committed"
    who = "A change that is not committed" if is_open else f"Commit {code(change.label, 70)}"
    removed = [text.strip() for text in change.removed if text.strip()]
    if not removed:
        several = f", one of {len(change.lines)} lines" if len(change.lines) > 1 else ""
        return compose(f"{who} added {where}", several)
    if len(removed) == 1:
        return compose(f"{who} touches {where}", f"; it took out {code(removed[0], 70)}")
    return compose(
        f"{who} touches {where}", f"; it took out {len(removed)} lines, first {code(removed[0], 50)}"
    )
