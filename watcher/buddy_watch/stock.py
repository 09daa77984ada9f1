"""What a save means: files are looked at again, and tests are owed a run for what has changed in them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from buddy_watch.affected import Knowledge
from buddy_watch.board import Board, Filters, file_of
from buddy_watch.bytecode import forget_bytecode
from buddy_watch.changes import LoopGuard
from buddy_watch.values import FileChange, Selection
from pytest_buddy.domain import RED
from pytest_buddy.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Files that changed, the Python files among them, and whether runs and findings are now out of date."""

    paths: tuple[str, ...]
    sources: tuple[str, ...]
    outdated: bool


class Stock:
    """Keeps a board in step with the files of one project; only tests in `scope` are anybody's concern."""

    def __init__(
        self,
        workspace: Workspace,
        board: Board,
        notice: Callable[[str, str], None],
        *,
        scope: Filters,
        python_files: tuple[str, ...],
        ignored: Callable[[str], bool],
    ) -> None:
        self._root = workspace.root
        self._board = board
        self._scope = scope
        self._notice = notice
        self._guard = LoopGuard()
        self.knowledge = Knowledge(
            workspace, python_files=python_files, watched=lambda path: not ignored(path)
        )

    def scan(self) -> Iterator[bool]:
        """Take stock of all files, in steps of a few milliseconds; true once the first run may begin."""
        first = False
        for _ in self.knowledge.scan():
            if self.knowledge.loaded and not first and not self.knowledge.tests:
                first = True  # nothing is known of any test: they all run, whatever the files hold
                self._board.owe(Selection(everything=True, why="start"))
            yield first
        if not first:
            self._open()

    def _open(self) -> None:
        """Owe what has changed or was owed since the last session."""
        board, scope = self._board, self._scope
        known = {test: status for test, status in self.knowledge.tests.items() if scope.admit(test, status)}
        board.remember(known)
        if not known:
            board.owe(Selection(everything=True, why="start"))
            return
        changes = self.knowledge.since_last_time()
        self.forget_bytecode(change.path for change in changes)
        red = frozenset(test for test, status in known.items() if status in RED)
        board.owe(Selection(tests=red, why="last-failed"))
        board.owe(self.knowledge.due)
        board.owe(self.knowledge.select(changes, known) if changes else Selection())
        board.generation += 1  # nothing has been seen to pass in this session

    def look(self, paths: Iterable[str]) -> tuple[FileChange, ...]:
        """Read files again and tell how they differ from what was known of them."""
        return self.knowledge.observe(paths)

    def save(self, changes: tuple[FileChange, ...], *, run: int | None) -> Save | None:
        """Owe the tests that can see the changes; None when there are none.

        `run` is the run during or just after which they were made, if any.
        """
        written = self._written(tuple(change.path for change in changes), run)
        changes = tuple(change for change in changes if change.path not in written)
        if not changes:
            return None
        visible = tuple(change for change in changes if not change.cosmetic)
        selection = self.knowledge.select(visible, self._board.statuses)
        modified = [change.path for change in changes if change.kind == "modified" and _is_source(change)]
        if not selection and modified and self._board.red:
            # Nothing else can tell, but the lines that the red tests' tracebacks name may have moved.
            selection = Selection(tests=frozenset(self._board.red), why=f"changed:{modified[0]}")
        gone = {change.path for change in changes if change.kind == "deleted"}
        self._board.forget([test for test in self._board.statuses if file_of(test) in gone])
        self._board.owe(selection)
        return Save(
            paths=tuple(change.path for change in changes),
            sources=tuple(change.path for change in changes if _is_source(change)),
            outdated=bool(selection or modified),
        )

    def forget_bytecode(self, paths: Iterable[str]) -> None:
        """Once no process is left that may still write it."""
        for problem in forget_bytecode(self._root, paths):
            self._notice(problem, "")

    def close(self) -> None:
        """Write down what is known."""
        self.knowledge.close()

    def _written(self, paths: tuple[str, ...], run: int | None) -> frozenset[str]:
        """Files that the tests write whenever they run: no reason to run again."""
        for path in self._guard.changed(paths, run=run):
            self._notice(f"{path} is written by the tests themselves", "Its changes start no more runs.")
        return self._guard.written if run is not None else frozenset()


def _is_source(change: FileChange) -> bool:
    return change.path.endswith(".py")
