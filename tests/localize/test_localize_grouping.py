"""Which failures are one fault."""

import time

from pytest_buddy.domain import Execution, Failure, Frame, Spectrum
from pytest_buddy.localize import localize
from pytest_buddy.source import Source

# Ten functions of three statements; the k-th has the lines 4k+2 .. 4k+4.
TEXT = "".join(f"def f{k}(x):\n    y = x + {k}\n    y += 1\n    return y\n" for k in range(30))
SOURCES = {"m.py": Source(path="m.py", module="m", content=TEXT.encode())}


def body(k):
    return range(4 * k + 2, 4 * k + 5)


def execution(name, *functions, failed=True):
    return Execution(
        test=f"test_m.py::{name}",
        failed=failed,
        lines={"m.py": frozenset(line for k in functions for line in body(k))},
    )


def failure(name, *lines, error="AssertionError", message="assert 1 == 2"):
    frames = [Frame(path="test_m.py", line=1, function=name, project=True)]
    frames += [Frame(path="m.py", line=line, function=f"f{(line - 1) // 4}", project=True) for line in lines]
    return Failure(
        test=f"test_m.py::{name}", phase="call", error_type=error, message=message, frames=tuple(frames)
    )


def faults(failures, executions):
    found = localize(
        tuple(failures), Spectrum(executions=tuple(executions)), SOURCES, tests=frozenset({"test_m.py"})
    )
    assert [fault.id for fault in found] == [f"f{number}" for number in range(1, len(found) + 1)]
    return [{test.partition("::")[2] for test in fault.tests} for fault in found]


def test_twelve_failures_through_one_helper_are_one_fault():
    names = [f"test_{k}" for k in range(12)]
    failing = [execution(name, 0, k + 1) for k, name in enumerate(names)]
    for passing in (0, 3, 12):
        others = [execution(f"test_ok_{n}", 0, 20, failed=False) for n in range(passing)]
        others += [execution(f"test_else_{n}", 21, failed=False) for n in range(5)]
        assert faults(map(failure, names), failing + others) == [set(names)]


def test_unrelated_faults_stay_apart_although_they_share_set_up():
    failing = [execution(f"test_a{n}", 0, 1) for n in range(3)] + [
        execution(f"test_b{n}", 0, 2) for n in range(2)
    ]
    passing = [execution(f"test_ok{n}", 0, 3, failed=False) for n in range(10)]
    names = ["test_b0", "test_b1", "test_a0", "test_a1", "test_a2"]
    assert faults(map(failure, names), failing + passing) == [
        {"test_a0", "test_a1", "test_a2"},
        {"test_b0", "test_b1"},
    ]


def test_faults_of_equal_size_are_in_the_order_of_the_failures():
    failing = [execution("test_a", 0, 1), execution("test_b", 0, 2)]
    passing = [execution(f"test_ok{n}", 0, failed=False) for n in range(5)]
    assert faults([failure("test_b"), failure("test_a")], failing + passing) == [{"test_b"}, {"test_a"}]


def test_the_same_exception_in_the_same_function_is_one_fault():
    failing = [execution("test_a", 1, 5), execution("test_b", 2, 5)]
    passing = [execution("test_ok", 5, failed=False), execution("test_else", 6, failed=False)]
    shown = {"error": "KeyError", "message": "'x'"}
    assert faults(
        [failure("test_a", 7, 23, **shown), failure("test_b", 11, 23, **shown)], failing + passing
    ) == [{"test_a", "test_b"}]


def test_failures_that_only_run_what_passes_join_the_fault_that_may_explain_them():
    failing = [execution("test_direct", 0), execution("test_through", 0, 1)]
    passing = [execution(f"test_ok{n}", 0, failed=False) for n in range(3)]
    assert faults([failure("test_direct"), failure("test_through")], failing + passing) == [
        {"test_direct", "test_through"}
    ]


def test_failures_without_an_execution_join_the_fault_they_resemble():
    failing = [execution("test_a[0]", 1), execution("test_b", 2)]
    passing = [execution("test_ok", 3, failed=False)]
    known = [
        failure("test_a[0]", 7, error="KeyError", message="'a'"),
        failure("test_b", message="assert 3 == 4"),
    ]
    more = [
        failure("test_a[1]", 7, error="KeyError", message="'b'"),
        failure("test_c", 7, error="KeyError", message="'c'"),
        failure("test_d", message="assert 5 == 6"),
        failure("test_e", 15, error="ZeroDivisionError", message="division by zero"),
    ]
    assert faults([*known, *more], failing + passing) == [
        {"test_a[0]", "test_a[1]", "test_c"},
        {"test_b", "test_d"},
        {"test_e"},
    ]


def test_two_failures_of_one_test_are_one():
    failing = [execution("test_a", 1)]
    assert faults([failure("test_a"), failure("test_a", 6, error="OSError", message="")], failing) == [
        {"test_a"}
    ]


def test_thousands_of_failures():
    failures = [failure(f"test_x[{n}]", 7, error="KeyError", message=f"'{n}'") for n in range(5000)]
    failures += [failure(f"test_{n}", 11, error="ValueError", message=f"{n}") for n in range(5000)]
    executions = [execution(f"test_x[{n}]", 1) for n in range(10)] + [
        execution(f"test_{n}", 2) for n in range(10)
    ]
    started = time.process_time()
    found = faults(failures, [*executions, execution("test_ok", 3, failed=False)])
    assert [len(tests) for tests in found] == [5000, 5000]
    assert time.process_time() - started < 3  # about 0.2 on an idle machine
