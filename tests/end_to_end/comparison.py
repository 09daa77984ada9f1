"""Pytest's own results stay what they are: the same tests without and with `--buddy`."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_buddy.testing import Project, Run

QUICK = ("--buddy", "--buddy-budget", "10")
_VOLATILE = re.compile(
    r"\d+\.\d+ ?s\b|0x[0-9a-f]+|pytest-of-\w+/pytest-\d+|--randomly-seed=\d+|=+|_{3,}|pid \d+"
)


@dataclass(frozen=True, kw_only=True)
class Both:
    """The same tests without and with `--buddy`."""

    plain: Run
    buddy: Run

    @property
    def section(self) -> str:
        """What pytest-buddy added below pytest's own output."""
        return "\n".join(self.buddy.out.splitlines()[len(self.plain.out.rstrip().splitlines()) :])


def steady(text: str) -> list[str]:
    """The lines without what differs between any two runs."""
    return [_VOLATILE.sub("~", line).rstrip() for line in text.rstrip().splitlines()]


def check_same(plain: Run, buddy: Run) -> None:
    """Pytest's exit status, counts and everything it prints are the same, and ours comes after."""
    assert buddy.exit == plain.exit, buddy.out[-2000:] + buddy.err[-2000:]
    assert buddy.counts == plain.counts, (buddy.counts, plain.counts)
    expected = steady(plain.out)
    shown = steady(buddy.out)[: len(expected)]
    assert shown == expected, "\n".join(difflib.unified_diff(expected, shown, lineterm=""))
    complaint, usual = steady(buddy.err), steady(plain.err)
    assert complaint == usual, "\n".join(difflib.unified_diff(usual, complaint, lineterm=""))
    assert "internal error" not in buddy.out + buddy.err, buddy.out[-2000:] + buddy.err[-2000:]


def check_clean(project: Project, before: Mapping[str, bytes]) -> None:
    """No process is left, no file has changed and nothing new lies about outside `.buddy`."""
    assert not project.processes(patience=10)
    tree = project.tree()
    changed = [name for name in {*before, *tree} if tree.get(name) != before.get(name)]
    assert not changed, changed
    left = [*project.home.iterdir(), *project.temporary.iterdir()]
    strange = [path for path in left if not path.name.startswith("pytest-of-")]
    assert not strange, strange


Compare = Callable[..., Both]
