"""Applies the first offer to a copy and judges it by tests that the search never saw."""

import ast
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limited import Finished, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """The red tests, split: those that `pytest --buddy` may see, and those kept back to judge by."""

    seen: tuple[str, ...]
    unseen: tuple[str, ...]

    @property
    def deselect(self) -> tuple[str, ...]:
        """The arguments that keep the unseen ones out of the run."""
        return tuple(f"--deselect={test}" for test in self.unseen)


def hold_out(failing: Sequence[str], seed: str) -> Holdout:
    """Keep back a random half of the red tests; a single one stays to be seen."""
    tests = sorted(failing)
    if len(tests) < 2:
        return Holdout(seen=tuple(tests), unseen=())
    unseen = set(random.Random(seed).sample(tests, len(tests) // 2))
    seen = tuple(test for test in tests if test not in unseen)
    return Holdout(seen=seen, unseen=tuple(sorted(unseen)))


def commit_all(root: Path) -> None:
    """Make a directory a git repository whose HEAD holds everything: no diff gives the fault away."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q"), ("add", "-A", "-f"), (*identity, "commit", "-q", "-m", "as it is")):
        finished = git(root, *arguments)
        if finished.returncode:
            raise RuntimeError(f"git {arguments}: {finished.stderr}")


def git(root: Path, *arguments: str) -> Finished:
    """Run git in a directory, with nobody's settings."""
    settings = {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
    }
    return run(["git", *arguments], cwd=root, env=settings, wall=60)


def applies(root: Path, diff: str, *, check: bool = True) -> bool:
    """Whether `git apply` takes a diff from the root; without `check` it is applied."""
    name = ".bench.diff"
    path = root / name
    path.write_bytes(diff.encode("utf-8", "surrogateescape"))
    try:
        finished = git(root, "apply", *(("--check",) if check else ()), name)
    finally:
        path.unlink()
    return finished.returncode == 0


def same_program(left: Path, right: Path, files: Sequence[str]) -> bool:
    """Whether the files of two trees have the same syntax trees."""
    return all(_tree(left / file) == _tree(right / file) for file in files)


def _tree(path: Path) -> str:
    return ast.dump(ast.parse(path.read_bytes()))
