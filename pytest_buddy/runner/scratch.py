"""A throw-away copy of a workspace, for confirming a patch where no copy-on-write layer is to be had."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pytest_buddy.errors import RunnerError
from pytest_buddy.workspace import Workspace

_NOT_COPIED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".buddy",
        ".tox",
        ".nox",
        "node_modules",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
    }
)
_LARGEST = 512 * 1024 * 1024


def copy_workspace(workspace: Workspace, target: Path, contents: Mapping[str, bytes]) -> Path:
    """Copy the workspace below `target`, with `contents` (path -> bytes) in place of the originals.

    Version control, caches and virtual environments stay behind. Raises RunnerError for more than 512 MiB.
    """
    root = target / "workspace"
    total = 0
    for directory, folders, files in os.walk(workspace.root):
        here = Path(directory)
        folders[:] = [
            name for name in folders if name not in _NOT_COPIED and not (here / name / "pyvenv.cfg").exists()
        ]
        relative = here.relative_to(workspace.root)
        (root / relative).mkdir(parents=True, exist_ok=True)
        for name in files:
            path = here / name
            if not path.is_symlink() and not path.is_file():
                continue
            total += path.lstat().st_size
            if total > _LARGEST:
                raise RunnerError(
                    "the workspace is too large to be copied for the confirming run",
                    hint="Run `buddy doctor` to see why no copy-on-write layer can be used here.",
                )
            shutil.copy2(path, root / relative / name, follow_symlinks=False)
    for name, content in contents.items():
        (root / name).write_bytes(content)
    return root
