"""Confirm a patch: a fresh pytest process on real files, in original order, beside the running search."""

import base64
import contextlib
import hashlib
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_buddy.domain import Outcome
from pytest_buddy.messages import Inbox, Message, pack
from pytest_buddy.runner.launch import Launcher
from pytest_buddy.runner.scratch import copy_workspace
from pytest_buddy.runner.snapshot import FRESH, Snapshot
from pytest_buddy.workspace import Workspace

if TYPE_CHECKING:
    import subprocess


class Standby:
    """A referee that waits for its request, with nothing loaded but what is installed.

    Only where the workspace is a throw-away layer, into which it can write the patched files itself.
    """

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.snapshot = Snapshot.of(launcher.workspace)
        self.socket, self.process = _start(launcher)

    def close(self) -> None:
        """End it unused."""
        self.socket.close()
        self.launcher.end(self.process)


class Confirmation:
    """A cold run under way. `poll` never blocks; `outcomes` holds what has been heard so far.

    `contents` maps path -> bytes of the patched files; `tests` are node ids in the order of the plain run.
    With `trace`, `lines` holds what each test ran: test -> path -> line numbers. A `standby` is taken over;
    it steps down when it may have seen anything that has changed since it was started.
    Use it as a context manager: leaving it ends the process and removes the copy.
    """

    def __init__(
        self,
        launcher: Launcher,
        contents: Mapping[str, bytes],
        tests: Sequence[str],
        *,
        trace: bool = False,
        standby: Standby | None = None,
    ) -> None:
        self._launcher = launcher
        self._contents = dict(contents)
        self._tests = tuple(tests)
        self._trace = trace
        self._nonce = secrets.token_hex(16)
        self._inbox = Inbox()
        self._started = time.monotonic()
        self._directory: Path | None = None
        self._root = launcher.workspace.root
        if not launcher.replaces_files:
            self._directory = Path(tempfile.mkdtemp(prefix="buddy-"))
            self._root = copy_workspace(launcher.workspace, self._directory, contents)
        self.outcomes: dict[str, Outcome] = {}
        self.lines: dict[str, dict[str, frozenset[int]]] = {}
        self.loaded: frozenset[str] = frozenset()
        self.seconds = 0.0
        self.finished = False
        self._seated = standby is None or not launcher.overlays
        if standby is not None and launcher.overlays:
            self._socket, self._process = self._take_over(standby)
        else:
            self._socket, self._process = self._begin()

    def _begin(self) -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
        copied = self._directory is not None
        ours, process = _start(
            self._launcher,
            files=None if copied else self._contents,
            workspace=Workspace(self._root) if copied else None,
            environment=self._import_path() if copied else None,
        )
        ours.sendall(pack(self._request()))
        ours.setblocking(False)
        return ours, process

    def _take_over(self, standby: Standby) -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
        now = Snapshot.of(self._launcher.workspace)
        changed = [item for item in standby.snapshot.changes_until(now) if item.path not in self._contents]
        contents = {path: base64.b64encode(data).decode() for path, data in self._contents.items()}
        seen = {
            "contents": contents,
            "changed": [[item.path, item.kind, item.digest] for item in changed],
            "recent": [*contents, *now.since(time.time() - FRESH)],
        }
        with contextlib.suppress(OSError):  # it has ended: then nothing will come of it but that
            standby.socket.sendall(pack({**self._request(), **seen}))
        standby.socket.setblocking(False)
        return standby.socket, standby.process

    def __enter__(self) -> "Confirmation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def socket(self) -> socket.socket:
        """Readable when there is something to `poll`; another one after a standby has stepped down."""
        return self._socket

    @property
    def complete(self) -> bool:
        """Whether every test has been heard of."""
        return all(test in self.outcomes for test in self._tests)

    def _request(self) -> Message:
        tests = self._tests
        files = list(dict.fromkeys(test.split("::")[0] for test in tests))
        digests = {path: hashlib.sha256(content).hexdigest() for path, content in self._contents.items()}
        setup = self._launcher.setup(files, captured=True, root=self._root)
        return {**setup, "nonce": self._nonce, "tests": list(tests), "digests": digests, "trace": self._trace}

    def _import_path(self) -> dict[str, str]:
        """Put the copy's import roots before those of editable installs, which point at the original."""
        workspace = self._launcher.workspace
        roots: list[str] = []
        for path in self._contents:
            depth = workspace.module_name(path).count(".") + (0 if path.endswith("__init__.py") else 1)
            parent = Path(path)
            for _ in range(max(1, depth)):
                parent = parent.parent
            if workspace.module_name(path).count(".") or str(parent) != ".":
                roots.append(str(self._root / parent))
        inherited = os.environ.get("PYTHONPATH", "")
        kept = [
            entry.replace(str(workspace.root), str(self._root), 1)
            if entry.startswith(str(workspace.root))
            else entry
            for entry in inherited.split(os.pathsep)
            if entry
        ]
        return {"PYTHONPATH": os.pathsep.join([*dict.fromkeys(roots), *kept])}

    def poll(self) -> bool:
        """Take in what has arrived; whether the run is over."""
        while not self.finished:
            try:
                data = self._socket.recv(1 << 20)
            except BlockingIOError:
                return False
            except OSError:
                data = b""
            if not data and not self._seated:
                self._start_over()
            elif not data:
                self._finish()
            for message in self._inbox.feed(data):
                self._hear(message)
        return True

    def _hear(self, message: Message) -> None:
        if message.pop("nonce", None) != self._nonce:
            return
        if "outdated" in message:
            self._seated = not message["outdated"]
        elif "loaded" in message:  # the last word on the tests; what pytest still does ends by itself
            self.loaded = frozenset(message["loaded"])
            self._finish()
        elif "ended" in message:
            self._finish()
        else:
            lines = message.get("lines", {})
            self.lines[message["test"]] = {path: frozenset(numbers) for path, numbers in lines.items()}
            self.outcomes[message["test"]] = Outcome(
                test=message["test"],
                status=message["status"],
                seconds=message.get("seconds", 0.0),
                error_type=message.get("error_type", ""),
                message=message.get("message", ""),
            )

    def _start_over(self) -> None:
        """A standby has stepped down, or is no more: with a referee that is started now."""
        self._socket.close()
        self._launcher.end(self._process)
        self._inbox, self._seated = Inbox(), True
        self._socket, self._process = self._begin()

    def _finish(self) -> None:
        self.finished = True
        self.seconds = time.monotonic() - self._started

    def close(self) -> None:
        """End the process, whatever it is doing, and remove the copy."""
        self._socket.close()
        self._launcher.end(self._process)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)


def _start(
    launcher: Launcher,
    *,
    files: Mapping[str, bytes] | None = None,
    workspace: Workspace | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    """Start a referee; the channel to it and its process."""
    ours, theirs = socket.socketpair()
    try:
        process = launcher.start(
            ["-m", "pytest_buddy.runner.referee", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            files=files,
            workspace=workspace,
            environment=environment,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return ours, process
