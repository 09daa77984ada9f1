"""Names of one piece of code read as those of another."""

import ast

import pytest

from pytest_buddy.coder.siblings import renamed, renames


@pytest.mark.parametrize(
    ("other", "mine", "names"),
    [
        (
            "self.width = width",
            "self.height = height",
            {".width": ".height", "width": "height", "self": "self"},
        ),
        ('a = row["a"]', 'b = row["b"]', {"a": "b", "row": "row"}),
        ("if a > 1:\n    f()", "if b > 1:\n    g()", {"a": "b"}),
        ("a = f(a, b)", "a = f(a)", None),
        ("a = a", "b = c", None),
        ("a = 1", "b = 2", None),
        ('a = "x y"', 'b = "y z"', None),
        ("a += 1", "a = 1", None),
    ],
)
def test_statements_alike_but_for_names(other, mine, names):
    assert renames(ast.parse(other).body[0], ast.parse(mine).body[0]) == names


def test_only_whole_words_are_replaced_and_attributes_by_their_dot():
    names = {"a": "b", ".a": ".c"}
    assert renamed("a + a.a + ab + x.ab + 'a'", names) == "b + b.c + ab + x.ab + 'b'"
    assert renamed("a.a", {"a": "b"}) == "b.a"
    assert renamed("a", {}) == "a"
