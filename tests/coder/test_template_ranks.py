"""The true fix of many small faults is among the candidates, and early."""

import ast
import tomllib
from itertools import islice
from pathlib import Path
from statistics import median

import pytest

from pytest_buddy.coder import TemplateCoder
from pytest_buddy.domain import Comparison, Failure, Frame, Suspect, Variable
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

FAULTS = tomllib.loads(Path(__file__).with_name("faults.toml").read_text(encoding="utf-8"))["fault"]
FARTHEST = 500
MISSING = 10 * FARTHEST


def faulty_line(fault):
    place = fault["source"].index(fault["old"]) + len(fault["old"]) - len(fault["old"].lstrip())
    return fault.get("line", fault["source"][:place].count("\n") + 1)


def failure_of(fault):
    comparison = None
    if "left" in fault:
        comparison = Comparison(
            operator=fault.get("operator", "=="), left=fault["left"], right=fault["right"]
        )
    held = tuple(
        Variable(name=name, value=value, type=type(ast.literal_eval(value)).__name__)
        for name, value in fault.get("variables", {}).items()
    )
    test = Frame(
        path="tests/test_faulty.py", line=1, function="test_it", project=True, source=fault.get("asserts", "")
    )
    inner = Frame(path="pkg/faulty.py", line=1, function="it", project=True, variables=held)
    return Failure(
        test="tests/test_faulty.py::test_it",
        phase="call",
        error_type=fault.get("error", "AssertionError"),
        message=fault.get("message", ""),
        comparison=comparison,
        frames=(test, inner),
    )


def lines_to_suspect(fault, count):
    """The faulty line and its nearest neighbours that hold statements."""
    right = faulty_line(fault)
    nodes = ast.walk(ast.parse(fault["source"]))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    lines = {node.lineno for node in nodes if isinstance(node, ast.stmt) and not isinstance(node, kinds)}
    return sorted(lines | {right}, key=lambda line: abs(line - right))[:count]


def context_of(fault, suspected):
    source = Source(path="pkg/faulty.py", module="pkg.faulty", content=fault["source"].encode())
    lines = lines_to_suspect(fault, suspected)
    suspects = tuple(
        Suspect(
            path=source.path,
            line=line,
            end_line=line,
            function="pkg.faulty",
            score=0.8,
            rank=1,
            tied_with=len(lines) - 1,
        )
        for line in sorted(lines)
    )
    return Context(
        failures=(failure_of(fault),),
        suspects=suspects,
        sources={source.path: source},
        editable=frozenset({source.path}),
    )


def rank_of_fix(fault, suspected):
    assert fault["source"].count(fault["old"]) == 1, fault["name"]
    texts = (fault["new"], *fault.get("also", ()))
    wanted = {fault["source"].replace(fault["old"], text).encode() for text in texts}
    context = context_of(fault, suspected)
    source = context.sources["pkg/faulty.py"]
    for rank, patch in enumerate(islice(TemplateCoder().propose(context), FARTHEST), 1):
        if source.edited(patch.edits).content in wanted:
            return rank
    return MISSING


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["name"])
def test_true_fix_is_among_the_candidates(fault):
    assert rank_of_fix(fault, 1) <= FARTHEST


def test_true_fix_comes_early_when_its_line_is_the_top_suspect():
    ranks = [rank_of_fix(fault, 1) for fault in FAULTS]
    assert median(ranks) <= 12
    assert sum(rank <= 60 for rank in ranks) >= 0.85 * len(ranks)


def test_true_fix_comes_soon_when_its_line_is_one_of_five():
    ranks = [rank_of_fix(fault, 5) for fault in FAULTS]
    assert median(ranks) <= 60
    assert sum(rank <= FARTHEST for rank in ranks) >= 0.95 * len(ranks)
