"""The passing tests that failing ones are compared with: near ones first, of many kinds."""

from pytest_buddy.capture import nearest
from pytest_buddy.domain import Baseline, Outcome


def baseline(*tests):
    outcomes = (Outcome(test=test, status="passed", seconds=seconds) for test, seconds in tests)
    failed = Outcome(test="t/test_a.py::test_bad", status="failed")
    return Baseline(outcomes=(failed, *outcomes), failures=())


def chosen(known, *, most=99, seconds=99.0):
    return nearest(known, ["t/test_a.py::test_bad"], seconds=seconds, most=most)


def test_the_same_file_then_the_same_folder_then_the_rest():
    known = baseline(("u/test_c.py::test_c", 0.1), ("t/test_b.py::test_b", 0.1), ("t/test_a.py::test_a", 0.3))
    assert chosen(known) == ("t/test_a.py::test_a", "t/test_b.py::test_b", "u/test_c.py::test_c")


def test_cases_of_one_test_do_not_keep_others_out():
    cases = [(f"t/test_a.py::test_many[{n}]", 0.01 * (n + 1)) for n in range(9)]
    known = baseline(*cases, ("t/test_a.py::test_one", 0.5), ("t/test_a.py::test_two", 0.4))
    assert chosen(known, most=4) == (
        "t/test_a.py::test_many[0]",
        "t/test_a.py::test_two",
        "t/test_a.py::test_one",
        "t/test_a.py::test_many[1]",
    )


def test_it_ends_when_the_time_is_spent():
    known = baseline(*((f"t/test_a.py::test_{n}", 0.4) for n in range(9)))
    assert len(chosen(known, seconds=1.0)) == 2
