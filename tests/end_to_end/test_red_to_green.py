from pathlib import Path

import pytest

from pytest_buddy import processes
from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, Compare
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


def test_stage_discard_and_undo(red: Project) -> None:
    """The index gets the fix, the files stay; what was discarded is open again after an undo by name."""
    red.write({".gitignore": "__pycache__/\n"})
    for words in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"),
    ):
        assert processes.git(red.root, *words) is not None
    run = red.pytest("-q", *QUICK)
    fix = run.report["faults"][0]["patches"][0]
    assert processes.git(red.root, "status", "--porcelain") == b""

    assert red.buddy("stage", fix["id"][:4]).exit == 0
    assert processes.git(red.root, "status", "--porcelain") == b"MM shop/clamp.py\n"
    assert red.read("shop/clamp.py") == CLAMP
    staged = processes.git(red.root, "show", ":shop/clamp.py")
    assert staged is not None
    assert staged.decode() == FIXED
    assert red.buddy("undo").exit == 0
    assert processes.git(red.root, "status", "--porcelain") == b""

    for patch in run.report["faults"][0]["patches"]:
        assert red.buddy("discard", patch["id"]).exit == 0
    refused = red.buddy("apply")
    assert refused.exit == 1
    assert f"{fix['id']} discarded" in refused.err
    assert red.buddy("undo", fix["id"]).exit == 0
    assert red.buddy("apply").exit == 0
    assert red.read("shop/clamp.py") == FIXED


def test_a_file_that_changed_meanwhile_is_left_alone(red: Project) -> None:
    red.pytest("-q", *QUICK)
    edited = CLAMP + "\n\nMORE = 1\n"
    red.write({"shop/clamp.py": edited})
    refused = red.buddy("apply")
    assert refused.exit == 1
    assert "Traceback" not in refused.err
    assert red.read("shop/clamp.py") == edited


def test_the_command_without_a_run_before(red: Project) -> None:
    for command in ("show", "apply", "stage", "discard", "undo", "explain"):
        run = red.buddy(command)
        assert run.exit == 1
        assert run.err.startswith("buddy: ")
        assert len(run.err.splitlines()) == 2
    assert not (red.root / ".buddy" / "diagnosis.json").exists()


@pytest.mark.slow
def test_the_demo(tmp_path: Path) -> None:
    run = Project(tmp_path, {}).buddy("demo", "--apply")
    assert run.exit == 0, run.out + run.err
    assert "buddy apply" in run.out
    assert "passed" in run.out.splitlines()[-1]
    assert "failed" not in run.out.splitlines()[-1]


CART = """\
RATES = {"de": 0.19, "fr": 0.2}


def total(prices, country, coupon=None):
    net = sum(prices)
    if coupon is not None:
        net -= coupon.worth(net)
    return round(net * (1 + RATES[country]), 2)
"""
TEST_CART = """\
from cart import total


class Half:
    def worth(self, net):
        return net / 2


def test_plain():
    assert total([10, 20], "de") == 35.7


def test_coupon():
    assert total([10, 20], "fr", Half()) == 18.0
"""


def test_what_was_just_changed_is_offered_back(tmp_path):
    """No template could write this call; git remembers it."""
    project = Project(tmp_path, {"cart.py": CART, "test_cart.py": TEST_CART, "pytest.ini": "[pytest]\n"})
    for words in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"),
    ):
        assert processes.git(project.root, *words) is not None
    project.write({"cart.py": CART.replace("coupon.worth(net)", "coupon.off(prices, RATES)")})
    run = project.pytest("-q", *QUICK)
    assert "puts back what stood here before a change that is not committed" in str(run.report)
    assert project.buddy("apply").exit == 0
    assert project.read("cart.py") == CART
