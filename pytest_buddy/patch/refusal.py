"""Why a text is not taken as a patch: a closed set of reasons."""

from dataclasses import dataclass
from typing import Literal

Reason = Literal[
    "ambiguous",  # it fits more than one place, or says two things about one place
    "binary",
    "control",  # it adds characters that a terminal or an editor would not show
    "copy",
    "create",
    "delete",
    "empty",  # there is no change in it
    "encoding",  # the file's encoding lacks a character of it
    "indentation",
    "link",  # the file has hard links
    "malformed",
    "missing",  # there is no such file
    "mode",
    "noop",
    "path",  # the name leads out of the project, or is not a name everywhere
    "protected",
    "python",  # the file would no longer be Python
    "rename",
    "stale",  # the file differs from the one it was written for
    "submodule",
    "symlink",
    "test",
    "truncated",
    "unmatched",  # its context is nowhere in the file
    "unreadable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Nothing of a text is taken: the reason, and what the person or the model can read about it."""

    reason: Reason
    detail: str


class RefusedError(Exception):
    """Carries a refusal to `reading`, which hands it out as a value."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(reason=reason, detail=detail)
