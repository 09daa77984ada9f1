"""Small faulty programs of all kinds: is the faulty statement on top, how many faults are told apart?

A faulty statement counts as ranked behind all its equals (the worst tie). Where something is missing, the
statements beside or around the place are marked. The bounds lie a little below what is measured.
"""

from dataclasses import dataclass

import pytest

from pytest_buddy.domain import Outcome
from pytest_buddy.localize import localize, probes, weigh


@dataclass(frozen=True, kw_only=True)
class Case:
    program: object
    seen: object
    faults: tuple
    weighed: tuple


def baseline_of(seen):
    ended = {e.test: Outcome(test=e.test, status="passed") for e in seen.spectrum.passing}
    for failure in seen.failures:
        last = failure.frames[-1]
        ended[failure.test] = Outcome(
            test=failure.test,
            status="failed",
            error_type=failure.error_type,
            message=failure.message,
            path=last.path,
            line=last.line,
        )
    return ended


@pytest.fixture(scope="module")
def cases(programs, laboratory):
    observed = laboratory.observe(programs)
    located = [
        localize(seen.failures, seen.spectrum, program.sources, tests=program.tests)
        for program, seen in zip(programs, observed, strict=True)
    ]
    work = [
        (
            program,
            probes(fault, program.sources),
            (*fault.tests, *(e.test for e in seen.spectrum.passing[:2])),
        )
        for program, seen, faults in zip(programs, observed, located, strict=True)
        for fault in faults
    ]
    trials = iter(laboratory.trials(work))
    return {
        program.name: Case(
            program=program,
            seen=seen,
            faults=faults,
            weighed=tuple(
                weigh(fault, next(trials), program.sources, baseline=baseline_of(seen)) for fault in faults
            ),
        )
        for program, seen, faults in zip(programs, observed, located, strict=True)
    }


def holds(suspect, places):
    return any(suspect.path == path and suspect.line <= line <= suspect.end_line for path, line in places)


def ranks(case, faults):
    """For each injected fault, the best (rank of its statement in the worst tie, rank of its function)."""
    for label in sorted({label for _path, _line, label in case.program.faults}):
        places = [(path, line) for path, line, of in case.program.faults if of == label]
        found = []
        for fault in faults:
            functions = list(dict.fromkeys(suspect.function for suspect in fault.suspects))
            hits = [suspect for suspect in fault.suspects if holds(suspect, places)]
            if hits:
                first = hits[0]
                equal = sum(suspect.rank == first.rank for suspect in hits)
                worst = first.rank + first.tied_with + 1 - equal
                found.append((worst, min(functions.index(hit.function) + 1 for hit in hits)))
        yield min(found, default=(99, 99))


def shares(every, *, which):
    """The share of faults whose statement (0) or function (1) is in the top 1, 3 and 5."""
    return [sum(found[which] <= top for found in every) / len(every) for top in (1, 3, 5)]


def test_the_faulty_statement_is_near_the_top_in_the_worst_tie(cases):
    before = [found for case in cases.values() for found in ranks(case, case.faults)]
    after = [found for case in cases.values() for found in ranks(case, case.weighed)]
    assert len(before) == len(after) >= 25
    first, third, fifth = shares(before, which=0)
    assert (first >= 0.48, third >= 0.8, fifth >= 0.9) == (True, True, True), (first, third, fifth)
    first, third, fifth = shares(after, which=0)
    assert (first >= 0.6, third >= 0.9, fifth >= 0.95) == (True, True, True), (first, third, fifth)


def test_the_faulty_function_is_first_more_often(cases):
    after = [found for case in cases.values() for found in ranks(case, case.weighed)]
    first, third, _fifth = shares(after, which=1)
    assert first >= 0.75
    assert third >= 0.95


def test_every_failure_is_in_exactly_one_fault(cases):
    for case in cases.values():
        tests = [test for fault in case.faults for test in fault.tests]
        assert sorted(tests) == sorted(failure.test for failure in case.seen.failures)


def test_one_fault_each_but_for_the_program_with_two(cases):
    assert {name: len(case.faults) for name, case in cases.items() if len(case.faults) != 1} == {
        "report_two_faults": 2
    }


def test_ranks_follow_scores_and_every_suspect_has_evidence(cases):
    for case in cases.values():
        for fault in (*case.faults, *case.weighed):
            scores = [suspect.score for suspect in fault.suspects]
            assert scores == sorted(scores, reverse=True)
            assert all(0 <= score <= 1 for score in scores)
            for suspect in fault.suspects:
                assert suspect.rank == 1 + sum(score > suspect.score for score in scores)
                assert suspect.tied_with == scores.count(suspect.score) - 1
                assert suspect.evidence
                assert suspect.path not in case.program.tests
                assert suspect.line <= suspect.end_line


def test_evidence_says_what_was_seen(cases):
    (fault,) = cases["bounds_operator"].weighed
    assert fault.suspects[0].evidence[0] == "run by 2 of 2 failing and 0 of 3 passing tests"
    assert fault.suspects[0].evidence[-1].startswith("negating the condition makes 2 failing tests pass")
    (fault,) = cases["units_table"].faults
    table = next(suspect for suspect in fault.suspects if suspect.line == 1)
    assert table.evidence == (
        "`FACTORS` is read by units.convert, which all failing and 1 of 3 passing tests run",
    )
