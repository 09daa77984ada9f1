"""How runner processes are started: the one seam between the runner and the sandbox."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_buddy.domain import Outcome, SandboxLevel
from pytest_buddy.messages import Message
from pytest_buddy.runner import sandbox
from pytest_buddy.workspace import Workspace

_QUIET = ("-o", "addopts=", "--tb=native", "-q", "-q", "--color=no", "--continue-on-collection-errors")
_LEFT_OUT = frozenset(
    {
        "PYTEST_ADDOPTS",
        "PYTEST_CURRENT_TEST",
        "PYTEST_XDIST_WORKER",
        "COVERAGE_PROCESS_START",
        "COV_CORE_SOURCE",
    }
)
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """Starts Python processes for one workspace, inside the sandbox that `confinement` describes.

    `cwd` is where pytest was called, `args` the pytest arguments to inherit, `here_first` whether the current
    directory was on the import path (as with `python -m pytest`).
    """

    workspace: Workspace
    cwd: Path
    confinement: sandbox.Confinement
    args: tuple[str, ...] = ()
    here_first: bool = False

    @property
    def level(self) -> SandboxLevel:
        """The sandbox level that every verdict names."""
        return self.confinement.level

    @property
    def replaces_files(self) -> bool:
        """Whether a patched file can stand at its own path inside."""
        return self.confinement.replaces_files

    @property
    def overlays(self) -> bool:
        """Whether what is written to the workspace inside is thrown away."""
        return self.confinement.overlay

    def denied(self, outcome: Outcome) -> str:
        """What the sandbox denies that a test seems to need, from how it ended inside; empty if nothing."""
        if self.level == "none":
            return ""
        root = str(self.workspace.root)
        return sandbox.denied(outcome.error_type, outcome.message, environment=os.environ, root=root)

    def setup(self, files: Sequence[str], *, captured: bool = False, root: Path | None = None) -> Message:
        """The first message to a server: where to go and what to call pytest with.

        `root` is where the workspace is for that server; `captured` leaves the capturing of output on.
        """
        base = root or self.workspace.root
        cwd = self._moved(self.cwd, base)
        quiet = list(_QUIET) if captured else [*_QUIET, "--capture=no"]
        # Relative, because pytest makes something of `$NAME` and `[` in the paths it is given.
        targets = [f".{os.sep}{os.path.relpath(base / name, cwd)}" for name in files]
        return {
            "root": str(base),
            "cwd": str(cwd),
            "here_first": self.here_first,
            "args": [
                *(word.replace(str(self.workspace.root), str(base)) for word in self.args),
                "--rootdir",
                os.path.relpath(base, cwd),
                *quiet,
            ],
            "targets": targets,
        }

    def _moved(self, path: Path, base: Path) -> Path:
        root = self.workspace.root
        return base / path.relative_to(root) if path.is_relative_to(root) else path

    def start(
        self,
        arguments: Sequence[str],
        *,
        pass_fds: Sequence[int],
        output: int = subprocess.DEVNULL,
        files: Mapping[str, bytes] | None = None,
        workspace: Workspace | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start the interpreter with `arguments`, without the current directory on the import path."""
        home = workspace or self.workspace
        return sandbox.start(
            self.confinement,
            ["-P", *arguments],
            workspace=home,
            environment={**self._environment(), **(environment or {})},
            files=files,
            directory=self._moved(self.cwd, home.root),
            readable=[] if workspace is None else [self.workspace.root],
            writable=[] if workspace is None else [workspace.root],
            pass_fds=pass_fds,
            stdout=output,
            stderr=output,
        )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait for a process whose channels are closed; end it and all it started when it lingers."""
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            sandbox.stop(process)
