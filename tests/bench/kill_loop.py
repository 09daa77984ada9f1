"""kill -9 at random moments and system calls of apply, undo, stage and unstage; then recovery, and a look.

Usage: python tests/bench/kill_loop.py [COUNT] [SEED]. Prints how the kills ended; fails when anything is
half done or left behind after recovery.
"""

import collections
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pytest_buddy.domain import Diagnosis, Edit, Fault, Patch, Proposal, Verdict
from pytest_buddy.errors import BuddyError
from pytest_buddy.patch import Ledger, unified_diff
from pytest_buddy.source import Source
from pytest_buddy.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parents[1] / "patch"))
from killed_apply import die_at

MOST_CALLS = 20
OLD = {"a.py": b"a = 1\n", "pkg/b.py": b"b = 1\r\n", "pkg/c.py": b"c = 1"}
NEW = {path: content.replace(b"1", b"2") for path, content in OLD.items()}
STATE = {".gitignore", "CACHEDIR.TAG", "diagnosis.json", "lock", "journal"}
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Work:
    """An action on a project made ready for it: files and index before and after, and how long it takes."""

    action: str
    template: Path
    before: tuple[object, object]
    after: tuple[object, object]
    seconds: float


def git(root: Path, *arguments: str) -> bytes:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.templateDir=")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, check=True).stdout


def proposal() -> Proposal:
    sources = {path: Source(path=path, module="m", content=content) for path, content in OLD.items()}
    edits = tuple(
        Edit(path=path, digest=source.digest, start=4, end=5, replacement=b"2")
        for path, source in sources.items()
    )
    patch = Patch(edits=edits, origin="template:x")
    verdict = Verdict(outcome="fixed", confirmed=True)
    return Proposal(patch=patch, diff=unified_diff(patch, sources), verdict=verdict, changed_lines=3)


def state(root: Path) -> tuple[object, object]:
    """The files but for ours, and the index."""
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not {".git", ".buddy"} & set(path.relative_to(root).parts)
    }
    return files, git(root, "ls-files", "-s")


def act(root: Path, action: str) -> None:
    ledger = Ledger(Workspace(root))
    if action in ("apply", "stage"):
        getattr(ledger, action)()
    else:
        ledger.undo()


def prepared(folder: Path, action: str) -> Work:
    """A project in which the action comes next."""
    root = folder / action
    for path, content in OLD.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    git(root, "init", "-q")
    git(root, "add", "a.py", "pkg")
    git(root, "commit", "-q", "-m", "all")
    faults = (Fault(id="f1", tests=("t",), proposals=(proposal(),)),)
    Ledger(Workspace(root)).keep(Diagnosis(failures=(), faults=faults))
    if action in ("undo", "unstage"):
        act(root, "apply" if action == "undo" else "stage")
    once = folder / f"{action}-once"
    shutil.copytree(root, once)
    start = time.perf_counter()
    act(once, action)
    return Work(action, root, state(root), state(once), time.perf_counter() - start)


def killed(root: Path, work: Work, rng: random.Random) -> bool:
    """Do the action in a child that is killed at a random moment or call; whether the kill came in time."""
    call = rng.randrange(MOST_CALLS) if rng.random() < 0.5 else None
    child = os.fork()
    if not child:
        try:
            if call is not None:
                die_at(call)
            act(root, work.action)
        finally:
            os._exit(0)
    until = time.perf_counter() + rng.triangular(0, 1.2, 1) * work.seconds
    if call is None:
        while time.perf_counter() < until:
            pass
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    try:
        while True:
            os.waitpid(-1, 0)  # a git that the child had started goes on to its end
    except ChildProcessError:
        return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def checked(root: Path, work: Work) -> tuple[str, bool]:
    """How it ended after recovery, and whether the files were mixed before it."""
    ends = {"old": work.before, "new": work.after}
    files = {path: (root / path).read_bytes() for path in OLD}
    mixed = files not in (OLD, NEW)
    ledger = Ledger(Workspace(root))
    ledger.recover()
    found = state(root)
    assert found in ends.values(), (root, work.action, found)
    assert ledger.recover() == ()
    end = "old" if found == work.before else "new"
    if end == "old":
        act(root, work.action)
        assert state(root) == work.after
    else:
        back = {"apply": "undo", "stage": "undo", "undo": "apply", "unstage": "stage"}[work.action]
        act(root, back)
        assert state(root) == work.before
    left = {path.name for path in (root / ".buddy").iterdir()} - STATE
    left |= {path.name for path in (root / ".buddy" / "journal").iterdir() if path.suffix != ".json"}
    assert not left, (root, work.action, left)
    assert not (root / ".git" / "index.lock").exists()
    return end, mixed


def main(count: int, seed: int) -> collections.Counter[str]:
    """Kill as often; how many kills came in time, and how they ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    rng = random.Random(seed)
    ended: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        works = [prepared(folder, action) for action in ("apply", "undo", "stage", "unstage")]
        number = 0
        while ended["killed"] < count:
            work = works[number % len(works)]
            number += 1
            root = folder / f"copy-{number}"
            shutil.copytree(work.template, root)
            in_time = killed(root, work, rng)
            try:
                end, mixed = checked(root, work)
            except BuddyError as error:
                raise AssertionError(f"{work.action} in {root}: {error}") from error
            if in_time:
                ended["killed"] += 1
                ended[f"{work.action}: {end}"] += 1
                ended["mixed on disk before recovery"] += mixed
            else:
                ended["over before the kill"] += 1
            shutil.rmtree(root)
    return ended


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    print(dict(main(*(numbers + [2_000, 1][len(numbers) :]))))
