"""From changes to the tests that can see them. When unsure, a test is chosen."""

import fnmatch
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from buddy_watch.affected.dependencies import DIRECTORY, FILE, Dependencies
from buddy_watch.affected.graph import ImportGraph
from buddy_watch.affected.inventory import rules_everything
from buddy_watch.affected.notes import Notes
from buddy_watch.values import FileChange, Selection


@dataclass(slots=True)
class KnownTests:
    """The tests that are known, by file, and the patterns that names of test files fit."""

    patterns: tuple[str, ...]
    dependencies: Dependencies
    by_file: dict[str, set[str]] = field(default_factory=dict)
    unmapped: dict[str, set[str]] = field(default_factory=dict)
    _looks: dict[str, bool] = field(default_factory=dict)

    def add(self, test: str) -> None:
        """There is such a test; call it again when what it depends on was learned or forgotten."""
        path = file_of(test)
        self.by_file.setdefault(path, set()).add(test)
        if test in self.dependencies:
            _remove(self.unmapped, path, test)
        else:
            self.unmapped.setdefault(path, set()).add(test)

    def discard(self, test: str) -> None:
        """There is no such test any more."""
        path = file_of(test)
        for index in (self.by_file, self.unmapped):
            _remove(index, path, test)

    def is_file(self, path: str) -> bool:
        """Whether the file holds tests, or is named as if it did."""
        if path in self.by_file:
            return True
        looks = self._looks.get(path)
        if looks is None:
            looks = self._looks[path] = any(_fits(path, pattern) for pattern in self.patterns)
        return looks


def file_of(test: str) -> str:
    """The file of a node id."""
    return test.split("::", 1)[0]


@dataclass(slots=True)
class Choice:
    """Makes one selection out of what is known."""

    notes: Notes
    graph: ImportGraph
    tests: KnownTests
    chosen: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)

    def of(self, changes: Sequence[FileChange]) -> Selection:
        """The tests that can see one of the changes."""
        visible = [change for change in changes if not change.cosmetic]
        if not visible:
            return Selection()
        ruling = next((change for change in visible if rules_everything(change.path)), None)
        if ruling is not None:
            return Selection(everything=True, why=_why([ruling, *visible], self.tests))
        whole: set[str] = set()
        inner: list[FileChange] = []
        for change in visible:
            if not change.path.endswith(".py"):
                whole |= self._readers(change)
            elif change.whole or self._ran_early(change):
                whole.add(change.path)
                whole |= self._readers(change)
            else:
                inner.append(change)
        self._whole(whole)
        for change in inner:
            self._inner(change)
        if whole or inner:
            self._beyond(visible)
        self.files |= {name for name in self.chosen if "::" not in name}  # their collection failed
        gone = {change.path for change in visible if change.kind == "deleted"}
        self.files -= gone
        tests = frozenset(test for test in self.chosen if file_of(test) not in self.files | gone)
        if not (tests or self.files):
            return Selection()
        return Selection(tests=tests, files=frozenset(self.files), why=_why(visible, self.tests))

    def _ran_early(self, change: FileChange) -> bool:
        """Whether one of the functions ran, or was made by one that ran, while a file was imported."""
        early = self.notes.early
        return any((change.path, name) in early for name in change.functions)

    def _readers(self, change: FileChange) -> set[str]:
        """Choose the tests that read a file or listed its directory; the files that did so when imported."""
        path = change.path
        parent = path.rpartition("/")[0] or "."
        things = [(path, FILE), (path, DIRECTORY), (parent, DIRECTORY)]
        self.chosen |= self.notes.dependencies.tests_of(things)
        if self.tests.by_file.get(path) and not path.endswith(".py"):
            self.files.add(path)
        read = {path, parent}
        return {importer for importer, opened in self.notes.early_files if opened in read}

    def _whole(self, paths: Collection[str]) -> None:
        if paths:
            self.files |= set(filter(self.tests.is_file, self.graph.dependents(paths)))

    def _inner(self, change: FileChange) -> None:
        """Only bodies of functions changed: those who ran them, and those of whom nothing is known."""
        path = change.path
        if path.rpartition("/")[2] == "conftest.py":
            self._whole([path])
            return
        self.chosen |= self.notes.dependencies.tests_of((path, name) for name in change.functions)
        if self.tests.unmapped:
            self._unmapped(change)

    def _unmapped(self, change: FileChange) -> None:
        """Tests of which nothing is known are chosen when they import the file."""
        path, named = change.path, self._named(change)
        for dependent in self.graph.dependents([path]) & self.tests.unmapped.keys():
            unmapped = self.tests.unmapped[dependent]
            if dependent == path and named is not None:
                self.chosen |= unmapped & named
            elif unmapped == self.tests.by_file[dependent]:
                self.files.add(dependent)
            else:
                self.chosen |= unmapped

    def _named(self, change: FileChange) -> set[str] | None:
        """The tests of the file that bear the functions' names; None when a function is no test."""
        by_name: dict[str, set[str]] = {}
        for test in self.tests.by_file.get(change.path, ()):
            by_name.setdefault(_function_of(test), set()).add(test)
        named: set[str] = set()
        for name in change.functions:
            tests = by_name.get(name.rpartition(".")[2])
            if tests is None:
                return None
            named |= tests
        return named

    def _beyond(self, changes: Iterable[FileChange]) -> None:
        """Tests that start programs may run anything but other files' tests."""
        sources = [change.path for change in changes if change.path.endswith(".py")]
        if any(not self.tests.is_file(path) for path in sources):
            self.chosen |= self.notes.dependencies.beyond


def _remove(index: dict[str, set[str]], path: str, test: str) -> None:
    tests = index.get(path)
    if tests is not None:
        tests.discard(test)
        if not tests:
            del index[path]


def _function_of(test: str) -> str:
    return test.partition("[")[0].rpartition("::")[2]


def _fits(path: str, pattern: str) -> bool:
    if "/" in pattern:
        return fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(path, f"*/{pattern}")
    return fnmatch.fnmatch(path.rpartition("/")[2], pattern)


def _why(changes: Sequence[FileChange], tests: KnownTests) -> str:
    first, others = changes[0], {change.path for change in changes[1:]} - {changes[0].path}
    new = first.kind == "added" and tests.is_file(first.path)
    more = f"+{len(others)}" if others else ""
    return f"{'new' if new else 'changed'}:{first.path}{more}"
