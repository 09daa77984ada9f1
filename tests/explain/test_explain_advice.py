"""What is told of changed objects, of whole functions under suspicion, and of values too large to show."""

from pytest_buddy.domain import (
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
from pytest_buddy.source import Source

PATH, TEST = "shop/table.py", "tests/test_table.py"
CODE = """import functools


@functools.cache
def width(text):
    return len(text)


class Table:
    def __getitem__(self, key):
        return self.rows[key]

    def shown(self):
        return self.drawn()
"""
TESTS = """def test_set_again():
    table = Table(3)
    table["a"] = 1
    table["a"] = 2

    assert table["a"] == 2


def test_drawn():
    table = Table(3)
    assert table.shown() == "x"


def test_rows():
    table = Table([3])
    assert len(table.rows) == 1 and table[0] == 4
"""
SOURCES = {
    PATH: Source(path=PATH, module="shop.table", content=CODE.encode()),
    TEST: Source(path=TEST, module="test_table", content=TESTS.encode()),
}


def told(line, *, test_line=6, came="1", wanted="2", observations=(), more=(), passing=()):
    test = f"{TEST}::test_it[1]"
    frame = Frame(path=TEST, line=test_line, function="test_it", project=True)
    failure = Failure(
        test=test,
        phase="call",
        error_type="AssertionError",
        message=f"assert {came} == {wanted}",
        frames=(frame,),
        comparison=Comparison(left=came, operator="==", right=wanted),
    )
    suspect = Suspect(path=PATH, line=line, end_line=line, function="shop.table", score=1.0, rank=1)
    fault = Fault(id="f1", tests=(test, *more), suspects=(suspect,))
    lines = {PATH: frozenset({line})}
    others = (Execution(test=one, failed=False, lines={}) for one in passing)
    spectrum = Spectrum(executions=(Execution(test=test, failed=True, lines=lines), *others))
    return explain(fault, (failure,), spectrum=spectrum, sources=SOURCES, observations=observations).bullets


def test_change_after_the_assignment_is_told():
    first = told(11)[0]
    assert first.startswith('`table["a"]` after `table = Table(3)` and `table["a"] = 2` gave `1`')


def test_nothing_more_is_told_where_nothing_came_between():
    first = told(14, test_line=16, came="3", wanted="4")[0]
    assert first.startswith("`table[0]` after `table = Table([3])` gave `3`, but `4` was expected")


def test_function_under_suspicion_is_to_be_read_whole_not_its_decorator():
    advice = told(4)[-1]
    assert advice == "No single line of `width` stands out: read it from `shop/table.py:4` to line 6."


def seen(value):
    variable = Variable(name="self", value=value, type="Table")
    return (
        Observation(
            test=f"{TEST}::test_it[1]", failed=True, path=PATH, line=14, hits=1, variables=(variable,)
        ),
    )


def test_call_is_not_to_be_worked_out_with_an_object_too_large_to_show():
    advice = told(14, test_line=11, observations=seen("Table(rows=[..., ... +24 more)"))[-1]
    assert advice.startswith(
        "Start at `shop/table.py:14` with `return self.drawn()`, then the rest of `shown`"
    )


def test_call_is_to_be_worked_out_with_values_that_show():
    advice = told(14, test_line=11, observations=seen("Table(3)"))[-1]
    assert advice.startswith("Work out the expression `self.drawn()` at `shop/table.py:14` by hand with")


def test_part_of_a_condition_that_failed_is_told_alone():
    first = told(14, test_line=16, came="0", wanted="1")[0]
    assert first.startswith("`len(table.rows)` gave `0`, but `1` was expected")


def test_failing_tests_that_were_not_compared_are_not_counted_as_passing():
    name = f"{TEST}::test_it"
    bullets = told(11, more=(f"{name}[2]", f"{name}[3]"), passing=(f"{name}[4]",))
    assert "Of 4 cases of `test_it`, 3 fail: `[1]`, `[2]`, `[3]`; the others pass." in bullets
    assert any(
        "is run by the only compared failing test and not by the only passing one" in one for one in bullets
    )
