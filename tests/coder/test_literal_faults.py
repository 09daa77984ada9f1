"""For wrong texts, keys, formats, patterns, tables and defaults the right one is tried early."""

import ast
import tomllib
from itertools import islice
from pathlib import Path

import pytest

from pytest_buddy.coder import TemplateCoder
from pytest_buddy.coder.spellings import variants
from pytest_buddy.coder.tables import rule_of
from pytest_buddy.domain import Comparison, Failure, Frame, Suspect, Variable
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

FAULTS = tomllib.loads(Path(__file__).with_name("literal_faults.toml").read_text(encoding="utf-8"))["fault"]
USUAL = 40


def failure_of(fault):
    comparison = None
    if "left" in fault:
        comparison = Comparison(operator="==", left=fault["left"], right=fault["right"])
    held = tuple(
        Variable(name=name, value=value, type=type(ast.literal_eval(value)).__name__)
        for name, value in fault.get("variables", {}).items()
    )
    frames = (
        Frame(path="tests/test_faulty.py", line=1, function="test_it", project=True),
        Frame(path="pkg/faulty.py", line=1, function="it", project=True, variables=held),
    )
    return Failure(
        test="tests/test_faulty.py::test_it",
        phase="call",
        error_type=fault.get("error", "AssertionError"),
        message=fault.get("message", ""),
        comparison=comparison,
        frames=frames,
    )


def candidates(fault, most):
    text = fault["source"]
    line = text[: text.index(fault["old"])].count("\n") + 1
    source = Source(path="pkg/faulty.py", module="pkg.faulty", content=text.encode())
    suspect = Suspect(path=source.path, line=line, end_line=line, function="pkg.faulty", score=0.9, rank=1)
    context = Context(
        failures=(failure_of(fault),),
        suspects=(suspect,),
        sources={source.path: source},
        editable=frozenset({source.path}),
    )
    for patch in islice(TemplateCoder().propose(context), most):
        content = source.content
        for edit in sorted(patch.edits, key=lambda edit: -edit.start):
            content = content[: edit.start] + edit.replacement + content[edit.end :]
        yield patch, ast.dump(ast.parse(content))


@pytest.mark.parametrize("fault", FAULTS, ids=[fault["name"] for fault in FAULTS])
def test_the_right_literal_is_among_the_first_candidates(fault):
    assert fault["source"].count(fault["old"]) == 1
    wanted = {
        ast.dump(ast.parse(fault["source"].replace(fault["old"], new)))
        for new in (fault["new"], *fault.get("also", ()))
    }
    within = fault.get("within", USUAL)
    places = (place for place, (_, tree) in enumerate(candidates(fault, within), 1) if tree in wanted)
    assert next(places, None) is not None, f"not among the first {within}"


def test_a_rule_needs_nearly_all_entries_to_follow_it():
    assert rule_of([("a", "A"), ("b", "B"), ("c", "C"), ("d", "x")])("e") == "E"
    assert rule_of([("a", "A"), ("b", "x"), ("c", "y")]) is None
    assert rule_of([("a", "A")]) is None


def test_a_text_is_respelled_in_ways_that_people_confuse():
    spelled = dict(variants("Content-Type "))
    assert {"content-type ", "Content_Type ", "Content-Type"} <= spelled.keys()
    assert "Content-Type " not in spelled
    assert "" not in dict(variants("s"))
