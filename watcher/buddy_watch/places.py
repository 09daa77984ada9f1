"""Command-line words -> which of them are paths, and which projects they belong to."""

import configparser
import fnmatch
import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_buddy.errors import BuddyError

_SHORT = ("-k", "-m", "-p", "-c", "-o", "-W", "-n", "-r")
_LONG = (
    "asyncio-mode", "basetemp", "capture", "color", "config-file", "confcutdir", "cov-config", "cov-report",
    "deselect", "dist", "durations", "durations-min", "ignore", "ignore-glob", "import-mode", "junit-prefix",
    "junit-xml", "junitxml", "log-cli-level", "log-file", "log-level", "maxfail", "numprocesses",
    "override-ini",
    "pythonwarnings", "rootdir", "show-capture", "tb", "timeout", "verbosity",
)  # fmt: skip
_WITH_VALUE = frozenset({*_SHORT, *(f"--{name}" for name in _LONG)})
_TABLES = {"tox.ini": "pytest", "setup.cfg": "tool:pytest"}
_ALWAYS = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
_NEVER = frozenset({"node_modules", "site-packages", "build", "dist"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where pytest is to be called, and with which words."""

    cwd: Path
    words: tuple[str, ...]


def places(words: Sequence[str], cwd: Path) -> tuple[Place, ...]:
    """The projects that the words speak of: one, unless paths lie below configurations of their own.

    Without paths, in a directory without any configuration of pytest's, every directory up to two levels
    below that has one is a project.
    """
    options, paths = _parted(words, cwd)
    if any(word.partition("=")[0] in ("--rootdir", "-c", "--config-file") for word in options):
        return (Place(cwd=cwd, words=tuple(words)),)
    if not paths:
        inner = () if _home(cwd) is not None else tuple(_inner(cwd, 2))
        if len(inner) < 2:
            return (Place(cwd=cwd, words=tuple(words)),)
        return tuple(Place(cwd=folder, words=tuple(options)) for folder in inner)
    groups: dict[Path | None, list[str]] = {}
    for path in paths:
        groups.setdefault(_home((cwd / path.split("::", 1)[0]).resolve()), []).append(path)
    if len(groups) == 1:
        return (Place(cwd=cwd, words=tuple(words)),)
    return tuple(Place(cwd=cwd, words=(*options, *group)) for group in groups.values())


def _parted(words: Sequence[str], cwd: Path) -> tuple[list[str], list[str]]:
    """Options with their values, and paths; everything after `--` is a path."""
    options: list[str] = []
    paths: list[str] = []
    waiting = False
    for position, word in enumerate(words):
        if word == "--":
            paths += words[position + 1 :]
            break
        if waiting or word.startswith("-"):
            options.append(word)
            waiting = not waiting and word in _WITH_VALUE
        elif (cwd / word.split("::", 1)[0]).exists():
            paths.append(word)
        else:
            options.append(word)
    return options, paths


def _home(start: Path) -> Path | None:
    """The nearest directory, from the given path upwards, with a configuration of pytest's."""
    for folder in (start, *start.parents):
        if configured(folder):
            return folder
    return None


def configured(folder: Path) -> bool:
    """Whether pytest would find its settings in this very directory."""
    if any((folder / name).is_file() for name in _ALWAYS):
        return True
    try:
        table = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {})
        if "pytest" in table:
            return True
    except (OSError, ValueError):
        table = {}
    for name, section in _TABLES.items():
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            if parser.read(folder / name, encoding="utf-8") and parser.has_section(section):
                return True
        except (configparser.Error, UnicodeDecodeError):
            continue
    return False


def _inner(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _NEVER or not entry.is_dir(follow_symlinks=False):
            continue
        below = Path(entry.path)
        if configured(below):
            yield below
        elif depth > 1 and not (below / "pyvenv.cfg").exists():
            yield from _inner(below, depth - 1)


def below(root: Path, cwd: Path, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Paths as typed -> relative to the rootdir, when all of them are below it."""
    found = [Path(os.path.normpath(cwd / path)) for path in paths]
    inside = all(path.is_relative_to(root) for path in found)
    return tuple(path.relative_to(root).as_posix() for path in found) if inside else ()


def scope(root: Path, cwd: Path, paths: Sequence[str], testpaths: Sequence[str]) -> tuple[str, ...]:
    """What pytest was told to look at, as paths, node ids and globs relative to the rootdir; empty for all.

    Raises BuddyError for paths that are not there.
    """
    found: list[str] = []
    for word in paths:
        path, colons, rest = word.partition("::")
        absolute = Path(os.path.normpath(cwd / path))
        if not absolute.exists():
            raise BuddyError(f"there is no {path}", hint="Name files or directories as for pytest.")
        if not absolute.is_relative_to(root):
            return ()
        found.append(absolute.relative_to(root).as_posix() + colons + rest)
    if not paths and cwd != root and cwd.is_relative_to(root):
        found = [cwd.relative_to(root).as_posix()]
    elif not paths:
        found = [path.rstrip("/") for path in testpaths]
    return () if "." in found else tuple(found)


def ignoring(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a path lies in a directory that pytest does not look into either."""

    def ignored(path: str) -> bool:
        folders = PurePosixPath(path).parts[:-1]
        return any(fnmatch.fnmatch(folder, pattern) for folder in folders for pattern in patterns)

    return ignored
