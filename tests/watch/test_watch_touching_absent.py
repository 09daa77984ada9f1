"""Where the plugin has nothing to work with, it is not there at all."""

import sys

import pytest

from pytest_buddy.testing import Project

ASKS = """\
import sys

def test_report(pytestconfig):
    assert not pytestconfig.pluginmanager.has_plugin("buddy-touching")

def pytest_runtest_logreport(report):
    assert not hasattr(report, "buddy_touched")
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there is sys.monitoring")
def test_before_3_12_it_does_nothing(tmp_path):
    project = Project(tmp_path, {"test_a.py": ASKS})
    assert project.pytest("-p", "buddy_watch.inside.touching").counts == {"passed": 1}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs sys.monitoring")
def test_tools_held_by_others_are_left_alone(tmp_path):
    holder = (
        "import sys\n"
        "for tool in (3, 4):\n"
        "    sys.monitoring.use_tool_id(tool, 'other')\n"
        "def pytest_unconfigure():\n"
        "    assert [sys.monitoring.get_tool(tool) for tool in (3, 4, 5)] == ['other', 'other', None]\n"
    )
    listener = (
        "def pytest_runtest_logreport(report):\n    assert not getattr(report, 'buddy_touched', None)\n"
    )
    files = {"holder.py": holder, "conftest.py": listener, "test_a.py": "def test_a(): pass\n"}
    project = Project(tmp_path, files)
    run = project.pytest(
        "-p", "holder", "-p", "buddy_watch.inside.touching", env={"PYTHONPATH": str(project.root)}
    )
    assert run.counts == {"passed": 1}
    assert run.exit == 0, run.out + run.err
