"""Exceptions that tests wait for, and that did not come."""

import pytest

from pytest_buddy.coder.awaited import awaited_errors
from pytest_buddy.coder.hints import read_hints
from pytest_buddy.domain import Failure, Frame
from pytest_buddy.source import Source

TEST = """\
def test_context():
    with pytest.raises(ValueError, match="odd"):
        parse("1")

def test_call(self):
    self.assertRaises(errors.Odd, parse, "1")

def test_several():
    with open("x") as f, raises((KeyError, LookupError)):
        parse("1")

def test_plain():
    assert parse("1")
"""


def failure(line, error):
    frame = Frame(path="test_it.py", line=line, function="test", project=True)
    inner = Frame(path="it.py", line=1, function="parse", project=True)
    return Failure(
        test="test_it.py::test",
        kind="function",
        phase="call",
        error_type=error,
        message="",
        frames=(frame, inner),
    )


@pytest.mark.parametrize(
    ("line", "error", "wanted"),
    [
        (3, "builtins.IndexError", ("ValueError",)),
        (3, "ValueError", ()),
        (6, "TypeError", ("Odd",)),
        (10, "TypeError", ("KeyError", "LookupError")),
        (13, "TypeError", ()),
    ],
)
def test_reads_what_stands_around_the_failing_line(line, error, wanted):
    sources = {"test_it.py": Source(path="test_it.py", module="test_it", content=TEST.encode())}
    failures = (failure(line, error),)
    assert awaited_errors(failures, sources) == wanted
    hints = read_hints(failures, wanted)
    assert hints.wanted_errors == wanted
    assert (hints.factor("raise-other", "") > 1) == bool(wanted)


def test_a_test_that_is_not_known_says_nothing():
    assert awaited_errors((failure(3, "KeyError"),), {}) == ()
