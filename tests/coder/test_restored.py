"""Candidates that put back what git remembers."""

import pytest

from pytest_buddy.coder.restored import restored
from pytest_buddy.coder.templates import outlines_of
from pytest_buddy.domain import Change, Suspect
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

PATH = "shop.py"


def made(text, *changes, line=2, encoding="utf-8"):
    source = Source(path=PATH, module="shop", content=text.encode(encoding))
    context = Context(
        failures=(),
        suspects=(Suspect(path=PATH, line=line, end_line=line, function="shop.total", score=0.8, rank=1),),
        sources={PATH: source},
        editable=frozenset({PATH}),
        changes=changes,
    )
    patches = list(restored(context, outlines_of(context)))
    return patches, [source.edited(patch.edits).content.decode(encoding) for patch in patches]


def pending(start, end, *removed, label="not committed"):
    lines = tuple(range(start, end)) or (start - 1, start)
    return Change(path=PATH, lines=lines, removed=removed, label=label, start=start, end=end)


def test_words_of_a_line_come_before_the_line():
    now = "def total(a, b):\n    return a - b * 2\n"
    patches, texts = made(now, pending(2, 3, "    return a + b * 3"))
    assert texts == [
        now.replace("a - b", "a + b"),
        now.replace("* 2", "* 3"),
        "def total(a, b):\n    return a + b * 3\n",
    ]
    assert {patch.function for patch in patches} == {"shop.total"}
    assert patches[0].rationale == ("puts back what stood here before a change that is not committed",)


def test_lines_that_were_taken_out_come_back_where_they_stood():
    now = "def total(a):\r\n    return a\r\n"
    _, texts = made(now, pending(2, 2, "    if a is None:", "        return 0"))
    assert texts == ["def total(a):\r\n    if a is None:\r\n        return 0\r\n    return a\r\n"]


def test_what_a_commit_has_only_added_stays():
    now = "def total(a):\n    a += 1\n    return a\n"
    assert made(now, pending(2, 3, label="1a2b3c4 Count"))[0] == []
    patches, texts = made(now, pending(2, 3))
    assert texts == ["def total(a):\n    return a\n"]
    assert patches[0].suspicion > 0


@pytest.mark.parametrize(
    "change",
    [
        Change(path=PATH, lines=(2,), removed=("    x",), label="not committed"),
        pending(2, 30, "    x"),
        pending(2, 3, *(f"    x{number} = 1" for number in range(30))),
        pending(2, 3, "    return (a"),
        Change(path="other.py", lines=(2,), removed=("x",), label="not committed", start=2, end=3),
    ],
    ids=["place unknown", "outside the file", "long", "does not parse", "another file"],
)
def test_nothing_is_made_of_a_change_that_cannot_be_taken_back(change):
    assert made("def total(a):\n    return a\n", change)[0] == []


def test_the_encoding_of_the_file_is_kept():
    now = "# coding: latin-1\ndef total(a):\n    return 'caf\xe9', a\n"
    _, texts = made(now, pending(3, 4, "    return 'th\xe9', a + 1"), line=3, encoding="latin-1")
    assert texts[-1] == "# coding: latin-1\ndef total(a):\n    return 'th\xe9', a + 1\n"
    patches, _ = made(now, pending(3, 4, "    return '\u20ac', a"), line=3, encoding="latin-1")
    assert patches == []
