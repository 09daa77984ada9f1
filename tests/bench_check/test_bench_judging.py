"""A toy package, broken and mended in several ways: the judge tells right from wrong."""

import difflib
import sys
from pathlib import Path

import limited
import packages
import pytest
import real_packages
import replay
from faults import Fault, difference
from judging import commit_all, hold_out
from reading import Offer
from suite import Suite, SuiteRun

TOY = packages.Package(name="toy", version="1", sha256="", sources="toy")
RIGHT = (
    "def clamp(value, low, high):\n    if value > high:\n        return high\n    return max(low, value)\n"
)
BROKEN = RIGHT.replace("return high", "return low")
EQUAL = RIGHT.replace("return high", "return min(high, value)")
OVERFITTED = RIGHT.replace("return high", "return 10")
TESTS = """\
from toy.limits import clamp

def test_ten():
    assert clamp(11, 0, 10) == 10

def test_low():
    assert clamp(-1, 0, 10) == 0
"""
MORE_TESTS = "\ndef test_five():\n    assert clamp(11, 0, 5) == 5\n"


def toy(home: Path, tests: str) -> tuple[packages.Prepared, Suite, SuiteRun]:
    pristine = home / "pristine"
    (pristine / "toy").mkdir(parents=True)
    (pristine / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (pristine / "toy" / "__init__.py").touch()
    (pristine / "toy" / "limits.py").write_text(RIGHT)
    (pristine / "test_limits.py").write_text(tests)
    prepared = packages.Prepared(
        package=TOY, pristine=pristine, work=home / "work", python=Path(sys.executable)
    )
    prepared.reset()
    suite = Suite(root=prepared.work, python=prepared.python, plugins=packages.plugin_directory(home))
    return prepared, suite, suite.run()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


def fault() -> Fault:
    return difference("toy", "1", "toy/limits.py", (RIGHT, BROKEN), "by hand", 0)


def judged(home: Path, tests: str, text: str, unseen: int) -> real_packages.Row:
    prepared, suite, baseline = toy(home, tests)
    assert baseline.complete
    assert not baseline.failed
    diff = "".join(
        difflib.unified_diff(
            BROKEN.splitlines(keepends=True),
            text.splitlines(keepends=True),
            "a/toy/limits.py",
            "b/toy/limits.py",
        )
    )
    offer = Offer(id="x", diff=diff, origin="template:x", changed_lines=1)
    row = real_packages.Row(fault="toy", operator="by hand", seen=1, unseen=unseen)
    return real_packages.judge(row, offer, fault(), prepared, suite, baseline)


def test_the_original_text_is_right(tmp_path: Path) -> None:
    row = judged(tmp_path, TESTS + MORE_TESTS, RIGHT, 1)
    assert (row.fixed, row.right, row.same_program) == (True, True, True)


def test_an_equal_function_is_right_by_the_unseen_tests(tmp_path: Path) -> None:
    row = judged(tmp_path, TESTS + MORE_TESTS, EQUAL, 1)
    assert (row.right, row.same_program) == (True, False)


def test_a_fix_that_pleases_only_the_seen_test_is_wrong(tmp_path: Path) -> None:
    row = judged(tmp_path, TESTS + MORE_TESTS, OVERFITTED, 1)
    assert (row.fixed, row.right) == (True, False)
    assert row.judged_by == "1 tests of the whole suite red"


def test_a_diff_that_git_refuses_is_wrong(tmp_path: Path) -> None:
    prepared, suite, baseline = toy(tmp_path, TESTS)
    offer = Offer(
        id="x", diff="--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-a\n+b\n", origin="", changed_lines=1
    )
    row = real_packages.Row(fault="toy", operator="by hand", seen=1, unseen=0)
    row = real_packages.judge(row, offer, fault(), prepared, suite, baseline)
    assert (row.right, row.judged_by) == (False, "git apply refuses it")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="calls are recorded by sys.monitoring")
@pytest.mark.parametrize(("text", "right"), [(EQUAL, True), (OVERFITTED, False)], ids=["equal", "overfitted"])
def test_where_one_test_fails_recorded_calls_and_calls_near_them_decide(
    tmp_path: Path, text: str, *, right: bool
) -> None:
    row = judged(tmp_path, TESTS, text, 0)
    assert row.right is right
    assert "calls differ" in row.judged_by


def test_calls_near_recorded_ones_count_only_where_the_original_returned() -> None:
    before = [["returned", "1"], ["near raised", "TypeError: x"], ["near returned", "2"], ["raised", "E: a"]]
    after = [["returned", "1"], ["near returned", "5"], ["near raised", "E: x"], ["raised", "E: b"]]
    assert replay.judge(before, after) == replay.Comparison(calls=3, different=1)
    assert replay.judge(before, []) == replay.Comparison(calls=4, different=4)


def test_qualified_names_are_those_of_code_objects() -> None:
    text = "class A:\n    def f(self):\n        def g():\n            return 1\n        return g\n"
    names = [replay.qualified_name(text, line) for line in (1, 2, 4, 5)]
    assert names == ["", "A.f", "A.f.<locals>.g", "A.f"]


def test_half_of_several_red_tests_are_kept_back_and_a_single_one_never() -> None:
    held = hold_out(("a", "b", "c"), "seed")
    assert (len(held.seen), len(held.unseen)) == (2, 1)
    assert {*held.seen, *held.unseen} == {"a", "b", "c"}
    assert hold_out(("c", "b", "a"), "seed") == held
    assert hold_out(("a",), "seed").deselect == ()


def test_a_repository_holds_everything_so_no_diff_gives_the_fault_away(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    commit_all(tmp_path)
    status = limited.run(["git", "status", "--porcelain"], cwd=tmp_path)
    assert (status.returncode, status.stdout) == (0, "")


def test_a_program_without_end_is_stopped_with_all_it_started(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; loop = [sys.executable, '-c', 'while True: pass'];"
        "subprocess.Popen(loop, start_new_session=True); subprocess.Popen(loop).wait()"
    )
    finished = limited.run([sys.executable, "-c", program], cwd=tmp_path, wall=0.7)
    assert finished.timed_out
    assert finished.left_running >= 1
    assert finished.wall < 5
