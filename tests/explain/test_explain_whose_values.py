"""Values that are said to be of the explained test are of that test."""

import importlib.util
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location(
    "explain_laboratory_of_values", Path(__file__).with_name("laboratory.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
laboratory = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(laboratory)

CODE = """def clamp(x, low, high):
    if x > high:
        return low
    return x
"""
TESTS = """from shop import clamp
def test_high():
    assert clamp(12, 0, 10) == 10
def test_higher():
    assert clamp(700, 501, 600) == 600
def test_within():
    assert clamp(5, 0, 10) == 5
"""


class OnlyOf(list):
    """Keeps the observations of one test: the runner watches a few of a fault's tests, not all."""

    def __init__(self, test):
        super().__init__()
        self.test = test

    def append(self, seen):
        if seen.test.endswith(self.test):
            super().append(seen)


def explained(observed):
    program = laboratory.Laboratory(
        files={"shop.py": CODE}, test=TESTS, watch=(("shop.py", 3),), observations=OnlyOf(observed)
    )
    return " ".join(program.explain(suspects=[("shop.py", 3)]).bullets)


def test_its_own_values_are_named():
    assert "`low = 0`" in explained("::test_high")


def test_another_tests_values_are_not_called_its_own():
    bullets = explained("::test_higher")
    assert "clamp(12, 0, 10)" in bullets
    assert "in this test by `return low` in line 3" in bullets
    assert "501" not in bullets.split("in this test by")[1].split(".")[0]
