import ast
import re
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_buddy.domain import (
    Cause,
    Change,
    Comparison,
    Execution,
    Failure,
    Fault,
    Frame,
    Observation,
    Spectrum,
    Suspect,
    Variable,
)
from pytest_buddy.explain import explain
from pytest_buddy.explain.differences import difference
from pytest_buddy.source import Source

PATH, TEST = "pkg/mod.py", "tests/test_mod.py"
CODE = """import json

def first(items, at=0):
    if at < len(items):
        return items[at + 1]
    raise KeyError(items)

class Thing:
    def run(self, x, *, deep=[]):
        while x:
            x -= self.step
        for name, value in self.pairs:
            total = x / value
        return json.loads(total)
"""
CHECKS = """def test_a():
    assert first([1], 1) == 3
def test_b():
    with raises(ValueError):
        first([])
def test_c():
    value = Thing().run(3)
    assert not value
def test_d(self):
    self.assertIn(1, first([2]))
    assert 3 in first([1])
"""
# What the rules may write in backticks besides the inputs themselves.
VOCABULARY = {
    "<", "<=", ">", ">=", "raise", "return", "break", "await", "not", "assert", "int()", "str()", "float()",
    "pytest.approx", "encoding=", "__eq__", "RecursionError", "//",
}  # fmt: skip

words = st.text(string.printable + "é漢\x1b`", max_size=40)
values = st.one_of(
    st.integers().map(repr),
    st.text(max_size=20).map(repr),
    st.lists(st.integers()).map(repr),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=4).map(repr),
    st.sampled_from(
        ["None", "nan", "-inf", "Cart(items=[1], total=3)", "<object>", "[1, ... +92 more]", "set()"]
    ),
    words,
)
names = st.sampled_from(["items", "at", "x", "self", "value", "name", "total"])
variables = st.lists(
    st.builds(Variable, name=names, value=values, type=st.sampled_from(["int", "list", "NoneType"])),
    max_size=3,
).map(tuple)
lines = st.integers(0, 20)
frames = st.lists(
    st.builds(
        Frame,
        path=st.sampled_from([PATH, TEST, "/usr/lib/python/json/decoder.py", "gone.py"]),
        line=lines,
        function=st.sampled_from(["first", "Thing.run", "test_a", "<module>"]),
        project=st.booleans(),
        source=words,
        variables=variables,
    ),
    max_size=5,
).map(tuple)
errors = st.sampled_from(
    [
        "AssertionError",
        "KeyError",
        "IndexError",
        "TypeError",
        "AttributeError",
        "NameError",
        "UnboundLocalError",
        "Crash",
        "Timeout",
        "Failed",
        "ZeroDivisionError",
        "RecursionError",
        "ImportError",
        "SyntaxError",
        "UnicodeDecodeError",
        "ValueError",
        "pkg.Odd",
    ]
)
messages = st.one_of(
    words,
    st.sampled_from(
        [
            "name 'itmes' is not defined",
            "'NoneType' object has no attribute 'step'",
            "'Thing' object has no attribute 'rnu'",
            "cannot import name 'frist' from 'pkg.mod' (/x/pkg/mod.py)",
            "No module named 'pkg.mdo'",
            "first() missing 1 required positional argument: 'items'",
            "unsupported operand type(s) for +: 'int' and 'str'",
            "DID NOT RAISE <class 'ValueError'>",
            "ValueError not raised by first",
            "not enough values to unpack (expected 2, got 1)",
            "coroutine 'first' was never awaited",
            "assert False\n +  where False = first([1])",
        ]
    ),
)
failures = st.builds(
    Failure,
    test=st.sampled_from([f"{TEST}::test_a", f"{TEST}::test_b[x y]", TEST, "odd"]),
    phase=st.sampled_from(["collect", "setup", "call", "teardown"]),
    error_type=errors | words,
    message=messages,
    frames=frames,
    causes=st.lists(st.builds(Cause, error_type=errors, message=messages, frames=frames), max_size=2).map(
        tuple
    ),
    comparison=st.none()
    | st.builds(
        Comparison,
        operator=st.sampled_from(["==", "!=", "<", ">=", "in", "not in", "is", "assertEqual", "assertOdd"]),
        left=values,
        right=values,
        detail=st.lists(words, max_size=2).map(tuple),
    ),
    stdout=words,
    kind=st.sampled_from(["function", "unittest", "doctest", "other"]),
)
suspects = st.lists(
    st.builds(
        Suspect,
        path=st.sampled_from([PATH, "gone.py"]),
        line=lines,
        end_line=lines,
        function=st.just("pkg.mod.first"),
        score=st.just(0.5),
        rank=st.integers(1, 3),
        tied_with=st.integers(0, 3),
        evidence=st.lists(words, max_size=2).map(tuple),
    ),
    max_size=4,
).map(tuple)
tests = st.sampled_from([f"{TEST}::test_a", f"{TEST}::test_b[x y]", f"{TEST}::test_b[z]", "other"])
executions = st.lists(
    st.builds(
        Execution,
        test=tests,
        failed=st.booleans(),
        lines=st.dictionaries(st.just(PATH), st.frozensets(lines)),
    ),
    max_size=4,
).map(tuple)
observations = st.lists(
    st.builds(
        Observation,
        test=tests,
        failed=st.booleans(),
        path=st.just(PATH),
        line=lines,
        hits=st.integers(1, 4),
        variables=variables,
        result=values,
    ),
    max_size=4,
).map(tuple)
changes = st.lists(
    st.builds(
        Change,
        path=st.just(PATH),
        lines=st.lists(lines, min_size=1, max_size=3).map(tuple),
        removed=st.lists(words, max_size=2).map(tuple),
        label=st.sampled_from(["not committed", "abc1234 A subject"]),
    ),
    max_size=2,
).map(tuple)
SOURCES = {
    PATH: Source(path=PATH, module="pkg.mod", content=CODE.encode()),
    TEST: Source(path=TEST, module="test_mod", content=CHECKS.encode()),
    "broken.py": Source(path="broken.py", module="broken", content=b"def f(:\n\xff"),
}


@settings(max_examples=100, deadline=None)
@given(st.lists(failures, max_size=3), suspects, executions, observations, changes)
def test_always_gives_four_to_six_short_printable_bullets(found, suspicious, ran, observed, history):
    fault = Fault(id="f1", tests=tuple(dict.fromkeys(one.test for one in found)), suspects=suspicious)
    explanation = explain(
        fault,
        tuple(found),
        spectrum=Spectrum(executions=ran),
        sources=SOURCES,
        observations=observed,
        changes=history,
    )
    assert 4 <= len(explanation.bullets) <= 6
    assert len(set(explanation.bullets)) == len(explanation.bullets)
    for bullet in explanation.bullets:
        assert len(bullet) <= 200
        assert bullet.isprintable()
        assert bullet.endswith((".", "?", "!"))
    known = _letters([fault, found, ran, observed, history, CODE, CHECKS, *SOURCES])
    for span in _spans(explanation.bullets):
        assert span in VOCABULARY or all(word in known for word in _words(span)), span


def _letters(values):
    return repr(values).replace("\\\\", "\\") + CODE + CHECKS


def _spans(bullets):
    return [span for bullet in bullets for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", bullet)]


def _words(span):
    """The words of a span that are whole: not next to a cut, an escape or our own notation."""
    ours = {"pytest", "showlocals", "int", "str", "float"}
    if "..." in span or "\\" in span:
        return []
    found = re.findall(r"[A-Za-z_]\w+", span)
    return [word for word in found if word not in ours and word.isascii()]


@given(values, values)
def test_a_difference_is_told_only_when_there_is_one(came, wanted):
    found = difference(came, wanted)
    if came == wanted:
        assert found is None
    if found is not None:
        assert _literal(came) is _ODD or _literal(came) != _literal(wanted) or type(came) is not type(wanted)


_ODD = object()


def _literal(text):
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _ODD


@pytest.mark.parametrize(
    ("came", "wanted", "kind", "text"),
    [
        ("3", "4", "off-by-one", "1 too low"),
        ("-4", "4", "sign", "flipped"),
        ("400", "4", "factor", "100 times"),
        ("2", "4", "factor", "half"),
        ("11", "4", "amount", "7 too high"),
        ("0.30000000000000004", "0.3", "rounding", "rounding"),
        ("3.0", "3.7", "truncated", "cut off"),
        ("4", "3.7", "rounded", "whole number"),
        ("None", "3", "none", ""),
        ("True", "False", "inverted", ""),
        ("'3'", "3", "type", "a text where a number"),
        ("3", "'3'", "type", "a number where a text"),
        ("[1]", "(1,)", "type", "a list where a tuple"),
        ("[2, 1]", "[1, 2]", "order", "reverse"),
        ("[2, 1, 3]", "[1, 2, 3]", "order", "another order"),
        ("[1, 5, 3]", "[1, 4, 3]", "off-by-one", "only `[1]` differs, `5` instead of `4`"),
        ("[1, 2]", "[1, 2, 3]", "missing", "`3` is missing at the end"),
        ("[1, 2]", "[0, 1, 2]", "missing", "`0` is missing at the start"),
        ("[1, 2, 3]", "[1, 3]", "extra", "`2` is too much at `[1]`"),
        ("[]", "[1]", "empty", ""),
        ("{'a': 1}", "{'a': 1, 'b': 2}", "missing", "the key `'b'` is missing"),
        ("{'a': 1, 'b': 2}", "{'a': 1}", "extra", "the key `'b'` is too much"),
        ("{'a': 1, 'b': 2}", "{'a': 1, 'b': 3}", "off-by-one", "only `['b']` differs"),
        ("{1, 2}", "{2, 3}", "element", "`3` is missing, `1` is too much"),
        ("'abc '", "'abc'", "whitespace", "at the end is too much"),
        ("'abc'", "' abc'", "whitespace", "at the start is missing"),
        ("'ABC'", "'abc'", "case", "upper and lower"),
        ("'abc'", "'abcdef'", "prefix", "`'def'` is missing at the end"),
        ("'abcdef'", "'abc'", "extra", "`'def'` is too much at the end"),
        ("'cba'", "'abc'", "order", "reversed"),
        ("'a-c'", "'a_c'", "text", "`'-'` instead of `'_'`"),
        ("'e\\u0301'", "'\\xe9'", "unicode", "look alike"),
        ("Cart(items=[1], total=3)", "Cart(items=[1], total=4)", "off-by-one", "only `total` differs"),
        ("Color.RED", "'red'", "type", "instead of"),
        ("Left(x=1)", "Right(x=1)", "type", "`Left`, not `Right`"),
    ],
)
def test_names_the_difference(came, wanted, kind, text):
    found = difference(came, wanted)
    assert found is not None
    assert found.kind == kind
    assert text in found.text


@pytest.mark.parametrize("came", ["[1, ... +92 more]", "<object>", "'a'...'b'", "(" * 500])
def test_says_nothing_of_values_it_cannot_see(came):
    assert difference(came, "[1]") is None


def test_uses_what_pytest_says_of_long_values():
    found = difference("[1, ...]", "[2, ...]", ("At index 7 diff: 4 != 5",))
    assert found is not None
    assert found.kind == "off-by-one"
    assert "`[7]`" in found.text


def test_is_fast_on_large_projects():
    body = "".join(
        f"def function_{number}(a, b):\n    c = a + b\n    return c * {number}\n" for number in range(300)
    )
    sources = {
        f"pkg/m{number}.py": Source(path=f"pkg/m{number}.py", module=f"pkg.m{number}", content=body.encode())
        for number in range(60)
    }
    for source in sources.values():
        assert source.tree
    sources |= SOURCES
    failure = Failure(
        test=f"{TEST}::test_a",
        phase="call",
        error_type="AssertionError",
        message="",
        frames=(Frame(path=TEST, line=2, function="test_a", project=True),),
        comparison=Comparison(operator="==", left="1", right="3"),
    )
    fault = Fault(id="f1", tests=(failure.test,))
    started = time.process_time()
    explain(fault, (failure,), spectrum=Spectrum(executions=()), sources=sources)
    assert time.process_time() - started < 0.2
