"""What the recorder keeps of a run, seen from a plugin that hands it out at the end."""

import json
from pathlib import Path

import pytest

from pytest_buddy.codec import decode
from pytest_buddy.domain import Baseline, Comparison, Failure
from pytest_buddy.testing import Project

WATCH = """\
import json, sys
from pathlib import Path
from pytest_buddy.capture import Recorder, WorkerRecorder


def pytest_configure(config):
    kind = WorkerRecorder if hasattr(config, "workerinput") else Recorder
    config.pluginmanager.register(kind(config.rootpath), "watched")


def pytest_unconfigure(config):
    if hasattr(config, "workerinput"):
        return
    loaded = sorted(name for name in sys.modules if name.startswith("pytest_buddy."))
    watched = config.pluginmanager.get_plugin("watched")
    baseline = watched.baseline((), seconds=1.0)
    from pytest_buddy.codec import encode

    told = {"baseline": encode(baseline), "loaded": loaded, "problem": watched.problem, "red": watched.red}
    Path(config.rootpath, "told.json").write_text(json.dumps(told))
"""
SHOP = """\
class Basket:
    def __init__(self, prices):
        self.prices = prices

    def total(self, discount=0):
        result = sum(self.prices) - discount
        return checked(result)


def checked(value):
    if value < 0:
        raise ValueError(f"negative: {value}")
    return value


def wrapped(text):
    try:
        return int(text)
    except ValueError as error:
        raise LookupError(f"no number: {text}") from error


def in_passing(text):
    try:
        return int(text)
    except ValueError:
        return {}[text]
"""
TESTS = """\
import logging
import sys
import unittest

import pytest
from shop import Basket, checked, in_passing, wrapped


def test_equal():
    basket = Basket([1, 2])
    assert basket.total() == 4


def test_in():
    names = ["a", "b"]
    assert "c" in names


def test_less_and_more_lines():
    limit = 3
    assert (
        Basket([1, 2]).total()
        < limit
    ), "must be below"


def test_plain():
    basket = Basket([])
    assert basket.prices


def test_approx():
    assert Basket([0.1, 0.2]).total() == pytest.approx(0.4)


def test_deep():
    Basket([1]).total(discount=5)


def test_not_raised():
    with pytest.raises(ValueError, match="negative"):
        checked(1)


def test_chain():
    wrapped("x")


def test_context():
    in_passing("y")


def test_says_things():
    print("to the one side")
    print("to the other", file=sys.stderr)
    logging.getLogger("shop").warning("into the log")
    assert checked(2) == 3


def test_passes_over_a_comparison():
    with pytest.raises(AssertionError):
        assert checked(1) == 2


def test_plain_after_another_tests_comparison():
    assert Basket([]).prices


def test_plain_after_a_caught_comparison():
    try:
        assert checked(1) == 2
    except AssertionError:
        caught = True
    assert not caught


def test_hidden():
    def check(value):
        __tracebackhide__ = True
        assert value == 1

    check(2)


@pytest.mark.parametrize("price", [1, 2], ids=["one", "a b"])
def test_price(price):
    assert Basket([price]).total() == 1


def test_subtests(subtests):
    for price in (1, 2, 3):
        with subtests.test("price", price=price):
            assert Basket([price]).total() == 1


class TestOfClass(unittest.TestCase):
    def test_assert_equal(self):
        self.assertEqual(checked(1), 2)

    def test_assert_in(self):
        self.assertIn(5, [1, 2])

    def test_subtest(self):
        for price in (1, 2):
            with self.subTest(price=price):
                self.assertEqual(checked(price), 1)


@pytest.fixture
def broken():
    raise RuntimeError("in the set-up")


@pytest.fixture
def unclean():
    yield
    raise RuntimeError("in the tear-down")


def test_set_up(broken):
    pass


def test_tear_down(unclean):
    pass


def test_both(unclean):
    assert checked(1) == 2


@pytest.mark.xfail
def test_expected():
    assert checked(1) == 2


@pytest.mark.skip
def test_skipped():
    pass


def test_fine():
    assert checked(1) == 1
"""
BROKEN = "import absent_module\n"


def watched(
    directory: Path, files: dict[str, str], *arguments: str, plugins: tuple[str, ...] = ()
) -> Project:
    project = Project(directory, {"watch.py": WATCH, **files}, plugins=plugins)
    run = project.pytest("-q", "-p", "watch", *arguments)
    assert "INTERNALERROR" not in run.out, run.out
    return project


def told(project: Project) -> Baseline:
    told = json.loads(project.read("told.json"))
    assert told["problem"] == ""
    baseline = decode(Baseline, told["baseline"])
    assert isinstance(baseline, Baseline)
    return baseline


FILES = {"shop.py": SHOP, "test_shop.py": TESTS, "test_broken.py": BROKEN}


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    return told(watched(tmp_path_factory.mktemp("recorded"), FILES, "--continue-on-collection-errors"))


def failure(baseline: Baseline, name: str, phase: str = "call") -> Failure:
    (found,) = (
        item for item in baseline.failures if item.test.rpartition("::")[2] == name and item.phase == phase
    )
    return found


def test_every_test_has_its_outcome_in_order(baseline: Baseline) -> None:
    ended = {outcome.test.rpartition("::")[2]: outcome.status for outcome in baseline.outcomes}
    assert ended["test_fine"] == ended["test_passes_over_a_comparison"] == "passed"
    assert ended["test_skipped"] == "skipped"
    assert ended["test_expected"] == "xfailed"
    assert ended["test_set_up"] == ended["test_tear_down"] == ended["test_broken.py"] == "error"
    assert ended["test_equal"] == "failed"
    names = [outcome.test for outcome in baseline.outcomes]
    assert names.index("test_shop.py::test_equal") < names.index("test_shop.py::test_in")
    assert all(outcome.seconds >= 0 for outcome in baseline.outcomes)


@pytest.mark.parametrize(
    ("name", "operator", "left", "right"),
    [
        ("test_equal", "==", "3", "4"),
        ("test_in", "in", "'c'", "['a', 'b']"),
        ("test_less_and_more_lines", "<", "3", "3"),
        ("test_says_things", "==", "2", "3"),
        ("test_price[a b]", "==", "2", "1"),
        ("test_assert_equal", "==", "1", "2"),
        ("test_assert_in", "in", "5", "[1, 2]"),
        ("test_hidden", "==", "2", "1"),
        ("test_both", "==", "1", "2"),
    ],
)
def test_both_sides_of_a_comparison_are_kept(
    baseline: Baseline, name: str, operator: str, left: str, right: str
) -> None:
    compared = failure(baseline, name).comparison
    assert compared is not None
    assert (compared.operator, compared.left, compared.right) == (operator, left, right)


def test_a_comparison_knows_the_types(baseline: Baseline) -> None:
    assert failure(baseline, "test_in").comparison == Comparison(
        operator="in", left="'c'", right="['a', 'b']", left_type="str", right_type="list"
    )
    approximate = failure(baseline, "test_approx").comparison
    assert approximate is not None
    assert approximate.left.startswith("0.3")
    assert approximate.right_type == "ApproxScalar"


@pytest.mark.parametrize(
    "name",
    [
        "test_plain",
        "test_deep",
        "test_plain_after_a_caught_comparison",
        "test_plain_after_another_tests_comparison",
        "test_not_raised",
    ],
)
def test_no_comparison_is_made_up(baseline: Baseline, name: str) -> None:
    assert failure(baseline, name).comparison is None


def test_frames_run_from_the_test_inwards_with_variables(baseline: Baseline) -> None:
    deep = failure(baseline, "test_deep")
    assert (deep.error_type, deep.message) == ("ValueError", "negative: -4")
    assert [(frame.path, frame.function) for frame in deep.frames] == [
        ("test_shop.py", "test_deep"),
        ("shop.py", "Basket.total"),
        ("shop.py", "checked"),
    ]
    assert all(frame.project for frame in deep.frames)
    assert deep.frames[-1].source == 'raise ValueError(f"negative: {value}")'
    assert deep.frames[-1].line == 12
    values = {item.name: (item.value, item.type) for frame in deep.frames[1:] for item in frame.variables}
    assert values["discount"] == ("5", "int")
    assert values["result"] == values["value"] == ("-4", "int")


def test_frames_that_hide_are_left_out(baseline: Baseline) -> None:
    assert [frame.function for frame in failure(baseline, "test_hidden").frames] == ["test_hidden"]


def test_causes_are_kept(baseline: Baseline) -> None:
    chain = failure(baseline, "test_chain")
    assert chain.error_type == "LookupError"
    (cause,) = chain.causes
    assert cause.error_type == "ValueError"
    assert [frame.function for frame in cause.frames] == ["wrapped"]
    context = failure(baseline, "test_context")
    assert (context.error_type, context.message) == ("KeyError", "'y'")
    assert [cause.error_type for cause in context.causes] == ["ValueError"]


def test_what_was_printed_is_kept_apart(baseline: Baseline) -> None:
    says = failure(baseline, "test_says_things")
    assert says.stdout == "to the one side\n"
    assert says.stderr == "to the other\n"
    assert "into the log" in says.log


def test_phases_are_told_apart(baseline: Baseline) -> None:
    assert failure(baseline, "test_set_up", "setup").message == "in the set-up"
    assert failure(baseline, "test_tear_down", "teardown").message == "in the tear-down"
    assert failure(baseline, "test_both", "teardown").message == "in the tear-down"
    broken = failure(baseline, "test_broken.py", "collect")
    assert broken.error_type in ("ImportError", "ModuleNotFoundError")
    assert "absent_module" in broken.message
    assert broken.frames[-1].path == "test_broken.py"


def test_what_should_have_been_raised(baseline: Baseline) -> None:
    missing = failure(baseline, "test_not_raised")
    assert missing.error_type.endswith("Failed")
    assert "DID NOT RAISE" in missing.message
    assert missing.frames[-1].function == "test_not_raised"


def test_subtests_and_unittest(baseline: Baseline) -> None:
    assert "price" in failure(baseline, "test_subtests").subtest
    equal = failure(baseline, "test_assert_equal")
    assert equal.kind == "unittest"
    assert equal.frames[0].function == "TestOfClass.test_assert_equal"
    assert failure(baseline, "test_subtest").comparison is not None


def test_green_runs_load_nothing_for_failures(tmp_path: Path) -> None:
    project = watched(tmp_path, {"test_green.py": "def test_green():\n    assert 1 == 1\n"})
    seen = json.loads(project.read("told.json"))
    assert seen["loaded"] == ["pytest_buddy.capture", "pytest_buddy.capture.recorder", "pytest_buddy.plugin"]
    assert seen["red"] is False
    assert [item.status for item in told(project).outcomes] == ["passed"]


def test_details_are_kept_up_to_a_cap(tmp_path: Path) -> None:
    many = """\
import pytest


@pytest.mark.parametrize("number", range(500))
def test_many(number):
    assert number == -1
"""
    baseline = told(watched(tmp_path, {"test_many.py": many}, "--tb=no"))
    assert len(baseline.outcomes) == 500
    assert {item.status for item in baseline.outcomes} == {"failed"}
    assert [item.comparison is not None for item in baseline.failures[:200]] == [True] * 200
    assert len(baseline.failures) == 200


def test_details_travel_from_the_workers(baseline: Baseline, tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    apart = told(watched(tmp_path, FILES, "-n", "1", "--continue-on-collection-errors", plugins=("xdist",)))

    def by_place(baseline: Baseline) -> dict[tuple[str, str], tuple[object, ...]]:
        return {
            (item.test, item.phase): (item.error_type, item.comparison, item.frames, item.stdout, item.kind)
            for item in baseline.failures
            if item.phase != "collect"
        }

    assert by_place(apart) == by_place(baseline)
    assert {item.test: item.status for item in apart.outcomes} == {
        item.test: item.status for item in baseline.outcomes
    }


def test_doctests_compare_what_was_wanted_and_got(tmp_path: Path) -> None:
    source = '''\
def double(value):
    """Twice the value.

    >>> double(2)
    4
    """
    return value + value + 1


def half(value):
    """Half of it.

    >>> half("x")
    1
    """
    return value / 2
'''
    baseline = told(watched(tmp_path, {"shop.py": source}, "--doctest-modules", "shop.py"))
    double, half = sorted(baseline.failures, key=lambda item: item.test)
    assert double.kind == half.kind == "doctest"
    assert double.comparison is not None
    assert (double.comparison.left, double.comparison.right) == ("5", "4")
    assert (double.frames[0].path, double.frames[0].line) == ("shop.py", 4)
    assert half.error_type == "TypeError"
    assert half.frames[-1].function == "half"
