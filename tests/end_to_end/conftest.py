from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, Both, Compare, check_clean, check_same
from tests.end_to_end.projects import RED


@pytest.fixture
def compare() -> Compare:
    """Runs a project's tests twice, without and with `--buddy`, and holds the second to the first."""

    def both(project: Project, *arguments: str, buddy: tuple[str, ...] = QUICK, **options: object) -> Both:
        before = project.tree()
        plain = project.pytest(*arguments, **options)  # type: ignore[arg-type]
        assert project.tree() == before, "the project's own tests change its files"
        ours = project.pytest(*arguments, *buddy, **options)  # type: ignore[arg-type]
        check_same(plain, ours)
        check_clean(project, before)
        return Both(plain=plain, buddy=ours)

    return both


@pytest.fixture
def red(tmp_path: Path) -> Project:
    """A project with one red test and a fault that can be fixed."""
    return Project(tmp_path, RED)
