"""What is written for macOS and Windows, as far as Linux can look at it: it is never claimed to hold."""

# ruff: noqa: E501

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_buddy import processes
from pytest_buddy.errors import RunnerError
from pytest_buddy.runner import sandbox
from pytest_buddy.runner.sandbox import macos, probing, windows
from pytest_buddy.workspace import Workspace

_IMPORTS = """
import pytest, rich.console, sys
LATER = ("macos", "windows")
import pytest_buddy.cli, pytest_buddy.doctor, pytest_buddy.plugin_work, pytest_buddy.session
print([name for name in sys.modules if name.startswith("pytest_buddy.runner.sandbox") and name.endswith(LATER)])
"""
_WINDOWS = """
import pytest, rich.console, coverage, os, signal, subprocess, sys, tempfile, socket, select, json, site, logging
for name in ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"):
    sys.modules[name] = None
for name in ("fork", "uname", "getuid", "geteuid", "memfd_create", "pidfd_open", "killpg", "setsid", "waitpid"):
    delattr(os, name)
for name in ("SIGKILL", "SIGSTOP", "SIGCHLD", "pthread_sigmask", "sigtimedwait", "setitimer"):
    delattr(signal, name)
import pytest_buddy.cli, pytest_buddy.doctor, pytest_buddy.plugin, pytest_buddy.plugin_work
"""


def _python(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_on_linux_they_are_never_imported():
    assert _python(_IMPORTS).stdout == "[]\n"


def test_everything_a_person_starts_is_imported_without_posix():
    ran = _python(_WINDOWS)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_rules_for_macos_name_every_path_and_close_the_network():
    rules = macos.profile(readable=["/opt/py"], writable=["/tmp/a b"], hidden=['/Users/x/.ssh"\\'])
    assert rules.startswith("(version 1)\n(deny default)\n")
    assert '(allow file-read* (subpath "/opt/py"))' in rules
    assert '(deny file-read* file-write* (subpath "/Users/x/.ssh\\"\\\\"))' in rules
    assert rules.index(".ssh") < rules.index('"/tmp/a b"')
    assert "(deny network*)" in rules
    assert rules.count("(") == rules.count(")")


def test_macos_starts_the_interpreter_behind_its_rules_and_cleans_up(tmp_path, monkeypatch):
    called = []
    real = processes.python

    def python(arguments, *, before, cwd, environment, **_options):
        called.append((before, tuple(arguments), environment["TMPDIR"]))
        return real(["-c", "pass"], cwd=cwd, environment=environment)

    monkeypatch.setattr(processes, "python", python)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    process = macos.start(
        ["-c", "x"],
        directory=tmp_path,
        environment={},
        readable=[],
        writable=[],
        hidden=[],
        pass_fds=[],
        stdout=None,
        stderr=None,
    )
    process.wait()
    ((before, arguments, temporary),) = called
    assert before[:2] == ("/usr/bin/sandbox-exec", "-p")
    assert temporary in before[2]
    assert arguments == ("-c", "x")
    assert Path(temporary).is_dir()
    del process
    assert not Path(temporary).exists()


def test_macos_is_partial_only_where_the_self_attack_finds_it_to_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "SUPPORTED", False)
    monkeypatch.setattr(probing.sys, "platform", "darwin")
    monkeypatch.setattr(probing, "_run", lambda *_: ({"read": "blocked: x"}, ""))
    assert sandbox.probe(Workspace(tmp_path)).level == "partial"
    monkeypatch.setattr(probing, "_run", lambda *_: ({"write": "through"}, ""))
    assert sandbox.probe(Workspace(tmp_path)).level == "none"


def test_windows_is_none_because_a_job_closes_no_files(tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "SUPPORTED", False)
    monkeypatch.setattr(probing.sys, "platform", "win32")
    found = sandbox.probe(Workspace(tmp_path))
    assert found.level == "none"
    assert "Job object" in found.reason
    assert "--buddy-sandbox none" in sandbox.advice(found)


def test_the_limits_of_a_job_have_the_layout_of_windows():
    limits = windows.limits(1 << 30)
    assert ctypes.sizeof(limits) == 144
    assert limits.flags == 0x2508
    assert limits.process_memory == 1 << 30
    assert windows.limits(0).flags == 0x2408


def test_without_windows_there_is_no_job_and_no_process_left(tmp_path, monkeypatch):
    started = []
    real = processes.python

    def python(arguments, *, creation_flags, **options):
        assert creation_flags == 4
        started.append(real(["-c", "import time; time.sleep(60)"], **options))
        return started[0]

    monkeypatch.setattr(processes, "python", python)
    with pytest.raises(RunnerError, match="Windows"):
        windows.start(["-c", "x"], directory=tmp_path, environment={}, memory=0, stdout=None, stderr=None)
    assert started[0].wait(10) == -9
