"""Patches that all pass and differ where no test looks: the question, and either answer."""

from pathlib import Path

import pytest

from pytest_buddy.testing import Project

PATIENT = ("--buddy", "--buddy-budget", "60")  # time is left for comparing, on a busy machine too

SHOP = """\
def badge(points):
    if points > 100:
        return "gold"
    return "silver"
"""
TESTS = """\
from shop import badge


def test_gold():
    assert badge(100) == "gold"


def test_silver():
    assert badge(20) == "silver"
"""
MORE = """\


def test_of_many():
    assert badge(2000) == "gold"
"""
CASES = """\
import pytest

from shop import fee


@pytest.mark.parametrize("weight, wanted", [(1, 6), (2, 6), (5, 6), (6, 16), (9, 16)])
def test_fee(weight, wanted):
    assert fee(weight, express=True) == wanted


def test_slow():
    assert fee(1, express=False) == 3
"""
FEE = """\
def fee(weight, express):
    base = 3 if weight <= 5 else 8
    if express:
        base = base + 1
    return base
"""


@pytest.mark.parametrize("choice", [0, 1])
def test_the_question_and_either_answer(tmp_path: Path, choice: int) -> None:
    project = Project(tmp_path, {"shop.py": SHOP, "test_shop.py": TESTS})
    run = project.pytest(*PATIENT)
    (fault,) = run.report["faults"]
    question = fault["question"]
    assert question["call"].startswith("badge(")
    assert {answer["result"] for answer in question["answers"]} == {"returns 'gold'", "returns 'silver'"}
    patches = {patch["id"]: patch for patch in fault["patches"]}
    assert all(patches[answer["patch"]]["verdict"]["confirmed"] for answer in question["answers"])
    assert question["answers"][0]["patch"] == fault["patches"][0]["id"]
    assert "Which do you want?" in run.out
    assert "Which do you want?" in project.buddy("show").out.replace("\n  ", " ")

    chosen = question["answers"][choice]
    assert f"buddy apply {chosen['patch']}" in run.out
    assert f"it {chosen['result']}" in project.buddy("show", chosen["patch"]).out
    assert project.buddy("apply", chosen["patch"]).exit == 0
    assert project.pytest("-q").exit == 0
    asked = project.python("-c", f"from shop import *; print('returns', repr({question['call']}))")
    assert asked.out.strip() == chosen["result"]


def test_no_question_where_the_tests_decide(tmp_path: Path) -> None:
    project = Project(tmp_path, {"shop.py": SHOP, "test_shop.py": TESTS + MORE})
    (fault,) = project.pytest("-q", *PATIENT).report["faults"]
    assert fault["patches"][0]["verdict"]["confirmed"]
    assert fault["question"] is None


def test_a_case_is_kept_out_of_the_search(tmp_path: Path) -> None:
    project = Project(tmp_path, {"shop.py": FEE, "test_shop.py": CASES})
    run = project.pytest(*PATIENT)
    (fault,) = run.report["faults"]
    assert fault["search"]["kept_out"] == ["test_shop.py::test_fee[9-16]"]
    assert "test_shop.py::test_fee[9-16]" in fault["patches"][0]["verdict"]["fixed"]
    assert "1 of 5 failing cases was kept out of the search: it passes too" in run.out


def test_a_number_answers_at_the_terminal(tmp_path: Path) -> None:
    project = Project(tmp_path, {"shop.py": SHOP, "test_shop.py": TESTS})
    with project.terminal(*PATIENT) as terminal:
        terminal.until("[1] or [2]", timeout=120.0)
        terminal.until("> ")
        terminal.type("2\r")
        run = terminal.finish()
    second = run.report["faults"][0]["question"]["answers"][1]
    assert f"applied {second['patch']}" in run.out
    assert project.read("shop.py") != SHOP
    assert project.pytest("-q").exit == 0
