"""What of the machine a confined program must see: system, interpreter, packages; nothing private."""

import os
import site
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest_buddy

_SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store",
    "/gnu/store", "/run/current-system", "/sys/devices/system",
)  # fmt: skip
_PRIVATE_IN_HOME = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".pypirc", ".git-credentials",
    ".pgpass", ".my.cnf", ".npmrc", ".config/gh", ".config/gcloud", ".config/git/credentials",
    ".local/share/keyrings", ".password-store", ".mozilla", ".config/google-chrome", ".config/chromium",
    ".vault-token", ".terraform.d", ".cargo/credentials.toml", ".cargo/credentials", ".gem/credentials",
    ".bash_history", ".zsh_history", ".python_history",
)  # fmt: skip
_HOPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Resolved directories and files to bind read-only, the links that lead to them, and what to hide."""

    readable: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]


def below(path: str, parent: str) -> bool:
    """Whether a path is `parent` or inside it."""
    return path == parent or path.startswith(parent.rstrip(os.sep) + os.sep)


def trace(path: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Where an absolute path leads, and every symbolic link followed on the way as (link, target)."""
    links: list[tuple[str, str]] = []
    pending = path.split(os.sep)[::-1]
    reached = os.sep
    while pending:
        part = pending.pop()
        if part in ("", "."):
            continue
        if part == "..":
            reached = os.path.dirname(reached)
            continue
        step = os.path.join(reached, part)
        if os.path.islink(step) and len(links) < _HOPS:
            target = os.readlink(step)
            links.append((step, target))
            if os.path.isabs(target):
                reached = os.sep
            pending += target.split(os.sep)[::-1]
        else:
            reached = step
    return reached, tuple(links)


def _interpreter() -> Iterator[str]:
    yield from (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.executable)
    yield os.path.dirname(pytest_buddy.__file__)


def _search_path(environment: Mapping[str, str]) -> Iterator[str]:
    yield from (entry for entry in sys.path if entry)
    yield from environment.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    if site.ENABLE_USER_SITE:
        yield site.getusersitepackages()


def _imported() -> Iterator[str]:
    """Homes of imported packages, among them editable installs that no entry of sys.path shows."""
    for name, module in list(sys.modules.items()):
        if "." in name or name == "__main__" or not isinstance(module, ModuleType):
            continue
        file, path = vars(module).get("__file__"), vars(module).get("__path__")
        if isinstance(file, str):
            yield os.path.dirname(file) if path is not None else file
        elif path is not None:
            yield from (entry for entry in path if isinstance(entry, str))
        if name.startswith("__editable__"):
            mapping = vars(module).get("MAPPING", {})
            yield from (entry for entry in mapping.values() if isinstance(entry, str))


def _repository(root: str) -> Iterator[str]:
    """The repository that a workspace is a part of, unless that is the whole home directory."""
    place = root
    while place != os.path.dirname(place):
        if os.path.exists(os.path.join(place, ".git")):
            if place != root:
                yield place
            yield from _git_directory(os.path.join(place, ".git"))
            return
        place = os.path.dirname(place)


def _git_directory(path: str) -> Iterator[str]:
    """Where a `.git` file (a work tree or a submodule) points to."""
    try:
        content = Path(path).read_text(encoding="utf-8") if os.path.isfile(path) else ""
    except (OSError, UnicodeDecodeError):
        return
    if content.startswith("gitdir: "):
        directory = os.path.join(os.path.dirname(path), content[8:].strip())
        if not os.path.isfile(os.path.join(directory, "HEAD")):
            return  # whatever it is that a stranger's project wants to be seen, it is no repository
        yield directory
        if os.path.basename(os.path.dirname(directory)) == "worktrees":
            yield os.path.dirname(os.path.dirname(directory))


def _submounts(root: str) -> Iterator[str]:
    """Other file systems mounted inside the workspace, which an overlay would show empty."""
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        raw = line.split(b" ")[4]  # where \040 is a space
        place = os.fsdecode(raw.decode("unicode_escape").encode("latin-1"))
        if place != root and below(place, root):
            yield place


def _too_wide(path: str, home: str) -> bool:
    """Whether showing a path would show more than a program's own things: a top-level directory, a home."""
    return path.count(os.sep) < 2 or below(home, path)


def _reduced(paths: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted(set(paths), key=lambda item: item.rstrip(os.sep) + os.sep):
        if not any(below(path, parent) for parent in kept):
            kept.append(path)
    return tuple(kept)


def _unreadable_by_others(directory: str) -> Iterator[str]:
    """What only the root user may read, for a confinement that runs as the root user."""
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return
    for entry in entries:
        if entry.is_symlink():
            continue
        is_directory = entry.is_dir(follow_symlinks=False)
        needed = 0o5 if is_directory else 0o4
        if entry.stat(follow_symlinks=False).st_mode & needed != needed:
            yield entry.path
        elif is_directory:
            yield from _unreadable_by_others(entry.path)


def view(root: str, *, home: str, environment: Mapping[str, str], extra: Iterable[str] = ()) -> View:
    """What a program that works in `root` must see beside it; `home` is the person's home directory."""
    own = [*_interpreter(), *_search_path(environment), *_imported(), *_repository(root), *extra]
    reals: list[str] = []
    links: dict[str, str] = {}
    for path in (*_SYSTEM, *own):
        if not path or not os.path.exists(path):
            continue
        real, hops = trace(os.path.abspath(path))
        links.update(hops)
        if path in _SYSTEM or not _too_wide(real, home):
            reals.append(real)
    readable = _reduced(real for real in reals if not below(real, root))
    covered = (*readable, root)
    submounts = tuple(_submounts(root))
    private = (os.path.join(home, name) for name in _PRIVATE_IN_HOME)
    hidden = [path for path in private if os.path.exists(path) and any(below(path, tree) for tree in covered)]
    if os.geteuid() == 0:
        hidden += _unreadable_by_others("/etc")
    return View(
        readable=(*readable, *submounts),
        links=tuple(
            (link, target) for link, target in links.items() if not any(below(link, tree) for tree in covered)
        ),
        hidden=tuple(hidden),
    )
