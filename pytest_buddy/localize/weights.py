"""How much each kind of evidence counts; what all failing and no passing test runs has 1 for that.

Set by measurement on faults put into three packages (tests/bench/localize_lab.py), each weight on the broad
flat top of its curve and rounded; left out one package at a time, the same weights come out.
"""

# The statement's own line on the traceback: 1 for the innermost frame, falling with the distance from it.
STACK = 0.2
# The statement decides whether a line on the traceback runs: the condition of a `raise`, the loop of a call.
GUARD = 0.25
# The mean suspicion of what ran of the function: functions come first, then their statements.
FUNCTION = 0.3
# The function is on the traceback, whatever the line.
FRAME = 0.1
# The function is near the line of the test that failed: called by it, or by what it calls.
NEAR = 0.1
# How likely the kind of statement is to hold a fault: it orders what would be tied, and little more.
KIND = 0.05
# Git: the line is not committed yet, or was changed lately.
RECENT = 0.15
# A small mutation changed how tests end, beside the mean of all mutations tried.
PROBE = 0.6
# The same for another statement of the function that the mutation was in.
PROBE_FUNCTION = 0.15
# The value that the statement makes tells failing from passing tests.
VALUE = 0.2

TOTAL = 1 + STACK + FUNCTION + FRAME + NEAR + KIND
