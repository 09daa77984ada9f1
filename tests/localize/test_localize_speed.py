"""Localizing stays cheap on large programs, measured against parsing the same sources."""

import ast
import time

from pytest_buddy.domain import Execution, Failure, Frame, Spectrum
from pytest_buddy.localize import localize
from pytest_buddy.source import Source

FUNCTION = '''
TABLE_{n} = {{1: {n}, 2: 3}}


def f{n}(values, limit=LIMIT):
    """One of many."""
    total = 0
    for value in values:
        if value > limit and value not in TABLE_{n}:
            total += value * 2
        elif value == {n}:
            total -= helper(value, {n})
        else:
            total = max(total, value)
    while total > 100:
        total //= 2
    rows = sorted([total, *values])
    return {{row: str(row) for row in rows}}
'''
FILES = 50


def text(number):
    head = f"from m{(number + 1) % FILES} import helper as other\n\nLIMIT = 3\n"
    return head + "\ndef helper(a, b):\n    return a + b\n" + "".join(FUNCTION.format(n=n) for n in range(21))


def best_of(times, action):
    taken = []
    for _ in range(times):
        started = time.process_time()
        action()
        taken.append(time.process_time() - started)
    return min(taken)


def test_twenty_executions_of_twenty_thousand_lines_in_fifty_files():
    sources = {
        f"m{n}.py": Source(path=f"m{n}.py", module=f"m{n}", content=text(n).encode()) for n in range(FILES)
    }
    counts = {path: source.content.count(b"\n") for path, source in sources.items()}
    assert sum(counts.values()) > 19_000
    # Each test leaves out other functions, so that no two have run the same lines of a file.
    executions = [
        Execution(
            test=f"test_m.py::test_{number}",
            failed=number < 6,
            lines={
                path: frozenset(line for line in range(1, count + 1) if line // 19 % 20 != number)
                for path, count in counts.items()
            },
        )
        for number in range(20)
    ]
    failures = tuple(
        Failure(
            test=f"test_m.py::test_{number}",
            phase="call",
            error_type="AssertionError",
            message="assert 1 == 2",
            frames=(Frame(path="test_m.py", line=3, function="test", project=True),),
        )
        for number in range(6)
    )
    spectrum = Spectrum(executions=tuple(executions))

    def work():
        return localize(failures, spectrum, sources, tests=frozenset({"test_m.py"}))

    (fault,) = work()  # the first call parses and keeps the statements
    assert len(fault.suspects) == 50
    parsing = best_of(2, lambda: [ast.parse(source.content) for source in sources.values()])
    # About 0.15 CPU seconds on an idle machine, where parsing takes 0.25.
    assert best_of(3, work) < 1.5 * parsing
