"""Every command, watched by an audit hook in every Python process it starts, speaks to nothing but this machine."""

# ruff: noqa: E501

import argparse
import json
from pathlib import Path

import pytest

from pytest_buddy import cli
from pytest_buddy.testing import Project
from tests.end_to_end.projects import RED

# Independent of the product's own guard: it knows the guard's events and more, and only writes down.
_WATCHER = """\
import json, os, sys

_LOG = {log!r}
_HERE = {{"", "None", "localhost", "::1", "ip6-localhost"}}


def _far(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[-1]
        if not isinstance(address, tuple) or not address:  # a path, or connected already
            return False
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    elif event == "urllib.Request":
        host = arguments[0].split("/")[2].rpartition("@")[2].rpartition(":")[0] or arguments[0]
    elif event.endswith(".connect") or event in ("imaplib.open", "telnetlib.Telnet.open"):
        host = arguments[1]
    elif event in ("webbrowser.open", "socket.bind"):
        host = arguments[-1] if event == "webbrowser.open" else arguments[1]
        if not isinstance(host, str):
            host = host[0] if isinstance(host, tuple) and len(host) > 1 else ""
            host = "" if host in (0, "0.0.0.0") else host
        elif event == "socket.bind":
            return False
    else:
        return False
    host = host.decode() if isinstance(host, bytes) else str(host)
    return host not in _HERE and not host.startswith("127.")


def _note(kind, detail):
    line = json.dumps([kind, os.getpid(), detail]) + "\\n"
    try:
        log = os.open(_LOG, os.O_WRONLY | os.O_APPEND)
    except OSError:
        return  # inside the sandbox, which has no network of its own
    os.write(log, line.encode())
    os.close(log)


def _hook(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "nntplib.",
                         "telnetlib.", "webbrowser.")):
        if _far(event, arguments):
            _note("far", [event, repr(arguments)])
    elif event == "subprocess.Popen":
        _note("program", [os.fsdecode(arguments[0]), [os.fsdecode(word) for word in arguments[1]]])
    elif event in ("os.system", "os.posix_spawn", "os.spawn"):
        _note("program", [event, [repr(arguments)]])


_note("process", sys.orig_argv)
sys.addaudithook(_hook)
"""
_COMMANDS = (
    ("show",),
    ("show", "--diff"),
    ("explain",),
    ("doctor",),
    ("completion", "bash"),
    ("stage",),
    ("undo",),
    ("apply",),
    ("undo",),
    ("discard",),
    ("demo", "--apply"),
)


class Watched:
    """A project whose Python processes write down what they reach for."""

    def __init__(self, directory: Path, files: dict[str, str]) -> None:
        self.project = Project(directory, files)
        self._log = directory / "watched.jsonl"
        self._log.touch()
        hooks = directory / "hooks"
        hooks.mkdir()
        (hooks / "sitecustomize.py").write_text(_WATCHER.format(log=str(self._log)))
        self.env = {"PYTHONPATH": str(hooks)}

    def seen(self, kind: str) -> list:
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [detail for found, _, detail in lines if found == kind]

    def check(self) -> None:
        assert self.seen("process"), "nothing was watched"
        assert self.seen("far") == []
        for program, words in self.seen("program"):
            name = Path(program).name
            assert name.startswith("python") or name == "git", (program, words)
            if name == "git":
                assert "protocol.allow=never" in words


@pytest.mark.parametrize("level", ["auto", "none"])
def test_the_plugin(tmp_path, level):
    watched = Watched(tmp_path, RED)
    run = watched.project.pytest("--buddy", "--buddy-sandbox", level, env=watched.env)
    assert run.report["summary"]["fixed"] == 1, run.out
    watched.check()
    if level == "none":  # unconfined, so that the runner's processes can write what they do
        started = [word for words in watched.seen("process") for word in words]
        assert "pytest_buddy.runner.server" in started
        assert "pytest_buddy.runner.referee" in started


def test_every_command(tmp_path):
    watched = Watched(tmp_path, RED)
    project = watched.project
    project.python(
        "-c", "import subprocess; subprocess.run(['git', 'init', '-q']); subprocess.run(['git', 'add', '.'])"
    )
    assert project.pytest("--buddy").report["summary"]["fixed"] == 1
    for words in ((), ("--version",), *_COMMANDS):
        before = len(watched.seen("process"))
        run = project.buddy(*words, env=watched.env)
        assert run.exit == 0 or words in (("doctor",), ("demo", "--apply")), (words, run)
        assert len(watched.seen("process")) > before, words
    watched.check()


def test_no_command_is_forgotten():
    actions = cli._parser()._actions
    known = next(action for action in actions if isinstance(action, argparse._SubParsersAction)).choices
    assert {words[0] for words in _COMMANDS} == set(known)


_DIALS = {
    "tcp": "socket.create_connection(('192.0.2.1', 9), timeout=0.2)",
    "udp": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    "name": "socket.getaddrinfo('somewhere.invalid', 80)",
    "urllib": "urllib.request.urlopen('http://192.0.2.1:9/', timeout=0.2)",
    "http": "http.client.HTTPConnection('192.0.2.1', timeout=0.2).connect()",
}


@pytest.mark.parametrize("way", _DIALS)
def test_the_watcher_sees_who_dials(tmp_path, way):
    watched = Watched(tmp_path, {})
    code = f"import http.client, socket, urllib.request\ntry:\n    {_DIALS[way]}\nexcept OSError:\n    pass\n"
    watched.project.python("-c", code, env=watched.env)
    assert watched.seen("far")
    with pytest.raises(AssertionError):
        watched.check()


_DIALLER = """\
import socket

from pytest_buddy.ports import hookimpl


class Dialler:
    name = "dialler"

    def propose(self, context):
        try:
            socket.create_connection(("192.0.2.1", 9), timeout=0.2)
        except OSError as error:
            with open("said.txt", "w") as said:
                said.write(str(error))
        return ()


@hookimpl
def buddy_coders(config):
    return (Dialler(),)
"""


@pytest.mark.parametrize("offline", [True, False])
def test_a_coder_that_dials_is_seen_and_refused_while_offline(tmp_path, offline):
    watched = Watched(tmp_path, RED)
    package = {
        "dialler.py": _DIALLER,
        "dialler-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: dialler\nVersion: 1\n",
        "dialler-1.dist-info/entry_points.txt": "[pytest_buddy]\ndialler = dialler\n",
    }
    Project(tmp_path, package, name="hooks")
    flag = "--buddy-offline" if offline else "--no-buddy-offline"
    run = watched.project.pytest("--buddy", flag, "--buddy-coder", "dialler", env=watched.env)
    assert run.report["offline"] is offline
    assert watched.seen("far")
    assert ("works offline" in watched.project.read("said.txt")) is offline, run.out
