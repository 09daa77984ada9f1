"""What the plugin inside pytest's processes writes on the last report of each test."""

import json
import sys

import pytest

from buddy_watch.values import Touched
from pytest_buddy.codec import decode
from pytest_buddy.testing import Project, Run

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="needs sys.monitoring")

LISTENER = """\
import json, os

def pytest_runtest_logreport(report):
    if report.when == "teardown":
        with open(os.environ["TOUCHED"], "a") as log:
            print(json.dumps([report.nodeid, getattr(report, "buddy_touched", None)]), file=log)
"""

FILES = {
    "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['.']\n",
    "data/table.txt": "1 2 3\n",
    "data/other.txt": "4 5 6\n",
    "pkg/__init__.py": "",
    "pkg/registry.py": """\
def remember(function):
    prepare()
    def wrapper(*values):
        return function(*values)
    return wrapper

def prepare():
    return 1
""",
    "pkg/core.py": """\
from pathlib import Path
from pkg.registry import remember

TABLE = (Path(__file__).parent.parent / "data" / "table.txt").read_text()

@remember
def double(value):
    return 2 * value

class Box:
    def items(self):
        return [item for item in (lambda: range(3))()]

def costly():
    return helper()

def helper():
    return "resource"

def lazy(value):
    import pkg.late
    return pkg.late.add(value)
""",
    "pkg/late.py": """\
from pkg.registry import prepare
START = prepare()

def add(value):
    return value + START
""",
    "tests/conftest.py": """\
import pytest
from pkg.core import costly, helper

@pytest.fixture(scope="session")
def resource():
    return costly()

@pytest.fixture(scope="module")
def second(resource):
    helper()
    return resource

@pytest.fixture
def each():
    return helper()
""",
    "tests/test_it.py": """\
import multiprocessing, os, subprocess, sys, threading, unittest
from pathlib import Path
import pytest
from pkg.core import Box, double, costly, helper, lazy
from pkg.registry import prepare

def test_plain(): assert double(2) == 4
def test_again(): assert double(3) == 6
def test_method(): assert Box().items() == [0, 1, 2]
def test_session(resource): assert resource
def test_session_again(resource): assert resource
def test_dynamic(request): assert request.getfixturevalue("resource")
def test_both(second): assert second
def test_each(each): assert each
def test_lazy(): assert lazy(1) == 2
def test_lazy_again(): assert lazy(1) == 2
def test_file(): assert Path("data/other.txt").read_text()
def test_listing(): assert os.listdir("data")
def test_written():
    Path("data/made.txt").write_text("x")
    assert Path("data/made.txt").read_text()
def test_source(): assert Path("pkg/late.py").read_text()
def test_program(): subprocess.run([sys.executable, "-c", "1"], check=True)
def test_process():
    process = multiprocessing.get_context("spawn").Process(target=prepare)
    process.start()
    process.join()
def test_thread():
    thread = threading.Thread(target=prepare)
    thread.start()
    thread.join()
@pytest.mark.xfail
def test_failing():
    helper()
    assert not helper()
class TestUnit(unittest.TestCase):
    @classmethod
    def setUpClass(cls): prepare()
    def test_one(self): pass
    def test_two(self): pass
""",
}


def touched_by(project: Project, *arguments: str) -> tuple[dict[str, Touched | None], Run]:
    """What each test's report said, by the name of the test."""
    plugins, log = project.root.parent / "plugins", project.root.parent / "touched.jsonl"
    plugins.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    (plugins / "listener.py").write_text(LISTENER, encoding="utf-8")
    run = project.pytest(
        "-p", "buddy_watch.inside.touching", "-p", "listener", *arguments,
        env={"PYTHONPATH": str(plugins), "TOUCHED": str(log)},
    )  # fmt: skip
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    found = {test.partition("::")[2]: data and decode(Touched, data) for test, data in lines}
    return found, run


@pytest.fixture(scope="module")
def touched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Touched]:
    project = Project(tmp_path_factory.mktemp("touching"), FILES)
    found, run = touched_by(project)
    assert run.counts == {"passed": 19, "xfailed": 1}, run.out
    assert all(found.values())
    return {test: one for test, one in found.items() if one is not None}


def functions(touched: Touched) -> set[str]:
    return {name for path, name in touched.functions if path.startswith("pkg/")}


def test_functions_of_a_test_are_named_as_in_the_source_every_time_they_run(touched):
    for test in ("test_plain", "test_again"):
        assert touched[test].functions == {
            ("pkg/core.py", "double"),
            ("pkg/registry.py", "remember.<locals>.wrapper"),
            ("tests/test_it.py", test),
        }


def test_lambdas_and_comprehensions_belong_to_their_function(touched):
    assert functions(touched["test_method"]) == {"Box.items"}


def test_a_shared_fixture_belongs_to_every_test_that_uses_it(touched):
    for test in ("test_session", "test_session_again", "test_dynamic", "test_both"):
        assert ("tests/conftest.py", "resource") in touched[test].functions
        assert functions(touched[test]) == {"costly", "helper"}
    assert ("tests/conftest.py", "second") in touched["test_both"].functions
    assert ("tests/conftest.py", "second") not in touched["test_session"].functions


def test_a_fixture_of_one_test_belongs_to_it_alone(touched):
    assert functions(touched["test_each"]) == {"helper"}
    assert ("tests/conftest.py", "resource") not in touched["test_each"].functions


def test_a_class_set_up_belongs_to_all_its_tests(touched):
    for test in ("TestUnit::test_one", "TestUnit::test_two"):
        assert functions(touched[test]) == {"prepare"}


def test_plugins_that_options_name_concern_everything(tmp_path):
    files = {**FILES, "option_plugin.py": "import pkg.late\n"}
    files["pyproject.toml"] += "addopts = ['-p', 'option_plugin']\n"
    found, _ = touched_by(Project(tmp_path, files), "-k", "plain", "--rootdir=.")
    assert found["test_plain"] is not None
    assert {("", "option_plugin.py"), ("", "pkg/late.py")} <= found["test_plain"].edges
    assert ("", "tests/test_it.py") not in found["test_plain"].edges


def test_what_ran_at_import_time_is_told_once_with_the_first_report(touched):
    first = touched["test_plain"]
    assert first.early >= {("pkg/registry.py", "remember"), ("pkg/registry.py", "prepare")}
    assert first.early_files == {("pkg/core.py", "data/table.txt")}
    assert ("pkg/core.py", "pkg/registry.py") in first.edges
    assert not touched["test_again"].early


def test_an_import_inside_a_test_is_told_with_who_imported(touched):
    assert touched["test_lazy"].imported == {"pkg/late.py"}
    assert touched["test_lazy"].edges == {("pkg/core.py", "pkg/late.py")}
    assert touched["test_lazy"].early == {("pkg/registry.py", "prepare")}
    assert functions(touched["test_lazy_again"]) == {"lazy", "add"}


def test_files_read_and_directories_listed(touched):
    assert touched["test_file"].files == {"data/other.txt"}
    assert touched["test_listing"].directories == {"data"}
    assert touched["test_source"].files == {"pkg/late.py"}
    assert not touched["test_plain"].files | touched["test_plain"].directories


def test_a_file_that_a_test_writes_is_none_it_depends_on(touched):
    assert not touched["test_written"].files


def test_tests_that_start_programs_are_marked(touched):
    assert [test for test, one in touched.items() if one.beyond] == ["test_program", "test_process"]


def test_other_threads_count(touched):
    assert functions(touched["test_thread"]) == {"prepare"}


def test_a_failing_test_is_told_without_the_sources_of_its_traceback(touched):
    assert functions(touched["test_failing"]) == {"helper"}
    assert not touched["test_failing"].files


def test_workers_of_xdist_say_the_same(tmp_path, touched):
    project = Project(tmp_path, FILES, plugins=("xdist",))
    found, run = touched_by(project, "-n2", "-k", "session or plain or Unit or file")
    assert run.counts["passed"] == 6, run.out
    for test, one in found.items():
        assert one is not None
        assert one.functions == touched[test].functions
        assert one.files == touched[test].files


def test_a_test_that_is_run_again_is_told_of_again(tmp_path):
    text = (
        "from pkg.core import helper\nTRIED = []\n"
        "def test_a():\n    TRIED.append(helper())\n    assert TRIED[1:]\n"
    )
    project = Project(tmp_path, {**FILES, "tests/test_it.py": text}, plugins=("rerunfailures",))
    found, run = touched_by(project, "--reruns=2")
    assert run.counts == {"passed": 1, "rerun": 1}
    assert found["test_a"] is not None
    assert functions(found["test_a"]) == {"helper"}


@pytest.mark.parametrize("core", ["sysmon", "ctrace"])
def test_coverage_beside_us_counts_as_ever(tmp_path, touched, core):
    project = Project(tmp_path, FILES, plugins=("pytest_cov",))
    arguments = ("--cov=pkg", "--cov-report=term-missing", "tests")
    env = {"COVERAGE_CORE": core}
    plain = project.pytest(*arguments, env=env)
    table = [line for line in plain.out.splitlines() if line.startswith(("pkg", "TOTAL"))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COVERAGE_CORE", core)
        found, run = touched_by(project, *arguments)
    assert table
    assert [line for line in run.out.splitlines() if line.startswith(("pkg", "TOTAL"))] == table
    assert found["test_again"] == touched["test_again"]


BROKEN = """\
import sys
import buddy_watch.inside.executions as executions
import buddy_watch.inside.openings as openings

def broken(*_):
    raise RuntimeError("a fault of ours")

def pytest_collection_finish():
    {where} = broken
"""


@pytest.mark.parametrize(
    "where",
    ["executions.Executions.take", "openings.Openings._note", "executions.Executions.names"],
)
def test_a_fault_of_ours_ends_the_notes_and_nothing_else(tmp_path, where):
    project = Project(tmp_path, {**FILES, "conftest.py": BROKEN.format(where=where)})
    found, run = touched_by(project)
    assert run.counts == {"passed": 19, "xfailed": 1}
    assert "fault of ours" not in run.out + run.err
    assert found["TestUnit::test_two"] is None
