"""Where the fault is: failures and spectrum in, faults with ranked suspects out."""

from pytest_buddy.localize.localizing import localize

__all__ = ["localize"]
