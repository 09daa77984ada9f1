"""Hand-made scenes of the watch loop, for tests of the screen and for looking at it."""

from dataclasses import replace

from buddy_watch.values import RedTest, Scene, Standing
from pytest_buddy.domain import (
    Diagnosis,
    Edit,
    Explanation,
    Failure,
    Fault,
    Patch,
    Proposal,
    Search,
    Suspect,
    Timing,
    Verdict,
)
from pytest_buddy.source import Source

CART = '''\
"""The cart of a small shop."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    name: str
    price: int
    count: int = 1


def subtotal(items):
    """The sum of all items, in cents."""
    return sum(item.price * item.count for item in items)


def discounted(items, percent):
    """The subtotal after a discount, never below zero."""
    total = subtotal(items)
    reduction = total * percent // 10
    return max(0, total - reduction)


def shipping(total, limit=5000):
    """Shipping is free from the limit on."""
    if total > limit:
        return 0
    return 490
'''
HIGH = "tests/test_cart.py::test_ten_percent_off"
EDGE = "tests/test_cart.py::test_discount_of_an_empty_cart[half]"
FREE = "tests/test_cart.py::TestShipping::test_is_free_at_the_limit"
SOURCES = {"shop/cart.py": Source(path="shop/cart.py", module="shop.cart", content=CART.encode())}

_DISCOUNT = """\
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -18,7 +18,7 @@
 def discounted(items, percent):
     \"\"\"The subtotal after a discount, never below zero.\"\"\"
     total = subtotal(items)
-    reduction = total * percent // 10
+    reduction = total * percent // 100
     return max(0, total - reduction)
\x20
\x20
"""
_LIMIT = """\
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -25,6 +25,6 @@
 def shipping(total, limit=5000):
     \"\"\"Shipping is free from the limit on.\"\"\"
-    if total > limit:
+    if total >= limit:
         return 0
     return 490
"""


def _suspect(line: int, function: str, rank: int, *evidence: str) -> Suspect:
    return Suspect(
        path="shop/cart.py",
        line=line,
        end_line=line,
        function=function,
        score=1 / rank,
        rank=rank,
        evidence=evidence,
    )


def proposal(diff: str, start: int, *tests: str) -> Proposal:
    edit = Edit(path="shop/cart.py", digest="0" * 64, start=start, end=start + 2, replacement=b"100")
    return Proposal(
        patch=Patch(
            edits=(edit,), origin="template:literal", rationale=("percentages are parts of a hundred",)
        ),
        diff=diff,
        verdict=Verdict(outcome="fixed", fixed=tests, ran=14, confirmed=True, sandbox="full", seconds=0.6),
        changed_lines=1,
    )


DISCOUNT_FIX = proposal(_DISCOUNT, 400, HIGH, EDGE)
DISCOUNT = Fault(
    id="f1",
    tests=(HIGH, EDGE),
    suspects=(
        _suspect(
            21,
            "shop.cart.discounted",
            1,
            "run by 2 of 2 failing and 1 of 9 passing tests",
            "its value is the wrong one",
        ),
        _suspect(22, "shop.cart.discounted", 2, "run by 2 of 2 failing and 1 of 9 passing tests"),
        _suspect(15, "shop.cart.subtotal", 3, "run by 2 of 2 failing and 6 of 9 passing tests"),
    ),
    explanation=Explanation(
        bullets=(
            "`discounted(items, 10)` returned 0, the test expected 900",
            "line 21 gave `reduction` = 1000 with total = 1000 and percent = 10: all of the total",
            "`max(0, total - reduction)` hid that the reduction was too large",
            "the one passing test of this function has a discount of 0, where any divisor gives the same",
        )
    ),
    proposals=(DISCOUNT_FIX,),
    search=Search(candidates=214, validated=96, seconds=0.9, stopped="found", also_passing=1),
)
LIMIT = Fault(
    id="f2",
    tests=(FREE,),
    suspects=(_suspect(27, "shop.cart.shipping", 1, "run by 1 of 1 failing and 3 of 3 passing tests"),),
    explanation=Explanation(
        bullets=(
            "`shipping(5000)` returned 490, the test expected 0",
            "line 27 compared total = 5000 with limit = 5000, and `>` is false for equal numbers",
            "in the passing tests total is not equal to the limit",
            "the docstring says `from the limit on`",
        )
    ),
    proposals=(proposal(_LIMIT, 500, FREE),),
    search=Search(candidates=31, validated=20, seconds=0.3, stopped="found"),
)
FAILURES = (
    Failure(test=HIGH, phase="call", error_type="AssertionError", message="assert 0 == 900"),
    Failure(test=EDGE, phase="call", error_type="AssertionError", message="assert 0 == 50"),
    Failure(test=FREE, phase="call", error_type="AssertionError", message="assert 490 == 0"),
)
RED = tuple(RedTest(test=failure.test, status="failed", message=failure.message) for failure in FAILURES)

GREEN = Scene(
    project="shop",
    standing=Standing(state="warm"),
    state="idle",
    run=7,
    selected=3,
    known=14,
    done=3,
    passed=14,
    seconds=0.041,
    why="changed shop/cart.py",
    sources=SOURCES,
)
ONE = replace(GREEN, failed=2, passed=12, red=RED[:2])
TWO = replace(GREEN, failed=3, passed=11, red=RED, selected=8)


def _diagnosis(*faults: Fault) -> Diagnosis:
    return Diagnosis(
        failures=FAILURES,
        faults=faults,
        failed=sum(len(fault.tests) for fault in faults),
        sandbox="full",
        timing=Timing(collect=0.2, localize=0.1, propose=0.9, total=1.2),
    )


_SEARCHED = replace(DISCOUNT, proposals=(), search=None)
_EXHAUSTED = replace(
    DISCOUNT,
    proposals=(),
    search=Search(candidates=214, validated=214, seconds=2.2, stopped="exhausted"),
)
_LONG_DIFF = "--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1,60 +1,60 @@\n" + "".join(
    f"-    price_{number} = {number}\n+    price_{number} = {number} * 100\n" for number in range(60)
)
_OUTPUT = """\
ImportError while loading conftest 'tests/conftest.py'.
tests/conftest.py:3: in <module>
    from shop import stock
shop/stock.py:9: in <module>
    from shop.cart import Basket
E   ImportError: cannot import name 'Basket' from 'shop.cart' (shop/cart.py)
"""

SCENES: dict[str, Scene] = {
    "starting": Scene(project="shop", standing=Standing(state="starting")),
    "green": GREEN,
    "green_partly": replace(GREEN, known=540, passed=41, skipped=2, background="43 of 540"),
    "running": replace(
        GREEN, state="running", selected=12, done=7, passed=7, why="changed shop/cart.py, shop/stock.py"
    ),
    "running_red": replace(ONE, state="running", selected=12, done=7),
    "red": replace(TWO, progress="running the failing tests again"),
    "searching": replace(
        ONE, diagnosis=_diagnosis(_SEARCHED), progress="trying fixes for f1 · 128 tried · 0 pass · 0.4 s"
    ),
    "fixed": replace(ONE, diagnosis=_diagnosis(DISCOUNT)),
    "explained": replace(ONE, diagnosis=_diagnosis(DISCOUNT), explained=True),
    "applied": replace(
        ONE,
        diagnosis=_diagnosis(DISCOUNT),
        statuses={DISCOUNT_FIX.patch.id: "applied"},
        message="applied to shop/cart.py: u takes it back",
    ),
    "no_fix": replace(ONE, diagnosis=_diagnosis(_EXHAUSTED)),
    "two_faults": replace(
        TWO,
        diagnosis=_diagnosis(DISCOUNT, LIMIT),
        focus=1,
        red=(*RED, RedTest(test="tests/test_stock.py::test_count", status="error", message="KeyError: 'x'")),
        failed=4,
    ),
    "long_diff": replace(
        ONE, diagnosis=_diagnosis(replace(DISCOUNT, proposals=(proposal(_LONG_DIFF, 1, HIGH, EDGE),)))
    ),
    "broken": replace(
        GREEN,
        state="broken",
        standing=Standing(state="broken", reason="tests/conftest.py cannot be imported"),
        output=_OUTPUT,
        passed=0,
    ),
    "cold": replace(
        GREEN,
        standing=Standing(state="cold", reason="pytest-xdist runs tests in processes of its own"),
        seconds=1.31,
    ),
    "filtered": replace(
        ONE,
        failed_only=True,
        paused=True,
        path_filter="tests/test_cart.py",
        keyword="discount and not slow",
        background="paused",
    ),
    "asking": replace(ONE, asking=("keyword", "discount and no")),
    "help": replace(GREEN, help=True),
    "noted": replace(
        GREEN,
        notices=(
            "the limit of watched files is reached: looking every second instead\n"
            "Raise fs.inotify.max_user_watches.",
        ),
    ),
}
