"""Tests and candidates that misbehave: nothing of it shows, changes the project or is left running."""

import textwrap
from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, Compare, check_clean
from tests.end_to_end.projects import RED

SHORT = ("--buddy", "--buddy-budget", "4")


def with_test(text: str) -> dict[str, str]:
    """The project with one more test file, whose code can use `clamp`, `os`, `sys` and `Path`."""
    head = "import os, sys\nfrom pathlib import Path\nfrom shop.clamp import clamp\n\n\n"
    return {**RED, "tests/test_hostile.py": head + textwrap.dedent(text)}


@pytest.mark.parametrize(
    "death",
    ["os._exit(0)", "os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)"],
    ids=["exit", "kill", "segfault"],
)
def test_it_kills_the_process_when_run_again(tmp_path: Path, death: str) -> None:
    """The first run, the person's own, leaves a mark; every later one of the same test dies of it."""
    text = f"""
        MARK = Path(__file__).parent / "__pycache__" / "was_run"


        def test_dies():
            if MARK.exists():
                {death}
            assert clamp(70, 0, 7) == 7


        def teardown_module():
            MARK.parent.mkdir(exist_ok=True)
            MARK.write_text("")
        """
    project = Project(tmp_path, with_test(text))
    before = project.tree()
    run = project.pytest("-q", *QUICK)
    assert run.exit == 1
    assert run.counts == {"failed": 2, "passed": 3}
    assert "internal error" not in run.out
    assert (run.report["summary"]["failed"], run.report["summary"]["fixed"]) == (2, 1)
    assert "test_dies ended its process when it was run again" in run.json
    check_clean(project, before)


def test_candidates_that_loop_for_ever_are_ended(tmp_path: Path, compare: Compare) -> None:
    project = Project(
        tmp_path,
        {
            "count.py": """\
def down(start, step):
    steps = 0
    while start > 0:
        start -= step
        steps += 1
    return steps + 1
""",
            "test_count.py": """\
from count import down


def test_down():
    assert down(10, 2) == 5


def test_none():
    assert down(0, 1) == 0


def test_far():
    assert down(100, 1) == 100
""",
        },
    )
    both = compare(project)
    assert both.buddy.report["summary"]["fixed"] == 1
    assert both.buddy.seconds < 30


def test_a_test_that_never_returns_is_ended_by_its_timeout(tmp_path: Path, compare: Compare) -> None:
    project = Project(
        tmp_path,
        {
            "count.py": """\
def down(start, step):
    while start != 0:
        start += step
    return "done"
""",
            "test_count.py": """\
from count import down


def test_down():
    assert down(10, 2) == "done"


def test_at_once():
    assert down(0, 2) == "done"
""",
        },
        plugins=("timeout",),
    )
    both = compare(project, "--timeout=1", "-q", "--tb=no")
    assert both.plain.counts == {"failed": 1, "passed": 1}
    (fault,) = both.buddy.report["faults"]
    assert fault["suspects"][0]["file"] == "count.py"
    assert both.buddy.report["summary"]["fixed"] == 1


HOSTILE = {
    "forks_and_leaves_children": """
        import time

        def test_it():
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(2)
                os._exit(0)
            os.wait()
            assert clamp(70, 0, 7) == 7
        """,
    "returns_twice_through_a_fork": """
        def test_it():
            child = os.fork()
            if child == 0:
                os._exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            assert clamp(70, 0, 7) == 7
        """,
    "closes_stdout": """
        def test_it():
            os.close(1)
            assert clamp(70, 0, 7) == 7
        """,
    "closes_what_captures_stdout": """
        def test_it():
            sys.stdout.close()
            assert clamp(70, 0, 7) == 7
        """,
    "changes_directory": """
        def test_it(tmp_path):
            os.chdir(tmp_path)
            assert clamp(70, 0, 7) == 7
        """,
    "removes_its_own_directory": """
        import shutil

        def test_it(tmp_path):
            os.chdir(tmp_path)
            shutil.rmtree(tmp_path)
            assert clamp(70, 0, 7) == 7
        """,
    "reads_its_own_source": """
        import inspect

        def test_it():
            assert "reads its own source" in Path(__file__).read_text()  # reads its own source
            assert inspect.getsource(clamp).startswith("def clamp")
            assert clamp(70, 0, 7) == 7
        """,
    "empties_sys_modules": """
        def test_it(monkeypatch):
            monkeypatch.setattr(sys, "path", [])
            monkeypatch.delitem(sys.modules, "shop.clamp")
            assert clamp(70, 0, 7) == 7
        """,
    "patches_builtins": """
        import builtins, time

        def test_it(monkeypatch):
            monkeypatch.setattr(builtins, "open", None)
            monkeypatch.setattr(time, "monotonic", lambda: 0.0)
            monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
            assert clamp(70, 0, 7) == 7
        """,
    "raises_system_exit": """
        def test_it():
            if clamp(70, 0, 7) != 7:
                sys.exit(3)
        """,
    "has_values_that_cannot_be_shown": """
        class Nasty:
            def __repr__(self):
                raise RuntimeError("no")
            def __eq__(self, other):
                raise ValueError("no")
            __hash__ = None

        def test_it():
            nasty = Nasty()
            assert [clamp(70, 0, 7), nasty] and clamp(70, 0, 7) == 7
        """,
    "raises_what_has_no_text": """
        class Mute(Exception):
            def __str__(self):
                raise RuntimeError("no text")

        def test_it():
            if clamp(70, 0, 7) != 7:
                raise Mute
        """,
    "recurses_for_ever": """
        def deeper(value):
            return deeper(value) if clamp(value, 0, 7) != 7 else 7

        def test_it():
            assert deeper(70) == 7
        """,
    "replaces_signal_handlers": """
        import signal

        def test_it():
            signal.signal(signal.SIGPROF, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            assert clamp(70, 0, 7) == 7
        """,
    "starts_a_thread": """
        import threading

        def test_it():
            threading.Thread(target=threading.Event().wait, args=(1,), daemon=True).start()
            assert clamp(70, 0, 7) == 7
        """,
}


ALONE = ("closes_stdout", "closes_what_captures_stdout", "removes_its_own_directory")


@pytest.mark.parametrize("name", ALONE)
def test_misbehaving_tests_end_as_they_do_without_us(tmp_path: Path, compare: Compare, name: str) -> None:
    both = compare(Project(tmp_path, with_test(HOSTILE[name])), "-q", buddy=SHORT)
    assert both.plain.exit == 1
    assert both.buddy.report["faults"], both.section
    assert both.buddy.report["faults"][0]["suspects"][0]["file"] == "shop/clamp.py"


def test_many_that_misbehave_are_one_fault_all_the_same(tmp_path: Path, compare: Compare) -> None:
    files = dict(RED)
    for name, text in HOSTILE.items():
        if name not in ALONE:
            files[f"tests/test_{name}.py"] = with_test(text)["tests/test_hostile.py"]
    both = compare(Project(tmp_path, files), "-q", "--tb=short", buddy=("--buddy", "--buddy-budget", "10"))
    report = both.buddy.report
    assert both.plain.counts == {"failed": len(files) - 2, "passed": 3}
    assert report["summary"] == {"failed": len(files) - 2, "flaky": 0, "faults": 1, "fixed": 1}
    assert report["faults"][0]["suspects"][0]["file"] == "shop/clamp.py"
    fix = report["faults"][0]["patches"][0]
    assert fix["diff"].count("\n+        return high") == 1
    assert len(fix["verdict"]["fixed"]) == len(files) - 2


def test_the_real_files_survive_a_test_that_deletes_the_project(tmp_path: Path) -> None:
    """The failing test wipes the project, but only where a candidate makes `purge` go that far."""
    project = Project(
        tmp_path,
        {
            "purge.py": """\
import shutil


def purge(folder, root, dry=True):
    target = folder
    if not dry:
        shutil.rmtree(root, ignore_errors=True)
    return str(root)
""",
            "test_purge.py": """\
from pathlib import Path

from purge import purge


def test_purge(tmp_path):
    root = Path(__file__).parent
    assert purge(tmp_path, root) == str(tmp_path)
    assert (root / "precious.txt").exists()


def test_root():
    assert purge is not None
""",
            "precious.txt": "irreplaceable\n",
        },
    )
    before = project.tree()
    run = project.pytest("-q", *QUICK)
    assert run.exit == 1
    assert run.report["faults"][0]["search"]["validated"] > 10
    check_clean(project, before)
    assert project.read("precious.txt") == "irreplaceable\n"


@pytest.mark.slow
def test_a_hundred_megabytes_of_output(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        with_test(
            """
            def test_it():
                line = "x" * 1023
                for _ in range(100 * 1024):
                    print(line)
                assert clamp(70, 0, 7) == 7
            """
        ),
    )
    before = project.tree()
    run = project.pytest("-q", "--show-capture=no", *QUICK, timeout=120)
    assert run.exit == 1
    assert run.counts == {"failed": 2, "passed": 3}
    assert "xxx" not in run.out
    assert len(run.out) < 100_000
    assert len(run.json) < 100_000
    assert run.report["summary"]["fixed"] == 1
    assert sum(path.stat().st_size for path in (project.root / ".buddy").rglob("*") if path.is_file()) < 1e6
    check_clean(project, before)
