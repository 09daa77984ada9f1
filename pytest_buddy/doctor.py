"""What works on this machine, and what to do about what does not."""

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pytest_buddy import __version__
from pytest_buddy.config import load
from pytest_buddy.errors import BuddyError
from pytest_buddy.runner import advice, probe
from pytest_buddy.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `needed` marks what the main job cannot do without."""

    subject: str
    state: str
    good: bool
    advice: str = ""
    needed: bool = False


def findings(root: Path) -> Iterator[Finding]:
    """Look at everything that matters for a project, one finding a thing."""
    yield Finding(
        subject="pytest-buddy",
        state=f"{__version__} on Python {platform.python_version()}, pytest {version('pytest')}",
        good=sys.version_info >= (3, 11),
        needed=True,
    )
    yield _settings(root)
    yield _state(root)
    yield _sandbox(root)
    git = shutil.which("git")
    yield Finding(
        subject="git",
        state=git or "not found",
        good=git is not None,
        advice="" if git else "Staging and recent changes need it; everything else works without.",
    )


def _settings(root: Path) -> Finding:
    try:
        load(root)
    except BuddyError as error:
        return Finding(subject="settings", state=error.message, good=False, advice=error.hint, needed=True)
    return Finding(subject="settings", state=f"read from {root}", good=True, needed=True)


def _state(root: Path) -> Finding:
    try:
        Workspace(root).prepare_state()
    except BuddyError as error:
        return Finding(subject="state", state=error.message, good=False, advice=error.hint)
    return Finding(subject="state", state=".buddy/ can be written", good=True)


def _sandbox(root: Path) -> Finding:
    confinement = probe(Workspace(root))
    return Finding(
        subject="sandbox",
        state=confinement.level + (f" ({confinement.reason})" if confinement.reason else ""),
        good=confinement.level != "none",
        advice=advice(confinement),
    )
