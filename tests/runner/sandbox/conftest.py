import json
import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_buddy.errors import BuddyError
from pytest_buddy.runner import sandbox
from pytest_buddy.workspace import Workspace

SECONDS = 30


@dataclass
class Ran:
    code: int
    output: str
    complaint: str


@dataclass
class Room:
    """A project to run programs in, confined at one level."""

    confinement: sandbox.Confinement
    workspace: Workspace
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, script: str, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return sandbox.start(
            self.confinement,
            ["-c", textwrap.dedent(script), *arguments],
            workspace=self.workspace,
            environment=dict(os.environ) | self.environment,
            **options,
        )

    def run(self, script: str, *arguments: str, **options: Any) -> Ran:
        process = self.start(script, *arguments, **options)
        try:
            output, complaint = process.communicate(timeout=SECONDS)
        finally:
            sandbox.stop(process)
        return Ran(
            process.returncode, output.decode(errors="replace"), (complaint or b"").decode(errors="replace")
        )


@pytest.fixture(scope="session")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], sandbox.Confinement]:
    known: dict[str, sandbox.Confinement | str] = {}
    cache = tmp_path_factory.mktemp("levels")

    def find(level: str) -> sandbox.Confinement:
        if level not in known:
            try:
                known[level] = sandbox.probe(Workspace(cache), wanted=level)
            except BuddyError as error:
                known[level] = error.message
        found = known[level]
        if isinstance(found, str):
            pytest.skip(found)
        return found

    return find


@pytest.fixture(scope="session")
def make_room(
    levels: Callable[[str], sandbox.Confinement], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Room]:
    """A new small project, confined at a level."""

    def make(level: str) -> Room:
        root = tmp_path_factory.mktemp("room") / "project"
        (root / "pkg").mkdir(parents=True)
        (root / "pkg" / "__init__.py").write_text("")
        (root / "pkg" / "code.py").write_text("VALUE = 1\n")
        (root / "pkg" / "data.txt").write_text("data")
        return Room(levels(level), Workspace(root))

    return make


@pytest.fixture
def room(request: pytest.FixtureRequest, make_room: Callable[[str], Room]) -> Room:
    """A project confined at the level given by indirect parametrisation, `full` unless told."""
    return make_room(getattr(request, "param", "full"))


def state(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    attributes = tuple(os.listxattr(path, follow_symlinks=False)) if hasattr(os, "listxattr") else ()
    return (status.st_mode, status.st_mtime_ns, status.st_size, status.st_uid, status.st_nlink, attributes)


class Outside:
    """Things beside the project that nothing inside may touch, and whether something did."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        (directory / "victim").write_bytes(b"untouched")
        (directory / "folder").mkdir()
        self._servers = {
            "tcp": self._server(stack, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": self._server(stack, socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "unix": self._server(stack, socket.AF_UNIX, socket.SOCK_STREAM, str(directory / "s")),
            "abstract": self._server(stack, socket.AF_UNIX, socket.SOCK_STREAM, f"\0{directory}"),
        }
        self.process = stack.enter_context(
            subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"])
        )
        stack.callback(self.process.kill)
        self._before = self._state()

    @staticmethod
    def _server(stack: ExitStack, family: int, kind: int, address: Any) -> socket.socket:
        server = stack.enter_context(socket.socket(family, kind))
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen()
        server.setblocking(False)
        return server

    def _state(self) -> dict[str, Any]:
        return {str(path): state(path) for path in [self.directory, *self.directory.rglob("*")]}

    def targets(self) -> str:
        return json.dumps(
            {
                "victim": str(self.directory / "victim"),
                "folder": str(self.directory / "folder"),
                "tcp": self._servers["tcp"].getsockname()[1],
                "udp": self._servers["udp"].getsockname()[1],
                "unix": str(self.directory / "s"),
                "abstract": str(self.directory),
                "pid": self.process.pid,
                "home": str(Path.home()),
            }
        )

    def touched(self) -> list[str]:
        """What something outside has noticed; empty when nothing was."""
        noticed = [name for name, server in self._servers.items() if self._reached(server)]
        if self._state() != self._before or (self.directory / "victim").read_bytes() != b"untouched":
            noticed.append("files")
        if self.process.poll() is not None:
            noticed.append("process")
        return noticed

    @staticmethod
    def _reached(server: socket.socket) -> bool:
        try:
            server.recv(10) if server.type == socket.SOCK_DGRAM else server.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture(scope="session")
def make_outside() -> Iterator[Callable[[Path], Outside]]:
    """Victims in a directory of their own beside a project."""
    with ExitStack() as stack:

        def make(directory: Path) -> Outside:
            directory.mkdir()
            return Outside(directory, stack)

        yield make
