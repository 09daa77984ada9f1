"""What counts as a change of a source, and which functions it is a change of."""

import pytest

from buddy_watch.affected.shapes import difference, shape_of

SOURCE = '''\
"""Module."""
import os

LIMIT = 10

def decorated(function):
    """Doc."""
    count = 0
    def wrapper(*values):
        return function(*values)
    return wrapper

class Box:
    size = 3

    def grow(self, by=1):
        if by > LIMIT:
            raise ValueError(by)
        return [item + by for item in range(self.size)]

    @property
    def area(self):
        return self.size ** 2

    @area.setter
    def area(self, value):
        self.size = value

async def later(): return 1

def outer():
    class Inner:
        def method(self): return 1
    pick = lambda value: value + 1
    return Inner, pick
'''


def change(old: str, new: str):
    assert SOURCE.count(old) == 1
    return difference("x.py", shape_of(SOURCE.encode()), shape_of(SOURCE.replace(old, new).encode()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 10", "LIMIT = 10  # ten"),
        ("LIMIT = 10", "\n\nLIMIT = (10)"),
        ("return wrapper", "\n        # what else\n    return wrapper"),
        ("range(self.size)", "range(\n            self.size,\n        )"),
    ],
)
def test_comments_blank_space_and_brackets_are_cosmetic(old, new):
    assert change(old, new).cosmetic


@pytest.mark.parametrize(
    ("old", "new", "functions"),
    [
        ("count = 0", "count = 1", {"decorated"}),
        ("return function(*values)", "return function(values)", {"decorated.<locals>.wrapper"}),
        ("by > LIMIT", "by >= LIMIT", {"Box.grow"}),
        ("item + by", "item - by", {"Box.grow"}),
        ("self.size ** 2", "self.size * 2", {"Box.area"}),
        ("async def later(): return 1", "async def later(): return 2", {"later"}),
        ("def method(self): return 1", "def method(self): return 2", {"outer.<locals>.Inner.method"}),
        ("value + 1", "value - 1", {"outer"}),
    ],
)
def test_a_change_inside_a_body_is_one_of_the_function(old, new, functions):
    found = change(old, new)
    assert found.functions == functions
    assert not found.whole


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 10", "LIMIT = 11"),
        ("LIMIT = 10", "LIMIT = 10.0"),
        ('"""Module."""', '"""The module."""'),
        ('"""Doc."""', '"""Docs."""'),
        ("import os", "import sys"),
        ("size = 3", "size = 4"),
        ("by=1", "by=2"),
        ("self, by=1", "self, add=1"),
        ("    @property\n", ""),
        ("def grow", "def shrink"),
        ("async def later", "def later"),
        ("async def later(): return 1", "async def later(): yield 1"),
        ("def outer():", "def one_more(): pass\n\ndef outer():"),
        ("class Box:", "class Box(dict):"),
        ("def grow(", "def grow["),
    ],
)
def test_everything_else_is_a_change_of_the_whole(old, new):
    assert change(old, new).whole


def test_equal_bytes_are_no_change_and_files_come_and_go():
    shape = shape_of(SOURCE.encode())
    assert difference("x.py", shape, shape_of(SOURCE.encode())) is None
    assert difference("x.py", None, None) is None
    assert difference("x.py", None, shape).kind == "added"
    assert difference("x.py", shape, None).kind == "deleted"


@pytest.mark.parametrize(
    "content", [b"\0", b"def (", b"# coding: nonsense\n", b"\xff\xfe", b"(" * 5000, b"x = '\\ud800'", b""]
)
def test_any_bytes_have_a_shape(content):
    assert shape_of(content) == shape_of(content)


def test_sets_among_constants_do_not_depend_on_hashes(tmp_path):
    from pytest_buddy.testing import Project

    text = "def f(x): return x in {'a', 'b', 'c', ('d', 'e')}\n"
    code = f"from buddy_watch.affected.shapes import shape_of; print(shape_of({text.encode()!r}).functions)"
    project = Project(tmp_path, {})
    outputs = {project.python("-c", code, env={"PYTHONHASHSEED": seed}).out for seed in ("1", "2", "3")}
    assert len(outputs) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import a.b, c", {"a.b", "c"}),
        ("from a.b import c, d", {"a.b", "a.b.c", "a.b.d"}),
        ("from . import x", {".", ".x"}),
        ("from ..y.z import *", {"..y.z", "..y.z.*"}),
        ("def f():\n  try:\n    pass\n  except E:\n    import deep", {"deep"}),
        ("match x:\n  case 1:\n    import inside", {"inside"}),
        ("pytest_plugins = ['one', 'two.three']", {"one", "two.three"}),
        ("m = pytest.importorskip('thing')", {"thing"}),
        ("patch('pkg.mod.attr'); y = 'pkg.x:main'; z = 'a.txt no'", {"pkg.mod.attr", "pkg.x"}),
        ("NAMES = ['data.json', 'a b.c', '.sub']", {".sub"}),
    ],
)
def test_references(line, expected):
    assert set(shape_of(line.encode()).references) == expected
