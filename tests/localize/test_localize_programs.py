"""Small faulty programs of all kinds: is the faulty statement on top, how many faults are told apart?"""

import pytest

from pytest_buddy.localize import localize


@pytest.fixture(scope="module")
def located(programs, laboratory):
    seen = laboratory.observe(programs)
    return {
        program.name: localize(found.failures, found.spectrum, program.sources, tests=program.tests)
        for program, found in zip(programs, seen, strict=True)
    }


def test_every_failure_is_in_exactly_one_fault(located):
    for faults in located.values():
        tests = [test for fault in faults for test in fault.tests]
        assert len(tests) == len(set(tests)) > 0


def test_two_faults_stay_two_and_many_failures_of_one_helper_stay_one(located):
    assert [len(fault.tests) for fault in located["report_two_faults"]] == [2, 2]
    assert [len(fault.tests) for fault in located["votes_helper_many"]] == [6]
