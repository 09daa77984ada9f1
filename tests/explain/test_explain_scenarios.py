"""Small faulty programs and what is said about each, compared with the files in golden/."""

import importlib.util
import os
from pathlib import Path

import pytest

from pytest_buddy.domain import Change

HERE = Path(__file__).parent
_SPEC = importlib.util.spec_from_file_location("explain_laboratory", HERE / "laboratory.py")
assert _SPEC is not None
assert _SPEC.loader is not None
laboratory = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(laboratory)

P = "shop/core.py"


def scenario(name, code, test, *lines, changes=(), **options):
    """One faulty module, its tests, and the suspicious lines, the most suspicious first."""
    return pytest.param(code, test, lines, changes, options, id=name)


IMPORT = "from shop.core import *\n"

SCENARIOS = [
    scenario(
        "returns_the_wrong_variable",
        """def clamp(x, low, high):
    if x < low:
        return low
    if x > high:
        return x
    return x
""",
        """def test_within():
    assert clamp(5, 0, 10) == 5
def test_low():
    assert clamp(-5, 0, 10) == 0
def test_high():
    assert clamp(11, 0, 10) == 10
""",
        5,
    ),
    scenario(
        "boundary",
        """def is_adult(age):
    limit = 18
    return age > limit
""",
        """def test_child():
    assert not is_adult(3)
def test_old():
    assert is_adult(40)
def test_just():
    assert is_adult(18)
""",
        3,
        changes=(
            Change(path=P, lines=(3,), removed=("    return age >= limit",), label="abc1234 Tidy up ages"),
        ),
    ),
    scenario(
        "range_one_short",
        """def total(n):
    result = 0
    for i in range(1, n):
        result += i
    return result
""",
        """def test_nothing():
    assert total(0) == 0
def test_two():
    assert total(1) == 1
""",
        3,
        4,
    ),
    scenario(
        "sign_flipped",
        """def difference(a, b):
    return b - a
""",
        """def test_same():
    assert difference(2, 2) == 0
def test_more():
    result = difference(7, 2)
    assert result == 5
""",
        2,
        changes=(Change(path=P, lines=(2,), removed=("    return a - b",), label="not committed"),),
    ),
    scenario(
        "nothing_returned",
        """def find(items, wanted):
    for item in items:
        if item == wanted:
            return item
""",
        """def test_there():
    assert find([1, 2], 2) == 2
def test_absent():
    assert find([1, 2], 3) == -1
""",
        2,
        3,
    ),
    scenario(
        "order_reversed",
        """def ranking(scores):
    return sorted(scores)
""",
        """def test_one():
    assert ranking([1]) == [1]
def test_more():
    assert ranking([1, 3, 2]) == [3, 2, 1]
""",
        2,
    ),
    scenario(
        "missing_last_element",
        """def pages(items, size):
    found = []
    for at in range(0, len(items) - 1, size):
        found.append(items[at : at + size])
    return found
""",
        """def test_even():
    assert pages([1, 2, 3, 4], 2) == [[1, 2], [3, 4]]
def test_odd():
    assert pages([1, 2, 3], 2) == [[1, 2], [3]]
""",
        3,
    ),
    scenario(
        "missing_key",
        """def summary(row):
    result = {"name": row["name"]}
    if row.get("price") is None:
        result["price"] = 0
    return result
""",
        """def test_free():
    assert summary({"name": "a"}) == {"name": "a", "price": 0}
def test_paid():
    assert summary({"name": "a", "price": 3}) == {"name": "a", "price": 3}
""",
        3,
    ),
    scenario(
        "white_space",
        """def title(text):
    return text.replace("_", " ").title()
""",
        """def test_plain():
    assert title("a_b") == "A B"
def test_padded():
    assert title("a_b_") == "A B"
""",
        2,
    ),
    scenario(
        "float_rounding",
        """def mean(values):
    return sum(values) / len(values)
""",
        """def test_whole():
    assert mean([1, 3]) == 2
def test_tenths():
    assert mean([0.1, 0.2]) == 0.15
""",
        2,
    ),
    scenario(
        "empty_list",
        """def mean(values):
    return sum(values) / len(values)
""",
        """def test_whole():
    assert mean([1, 3]) == 2
def test_empty():
    assert mean([]) == 0
def test_empty_tuple():
    assert mean([]) == 0.0
""",
        2,
    ),
    scenario(
        "key_misspelt",
        """def address(config):
    return config["host"] + ":" + config["prot"]
""",
        """def test_address():
    assert address({"host": "localhost", "port": "80"}) == "localhost:80"
""",
        2,
    ),
    scenario(
        "index_past_the_end",
        """def pairs(items):
    found = []
    for i in range(len(items)):
        found.append((items[i], items[i + 1]))
    return found
""",
        """def test_none():
    assert pairs([]) == []
def test_three():
    assert pairs([1, 2, 3]) == [(1, 2), (2, 3)]
""",
        4,
        3,
    ),
    scenario(
        "none_attribute",
        """class User:
    def __init__(self, name):
        self.name = name

USERS = {"ann": User("Ann")}

def lookup(key):
    if key in USERS:
        return USERS[key]

def greet(key):
    user = lookup(key)
    return "Hello " + user.name
""",
        """def test_known():
    assert greet("ann") == "Hello Ann"
def test_unknown():
    assert greet("bob") == "Hello stranger"
""",
        13,
        8,
    ),
    scenario(
        "attribute_misspelt",
        """class Cart:
    def __init__(self):
        self.items = []

    def total(self):
        return sum(self.item)
""",
        """def test_total():
    cart = Cart()
    assert cart.total() == 0
""",
        6,
    ),
    scenario(
        "name_misspelt",
        """def area(width, height):
    result = width * height
    return resutl
""",
        """def test_area():
    assert area(2, 3) == 6
""",
        3,
    ),
    scenario(
        "unbound_variable",
        """def sign(n):
    if n > 0:
        word = "plus"
    elif n < 0:
        word = "minus"
    return word
""",
        """def test_plus():
    assert sign(3) == "plus"
def test_zero():
    assert sign(0) == "zero"
""",
        6,
        4,
    ),
    scenario(
        "text_and_number",
        """def label(count):
    text = "count: "
    return count + text
""",
        """def test_label():
    assert label(3) == "count: 3"
""",
        3,
    ),
    scenario(
        "too_many_arguments",
        """def area(width, height):
    return width * height

def room(width, height, level):
    return area(width, height, level)
""",
        """def test_area():
    assert area(2, 3) == 6
def test_room():
    assert room(2, 3, 1) == 6
""",
        5,
    ),
    scenario(
        "endless_recursion",
        """def countdown(n):
    if n == 0:
        return []
    return [n, *countdown(n)]
""",
        """def test_zero():
    assert countdown(0) == []
def test_three():
    import sys
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(120)
    try:
        assert countdown(3) == [3, 2, 1]
    finally:
        sys.setrecursionlimit(limit)
""",
        4,
        2,
    ),
    scenario(
        "did_not_raise",
        """def withdraw(balance, amount):
    if amount > balance:
        raise ValueError("too much")
    return balance - amount
""",
        """def test_much():
    with raises(ValueError):
        withdraw(1, 2)
def test_negative():
    with raises(ValueError):
        withdraw(1, -2)
""",
        2,
    ),
    scenario(
        "never_raises",
        """def parse(text):
    return text.strip()
""",
        """def test_parse():
    assert parse(" a") == "a"
def test_empty():
    with raises(ValueError):
        parse("")
""",
        2,
    ),
    scenario(
        "chained_exception",
        """class ConfigError(Exception):
    pass

def port(config):
    try:
        return int(config["port"])
    except ValueError as error:
        raise ConfigError("port is no number") from error
""",
        """def test_port():
    assert port({"port": "80"}) == 80
def test_padded():
    assert port({"port": "8o"}) == 80
""",
        8,
        6,
    ),
    scenario(
        "shared_default",
        """def collect(item, found=[]):
    found.append(item)
    return found
""",
        """def test_first():
    assert collect(1) == [1]
def test_second():
    assert collect(2) == [2]
""",
        2,
        3,
    ),
    scenario(
        "membership",
        """def words(text):
    return text.split(",")
""",
        """def test_two():
    assert "b" in words("a,b")
def test_spaced():
    assert "b" in words("a, b")
""",
        2,
    ),
    scenario(
        "cases_of_one_test",
        """def leap(year):
    return year % 4 == 0
""",
        """def test_leap(year):
    assert leap(year) == (year in (2000, 2024))
test_leap.cases = (1900, 2000, 2023, 2024, 2100)
""",
        2,
    ),
    scenario(
        "dataclass_field",
        """from dataclasses import dataclass

@dataclass
class Point:
    x: int
    y: int

def mirrored(point):
    return Point(x=point.x, y=-point.x)
""",
        """def test_origin():
    assert mirrored(Point(0, 0)) == Point(0, 0)
def test_right():
    assert mirrored(Point(1, 2)) == Point(1, -2)
""",
        9,
    ),
    scenario(
        "upper_and_lower_case",
        """def slug(text):
    return text.replace(" ", "-")
""",
        """def test_plain():
    assert slug("a b") == "a-b"
def test_capital():
    assert slug("A b") == "a-b"
""",
        2,
    ),
    scenario(
        "number_as_text",
        """def age(row):
    return row.split(";")[1]
""",
        """def test_age():
    assert age("ann;42") == 42
""",
        2,
    ),
    scenario(
        "library_call",
        """import json

def load(text):
    return json.loads(text)
""",
        """def test_load():
    assert load("{}") == {}
def test_empty():
    assert load("") == {}
""",
        4,
    ),
    scenario(
        "coroutine_not_awaited",
        """async def fetch(key):
    return key.upper()
""",
        """def test_fetch():
    value = fetch("a")
    try:
        assert value == "A"
    finally:
        value.close()
""",
        2,
    ),
    scenario(
        "unpacking",
        """def parse(line):
    key, value = line.split("=")
    return key, value
""",
        """def test_plain():
    assert parse("a=b") == ("a", "b")
def test_twice():
    assert parse("a=b=c") == ("a", "b=c")
""",
        2,
    ),
    scenario(
        "no_suspects_at_all",
        """def double(n):
    return n + n + 1
""",
        """def test_double():
    assert double(3) == 6
""",
    ),
]


@pytest.mark.parametrize(("code", "test", "lines", "changes", "options"), SCENARIOS)
def test_explains(code, test, lines, changes, options, request):
    watch = tuple((P, line) for line in lines[:1])
    lab = laboratory.Laboratory({P: code}, IMPORT + test, watch=watch)
    explanation = lab.explain(suspects=[(P, line) for line in lines], changes=changes, **options)
    golden = HERE / "golden" / f"{request.node.callspec.id}.txt"
    text = "".join(f"- {bullet}\n" for bullet in explanation.bullets)
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert all(len(bullet) <= 200 for bullet in explanation.bullets)
