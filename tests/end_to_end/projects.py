"""Small projects with one known fault each."""

CLAMP = """\
def clamp(value, low, high):
    if value < low:
        return low
    if value > high:
        return low
    return value


def double(value):
    return value * 2
"""
CLAMP_TESTS = """\
from shop.clamp import clamp, double


def test_inside():
    assert clamp(5, 0, 10) == 5


def test_below():
    assert clamp(-5, 0, 10) == 0


def test_above():
    assert clamp(50, 1, 10) == 10


def test_double():
    assert double(2) == 4
"""
RED = {"shop/__init__.py": "", "shop/clamp.py": CLAMP, "tests/test_clamp.py": CLAMP_TESTS}
FIXED = CLAMP.replace("value > high:\n        return low", "value > high:\n        return high")
