"""Inside a process that was started before anybody knew what for: whether it may still be used, and how."""

import hashlib
import importlib
import os
import sys
import sysconfig
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pytest

from pytest_buddy.runner import import_overlay

_INSTALLED = tuple(
    {
        path.rstrip(os.sep) + os.sep
        for path in map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib"))
    }
)


Change = tuple[str, str, str]


class Seen:
    """What a process that was started early has seen of the project, held against what changed since.

    An overlay goes on showing the old content of a file, or its absence, when it was looked up before it was
    replaced: so every changed file is read, here, before anything is built on it.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._loaded = frozenset(
            name[len(prefix) :].replace(os.sep, "/")
            for name in _files()
            if name.startswith(prefix) and not name.startswith(_INSTALLED)
        )

    def outdated_by(self, changes: Iterable[Change], *, look: bool) -> str:
        """Why this process must not be used after these changes; empty when it may be.

        Without `look` no file is touched: looking would make its next change invisible.
        """
        for path, kind, digest in changes:
            if path in self._loaded:
                return f"{path} was imported before it changed"
            if self._loaded and (kind != "modified" or not path.endswith(".py")):
                return f"{path} may have been read before it changed"
            if look and _digest(self._prefix + path) != digest:
                return f"{path} cannot be seen as it is now"
        return ""


def unprepared(config: pytest.Config, files: Iterable[str]) -> str:
    """Why pytest would have started otherwise, had it been called with these files; empty if it would not."""
    root = config.rootpath
    folders = {folder for name in files for folder in (root / name.split("::")[0]).parents}
    plugins = frozenset(
        os.path.realpath(name)
        for plugin in config.pluginmanager.get_plugins()
        if isinstance(name := getattr(plugin, "__file__", None), str)
    )
    for folder in sorted(folders):
        conftest = folder / "conftest.py"
        inside = folder.is_relative_to(root)
        if inside and conftest.is_file() and os.path.realpath(conftest) not in plugins:
            return f"{conftest.relative_to(root)} is not loaded"
    return ""


def replace(prefix: str, contents: Mapping[str, bytes]) -> None:
    """Give files of the workspace, a throw-away layer here, new content."""
    for name, content in contents.items():
        path = Path(prefix, name)
        mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def forget_bytecode(prefix: str, paths: Iterable[str], *, overlay: bool) -> None:
    """Pass over what was compiled from files that were just written.

    Bytecode is known by size and second alone: two edits of one size within a second look the same. Where the
    workspace is a throw-away layer it is removed, which also goes for what pytest has rewritten.
    """
    importlib.invalidate_caches()
    if not overlay:
        contents = {
            prefix + path: content for path in paths if (content := _content(prefix + path)) is not None
        }
        import_overlay.install(contents)
        return
    for path in paths:
        folder, _, name = path.rpartition("/")
        for compiled in Path(prefix, folder, "__pycache__").glob(f"{name.removesuffix('.py')}.*.pyc"):
            compiled.unlink(missing_ok=True)


def preload(names: Iterable[str]) -> None:
    """Import installed modules that the tests are known to import; those that fail are left to the tests."""
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException:  # noqa: BLE001, S112  the tests will find out, where it is theirs to report
            continue


def installed_since(before: Collection[str]) -> list[str]:
    """The names of installed modules, not the project's, that were imported since, in that order."""
    return [
        name
        for name, module in list(sys.modules.items())
        if name not in before and str(getattr(module, "__file__", None) or "").startswith(_INSTALLED)
    ]


def _files() -> list[str]:
    found = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return [name for name in found if isinstance(name, str)]


def _digest(path: str) -> str:
    content = _content(path)
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _content(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None
