"""Probes are small, compile, and know nothing of the tests; trials of them re-order the suspects."""

from dataclasses import replace

import pytest

from pytest_buddy.domain import Execution, Failure, Fault, Outcome, Spectrum, Suspect, Trial
from pytest_buddy.localize import localize, probes, weigh
from pytest_buddy.source import Source


def source(text, encoding="utf-8"):
    return Source(path="m.py", module="m", content=text.encode(encoding))


def fault_of(*lines, kinds=(), function="m.f"):
    suspects = tuple(
        Suspect(
            path="m.py",
            line=line,
            end_line=line,
            function=function,
            score=0.5,
            rank=1,
            tied_with=len(lines) - 1,
            evidence=("run by 2 of 2 failing and 0 of 1 passing test",),
            kind=kind,
        )
        for line, kind in zip(lines, kinds, strict=True)
    )
    return Fault(id="f1", tests=("t.py::test_a", "t.py::test_b"), suspects=suspects)


def mutated(text, kind, line=1, encoding="utf-8"):
    """What each probe of one statement makes of its text, with what it says."""
    original = source(text, encoding)
    found = probes(fault_of(line, kinds=(kind,)), {"m.py": original})
    return {
        patch.rationale[0]: original.edited(patch.edits).content.decode(encoding).splitlines()[line - 1]
        for patch in found
    }


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (
            "if a < b: x = 1",
            "if",
            {"changing `<` to `<=`": "if a <= b: x = 1", "negating the condition": "if not (a < b): x = 1"},
        ),
        (
            "x = (a  # < not this\n     ) not  in b and (c)",
            "assign",
            {
                "changing `and` to `or`": "x = (a  # < not this",
                "changing `not in` to `in`": "x = (a  # < not this",
                "assigning `None` instead": "x = None",
            },
        ),
        (
            "total = price * 3 - f(1, 2)",
            "assign",
            {
                "changing `-` to `+`": "total = price * 3 + f(1, 2)",
                "changing `*` to `+`": "total = price + 3 - f(1, 2)",
                "assigning `None` instead": "total = None",
            },
        ),
        ("x += 1", "augassign", {
            "changing `+` to `-`": "x -= 1",
            "changing `1` by +1": "x += 2",
            "leaving the statement out": "pass",
        }),
        ("TABLE = {1: 2.5, 3: 0}", "assign", {
            "changing each number by +1": "TABLE = {2: 3.5, 4: 1}",
            "changing each number by -1": "TABLE = {0: 1.5, 2: (-1)}",
            "assigning `None` instead": "TABLE = None",
        }),
        ("for x in n(): f()", "for", {"leaving out the last round": "for x in list(n())[:-1]: f()"}),
        ("f'{a < 1}' + b", "expr", {
            "changing `+` to `-`": "f'{a < 1}' - b",
            "keeping only `f'{a < 1}'`": "(f'{a < 1}')",
            "leaving the statement out": "pass",
        }),
        ("ok = not x", "assign", {"dropping `not`": "ok = (x)", "assigning `None` instead": "ok = None"}),
        ("import os", "import", {}),
    ],
)  # fmt: skip
def test_probes_of_one_statement(text, kind, expected):
    assert mutated(text, kind) == expected


def test_other_encodings_and_line_endings_survive():
    text = "# coding: latin-1\r\nnamé = 'é' + grüße(1)\r\n"
    assert mutated(text, "assign", 2, "latin-1")["changing `+` to `-`"] == "namé = 'é' - grüße(1)"
    original = source(text, "latin-1")
    for patch in probes(fault_of(2, kinds=("assign",)), {"m.py": original}):
        assert original.edited(patch.edits).content.endswith(b"\r\n")


def test_probes_go_round_the_statements_and_compile(programs):
    for program in programs:
        sources = program.sources
        lines = {path: frozenset(range(1, 200)) for path in sources}
        test = f"{sorted(program.tests)[0]}::test_a"
        (fault,) = localize(
            (Failure(test=test, phase="call", error_type="AssertionError", message=""),),
            Spectrum(executions=(Execution(test=test, failed=True, lines=lines),)),
            sources,
            tests=program.tests,
        )
        found = probes(fault, sources)
        assert 5 <= len(found) <= 24
        assert len({patch.id for patch in found}) == len(found)
        for patch in found:
            assert patch.origin == "template:probe"
            (path,) = patch.paths
            compile(sources[path].edited(patch.edits).content, path, "exec")
        assert len(probes(fault, sources, limit=3)) == 3
        first = [patch.edits[0].start for patch in probes(fault, sources, limit=5)]
        assert len(set(first)) == 5


def test_files_that_are_gone_or_broken_have_no_probes():
    fault = fault_of(1, kinds=("assign",))
    assert probes(fault, {}) == ()
    assert probes(fault, {"m.py": source("x = (")}) == ()


TEXT = "def f(x):\n    y = x + 1\n    y += 2\n    return y * 3\n"
SOURCES = {"m.py": source(TEXT)}
BASELINE = {
    "t.py::test_a": Outcome(test="t.py::test_a", status="failed", error_type="AssertionError", message="1"),
    "t.py::test_b": Outcome(test="t.py::test_b", status="failed", error_type="AssertionError", message="2"),
    "t.py::test_ok": Outcome(test="t.py::test_ok", status="passed"),
}


def tried(line, a="same", b="same", ok="passed"):
    """A trial of the first probe of a line; `same`, `other` or a status for each test."""
    (patch, *_) = probes(fault_of(line, kinds=({2: "assign", 3: "augassign", 4: "return"}[line],)), SOURCES)
    outcomes = []
    for name, status in (("test_a", a), ("test_b", b), ("test_ok", ok)):
        before = BASELINE[f"t.py::{name}"]
        if status == "other":
            outcomes.append(replace(before, message="something else at 0x7f"))
        else:
            outcomes.append(before if status == "same" else Outcome(test=before.test, status=status))
    return Trial(patch=patch, outcomes=tuple(outcomes))


def weighed(*trials):
    fault = fault_of(2, 3, 4, kinds=("assign", "augassign", "return"))
    return weigh(fault, trials, SOURCES, baseline=BASELINE).suspects


def test_a_mutant_that_turns_failing_tests_green_raises_its_statement():
    found = weighed(tried(2, "other", "other"), tried(3), tried(4, "passed", "passed"))
    assert [(suspect.line, suspect.rank, suspect.tied_with) for suspect in found] == [
        (4, 1, 0),
        (2, 2, 1),
        (3, 2, 1),
    ]
    assert found[0].evidence[-1] == "changing `*` to `+` makes 2 failing tests pass"
    assert found[1].evidence[-1] == "changing `+` to `-` changes how 2 of 2 failing tests fail"
    assert found[2].evidence[-1] == "changing it in one way makes no difference to the failing tests"


def test_breaking_passing_tests_counts_against_it():
    found = weighed(tried(2, "passed", "passed", "failed"), tried(4, "passed", "passed"))
    assert found[0].line == 4
    assert found[-1].evidence[-1] == "changing `+` to `-` makes 2 failing tests pass but breaks 1 passing"


def test_failing_differently_is_told_and_not_counted():
    found = weighed(tried(2, "other", "other"), tried(3), tried(4))
    assert {suspect.score for suspect in found} == {0.5}
    assert found[0].evidence[-1] == "changing `+` to `-` changes how 2 of 2 failing tests fail"


def test_time_outs_and_crashes_say_nothing():
    found = weighed(tried(2, "timeout", "crashed"), tried(3))
    assert {suspect.score for suspect in found} == {0.5}
    assert {(suspect.rank, suspect.tied_with) for suspect in found} == {(1, 2)}


def test_without_trials_that_concern_it_the_fault_is_as_it_was():
    fault = fault_of(2, 3, 4, kinds=("assign", "augassign", "return"))
    trial = replace(tried(2), outcomes=())
    assert weigh(fault, (), SOURCES, baseline=BASELINE) == fault
    assert weigh(fault, (trial,), SOURCES, baseline=BASELINE) == fault
    assert weigh(fault, (tried(2),), {}, baseline=BASELINE) == fault


def test_scores_stay_between_0_and_1_and_unprobed_functions_keep_theirs():
    fault = fault_of(2, 3, 4, kinds=("assign", "augassign", "return"))
    functions = ("m.f", "m.f", "m.g")
    suspects = zip(fault.suspects, functions, strict=True)
    fault = replace(fault, suspects=tuple(replace(s, score=0.99, function=name) for s, name in suspects))
    found = weigh(fault, (tried(2, "passed", "passed"), tried(3)), SOURCES, baseline=BASELINE).suspects
    assert [suspect.line for suspect in found] == [2, 4, 3]
    assert found[0].score == 1.0
    assert found[1].score == 0.99
    assert 0 <= found[2].score < 0.99


def test_unprobed_statements_go_a_part_of_the_way_of_their_function():
    fault = fault_of(2, 3, 4, kinds=("assign", "augassign", "return"))
    functions = ("m.f", "m.g", "m.f")
    suspects = zip(fault.suspects, functions, strict=True)
    fault = replace(fault, suspects=tuple(replace(s, function=name) for s, name in suspects))
    found = weigh(fault, (tried(2, "passed", "passed"), tried(3)), SOURCES, baseline=BASELINE).suspects
    assert [suspect.line for suspect in found] == [2, 4, 3]
    assert found[0].score > found[1].score > 0.5 > found[2].score
    assert found[1].evidence == fault.suspects[2].evidence
