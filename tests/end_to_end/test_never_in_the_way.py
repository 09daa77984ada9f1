"""Whatever is wrong with pytest-buddy itself, the person's run is as it would have been."""

from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, steady
from tests.end_to_end.projects import RED

BREAKS = {
    "cannot_be_imported": "import sys\nsys.modules['pytest_buddy.plugin_session'] = None\n",
    "lacks_a_dependency": "import sys\nsys.modules['rich'] = None\nsys.modules['rich.text'] = None\n",
    "cannot_redact": "import sys\nsys.modules['pytest_buddy.redact'] = None\n",
    "cannot_wake": """\
import pytest_buddy.plugin_session as broken


def fail(*_):
    raise NameError("name 'gone' is not defined")


broken.PluginSession.__init__ = fail
""",
    "cannot_record": """\
import pytest_buddy.capture.recorder as broken


def fail(*_, **__):
    raise SystemExit("out of a recorder")


broken.Recorder._described = broken.Recorder._compared = broken.Recorder._keep = fail
""",
    "cannot_work": """\
import pytest_buddy.session as broken


def fail(*_):
    raise ZeroDivisionError("in the middle\\nof the work")


broken.Session._work = fail
""",
    "cannot_show": """\
import pytest_buddy.screen as broken


def fail(*_, **__):
    raise UnicodeError("not on this screen")


broken.Screen.diagnosis = fail
""",
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_fault_of_ours_is_one_line_at_the_end(tmp_path: Path, name: str) -> None:
    """The fault is put in by a plugin that is loaded with ours."""
    project = Project(tmp_path, {**RED, "saboteur.py": BREAKS[name]})
    plain = project.pytest("-q", "-p", "saboteur")
    buddy = project.pytest("-q", "-p", "saboteur", *QUICK)
    expected = steady(plain.out)
    lines = steady(buddy.out)
    assert (buddy.exit, buddy.counts) == (plain.exit, plain.counts) == (1, {"failed": 1, "passed": 3})
    assert lines[: len(expected)] == expected
    assert steady(buddy.err) == steady(plain.err)
    assert "Traceback" not in buddy.out
    said = [line for line in lines[len(expected) :] if line.startswith("buddy: ")]
    assert len(said) == 1
    assert "your test results are not affected" in said[0] or "details of failures are missing" in said[0]
    assert project.processes() == ()


def test_a_green_run_with_a_broken_buddy_stays_green(tmp_path: Path) -> None:
    files = {"test_it.py": "def test_it():\n    pass\n", "saboteur.py": BREAKS["cannot_be_imported"]}
    run = Project(tmp_path, files).pytest("-q", "-p", "saboteur", "--buddy")
    assert (run.exit, run.counts) == (0, {"passed": 1})
    assert run.out.count("buddy: ") == 1


def test_asleep_it_loads_and_prints_nothing(red: Project) -> None:
    """Without `--buddy`, only the plugin's own file is imported."""
    red.write(
        {
            "conftest.py": """\
import sys


def pytest_unconfigure():
    print(sorted(name for name in sys.modules if name.startswith("pytest_buddy")))
"""
        }
    )
    run = red.pytest("-q", "--tb=no")
    assert run.out.splitlines()[-1] == "['pytest_buddy', 'pytest_buddy.plugin']"
    assert not (red.root / ".buddy").exists()


def test_a_run_that_the_person_broke_off_is_left_alone(tmp_path: Path) -> None:
    later = "import os, signal\n\n\ndef test_later():\n    os.kill(os.getpid(), signal.SIGINT)\n"
    files = {**RED, "tests/test_later.py": later}
    project = Project(tmp_path, files)
    plain = project.pytest("-q", "--tb=no")
    buddy = project.pytest("-q", "--tb=no", *QUICK)
    assert buddy.exit == plain.exit == 2
    assert steady(buddy.out) == steady(plain.out)
    assert project.processes() == ()
