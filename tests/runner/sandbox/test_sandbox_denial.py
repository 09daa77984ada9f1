"""A test that needs what the sandbox denies is told so, and no patch is held against it."""

import pytest

from pytest_buddy.runner.sandbox import denied
from pytest_buddy.testing import Project

ENVIRONMENT = {"VAULT_PASSWORD": "x", "LANG": "C"}


@pytest.mark.parametrize(
    ("error_type", "message", "needs"),
    [
        ("gaierror", "[Errno -3] Temporary failure in name resolution", "the network"),
        ("ConnectionError", "Failed to establish a new connection", "the network"),
        ("OSError", "[Errno 101] Network is unreachable", "the network"),
        ("KeyError", "'VAULT_PASSWORD'", "the environment variable VAULT_PASSWORD"),
        ("KeyError", "'LANG'", ""),
        ("KeyError", "'colour'", ""),
        ("OSError", "[Errno 30] Read-only file system: '/etc/x'", "the file /etc/x"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: '/srv/data'", "the file /srv/data"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: '/srv/project/a'", ""),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'a'", ""),
        ("PermissionError", "[Errno 1] Operation not permitted", "something of the system"),
        ("AssertionError", "assert 1 == 2", ""),
    ],
)
def test_what_is_missing_is_named(error_type, message, needs):
    assert denied(error_type, message, environment=ENVIRONMENT, root="/srv/project") == needs


CODE = """\
import os
import socket


def answer():
    return len(os.environ["VAULT_PASSWORD"]) + 40


def rank(number):
    return number - 1
"""
TESTS = """\
import vault as code


def test_answer():
    assert code.answer() == 0


def test_rank():
    assert code.rank(1) == 2


def test_rank_of_two():
    assert code.rank(2) == 3
"""


def test_a_run_says_what_the_sandbox_denies_and_repairs_the_rest(tmp_path, levels):
    levels("full")
    project = Project(tmp_path, {"pytest.ini": "", "vault.py": CODE, "test_code.py": TESTS})
    run = project.pytest("--buddy", env={"VAULT_PASSWORD": "abc"})
    (notice,) = [notice for notice in run.report["notices"] if "test_answer" in notice]
    assert "test_answer needs the environment variable VAULT_PASSWORD, which the sandbox denies" in notice
    assert run.report["summary"]["fixed"] == 1, run.out
    (fix,) = [fault["patches"][0]["verdict"] for fault in run.report["faults"] if fault["patches"]]
    assert fix["fixed"] == ["test_code.py::test_rank", "test_code.py::test_rank_of_two"]
    assert fix["broken"] == []
