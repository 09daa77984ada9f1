"""Failures, suspects and what was observed -> an explanation that a colleague would give."""

from pytest_buddy.explain.explanation import explain

__all__ = ["explain"]
