"""Starting a program in a sandbox, and stopping it with all it has started."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_buddy import processes
from pytest_buddy.domain import SandboxLevel
from pytest_buddy.errors import RunnerError
from pytest_buddy.runner.sandbox import visible
from pytest_buddy.runner.sandbox.environment import permitted
from pytest_buddy.runner.sandbox.plan import Plan
from pytest_buddy.workspace import Workspace

_TEMPORARY = "/tmp"  # noqa: S108  the private one inside
_LAUNCHER = Path(__file__).absolute().parent
SUPPORTED = sys.platform == "linux"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What keeps candidate programs in on this machine.

    `reason`: why it is not `full`, or not everything of it; empty otherwise. `overlay`: writes to the
    workspace land in a throw-away layer at the same path; without it the workspace can only be read
    (`full`, `partial`) or is the real one (`none`).
    """

    level: SandboxLevel
    reason: str = ""
    overlay: bool = False

    @property
    def replaces_files(self) -> bool:
        """Whether `start` can give files other content at their own path."""
        return self.level == "full"


def start(
    confinement: Confinement,
    arguments: Sequence[str],
    *,
    workspace: Workspace,
    environment: Mapping[str, str],
    files: Mapping[str, bytes] | None = None,
    directory: Path | None = None,
    writable: Sequence[Path] = (),
    readable: Sequence[Path] = (),
    pass_fds: Sequence[int] = (),
    memory: int = 0,
    stdout: Any = subprocess.DEVNULL,
    stderr: Any = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """Start the running interpreter with `arguments` inside; end it with `stop`.

    `files` (workspace-relative path -> content) replace what is at their path before the program starts;
    only where `confinement.replaces_files`. `directory`: where it starts, the workspace's root by default.
    `writable` and `readable`: further directories it may use, the real ones. `memory`: bytes of data each
    process may have, 0 for any. The environment is filtered. Exit status is the program's; when the
    confinement can't be built it is 125 and a message is on stderr. Ends when this process ends.
    """
    if files and not confinement.replaces_files:
        raise RunnerError(
            f"Sandbox level {confinement.level!r} can't replace files in place.", hint="Run `buddy doctor`."
        )
    where = directory or workspace.root
    permitted_environment = permitted(environment)
    if sys.platform == "win32":
        from pytest_buddy.runner.sandbox import windows

        return windows.start(
            arguments,
            directory=where,
            environment=permitted_environment,
            memory=memory,
            stdout=stdout,
            stderr=stderr,
        )
    if not SUPPORTED and confinement.level == "partial":
        from pytest_buddy.runner.sandbox import macos

        home = person_home() or "/nonexistent"
        view = visible.view(
            str(workspace.root), home=home, environment=permitted_environment, extra=map(str, readable)
        )
        return macos.start(
            arguments,
            directory=where,
            environment=permitted_environment,
            readable=(*view.readable, str(workspace.root)),
            writable=[os.path.realpath(path) for path in writable],
            hidden=view.hidden,
            pass_fds=pass_fds,
            stdout=stdout,
            stderr=stderr,
        )
    if not SUPPORTED:
        return processes.python(
            arguments,
            cwd=where,
            environment=permitted_environment,
            pass_fds=pass_fds,
            stdout=stdout,
            stderr=stderr,
        )
    plan = _plan(
        confinement,
        arguments,
        root=str(workspace.root),
        environment=permitted_environment,
        files=files or {},
        directory=str(where),
        writable=[os.path.realpath(path) for path in writable],
        readable=[str(path) for path in readable],
        pass_fds=pass_fds,
        memory=memory,
    )
    with os.fdopen(os.memfd_create("plan"), "wb") as stream:
        stream.write(plan.dump())
        stream.seek(0)
        return processes.python(
            ["-I", "-S", str(_LAUNCHER), str(stream.fileno())],
            cwd=workspace.root,
            environment=permitted_environment,
            pass_fds=(*pass_fds, stream.fileno()),
            stdout=stdout,
            stderr=stderr,
        )


def stop(process: "subprocess.Popen[bytes]", *, patience: float = 10.0) -> int:
    """End a confined program and every process it has started; returns when none is left."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def person_home() -> str:
    """The home directory of the person, resolved; empty when there is none."""
    try:
        home = Path(os.path.realpath(Path.home()))
    except RuntimeError:
        return ""
    return str(home) if home.is_dir() and home != home.parent else ""


def _plan(
    confinement: Confinement,
    arguments: Sequence[str],
    *,
    root: str,
    environment: dict[str, str],
    files: Mapping[str, bytes],
    directory: str,
    writable: Sequence[str],
    readable: Sequence[str],
    pass_fds: Sequence[int],
    memory: int,
) -> Plan:
    person = person_home()
    view = visible.view(root, home=person or "/nonexistent", environment=environment, extra=readable)
    full = confinement.level == "full"
    temporary = _TEMPORARY if full else os.path.realpath(tempfile.gettempdir())
    home = person
    if person in ("", temporary) or visible.below(person, root):
        home = f"{_TEMPORARY}/home"
    environment = environment | {"PWD": directory, "PYTHONDONTWRITEBYTECODE": "1"}
    if full:
        # A repository may begin above the overlay.
        environment |= {"TMPDIR": temporary, "HOME": home, "GIT_DISCOVERY_ACROSS_FILESYSTEM": "1"}
    return Plan(
        level=confinement.level,
        parent=os.getpid(),
        arguments=tuple(os.fsencode(argument) for argument in (sys.executable, *arguments)),
        environment={os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
        directory=os.fsencode(directory),
        root=os.fsencode(root),
        home=os.fsencode(home),
        temporary=os.fsencode(temporary),
        overlay=confinement.overlay,
        links=tuple((os.fsencode(link), os.fsencode(target)) for link, target in view.links),
        readable=tuple(map(os.fsencode, view.readable)),
        writable=tuple(map(os.fsencode, writable)),
        hidden=tuple(map(os.fsencode, view.hidden)),
        files=tuple((os.fsencode(path), content) for path, content in files.items()),
        keep=tuple(pass_fds),
        memory=memory,
    )
