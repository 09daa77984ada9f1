"""Runs beside the plugins that people have."""

import importlib.util
import sys

import pytest

from buddy_watch.values import Hello, Over, Ran
from pytest_buddy.testing import Project
from tests.watch.working import working

TWO = {
    "test_a.py": "def test_a(): pass\n",
    "test_b.py": "import os\ndef test_b(): assert 'PYTEST_XDIST_WORKER' not in os.environ\n",
}


def test_distributed_runs_of_everything_and_others_here(tmp_path):
    with working(Project(tmp_path, TWO, plugins=("xdist",)), "-p", "xdist", "-n", "2") as found:
        assert found.run(everything=True) == {"test_a.py::test_a": "passed", "test_b.py::test_b": "failed"}
        assert set(found.collected.tests) == {"test_a.py::test_a", "test_b.py::test_b"}
        failed = next(value for value in found.heard if isinstance(value, Ran) and value.status == "failed")
        assert failed.failure.error_type == "AssertionError"
        assert failed.failure.frames[0].path == "test_b.py"
        assert found.run("test_b.py") == {"test_b.py::test_b": "passed"}
        assert found.run(everything=True, keyword="test_a") == {"test_a.py::test_a": "passed"}


def test_a_distributed_worker_that_crashes(tmp_path):
    project = Project(
        tmp_path, {"test_a.py": "import os\ndef test_a(): os._exit(1)\n", "test_b.py": TWO["test_a.py"]}
    )
    with working(project, "-p", "xdist", "-n2") as found:
        assert found.run(everything=True) == {"test_a.py::test_a": "crashed", "test_b.py::test_a": "passed"}


def test_coverage_is_measured_on_everything_alone(tmp_path):
    with working(Project(tmp_path, TWO), "-p", "pytest_cov", "--cov=.", "--cov-report=xml") as found:
        assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}
        assert not (found.project.root / "coverage.xml").exists()
        assert len(found.run(everything=True)) == 2
        assert (found.project.root / "coverage.xml").exists()


def test_reruns(tmp_path):
    text = "from pathlib import Path\nseen = Path('seen')\n"
    text += "def test_a():\n    seen.open('a').write('x')\n    assert seen.stat().st_size == 2\n"
    project = Project(tmp_path, {"test_a.py": text})
    with working(project, "-p", "xdist", "-p", "rerunfailures", "--reruns", "2") as found:
        assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}
        assert (project.root / "seen").read_text() == "xx"


def test_asyncio(tmp_path):
    text = "import asyncio\nasync def test_a(): await asyncio.sleep(0)\nasync def test_b(): assert 0\n"
    with working(Project(tmp_path, {"test_a.py": text}), "-p", "asyncio", "-o", "asyncio_mode=auto") as found:
        for _ in range(2):
            assert found.run("test_a.py") == {"test_a.py::test_a": "passed", "test_a.py::test_b": "failed"}


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_time_limits(tmp_path, method):
    text = "import time\ndef test_a(): time.sleep(30)\n"
    words = ["-p", "timeout", "--timeout=0.2", f"--timeout-method={method}"]
    with working(Project(tmp_path, {"test_a.py": text}), *words) as found:
        if method == "signal":
            assert found.run("test_a.py") == {"test_a.py::test_a": "failed"}
            assert "Timeout" in found.ran.failure.message
        else:
            found.begin("test_a.py")
            found.until(Over)
            assert found.over.outcome == "broken"
            assert "Timeout" in found.over.output


def test_random_order(tmp_path):
    text = "import random\ndef test_a(): assert random.random() != 2\n" + "".join(
        f"def test_{n}(): pass\n" for n in range(20)
    )
    with working(Project(tmp_path, {"test_a.py": text}), "-p", "randomly", "-p", "no:cacheprovider") as found:
        last = ["test_a.py::test_19", "test_a.py::test_a"]
        assert list(found.run("test_a.py", first=last))[:2] == last
        assert set(found.run("test_a.py").values()) == {"passed"}


@pytest.mark.skipif(not importlib.util.find_spec("_pytest.subtests"), reason="pytest has no subtests yet")
def test_subtests_are_one_test(tmp_path):
    text = """
def test_a(subtests):
    for n in range(3):
        with subtests.test(n=n):
            assert n != 1
"""
    with working(Project(tmp_path, {"test_a.py": text})) as found:
        assert found.run("test_a.py") == {"test_a.py::test_a": "failed"}
        assert found.ran.failure.subtest


def test_the_other_import_mode(tmp_path):
    files = {
        "tests/a/test_a.py": "def test_a(): pass\n",
        "tests/b/test_a.py": "from tests.near import near\ndef test_b(): near()\n",
        "tests/near.py": "def near(): pass\n",
    }
    with working(Project(tmp_path, files), "--import-mode=importlib", "-o", "pythonpath=.") as found:
        assert len(found.run(everything=True)) == 2
        assert found.run("tests/b/test_a.py") == {"tests/b/test_a.py::test_b": "passed"}
        assert found.collected.edges == {("tests/b/test_a.py", "tests/near.py")}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs sys.monitoring")
def test_what_a_test_depends_on_is_told(tmp_path):
    files = {
        "lib.py": "def f(): return 1\ndef g(): return 2\nTWO = g()\n",
        "test_a.py": "import lib, os\ndef test_a():\n    lib.f()\n    os.system('true')\n",
    }
    with working(Project(tmp_path, files)) as found:
        for _ in range(2):
            found.run("test_a.py")
            touched = found.ran.touched
            assert ("lib.py", "f") in touched.functions
            assert ("lib.py", "g") in touched.early
            assert touched.beyond
        hello = found.last(Hello)
    assert hello.inherited == ()
