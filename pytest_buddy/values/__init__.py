"""Values of the user's program as text, written without running any of its code."""

from pytest_buddy.values.writing import describe, variables

__all__ = ["describe", "variables"]
