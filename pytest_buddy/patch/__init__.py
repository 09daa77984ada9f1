"""Patch -> diff text, and applying, staging, discarding and undoing, with a journal."""

from pytest_buddy.patch.diff import changed_lines, unified_diff
from pytest_buddy.patch.ledger import Ledger

__all__ = ["Ledger", "changed_lines", "unified_diff"]
