"""`buddy demo`: the whole loop on a small broken project, in a temporary folder."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from pytest_buddy import processes
from pytest_buddy.errors import BuddyError
from pytest_buddy.patch import Ledger
from pytest_buddy.response import render_event
from pytest_buddy.workspace import Workspace

_CHECKOUT = Path(__file__).parent.parent / "fixtures" / "clamp_demo" / "project"
_IGNORED = shutil.ignore_patterns("__pycache__", ".*_cache", ".buddy")


def show_demo(say: Callable[[str], None], *, apply: bool) -> int:
    """Copy the project, run `pytest --buddy` on it, apply the fix when asked to; 0 when one was proved."""
    target = Path(tempfile.mkdtemp(prefix="buddy-demo-"))
    project = target / "greenhouse"
    _copy(project)
    say(f"A small greenhouse whose tests are red, copied to {project}\n")
    say("$ pytest --buddy")
    _pytest(project, "--buddy")
    ledger = Ledger(Workspace(project))
    diagnosis = ledger.diagnosis()
    fix = next((fault.fix for fault in diagnosis.faults if fault.fix), None) if diagnosis else None
    if fix is None:
        raise BuddyError("no fix was proved for the demo", hint="Run `buddy doctor` and see what is missing.")
    if ledger.status(fix.patch.id) == "applied":
        return 0
    if not apply:
        say(f"\nApply it yourself:  cd {project} && buddy apply && pytest")
        return 0
    say(f"\n$ buddy apply {fix.patch.id}")
    say(render_event(ledger.apply(fix.patch.id)))
    say("\n$ pytest")
    return _pytest(project)


def _copy(project: Path) -> None:
    packaged = resources.files("pytest_buddy") / "demo_project"
    if packaged.is_dir():
        with resources.as_file(packaged) as folder:
            shutil.copytree(folder, project, ignore=_IGNORED)
    elif _CHECKOUT.is_dir():
        shutil.copytree(_CHECKOUT, project, ignore=_IGNORED)
    else:
        raise BuddyError(
            "the demo project is missing from this installation", hint="Install pytest-buddy again."
        )


def _pytest(project: Path, *arguments: str) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    sys.stdout.flush()
    return processes.attached_python(["-m", "pytest", *arguments], cwd=project, environment=environment)
