"""buddy-watch as a program: files are saved, events come out."""

import os
import signal
import sys
from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.watch.watching import watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

SHOP = """\
TAX = 2


def total(prices):
    result = 2
    for price in prices:
        result += price
    return result


def cheapest(prices):
    return min(prices)


def taxed(price):
    return price * TAX
"""
TESTS = """\
from shop import cheapest, taxed, total


def test_total():
    assert total([1, 2, 3]) == 8


def test_total_of_one():
    assert total([4]) == 6


def test_cheapest():
    assert cheapest([3, 1, 2]) == 1


def test_taxed():
    assert taxed(2) == 4
"""
FILES = {"shop.py": SHOP, "tests/test_shop.py": TESTS, "pytest.ini": "[pytest]\npythonpath = .\n"}
BROKEN = SHOP.replace("result += price", "result -= price")
RED = {"tests/test_shop.py::test_total", "tests/test_shop.py::test_total_of_one"}
FUNCTIONS = sys.version_info >= (3, 12)


def fails(verdicts):
    return {test for test, status in verdicts.items() if status == "failed"}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, FILES)


def test_a_save_runs_what_it_affects_and_a_fix_comes_unasked(project):
    with watching(project) as watch:
        started, verdicts = watch.run()
        assert (started["why"], set(verdicts.values())) == ("start", {"passed"})
        project.write({"shop.py": BROKEN})
        started, verdicts = watch.run()
        assert started["why"] == "changed:shop.py"
        assert fails(verdicts) == RED
        assert (set(verdicts) == RED) is FUNCTIONS, "function by function where the interpreter can tell"
        fault = watch.until("fault-located")["fault"]
        assert fault["suspects"][0]["line"] == 7
        watch.until("fix-confirmed")
        best = watch.until("fault-settled")["fault"]["proposals"][0]
        assert "+        result += price" in best["diff"]
        watch.until("work-ended")
        assert project.buddy("apply").exit == 0
        started, verdicts = watch.run()
        assert set(verdicts) >= RED
        assert set(verdicts.values()) == {"passed"}
        assert project.read("shop.py") == SHOP
        assert watch.quit() == 0


def test_mending_it_first_drops_the_search(project):
    with watching(project) as watch:
        watch.run()
        project.write({"shop.py": SHOP.replace("min(prices)", "max(min(prices), len(prices) * 2)")})
        watch.run()
        watch.until("work-started")
        project.write({"shop.py": SHOP})
        _started, verdicts = watch.run()
        assert fails(verdicts) == set()
        later = watch.quiet(2.0)
        assert [event for event in later if event["kind"] in ("fix-confirmed", "fault-located")] == []


def test_comments_run_nothing_and_constants_run_what_imports_them(project):
    with watching(project) as watch:
        watch.run()
        project.write({"shop.py": "# a comment\n" + SHOP})
        assert [e for e in watch.quiet(1.5) if e["kind"] == "run-started" and not e["background"]] == []
        project.write({"shop.py": SHOP.replace("TAX = 2", "TAX = 3")})
        _, verdicts = watch.run()
        assert fails(verdicts) == {"tests/test_shop.py::test_taxed"}


def test_quick_edits_of_one_size_never_run_old_code(project):
    with watching(project) as watch:
        watch.run()
        for turn in range(8):
            broken = turn % 2 == 0
            project.write({"shop.py": BROKEN if broken else SHOP})
            _, verdicts = watch.run()
            assert fails(verdicts) == (RED if broken else set()), turn


def test_new_changed_and_deleted_test_files(project):
    with watching(project) as watch:
        watch.run()
        project.write({"tests/test_more.py": "def test_new():\n    assert 1 == 1\n"})
        _, verdicts = watch.run()
        assert verdicts == {"tests/test_more.py::test_new": "passed"}
        project.write({"tests/test_more.py": "def test_renamed():\n    assert 1 == 2\n"})
        _, verdicts = watch.run()
        assert verdicts == {"tests/test_more.py::test_renamed": "failed"}
        watch.until("work-ended")
        (project.root / "tests/test_more.py").unlink()
        project.write({"shop.py": SHOP.replace("TAX = 2", "TAX = 4")})
        started, verdicts = watch.run()
        assert not any("test_more" in test for test in verdicts)
        assert started["of"] == 4


def test_a_data_file_runs_the_tests_that_read_it(tmp_path):
    tests = (
        "from pathlib import Path\n\n\ndef test_rates():\n    assert Path('rates.txt').read_text() == 'x'\n"
    )
    project = Project(tmp_path, {**FILES, "tests/test_rates.py": tests, "rates.txt": "x"})
    with watching(project) as watch:
        watch.run()
        project.write({"rates.txt": "y"})
        if FUNCTIONS:
            _, verdicts = watch.run()
            assert verdicts == {"tests/test_rates.py::test_rates": "failed"}


def test_a_file_that_the_tests_write_does_not_start_them_for_ever(tmp_path):
    tests = "from pathlib import Path\n\n\ndef test_log():\n    old = Path('log.txt').read_text()\n"
    tests += "    Path('log.txt').write_text(old + 'x')\n"
    project = Project(tmp_path, {**FILES, "tests/test_log.py": tests, "log.txt": ""})
    with watching(project) as watch:
        watch.run()
        watch.quiet(2.0)
        assert [event for event in watch.quiet(1.5) if event["kind"] == "run-started"] == []


def test_a_broken_conftest_is_said_and_its_repair_goes_on(project):
    with watching(project) as watch:
        watch.run()
        project.write({"tests/conftest.py": "import nothing_of_this_name\n"})
        notice = watch.until("notice-given", lambda event: "pytest cannot start" in event["text"])
        assert "nothing_of_this_name" in notice["hint"]
        project.write({"tests/conftest.py": "import pytest\n"})
        _, verdicts = watch.run()
        assert set(verdicts.values()) == {"passed"}


def test_a_project_that_is_broken_from_the_start_is_taken_up_once_it_is_mended(project):
    project.write({"conftest.py": "import nothing_of_this_name\n"})
    with watching(project) as watch:
        watch.until("notice-given", lambda event: "pytest cannot start" in event["text"])
        project.write({"conftest.py": ""})
        _started, verdicts = watch.run()
        assert len(verdicts) == 4


def test_what_no_test_sees_leaves_a_run_alone(tmp_path):
    slow = "import time\n\n\ndef test_slow():\n    time.sleep(2)\n"
    project = Project(tmp_path, {**FILES, "tests/test_slow.py": slow, "README.md": "x"})
    with watching(project) as watch:
        watch.until("run-started")
        project.write({"README.md": "y", "tests/made_by_a_test.py": "x = 1\n"})
        (project.root / "tests/made_by_a_test.py").unlink()
        assert watch.until("run-ended")["outcome"] == "done"
        assert [event for event in watch.quiet(1.5) if event["kind"] == "run-started"] == []


def test_a_comment_refreshes_what_is_said_of_red_tests(project):
    project.write({"shop.py": BROKEN})
    with watching(project) as watch:
        watch.run()
        watch.until("fix-confirmed")
        project.write({"shop.py": "# one line more\n" + BROKEN})
        _, verdicts = watch.run()
        assert set(verdicts) == RED
        assert watch.until("fault-located")["fault"]["suspects"][0]["line"] == 8


def test_a_syntax_error_is_a_red_file_until_it_is_mended(project):
    with watching(project) as watch:
        watch.run()
        project.write({"shop.py": SHOP + "def broken(:\n"})
        _, verdicts = watch.run()
        assert verdicts == {"tests/test_shop.py": "error"}
        project.write({"shop.py": SHOP})
        _, verdicts = watch.run()
        assert len(verdicts) == 4
        assert set(verdicts.values()) == {"passed"}


def test_pytests_arguments_narrow_what_is_watched(project):
    with watching(project, "-k", "total", "-x", "--", "tests/test_shop.py") as watch:
        _, verdicts = watch.run()
        assert set(verdicts) == RED
        project.write({"shop.py": BROKEN})
        _, verdicts = watch.run()
        assert len(verdicts) == 1, "-x stops at the first"


def test_only_what_pytest_was_called_for_runs(project):
    project.write(
        {"tests/test_other.py": "from shop import total\n\n\ndef test_other():\n    assert total([1])\n"}
    )
    project.write(
        {"tests/test_ignored.py": "from shop import total\n\n\ndef test_ignored():\n    assert total([1])\n"}
    )
    with watching(project) as watch:
        watch.run()
    with watching(
        project, "--ignore=tests/test_ignored.py", "tests/test_other.py", "tests/test_ignored.py"
    ) as watch:
        watch.until("run-ended")
        project.write({"shop.py": SHOP.replace("TAX = 2", "TAX = 3")})
        _, verdicts = watch.run()
        assert set(verdicts) == {"tests/test_other.py::test_other", "tests/test_ignored.py::test_ignored"}
    with watching(project, "--ignore=tests/test_ignored.py") as watch:
        watch.until("run-ended")
        project.write({"shop.py": SHOP})
        _, verdicts = watch.run()
        assert "tests/test_other.py::test_other" in verdicts
        assert "tests/test_ignored.py::test_ignored" not in verdicts


def test_a_path_that_is_not_there_ends_it_with_a_message(project):
    with watching(project, "nowhere") as watch:
        assert watch.process.wait(20) == 1
        assert "there is no nowhere" in watch._log.read_text()


def test_what_is_known_survives_a_restart(project):
    with watching(project) as watch:
        watch.run()
        project.write({"shop.py": BROKEN})
        watch.run()
    project.write({"shop.py": BROKEN.replace("min(", "max(")})
    with watching(project) as watch:
        started, verdicts = watch.run()
        assert started["why"] != "start"
        assert fails(verdicts) == {*RED, "tests/test_shop.py::test_cheapest"}
        assert ("tests/test_shop.py::test_taxed" in verdicts) is not FUNCTIONS
        if FUNCTIONS:
            rest = watch.until("run-started", background=True)
            assert rest["selected"] == 4 - len(verdicts)


def test_the_rest_of_the_suite_runs_in_the_background(project):
    if not FUNCTIONS:
        pytest.skip("a file's tests all run here")
    with watching(project) as watch:
        watch.run()
        project.write({"shop.py": SHOP.replace("return min(prices)", "return sorted(prices)[0]")})
        _, verdicts = watch.run()
        assert set(verdicts) == {"tests/test_shop.py::test_cheapest"}
        rest = watch.until("run-started", background=True)
        assert rest["selected"] == 3
        assert watch.until("run-ended", run=rest["run"])["passed"] == 3


def test_two_watchers_of_one_project_do_not_hinder_each_other(project):
    with watching(project) as first, watching(project, alone=False) as second:
        for watch in (first, second):
            assert watch.until("run-ended")["passed"] == 4
        project.write({"shop.py": BROKEN})
        for watch in (first, second):
            _, verdicts = watch.run()
            assert fails(verdicts) == RED


def test_projects_of_one_repository_keep_their_own_settings(tmp_path):
    files = {f"{name}/{path}": content for name in ("shop", "bank") for path, content in FILES.items()}
    project = Project(tmp_path, files)
    with watching(project) as watch:
        for _ in range(2):
            assert watch.until("run-ended", background=False)["passed"] == 4
        project.write({"bank/shop.py": BROKEN})
        started, verdicts = watch.run()
        assert fails(verdicts) == RED
        assert started["of"] == 4


@pytest.mark.parametrize("victim", ["front", "children"])
def test_a_killed_part_leaves_nothing_behind(project, victim):
    with watching(project) as watch:
        watch.run()
        if victim == "front":
            watch.process.kill()
            watch.process.wait(10)
        else:
            for line in project.processes():
                pid = int(line.partition(":")[0])
                if pid != watch.process.pid:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
            project.write({"shop.py": BROKEN})
            _, verdicts = watch.run()
            assert fails(verdicts) == RED
    assert project.processes(patience=5.0) == ()


def test_a_long_run_is_cut_short_by_a_save(tmp_path):
    slow = "import time\nfrom shop import total\n\n\ndef test_slow():\n    total([1])\n    time.sleep(30)\n"
    project = Project(tmp_path, {**FILES, "tests/test_shop.py": slow})
    with watching(project) as watch:
        watch.until("run-started")
        project.write({"tests/test_shop.py": slow.replace("30", "0")})
        watch.until("run-ended", outcome="cancelled")
        _, verdicts = watch.run()
        assert set(verdicts.values()) == {"passed"}


@pytest.mark.parametrize(
    ("plugins", "arguments"),
    [
        (("xdist",), ("-n", "2")),
        (("pytest_cov",), ("--cov=shop",)),
        (("randomly",), ()),
        (("timeout",), ("--timeout=30",)),
        (("rerunfailures",), ("--reruns=1",)),
    ],
    ids=lambda value: value[0] if value else "plain",
)
def test_it_works_beside_other_plugins(tmp_path, plugins, arguments):
    if "pytest_cov" in plugins:
        pytest.importorskip("pytest_cov")
    project = Project(tmp_path, FILES, plugins=plugins)
    with watching(project, *arguments) as watch:
        _, verdicts = watch.run()
        assert len(verdicts) == 4
        project.write({"shop.py": BROKEN})
        _, verdicts = watch.run()
        assert fails(verdicts) == RED


def test_plain_lines_are_what_the_design_says(project):
    from tests.watch.watching import PATIENCE

    assert PATIENCE > 0
    with project_lines(project) as lines:
        assert next(line for line in lines if line.startswith("run START")).startswith(
            "run START selected=4 of=4 why=start"
        )
        verdict = next(line for line in lines if line.startswith("verdict"))
        assert verdict.startswith("verdict passed tests/test_shop.py::test_")
        assert verdict.split()[-1].isdigit()
        assert next(line for line in lines if line.startswith("run END")).startswith(
            "run END passed=4 failed=0 ms="
        )


def project_lines(project):
    from contextlib import contextmanager

    from pytest_buddy import processes

    @contextmanager
    def lines():
        reading, writing = os.pipe()
        process = processes.python(
            ["-P", "-m", "buddy_watch"],
            cwd=project.root,
            environment=project.environment({"PYTHONDONTWRITEBYTECODE": None}),
            stdout=writing,
        )
        os.close(writing)
        try:
            with os.fdopen(reading, encoding="utf-8") as stream:
                yield stream
        finally:
            process.terminate()
            process.wait(20)

    return lines()


def test_a_directory_that_is_no_project_is_watched_too(tmp_path: Path):
    project = Project(tmp_path, {"notes.txt": "nothing here"})
    with watching(project) as watch:
        watch.until("run-ended")
        project.write({"test_first.py": "def test_first():\n    assert True\n"})
        _, verdicts = watch.run()
        assert verdicts == {"test_first.py::test_first": "passed"}
