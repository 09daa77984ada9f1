"""A project's files on disk beside what `Knowledge` makes of them, for tests of the room."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from buddy_watch.affected import Knowledge
from buddy_watch.values import Collected, FileChange, Ran, Selection, Touched
from pytest_buddy.domain import Status
from pytest_buddy.workspace import Workspace


class Sources:
    """Files below a root, and the knowledge of them after a scan."""

    def __init__(self, root: Path, files: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.write(files or {})
        self.knowledge = self.start()

    def start(self) -> Knowledge:
        """Another watcher of the same project."""
        self.knowledge = Knowledge(
            Workspace(self.root),
            python_files=("test_*.py", "*_test.py"),
            watched=lambda path: "build/" not in path,
        )
        for _ in self.knowledge.scan():
            continue
        return self.knowledge

    def write(self, files: Mapping[str, str]) -> None:
        """Create or replace files, without telling anyone."""
        for path, text in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def remove(self, path: str) -> None:
        """Delete a file, without telling anyone."""
        (self.root / path).unlink()

    def save(self, **files: str) -> tuple[FileChange, ...]:
        """Write one file or more and observe them."""
        self.write(files)
        return self.knowledge.observe(files)

    def affected(self, changes: Iterable[FileChange]) -> Selection:
        """The selection for some changes."""
        return self.knowledge.select(tuple(changes), self.knowledge.tests)

    def after(self, path: str, text: str) -> Selection:
        """The selection when a file has this text now."""
        self.write({path: text})
        return self.affected(self.knowledge.observe([path]))

    def ran(
        self,
        test: str,
        *functions: tuple[str, str],
        status: Status = "passed",
        mapped: bool = True,
        **touched: object,
    ) -> None:
        """A test ran and touched these functions."""
        what = Touched(functions=frozenset(functions), **touched) if mapped else None  # type: ignore[arg-type]
        self.knowledge.learn(Ran(run=1, test=test, status=status, seconds=0.01, touched=what))

    def collected(self, *tests: str, seen: tuple[str, ...] | None = None, **more: object) -> None:
        """A run found these tests."""
        self.knowledge.collected(Collected(run=1, tests=tests, seen=seen or tests, **more))  # type: ignore[arg-type]
