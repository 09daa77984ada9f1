"""Which tests are owed a run, and what a verdict pays."""

from buddy_watch.board import Board, Filters
from buddy_watch.values import Collected, Ran, Selection
from pytest_buddy.domain import Failure

A, B, C = "tests/test_a.py::test_a", "tests/test_a.py::test_b", "tests/test_c.py::test_c"
ANY = Filters()


def board_with(**statuses):
    board = Board()
    board.remember({A: "passed", B: "passed", C: "passed", **statuses})
    return board


def failed(test, run=1):
    failure = Failure(test=test, phase="call", error_type="builtins.ValueError", message="no\nmore")
    return Ran(run=run, test=test, status="failed", failure=failure)


def test_nothing_owed_asks_for_nothing():
    assert board_with().request(1, ANY) is None
    assert not board_with().owing


def test_a_change_is_owed_until_its_verdicts_are_in():
    board = board_with()
    board.owe(Selection(tests=frozenset({A, B}), why="changed:pkg.py"))
    request = board.request(1, ANY)
    assert request.tests == {A, B}
    board.ran(Ran(run=1, test=A, status="passed"), generation=board.generation)
    assert board.request(2, ANY).tests == {B}, "the run was cut short here"
    board.over(request)
    assert board.request(3, ANY) is None


def test_two_changes_add_up_when_the_first_run_was_cancelled():
    board = board_with()
    board.owe(Selection(tests=frozenset({A})))
    board.request(1, ANY)
    board.owe(Selection(tests=frozenset({C})))
    assert board.request(2, ANY).tests == {A, C}


def test_failing_tests_come_first_and_are_listed_with_their_first_line():
    board = board_with()
    board.ran(failed(B), generation=0)
    board.owe(Selection(tests=frozenset({A})))
    assert board.request(1, ANY).first == (B,)
    (listed,) = board.listed()
    assert (listed.test, listed.message, listed.stale) == (B, "ValueError: no", False)


def test_a_red_verdict_is_stale_as_soon_as_the_test_is_owed():
    board = board_with()
    board.ran(failed(B), generation=0)
    board.owe(Selection(files=frozenset({"tests/test_a.py"})))
    assert board.listed()[0].stale


def test_failed_only_leaves_the_others_owed():
    board = board_with()
    board.ran(failed(B), generation=0)
    board.owe(Selection(tests=frozenset({A, B})))
    only = Filters(failed_only=True)
    request = board.request(1, only)
    assert request.tests == {B}
    board.ran(Ran(run=1, test=B, status="passed"), generation=1)
    board.over(request)
    assert board.request(2, only) is None
    assert board.request(3, ANY).tests == {A}


def test_a_path_filter_takes_globs_and_parts():
    board = board_with()
    board.owe(Selection(everything=True))
    assert board.request(1, Filters(paths="test_c")).tests == {C}
    assert board.request(1, Filters(paths="tests/test_a*")).tests == {A, B}
    assert board.request(1, ANY).everything


def test_what_a_keyword_left_out_is_held_and_released():
    board = board_with()
    board.owe(Selection(tests=frozenset({A, B})))
    request = board.request(1, Filters(keyword="test_a"))
    board.collected(request, Collected(run=1, tests=(A,), seen=(A, B)))
    board.ran(Ran(run=1, test=A, status="passed"), generation=1)
    board.over(request)
    assert board.request(2, ANY) is None
    board.release()
    assert board.request(3, ANY).tests == {B}


def test_tests_that_are_gone_are_forgotten():
    board = board_with()
    board.owe(Selection(files=frozenset({"tests/test_a.py"})))
    request = board.request(1, ANY)
    board.collected(request, Collected(run=1, tests=(A,), seen=(A,)))
    assert B not in board.statuses
    assert C in board.statuses


def test_the_rest_is_what_has_no_verdict_since_the_last_change_oldest_first():
    board = board_with()
    board.owe(Selection(tests=frozenset({A})))
    board.ran(Ran(run=1, test=A, status="passed"), generation=1)
    board.ran(Ran(run=1, test=C, status="passed"), generation=0)
    rest = board.rest(2, ANY)
    assert rest.first == (B, C)
    assert rest.background
    for test in (B, C):
        board.ran(Ran(run=2, test=test, status="passed"), generation=1)
    assert board.rest(3, ANY) is None


def test_a_collection_error_is_over_when_the_file_has_tests_again():
    board = Board()
    board.ran(Ran(run=1, test="tests/test_a.py", status="error"), generation=0)
    assert board.red == ("tests/test_a.py",)
    board.ran(Ran(run=2, test=A, status="passed"), generation=1)
    assert board.red == ()


def test_the_baseline_holds_all_verdicts_and_the_details_of_red_ones():
    board = board_with()
    board.ran(failed(B), generation=0)
    baseline = board.baseline(("-q",))
    assert [outcome.status for outcome in baseline.outcomes if outcome.test == B] == ["failed"]
    assert [failure.test for failure in baseline.failures] == [B]
    assert baseline.args == ("-q",)


def test_what_pytest_was_not_called_for_never_runs():
    board = board_with()
    board.owe(Selection(tests=frozenset({A, C}), files=frozenset({"tests/test_c.py"})))
    request = board.request(1, Filters(scope=("tests/test_a.py",)))
    assert (request.tests, request.files) == ({A}, frozenset())
    assert board.request(1, Filters(scope=("tests",))).tests == {A, C}
    assert board.request(1, Filters(scope=("test*/test_c.py",))).tests == {C}
    assert board.request(1, Filters(scope=("tests/test_a.py::test_b",))) is None
    assert board.request(1, Filters(scope=("elsewhere",))) is None
