"""What runs of selections say."""

import json
import os

import pytest

from buddy_watch.values import Hello, Over, Ran
from buddy_watch.workers import Launch, Workers
from pytest_buddy.errors import BuddyError
from pytest_buddy.testing import Project
from tests.watch.working import Working, working

SHOP = {
    "shop.py": "def total(prices):\n    return sum(prices)\n",
    "test_shop.py": (
        "import shop\n\n\n"
        "def test_total():\n    assert shop.total([1, 2]) == 3\n\n\n"
        "def test_empty():\n    assert shop.total([]) == 0\n"
    ),
    "test_other.py": "def test_other():\n    pass\n",
    "pytest.ini": "[pytest]\n",
}


@pytest.fixture
def shop(tmp_path):
    with working(Project(tmp_path, SHOP)) as found:
        yield found


def _save(found: Working, **files: str) -> None:
    """Save files as an editor does, and do as the loop does."""
    paths = [name.replace("__", "/") + ".py" for name in files]
    found.workers.cancel()
    found.workers.changed(paths)
    for path, content in zip(paths, files.values(), strict=True):
        found.project.write({path: content})
        for compiled in (found.project.root / path).parent.glob("__pycache__/*.pyc"):
            compiled.unlink()


def test_pytest_says_what_the_project_is(shop):
    hello = shop.last(Hello)
    assert hello.rootdir == str(shop.project.root)
    assert hello.inipath == str(shop.project.root / "pytest.ini")
    assert hello.loaded == frozenset()
    assert hello.python_files == ("test_*.py", "*_test.py")


def test_every_test_of_a_file(shop):
    assert shop.run("test_shop.py") == {
        "test_shop.py::test_total": "passed",
        "test_shop.py::test_empty": "passed",
    }
    assert shop.collected.edges == {("test_shop.py", "shop.py")}
    assert shop.over.exit == 0


def test_single_tests_those_of_other_files_and_what_there_is_beside_them(shop):
    found = shop.run("test_other.py", tests=["test_shop.py::test_empty"])
    assert found == {"test_other.py::test_other": "passed", "test_shop.py::test_empty": "passed"}
    assert set(shop.collected.seen) == {*found, "test_shop.py::test_total"}


def test_everything_with_some_first(shop):
    found = shop.run(everything=True, first=["test_shop.py::test_empty"])
    assert list(found) == [
        "test_shop.py::test_empty",
        "test_other.py::test_other",
        "test_shop.py::test_total",
    ]


def test_a_keyword_narrows(shop):
    assert list(shop.run("test_shop.py", keyword="empty")) == ["test_shop.py::test_empty"]
    assert len(shop.collected.seen) == 2


def test_a_file_that_is_gone_has_no_tests(shop):
    assert shop.run("test_gone.py") == {}
    assert shop.over.exit == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_new_file_is_found(shop):
    shop.run("test_shop.py")
    shop.project.write(
        {"test_new.py": "import newer\n\ndef test_new():\n    newer.f()\n", "newer.py": "def f(): ..."}
    )
    shop.workers.changed(["test_new.py", "newer.py"])
    assert shop.run("test_new.py") == {"test_new.py::test_new": "passed"}


def test_a_failure_is_told_with_its_details(shop):
    _save(shop, shop="def total(prices):\n    return len(prices)\n")
    assert shop.run(tests=["test_shop.py::test_total"]) == {"test_shop.py::test_total": "failed"}
    failure = shop.ran.failure
    assert failure.error_type == "AssertionError"
    assert (failure.comparison.left, failure.comparison.right) == ("2", "3")
    assert failure.frames[0].path == "test_shop.py"
    assert shop.over.exit == 1


def test_a_file_that_does_not_import_is_an_error_and_others_run(shop):
    _save(shop, test_other="import nothing_of_the_kind\n")
    found = shop.run("test_other.py", "test_shop.py")
    assert found["test_other.py"] == "error"
    assert found["test_shop.py::test_total"] == "passed"
    told = next(value for value in shop.heard if isinstance(value, Ran) and value.status == "error")
    assert told.failure.error_type == "ModuleNotFoundError"


def test_edits_of_one_size_in_quick_succession_never_run_old_code(shop):
    for number in range(12):
        right = number % 2
        _save(shop, shop=f"def total(prices):\n    return sum(prices) + {1 - right}\n")
        expected = "passed" if right else "failed"
        assert shop.run(tests=["test_shop.py::test_empty"]) == {"test_shop.py::test_empty": expected}


def test_kinds_of_outcomes(tmp_path):
    text = """
import pytest, unittest

@pytest.fixture
def broken(): raise OSError("no")

@pytest.fixture
def untidy():
    yield
    raise OSError("left")

def test_error(broken): pass
def test_untidy(untidy): pass
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_expected(): assert False
@pytest.mark.xfail
def test_unexpected(): pass

class TestCase(unittest.TestCase):
    def test_parts(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(number, 1)

@pytest.mark.parametrize("name", ["a[b]", "c::d"])
def test_names(name): pass
"""
    doctest = "def f():\n    '''\n    >>> f()\n    2\n    '''\n    return 1\n"
    project = Project(tmp_path, {"test_kinds.py": text, "documented.py": doctest})
    with working(project, "--doctest-modules") as found:
        statuses = found.run("test_kinds.py", "documented.py")
    assert {test.partition("::")[2]: status for test, status in statuses.items()} == {
        "documented.f": "failed",
        "test_error": "error",
        "test_untidy": "error",
        "test_skipped": "skipped",
        "test_expected": "xfailed",
        "test_unexpected": "xpassed",
        "TestCase::test_parts": "failed",
        "test_names[a[b]]": "passed",
        "test_names[c::d]": "passed",
    }


def test_odd_names_of_files_and_folders(tmp_path):
    name = "odd [1] ü/test $HOME x.py"
    project = Project(
        tmp_path, {name: "def test_it(): pass\n", "odd [1] ü/test_b.py": "def test_b(): pass\n"}
    )
    with working(project, "-o", "python_files=test*.py") as found:
        assert found.run(name) == {f"{name}::test_it": "passed"}


def test_called_in_a_folder_of_the_project(tmp_path):
    files = {
        "pytest.ini": "[pytest]\n",
        "a/test_a.py": "def test_a(): pass\n",
        "b/test_b.py": "def test_b(): pass\n",
    }
    project = Project(tmp_path, files)
    with working(project, ".", cwd=project.root / "a") as found:
        assert list(found.run(everything=True)) == ["a/test_a.py::test_a"]
        assert list(found.run("b/test_b.py")) == ["b/test_b.py::test_b"]


def test_arguments_and_settings_hold(tmp_path):
    text = """
import pytest
@pytest.mark.slow
def test_slow(): pass
def test_left_out(): pass
def test_one(): assert False
def test_two(): assert False
def test_three(): assert False
"""
    ini = "[pytest]\naddopts = -m 'not slow' --maxfail=2\nmarkers = slow\n"
    project = Project(tmp_path, {"test_a.py": text, "pytest.ini": ini})
    with working(
        project, "--deselect", "test_a.py::test_left_out", "-q", "--lf", "--junitxml=report.xml"
    ) as found:
        last = ["test_a.py::test_three"]
        assert list(found.run("test_a.py", first=last)) == ["test_a.py::test_three", "test_a.py::test_one"]
        assert found.over.exit == 1
        hello = found.last(Hello)
    assert hello.arguments[:3] == ("-m", "not slow", "--maxfail=2")
    assert not (project.root / "report.xml").exists()


def test_only_the_tests_of_a_file_that_the_arguments_name(tmp_path):
    project = Project(tmp_path, {"test_a.py": "def test_a(): pass\ndef test_b(): pass\n"})
    with working(project, "test_a.py::test_b") as found:
        assert list(found.run("test_a.py")) == ["test_a.py::test_b"]
        assert list(found.run(everything=True)) == ["test_a.py::test_b"]


def test_pytests_own_list_of_failed_tests_is_kept_up(tmp_path):
    files = {"test_a.py": "def test_a(): assert False\n", "test_b.py": "def test_b(): assert False\n"}
    project = Project(tmp_path, files)

    def failed() -> set[str]:
        path = project.root / ".pytest_cache/v/cache/lastfailed"
        return set(json.loads(path.read_text())) if path.exists() else set()

    with working(project) as found:
        found.run("test_a.py")
        found.run("test_b.py")
        assert failed() == {"test_a.py::test_a", "test_b.py::test_b"}
        _save(found, test_a="def test_a(): pass\n")
        found.run("test_a.py")
        assert failed() == {"test_b.py::test_b"}
        nodes = json.loads((project.root / ".pytest_cache/v/cache/nodeids").read_text())
    assert nodes == ["test_a.py::test_a", "test_b.py::test_b"]


def test_a_session_that_the_project_prepares_is_prepared_for_each_run(tmp_path):
    conftest = """
import os
def pytest_sessionstart(session): open("prepared", "x").close()
def pytest_sessionfinish(session): os.unlink("prepared")
"""
    project = Project(
        tmp_path,
        {
            "conftest.py": conftest,
            "test_a.py": "import os\ndef test_a(): assert os.path.exists('prepared')\n",
        },
    )
    with working(project) as found:
        assert not (project.root / "prepared").exists()
        for _ in range(3):
            assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}


def test_a_run_in_the_background_steps_back(tmp_path):
    nice = os.nice(0)
    project = Project(tmp_path, {"test_a.py": f"import os\ndef test_a(): assert os.nice(0) == {nice}\n"})
    with working(project) as found:
        assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}
        assert found.run("test_a.py", background=True) == {
            "test_a.py::test_a": "failed" if nice < 19 else "passed"
        }


def test_temporary_folders_do_not_pile_up(tmp_path):
    project = Project(tmp_path, {"test_a.py": "def test_a(tmp_path): pass\n"})
    with working(project) as found:
        for _ in range(7):
            found.run("test_a.py")
    left = [path for path in project.temporary.glob("pytest-of-*/pytest-*") if path.name[7:].isdigit()]
    assert len(left) <= 4


def test_a_debugger_is_refused(tmp_path):
    project = Project(tmp_path, {"test_a.py": ""})
    launch = Launch(cwd=project.root, arguments=("--pdb",))
    with pytest.raises(BuddyError, match="--pdb cannot be used while watching"):
        Workers(launch, None, print)


def test_what_a_cancelled_test_printed_is_not_the_next_ones(tmp_path):
    text = """
def test_a():
    print('from the first', flush=True)
    open('at', 'w').close()
    while True: pass
"""
    project = Project(
        tmp_path, {"test_a.py": text, "test_b.py": "def test_b():\n    print('second')\n    assert 0\n"}
    )
    with working(project) as found:
        found.begin("test_a.py")
        while not (project.root / "at").exists():
            found.reactor.step(0.02)
        assert found.run("test_b.py") == {"test_b.py::test_b": "failed"}
    assert found.ran.failure.stdout == "second\n"
    assert isinstance(found.over, Over)
