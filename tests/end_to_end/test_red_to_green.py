from pytest_buddy import processes
from pytest_buddy.testing import Project
from tests.end_to_end.comparison import Compare
from tests.end_to_end.projects import CLAMP, FIXED


def test_from_red_to_applied_and_back(red: Project, compare: Compare) -> None:
    both = compare(red)
    report = both.buddy.report
    assert report["summary"] == {"failed": 1, "flaky": 0, "faults": 1, "fixed": 1}
    (fix, *_) = report["faults"][0]["patches"]
    assert fix["verdict"]["confirmed"]
    assert f"buddy apply {fix['id']}" in both.buddy.out
    assert fix["id"] in red.buddy("show").out

    diff = red.buddy("show", "--diff")
    assert diff.exit == 0
    assert processes.git(red.root, "apply", "--check", "-", stdin=diff.out.encode()) is not None

    assert red.buddy("apply").exit == 0
    assert red.read("shop/clamp.py") == FIXED
    green = red.pytest("-q")
    assert green.exit == 0
    assert green.counts == {"passed": 4}

    assert red.buddy("undo").exit == 0
    assert red.read("shop/clamp.py") == CLAMP
    assert red.pytest("-q").counts == {"failed": 1, "passed": 3}
    assert red.processes() == ()
