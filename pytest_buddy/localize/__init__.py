"""Where the fault is: failures and spectrum in, faults with ranked suspects out."""

from pytest_buddy.localize.localizing import localize
from pytest_buddy.localize.probes import probes
from pytest_buddy.localize.reasons import why
from pytest_buddy.localize.referred import referred
from pytest_buddy.localize.weighing import weigh

__all__ = ["localize", "probes", "referred", "weigh", "why"]
