"""Why a fault got no right first offer, told from its row alone."""

from collections.abc import Mapping
from typing import Any

from factory_row import standing

RIGHT = "right"
WRONG_OFFER = "wrong offer"
FLAKY_OR_SANDBOX = "flaky or sandbox"
COLD = "no warm server: a fresh pytest for every step"
NO_SEARCH = "budget spent before the search"
NOT_LOCALIZED = "not localized"
NO_CANDIDATE = "localized, no such candidate"
TOO_LATE = "candidate not reached in time"
REFUSED = "candidate tried and not taken"
HALF = "two places: no single edit mends it"
CAUSES = (
    WRONG_OFFER,
    NOT_LOCALIZED,
    NO_CANDIDATE,
    HALF,
    TOO_LATE,
    REFUSED,
    FLAKY_OR_SANDBOX,
    COLD,
    NO_SEARCH,
)
_NEAR = 10


def cause(row: Mapping[str, Any]) -> str:
    """The first thing that went wrong; a candidate is the edit that restores the original text."""
    if row["right"]:
        return RIGHT
    if row["offers"]:
        return WRONG_OFFER
    if any("fresh pytest" in notice for notice in row["notices"]):
        return COLD
    if not row["report"] or not row["faults_reported"] or row["flaky"]:
        return FLAKY_OR_SANDBOX
    if not row["validated"]:
        return NO_SEARCH if row["stopped"] == "budget" else FLAKY_OR_SANDBOX
    tried, proposed, told = _found(row, "tried"), _found(row, "proposed"), _found(row, "told")
    if "whole" in tried:
        return REFUSED
    if "whole" in proposed:
        return TOO_LATE if _is_near(row) else NOT_LOCALIZED
    if row["kind"] == "two-places":
        return HALF
    if not _is_near(row):
        return NOT_LOCALIZED
    return TOO_LATE if "whole" in told else NO_CANDIDATE


def detail(row: Mapping[str, Any]) -> str:
    """What else is known: ranks, where the original text stood among the candidates."""
    place = standing(row, "before", "statement").expected
    function = standing(row, "before", "function").expected
    words = [f"statement {_rank(place)}, function {_rank(function)}"]
    for name in ("tried", "proposed", "told"):
        found = _found(row, name)
        count = ((row["replayed"] or {}).get(name) or {}).get("count", "-")
        spots = ", ".join(f"{text} {_spot(spot)}" for text, spot in found.items())
        words.append(f"{name}: {spots or 'no'} of {count}")
    if row["offers"]:
        words.append(f"{row['origin']}: {row['judged_by']}")
    words += [row["note"]] if row["note"] else []
    words += row["notices"][:1]
    return "; ".join(words)


def _spot(spot: Any) -> str:
    if isinstance(spot, Mapping):
        return f"as {spot['place']}. ({spot['seconds']:.1f} s, tests {spot['ends']})"
    return f"as {spot}."


def _found(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return ((row["replayed"] or {}).get(name) or {}).get("found", {})


def _is_near(row: Mapping[str, Any]) -> bool:
    place = standing(row, "before" if "before" in row["standings"] else "final", "statement").expected
    return place is not None and place <= _NEAR


def _rank(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
