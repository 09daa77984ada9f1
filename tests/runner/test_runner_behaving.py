"""What patches do with inputs that no test gives: recorded calls, and variants of them."""

import datetime
import enum

import pytest

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.runner import Launcher, Runner, probe
from pytest_buddy.runner.likeness import likeness
from pytest_buddy.runner.variants import variants
from pytest_buddy.workspace import Workspace

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "cart.py": """\
import random
import time


class Cart:
    def __init__(self, prices):
        self.prices = prices

    def cheapest(self):
        return min(self.prices) + 1

    def drop(self):
        self.prices.pop()


def total(prices, fee=1):
    return sum(prices) - fee


def drawn(numbers):
    return random.random() + len(numbers)


def countdown(number):
    while number != 0:
        number -= 1
    return number


def even(numbers):
    for number in numbers:
        if number % 2:
            yield number


def asleep(seconds):
    time.sleep(seconds)
    return seconds + 1


def twice(prices):
    return total(prices) + total(prices)
""",
    "test_cart.py": """\
from cart import *


def test_total():
    prices = [3, 4]
    assert total(prices) == 8


def test_green():
    assert total([1]) == 0


def test_cheapest():
    assert Cart([3, 2]).cheapest() == 2


def test_drop():
    cart = Cart([3, 2])
    cart.drop()
    assert cart.prices == []


def test_drawn():
    assert drawn([1]) == 0


def test_countdown():
    assert countdown(3) == 1


def test_even():
    assert list(even([1, 2])) == [2]


def test_asleep(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert asleep(60) == 60


def test_twice():
    assert twice([1, 1]) == 4
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("cart")
    for name, text in FILES.items():
        (root / name).write_text(text)
    return Workspace(root)


@pytest.fixture(scope="module")
def runner(project):
    launcher = Launcher(
        workspace=project,
        cwd=project.root,
        confinement=probe(project, wanted="auto"),
        args=("-c", str(project.root / "pytest.ini")),
    )
    with Runner(launcher, ["test_cart.py"], jobs=2) as running:
        running.wait_ready(60.0)
        yield running


def patch(project, old, new):
    source = project.source("cart.py")
    start = source.content.index(old.encode())
    edit = Edit(
        path="cart.py",
        digest=source.digest,
        start=start,
        end=start + len(old.encode()),
        replacement=new.encode(),
    )
    return Patch(edits=(edit,), origin="template:here")


def line(text):
    return FILES["cart.py"][: FILES["cart.py"].index(text)].count("\n") + 1


def behaviour(runner, patches, tests, *texts):
    """What each patch (None is the program as it is) does: patch -> call -> result."""
    answers = runner.behave(
        patches,
        [(f"test_cart.py::{name}", name == "test_green") for name in tests],
        {"cart.py": [line(text) for text in texts]},
        cpu=1.0,
        wall=5.0,
    )
    return {one.id if one else None: {item.call: item for item in seen} for one, seen in answers}


def results(seen):
    return {call: item.result for call, item in seen.items()}


def test_recorded_calls_and_variants_of_them(runner, project):
    plus = patch(project, "sum(prices) - fee", "sum(prices) + fee")
    guarded = patch(project, "return sum(prices) - fee", "return sum(prices) + fee if prices else 0")
    seen = behaviour(runner, [None, plus, guarded], ["test_total", "test_green"], "return sum")
    assert len(seen) == 3
    assert results(seen[None])["total([3, 4])"] == "returns 6"
    assert results(seen[plus.id])["total([3, 4])"] == "returns 8"
    assert results(seen[guarded.id])["total([])"] == "returns 0"
    assert results(seen[plus.id])["total([])"] == "returns 1"
    assert results(seen[plus.id])["total([3, 4], 0)"] == "returns 7"
    assert results(seen[plus.id])["total([3])"] == "returns 4"
    different = [call for call in seen[plus.id] if seen[plus.id][call].mark != seen[guarded.id][call].mark]
    assert different == ["total([])"]
    assert seen[None]["total([1])"].green
    assert not seen[None]["total([1])"].varied
    assert not seen[None]["total([3, 4])"].green
    assert len(seen[None]) <= 32
    assert len({item.key for item in seen[None].values()}) == len(seen[None])


def test_the_same_again_is_the_same(runner, project):
    plus = patch(project, "sum(prices) - fee", "sum(prices) + fee")
    first, second = (behaviour(runner, [plus], ["test_total"], "return sum") for _ in range(2))
    assert first == second


def test_methods_with_objects_made_empty(runner, project):
    right = patch(project, "min(self.prices) + 1", "min(self.prices)")
    seen = results(behaviour(runner, [right], ["test_cheapest"], "return min")[right.id])
    assert seen["Cart(prices=[3, 2]).cheapest()"] == "returns 2"
    assert seen["Cart(prices=[]).cheapest()"] == "raises ValueError"


def test_a_method_that_changes_its_object(runner, project):
    cleared = patch(project, "self.prices.pop()", "self.prices.clear()")
    seen = behaviour(runner, [None, cleared], ["test_drop"], "self.prices.pop")
    call = "Cart(prices=[3, 2]).drop()"
    assert seen[None][call].result == "leaves Cart(prices=[3])"
    assert seen[cleared.id][call].result == "leaves Cart(prices=[])"
    assert seen[None][call].mark != seen[cleared.id][call].mark


def test_an_answer_that_is_never_the_same_is_left_out(runner):
    assert behaviour(runner, [None], ["test_drawn"], "return random") == {None: {}}


def test_what_does_not_end_is_an_answer_too(runner):
    seen = results(behaviour(runner, [None], ["test_countdown"], "while number")[None])
    assert seen["countdown(3)"] == "returns 0"
    assert seen["countdown(-3)"] == "does not end"


def test_what_sleeps_is_no_answer(runner):
    assert "asleep(60)" not in behaviour(runner, [None], ["test_asleep"], "time.sleep")[None]


def test_generators_are_drained(runner):
    seen = results(behaviour(runner, [None], ["test_even"], "if number % 2")[None])
    assert seen["even([1, 2])"] == "returns [1]"


def test_calls_from_within_a_recorded_one_are_part_of_it(runner):
    seen = behaviour(runner, [None], ["test_twice"], "return sum", "return total")[None]
    assert seen
    assert all(call.startswith("twice(") for call in seen)


def test_a_default_value_is_imported_anew_and_compared_by_the_same_inputs(runner, project):
    free = patch(project, "fee=1", "fee=-1")
    (trial,) = runner.trials([free], ["test_cart.py::test_total"], cpu=2.0)
    assert trial.green
    seen = behaviour(runner, [None, free], ["test_total"], "return sum")
    call = "total([3, 4])"
    assert seen[None][call].key == seen[free.id][call].key
    assert seen[free.id][call].result == "returns 8"


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Box:
    def __init__(self, content):
        self.content = content


@pytest.mark.parametrize(
    ("value", "simplest"),
    [
        ([1, 2], []),
        ("ab", ""),
        ((1,), ()),
        ({"a": 1}, {}),
        ({1}, set()),
        (5, 0),
        (1.5, 0.0),
        (True, False),
        (Colour.RED, Colour.BLUE),
        (datetime.date(2024, 2, 28), datetime.date(2024, 2, 29)),
    ],
)
def test_the_simplest_variant_comes_first(value, simplest):
    found = list(variants(value))
    assert found[0] == simplest
    assert value not in found


def test_numbers_at_the_limits_of_the_code():
    assert {9, 10, 11} <= set(variants(3, (10,)))


def test_things_without_variants():
    assert not [item for value in (None, [], object(), Box) for item in variants(value)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({1, 2, 3}, {3, 2, 1}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (0.1 + 0.2, 0.3),
        (1, 1.0),
        (Box([1]), Box([1])),
        (object(), object()),
    ],
)
def test_alike(one, other):
    assert likeness(one) == likeness(other)


def test_cycles_end():
    loop = []
    loop.append(loop)
    assert likeness(loop) == likeness(loop)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 2), ([], ()), ("1", 1), (None, False), (Box([1]), Box([2])), ([1, 2], [2, 1]), (Box, Colour)],
)
def test_not_alike(one, other):
    assert likeness(one) != likeness(other)
