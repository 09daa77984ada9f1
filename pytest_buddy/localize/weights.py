"""How much each kind of evidence counts; what all failing and no passing test runs has 1 for that.

Set by measurement on faults put into three packages (tests/bench/localize_lab.py): each on the flat top of
its curve over all of them, rounded, for what a search finds on two of the packages is no better on the third.
"""

from typing import NamedTuple


class Signals(NamedTuple):
    """What speaks for a statement, each kind of evidence by itself in 0..1; or the weights of these."""

    # Ochiai: it is run by failing tests and not by passing ones.
    run: float
    # Its own line is on the traceback: 1 for the innermost frame, falling with the distance from it.
    stack: float
    # It decides whether such a line runs: the condition of a `raise`, the loop of a call.
    guard: float
    # How likely its kind is to hold a fault: so little that it orders only what would be tied.
    kind: float
    # The mean suspicion of what ran of its function: functions come first, then their statements.
    function: float
    # Its function is on the traceback, whatever the line.
    frame: float
    # Its function is near the line of the test that failed: called by it, or by what it calls.
    near: float
    # Git: the line is not committed yet, or was changed lately.
    recent: float


WEIGHTS = Signals(run=1.0, stack=0.2, guard=0.25, kind=0.05, function=0.3, frame=0.1, near=0.1, recent=0.15)
# What one statement may reach: seldom is one both under a guard and the guard, or just changed.
TOTAL = sum(WEIGHTS) - WEIGHTS.guard - WEIGHTS.recent

# A small mutation of the statement changed how tests end, beside the mean of all mutations tried.
PROBE = 1.0
# The same for another statement of the function that the mutation was in.
PROBE_FUNCTION = 0.15
# The value that the statement makes tells failing from passing tests.
VALUE = 0.2
