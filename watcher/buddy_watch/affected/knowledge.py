"""What the watcher knows of a project: shapes of its files, and what each test depends on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from buddy_watch.affected.dependencies import FILE, with_enclosing
from buddy_watch.affected.graph import ImportGraph
from buddy_watch.affected.inventory import Inventory
from buddy_watch.affected.journal import Journal
from buddy_watch.affected.notes import EVERYTHING, Known, Notes
from buddy_watch.affected.selecting import Choice, KnownTests, file_of
from buddy_watch.affected.shapes import Shape, difference
from buddy_watch.values import Collected, FileChange, Ran, Selection
from pytest_buddy.domain import RED, Status
from pytest_buddy.workspace import Workspace

_UNFINISHED = frozenset({"crashed", "timeout", "missing"})
_MOST_AT_ONCE = 25
_MOST_UNWRITTEN = 500


class Knowledge:
    """Tells which tests a change affects, learns from every run, and remembers in `.buddy/watch/`.

    `watched` says whether a relative path is to be considered at all; `loaded` turns true during the scan, as
    soon as it is known what earlier watchers left.
    """

    def __init__(
        self, workspace: Workspace, *, python_files: tuple[str, ...], watched: Callable[[str], bool]
    ) -> None:
        self._inventory = Inventory(workspace.root, watched)
        self._journal = Journal(workspace)
        self._notes = Notes()
        self._tests = KnownTests(patterns=python_files, dependencies=self._notes.dependencies)
        self._graph = ImportGraph(self._tests.is_file)
        self._changed_since: list[FileChange] = []
        self._to_digest: set[str] = set()
        self.loaded = False

    @property
    def tests(self) -> Mapping[str, Status]:
        """The last verdict of every test."""
        return MappingProxyType(self._notes.verdicts)

    @property
    def seconds(self) -> Mapping[str, float]:
        """How long every test took."""
        return MappingProxyType(self._notes.seconds)

    @property
    def due(self) -> Selection:
        """What was selected, in this session or an earlier one, and has not run since."""
        due = self._notes.due
        tests = frozenset(name for name in due if "::" in name or not self._tests.is_file(name))
        files = frozenset(due) - tests
        if EVERYTHING in due:
            return Selection(everything=True, why="interrupted")
        return Selection(tests=tests, files=files, why="interrupted" if due else "")

    def scan(self) -> Iterator[int]:
        """Take stock of everything, yielding how many files have been looked at, every few milliseconds."""
        count = 0
        for _ in self._journal.load(self._notes):
            yield count
        self.loaded = True
        first = not self._notes.files
        for test in {*self._notes.verdicts, *self._notes.dependencies.tests}:
            self._tests.add(test)
        self._graph.observed(self._notes.edges)
        present: set[str] = set()
        for path in self._inventory.below():
            if path.endswith(".py") or path in self._notes.files or self._is_read(path):
                present.add(path)
                self._stocktake(path, first=first)
                count += 1
                yield count
        for path in [path for path in self._notes.files if path not in present]:
            self._vanished(path)
        for _ in self._graph.settle():
            yield count

    def since_last_time(self) -> tuple[FileChange, ...]:
        """After a scan: what differs from the state that an earlier watcher left."""
        return tuple(self._changed_since)

    def observe(self, paths: Iterable[str]) -> tuple[FileChange, ...]:
        """Read these files and directories again, now, and tell how they differ from what was known."""
        changes = []
        for path in self._expanded(paths):
            before = self._notes.files.get(path)
            after = self._inventory.look(path, before) if self._inventory.counts(path) else None
            change = self._compare(path, before, after)
            if change is not None:
                changes.append(change)
        return tuple(changes)

    def select(self, changes: Iterable[FileChange], known: Mapping[str, Status]) -> Selection:
        """The tests that can see the changes; they are due until `learn` hears of them."""
        for test in known.keys() - self._notes.verdicts.keys():
            self._tests.add(test)
        selection = Choice(self._notes, self._graph, self._tests).of(tuple(changes))
        self._notes.owe([EVERYTHING] if selection.everything else [*selection.tests, *selection.files])
        return selection

    def learn(self, ran: Ran) -> None:
        """Take in a verdict and what the test depends on."""
        test = ran.test
        self._notes.verdict(test, ran.status, ran.seconds)
        dependencies, touched = self._notes.dependencies, ran.touched
        if touched is None or ran.status in _UNFINISHED:
            news = dependencies.forget(test)
        else:
            news = dependencies.learn(test, touched)
            self._learn_of_process(test, ran)
            self._to_digest |= touched.files
        if news:
            self._notes.depends(test)
        self._tests.add(test)
        self._notes.paid([test])
        if "::" in test:
            self._cured(file_of(test))
        if len(self._notes.lines) > _MOST_UNWRITTEN:
            self._journal.write(self._notes)

    def collected(self, collected: Collected) -> None:
        """Take in what a run has found: edges, new tests, and those that are gone."""
        self._observed(collected.edges)
        seen = set(collected.seen)
        by_file: dict[str, list[str]] = {}
        for test in collected.tests:
            by_file.setdefault(file_of(test), []).append(test)
        for test in seen:
            self._tests.add(test)
        for path in {file_of(test) for test in seen}:
            for test in self._tests.by_file.get(path, set()) - seen:
                self.forget(test)
        for path in self._notes.due & by_file.keys():
            self._notes.owe(by_file[path])
            self._notes.paid([path])
        if EVERYTHING in self._notes.due and seen and set(collected.tests) >= self._known_tests():
            self._notes.owe(collected.tests)
            self._notes.paid([EVERYTHING])

    def forget(self, test: str) -> None:
        """There is no such test any more."""
        self._notes.forget(test)
        self._notes.paid([test])
        self._tests.discard(test)

    def settle(self, names: Iterable[str]) -> None:
        """These tests and files are no longer due, whatever became of them."""
        self._notes.paid(names)

    def save(self) -> None:
        """Write down what was learned since the last time."""
        for path in sorted(self._to_digest)[:_MOST_AT_ONCE]:
            self._to_digest.discard(path)
            if path not in self._notes.files and (known := self._inventory.look(path, None)) is not None:
                self._notes.file(path, known)
        self._notes.dependencies.trim()
        self._journal.write(self._notes)

    def close(self) -> None:
        """Save, and let go of the file."""
        self.save()
        self._journal.close()

    def _stocktake(self, path: str, *, first: bool) -> None:
        before = self._notes.files.get(path)
        if before is not None and self._inventory.status(path) == (before.size, before.changed):
            if before.shape is not None:
                self._graph.put(path, before.shape.references, settled=False)
            return
        change = self._compare(path, before, self._inventory.look(path, before), settled=False)
        if change is not None and not first:
            self._changed_since.append(change)

    def _vanished(self, path: str) -> None:
        change = self._compare(path, self._notes.files[path], None)
        if change is not None:
            self._changed_since.append(change)

    def _compare(
        self, path: str, before: Known | None, after: Known | None, *, settled: bool = True
    ) -> FileChange | None:
        """Remember a file as it is now, and tell what became of it."""
        if after is None:
            return self._deleted(path, before)
        if before != after:
            self._notes.file(path, after)
        if after.shape is None:
            same = before is not None and before.digest == after.digest
            kind = FileChange(path=path, kind="added" if before is None else "modified", whole=True)
            return None if same else kind
        references = after.shape.references
        if after.shape.broken and before is not None and before.shape is not None:
            references = before.shape.references
        self._graph.put(path, references, settled=settled)
        change = difference(path, _shape(before), after.shape)
        if change is not None and not change.whole and self._is_read(path):
            return FileChange(path=path, whole=True)
        return change

    def _deleted(self, path: str, before: Known | None) -> FileChange | None:
        if before is None and not self._is_read(path):
            return None
        self._notes.gone(path)
        self._graph.drop(path)
        for test in list(self._tests.by_file.get(path, ())):
            self.forget(test)
        return FileChange(path=path, kind="deleted", whole=True)

    def _expanded(self, paths: Iterable[str]) -> Iterator[str]:
        """The files meant: a directory stands for what is, or was, below it."""
        for path in dict.fromkeys(paths):
            path = "" if path == "." else path.rstrip("/")
            if path and path in self._notes.files:
                yield path
            elif self._inventory.is_directory(path):
                yield from self._inventory.below(path)
                prefix = f"{path}/" if path else ""
                yield from [known for known in self._notes.files if known.startswith(prefix)]
            else:
                below = [known for known in self._notes.files if known.startswith(f"{path}/")]
                yield from below or [path]

    def _is_read(self, path: str) -> bool:
        return self._notes.dependencies.knows((path, FILE))

    def _known_tests(self) -> set[str]:
        return {test for test, status in self._notes.verdicts.items() if "::" in test or status not in RED}

    def _cured(self, path: str) -> None:
        """A file whose tests run has no error in its collection any more."""
        if path in self._notes.verdicts:
            self.forget(path)

    def _learn_of_process(self, test: str, ran: Ran) -> None:
        touched = ran.touched
        assert touched is not None
        edges = {(file_of(test), imported) for imported in touched.imported}
        self._observed(edges | touched.edges)
        self._notes.add("early", {one for name in touched.early for one in with_enclosing(name)})
        self._notes.add("early_files", touched.early_files)

    def _observed(self, edges: Iterable[tuple[str, str]]) -> None:
        self._notes.add("edges", self._graph.observed(edges))


def _shape(known: Known | None) -> Shape | None:
    return None if known is None else known.shape
