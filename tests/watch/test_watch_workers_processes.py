"""Processes of runs: cancelled at once, replaced when what they imported changes, never left behind."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from buddy_watch.values import Collected, Hello, Over, Ran, Standing
from pytest_buddy import processes
from pytest_buddy.testing import Project
from tests.watch.working import Working, working

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")

ENDLESS = """
import os, subprocess, sys
def test_endless():
    subprocess.Popen(["sleep", "600"])
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: pass
        os._exit(0)
    with open("pid.new", "w") as file: file.write(str(os.getpid()))
    os.rename("pid.new", "pid")
    while True: pass
"""
QUICK = "import wave\n\ndef test_quick(): pass\n"


def _started(found: Working) -> int:
    """Wait until the endless test is going on; its process."""
    path = found.project.root / "pid"
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        found.reactor.step(0.01)
    pid = int(path.read_text())
    path.unlink()
    return pid


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _standing_by(found: Working, count: int) -> None:
    """Wait until so many processes are there: those that wait, and nothing else."""
    deadline = time.monotonic() + 20
    while len(found.project.processes()) != count:
        assert time.monotonic() < deadline, found.project.processes()
        found.reactor.step(0.02)


def _open_files(found: Working) -> int:
    """How many files are open here when everything stands by, each process with its socket and its handle."""
    _standing_by(found, 3)
    folder, deadline = Path("/proc/self/fd"), time.monotonic() + 20
    while sum(str(path.readlink()) == "anon_inode:[pidfd]" for path in _links(folder)) < 3:
        assert time.monotonic() < deadline
        found.reactor.step(0.05)
    return len(_links(folder))


def _links(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_symlink()]


@pytest.fixture
def endless(tmp_path):
    project = Project(tmp_path, {"test_endless.py": ENDLESS, "test_quick.py": QUICK})
    with working(project) as found:
        yield found


def test_a_cancelled_run_ends_at_once_with_all_it_started_and_is_not_heard_of(endless):
    endless.begin("test_endless.py")
    pid = _started(endless)
    before = len(endless.heard)
    endless.workers.cancel()
    assert not Path(f"/proc/{pid}").exists()
    assert endless.workers.running is None
    _standing_by(endless, 2)  # zygote and standby
    assert not [value for value in endless.heard[before:] if isinstance(value, Ran | Over | Collected)]
    assert endless.run("test_quick.py") == {"test_quick.py::test_quick": "passed"}


def test_a_new_run_takes_the_place_of_the_one_before(endless):
    first = endless.begin("test_endless.py")
    _started(endless)
    assert endless.run("test_quick.py") == {"test_quick.py::test_quick": "passed"}
    assert [value.run for value in endless.heard if isinstance(value, Over)] == [first + 1]


def test_closing_in_the_middle_of_a_run_leaves_nothing(endless):
    endless.begin("test_endless.py")
    _started(endless)
    endless.workers.close()
    assert endless.project.processes() == ()


def test_daemons_of_a_test_end_with_the_run(tmp_path):
    project = Project(
        tmp_path, {"test_a.py": ENDLESS.replace("    while True: pass\n", "", 2) + "    os._exit\n"}
    )
    with working(project) as found:
        found.run("test_a.py")
        _standing_by(found, 2)


def test_a_crash_is_told(tmp_path):
    project = Project(
        tmp_path, {"test_a.py": "import os\ndef test_a():\n    os.abort()\n", "test_quick.py": QUICK}
    )
    with working(project) as found:
        found.begin("test_a.py")
        over = found.until(Over)
        assert (over.outcome, over.exit) == ("broken", -signal.SIGABRT)
        assert "SIGABRT" in over.output
        assert 'test_a.py", line 3 in test_a' in over.output
        assert found.run("test_quick.py") == {"test_quick.py::test_quick": "passed"}


@pytest.mark.parametrize("generations", [0, 1, 2], ids=["run", "layer", "zygote"])
def test_whoever_is_killed_takes_its_own_along_and_is_replaced(endless, generations):
    endless.run("test_quick.py")
    _standing_by(endless, 3)  # zygote, layer with what the run has imported, standby
    endless.begin("test_endless.py")
    pid = _started(endless)
    for _ in range(generations):
        pid = _parent(pid)
    os.kill(pid, signal.SIGKILL)
    over = endless.until(Over)
    assert over.outcome == "broken"
    endless.stand("warm")
    assert endless.run("test_quick.py") == {"test_quick.py::test_quick": "passed"}
    _standing_by(endless, 3)


FRONT = """
import os, sys
from pathlib import Path
from buddy_watch.reactor import Reactor
from buddy_watch.values import RunRequest, Standing
from buddy_watch.workers import Launch, Workers
reactor = Reactor()
workers = Workers(Launch(cwd=Path(".")), reactor, lambda value: None)
workers.start()
workers.run(RunRequest(run=1, files=frozenset({"test_endless.py"})))
reactor.run()
"""


def test_nothing_survives_the_watcher(tmp_path):
    project = Project(tmp_path, {"test_endless.py": ENDLESS})
    front = processes.python(["-c", FRONT], cwd=project.root, environment=project.environment({}))
    path = project.root / "pid"
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        os.sched_yield()
    os.kill(front.pid, signal.SIGKILL)
    front.wait()
    assert project.processes(patience=10) == ()


def test_what_every_process_has_imported_starts_pytest_anew(tmp_path):
    conftest = "import pytest, plugin\n@pytest.fixture\ndef value(): return plugin.VALUE\n"
    files = {
        "conftest.py": conftest,
        "plugin.py": "VALUE = 1\n",
        "test_a.py": "def test_a(value): assert value == 1\n",
    }
    with working(Project(tmp_path, files)) as found:
        assert found.last(Hello).loaded == {"conftest.py", "plugin.py"}
        assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}
        found.project.write({"plugin.py": "VALUE = 20\n"})
        found.workers.changed(["plugin.py"])
        assert found.run("test_a.py") == {"test_a.py::test_a": "failed"}
        assert [value.state for value in found.heard if isinstance(value, Standing)] == [
            "starting",
            "warm",
        ] * 2


def test_a_pytest_that_cannot_start_is_tried_again_at_the_next_change(tmp_path):
    project = Project(tmp_path, {"conftest.py": "import nothing_here\n", "test_a.py": QUICK})
    with working(project, up=False) as found:
        assert "No module named 'nothing_here'" in found.stand("broken").reason
        found.begin("test_a.py")
        over = found.until(Over)
        assert over.outcome == "broken"
        assert "nothing_here" in over.output
        found.project.write({"conftest.py": ""})
        found.workers.changed(["conftest.py"])
        assert found.run("test_a.py") == {"test_a.py::test_quick": "passed"}


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--nonsense"], "--nonsense"), (["-c", "no.ini"], "no.ini")],
)
def test_arguments_that_pytest_refuses(tmp_path, words, said):
    with working(Project(tmp_path, {"test_a.py": QUICK}), *words, up=False) as found:
        assert said in found.stand("broken").reason


def test_a_debugger_in_the_settings_is_refused(tmp_path):
    project = Project(tmp_path, {"test_a.py": QUICK, "pytest.ini": "[pytest]\naddopts = --pdb\n"})
    with working(project, up=False) as found:
        assert "cannot be used while watching" in found.stand("broken").reason


def test_a_file_that_changes_while_pytest_starts(tmp_path):
    conftest = "import time, plugin\nopen('at', 'w').close()\nwhile open('at').read() != 'go': pass\n"
    files = {
        "conftest.py": conftest,
        "plugin.py": "VALUE = 1\n",
        "test_a.py": "import plugin\ndef test_a(): assert plugin.VALUE == 2\n",
    }
    project = Project(tmp_path, files)
    with working(project, up=False) as found:
        while not (project.root / "at").exists():
            found.reactor.step(0.02)
        project.write({"plugin.py": "VALUE = 2#\n"})
        found.workers.changed(["plugin.py"])
        project.write({"conftest.py": "import plugin\n", "at": "go"})
        assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}


def test_threads_in_pytest_forbid_forks(tmp_path):
    conftest = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    text = "import threading\ndef test_a(): assert threading.active_count() == 2\n"
    with working(Project(tmp_path, {"conftest.py": conftest, "test_a.py": text})) as found:
        for _ in range(3):
            assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}
        found.project.write({"test_a.py": text.replace("2", "3")})
        found.workers.changed(["test_a.py"])
        assert found.run("test_a.py") == {"test_a.py::test_a": "failed"}
        found.project.write({"conftest.py": ""})
        found.workers.changed(["conftest.py"])
        found.project.write({"test_a.py": text.replace("2", "1")})
        assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}
        assert [value.state for value in found.heard if isinstance(value, Standing)] == [
            "starting",
            "warm",
        ] * 2


def test_something_newly_installed_starts_pytest_anew(tmp_path):
    project = Project(
        tmp_path, {"test_a.py": "import fresh\ndef test_a(): pass\n", "lib/site-packages/x.py": ""}
    )
    packages = project.root / "lib/site-packages"
    project.write({"conftest.py": f"import sys\nsys.path.append({str(packages)!r})\n"})
    with working(project) as found:
        assert found.run("test_a.py") == {"test_a.py": "error"}
        project.write({"lib/site-packages/fresh.py": ""})
        assert found.run("test_a.py") == {"test_a.py::test_a": "passed"}
        assert [value.state for value in found.heard if isinstance(value, Standing)] == [
            "starting",
            "warm",
        ] * 2


def test_many_runs_leave_nothing_open(tmp_path):
    with working(Project(tmp_path, {"test_a.py": QUICK})) as found:
        for _ in range(3):
            found.run("test_a.py")
        before = _open_files(found)
        for _ in range(25):
            found.run("test_a.py")
        assert _open_files(found) == before
