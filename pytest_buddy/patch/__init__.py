"""Patch -> diff text, text -> patch, and applying, staging, discarding and undoing, with a journal."""

from pytest_buddy.patch.diff import changed_lines, unified_diff
from pytest_buddy.patch.ledger import Ledger
from pytest_buddy.patch.policy import objections
from pytest_buddy.patch.reading import Reading, Terms, read_patch
from pytest_buddy.patch.refusal import Refusal

__all__ = [
    "Ledger",
    "Reading",
    "Refusal",
    "Terms",
    "changed_lines",
    "objections",
    "read_patch",
    "unified_diff",
]
