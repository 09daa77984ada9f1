"""Spectrum-based suspicion: which executions ran a statement, as a bit set, and what follows from it.

Ochiai is the cosine between "ran the statement" and "failed" (Abreu, Zoeteweij & van Gemund, "An Evaluation
of Similarity Coefficients for Software Fault Localization", PRDC 2006; "On the Accuracy of Spectrum-based
Fault Localization", TAIC PART 2007).
"""

from collections.abc import Sequence
from math import sqrt

from pytest_buddy.domain import Execution


def ochiai(ran_failing: int, ran_passing: int, failing: int) -> float:
    """0..1 from the number of failing and passing tests that ran a statement, of `failing` failing ones."""
    if not ran_failing:
        return 0.0
    return ran_failing / sqrt(failing * (ran_failing + ran_passing))


def line_runs(executions: Sequence[Execution], failing: int) -> dict[str, dict[int, int]]:
    """Path -> line -> bit set of the executions (bit i is the i-th) that ran it.

    Only files that at least one execution of the bit set `failing` ran are kept: no other can be suspected.
    """
    paths = {
        path
        for position, execution in enumerate(executions)
        if failing >> position & 1
        for path, lines in execution.lines.items()
        if lines
    }
    return {path: _runs_of_file(path, executions) for path in sorted(paths)}


def _runs_of_file(path: str, executions: Sequence[Execution]) -> dict[int, int]:
    # Tests of one suite often run exactly the same lines of a file: each distinct set is walked once.
    bits_of: dict[frozenset[int], int] = {}
    for position, execution in enumerate(executions):
        if lines := execution.lines.get(path):
            bits_of[lines] = bits_of.get(lines, 0) | 1 << position
    runs: dict[int, int] = {}
    for lines, bits in bits_of.items():
        for line in lines:
            runs[line] = runs.get(line, 0) | bits
    return runs
