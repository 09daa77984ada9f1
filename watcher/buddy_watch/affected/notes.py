"""What is known of a project and outlives the watcher, and how it is written down: one JSON array a line."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from buddy_watch.affected.dependencies import Dependencies, Thing
from buddy_watch.affected.shapes import Shape
from pytest_buddy.domain import Status

HEADER = json.dumps([1, sys.implementation.cache_tag]) + "\n"  # shapes are those of one compiler
EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A file as it was looked at last; only Python files have a shape."""

    size: int
    changed: int
    digest: str
    shape: Shape | None = None


@dataclass(slots=True)
class Notes:
    """Everything known; what is told to it goes into `lines` until they are written."""

    files: dict[str, Known] = field(default_factory=dict)
    dependencies: Dependencies = field(default_factory=Dependencies)
    verdicts: dict[str, Status] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    edges: set[Thing] = field(default_factory=set)
    early: set[Thing] = field(default_factory=set)
    early_files: set[Thing] = field(default_factory=set)
    due: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    _told: dict[Thing, int] = field(default_factory=dict)

    def file(self, path: str, known: Known) -> None:
        """A file has this content."""
        self.files[path] = known
        self.tell("f", path, *_as_file(known))

    def gone(self, path: str) -> None:
        """A file is no more."""
        if self.files.pop(path, None) is not None:
            self.tell("g", path)

    def depends(self, test: str) -> None:
        """Write down what a test depends on, or that it is not known any more."""
        if test not in self.dependencies:
            self.tell("u", test)
            return
        numbers = self.numbered(self.dependencies.things_of(test))
        self.tell("t", numbers, [test], [test] if test in self.dependencies.beyond else [])

    def verdict(self, test: str, status: Status, seconds: float) -> None:
        """A test has ended."""
        news = self.verdicts.get(test) != status or not _close(self.seconds.get(test), seconds)
        self.verdicts[test] = status
        if news:
            self.seconds[test] = seconds
            self.tell("v", test, status, round(seconds, 4))

    def forget(self, test: str) -> None:
        """A test is no more."""
        known = self.dependencies.forget(test)
        known |= self.verdicts.pop(test, None) is not None
        self.seconds.pop(test, None)
        if known:
            self.tell("x", test)

    def add(self, kind: str, pairs: Iterable[Thing]) -> None:
        """News of `edges`, `early` functions or `early_files`."""
        known: set[Thing] = getattr(self, kind)
        news = [pair for pair in pairs if pair not in known]
        if news:
            known.update(news)
            self.tell("a", kind, news)

    def owe(self, names: Iterable[str]) -> None:
        """These have to run."""
        news = [name for name in names if name not in self.due]
        if news:
            self.due.update(news)
            self.tell("o", news)

    def paid(self, names: Iterable[str]) -> None:
        """These have run."""
        done = [name for name in names if name in self.due]
        if done:
            self.due.difference_update(done)
            self.tell("p", done)

    def snapshot(self) -> Iterator[str]:
        """All of it, as lines that start from nothing."""
        yield from self._written_by(Notes())

    def start_over(self) -> Iterator[str]:
        """The same, to be followed by what these notes are told from then on."""
        fresh = Notes()
        yield from self._written_by(fresh)
        self._told = fresh._told

    def _written_by(self, fresh: "Notes") -> Iterator[str]:
        for path, known in self.files.items():
            fresh.tell("f", path, *_as_file(known))
        yield from fresh.taken_lines()
        for things, tests in self.dependencies.shared_sets():
            beyond = [test for test in tests if test in self.dependencies.beyond]
            fresh.tell("t", fresh.numbered(things), list(tests), beyond)
            yield from fresh.taken_lines()
        for test, status in self.verdicts.items():
            fresh.tell("v", test, status, self.seconds.get(test, 0.0))
        for kind in ("edges", "early", "early_files"):
            fresh.add(kind, getattr(self, kind))
        fresh.owe(self.due)
        yield from fresh.taken_lines()

    def taken_lines(self) -> list[str]:
        """What has been told since the last time."""
        lines, self.lines = self.lines, []
        return lines

    def numbered(self, things: Iterable[Thing]) -> list[int]:
        """Numbers for things, which are told once a file of notes."""
        told, news, numbers = self._told, [], []
        for thing in things:
            number = told.get(thing)
            if number is None:
                number = told[thing] = len(told)
                news.append(thing)
            numbers.append(number)
        if news:
            self.tell("n", news)  # before the line that uses them
        return numbers

    def tell(self, *record: Any) -> None:
        """Have a line written."""
        self.lines.append(json.dumps(record, separators=(",", ":")) + "\n")


def recall(notes: Notes, lines: Iterable[str]) -> Iterator[None]:
    """Take in one file of notes, a step for each line; from the first that makes no sense on, none."""
    things: list[Thing] = []
    readers = _readers(notes, things)
    lines = iter(lines)
    try:
        if next(lines, "") != HEADER:
            return
        for line in lines:
            if not line.endswith("\n"):
                return
            kind, *record = json.loads(line)
            readers[kind](*record)
            yield
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return


def _readers(notes: Notes, things: list[Thing]) -> Mapping[str, Callable[..., object]]:
    def depends(numbers: list[int], tests: list[str], beyond: list[str]) -> None:
        touched = [things[number] for number in numbers]
        for test in tests:
            notes.dependencies.restore(test, touched, beyond=test in beyond)

    def verdict(test: str, status: Status, seconds: float) -> None:
        notes.verdicts[test] = status
        notes.seconds[test] = float(seconds)

    def forget(test: str) -> None:
        notes.dependencies.forget(test)
        notes.verdicts.pop(test, None)

    def add(kind: str, pairs: list[list[str]]) -> None:
        known = {"edges": notes.edges, "early": notes.early, "early_files": notes.early_files}[kind]
        known.update((str(left), str(right)) for left, right in pairs)

    def file(path: str, *record: Any) -> None:
        notes.files[path] = _from_file(*record)

    return {
        "n": lambda news: things.extend((str(path), str(name)) for path, name in news),
        "t": depends,
        "u": notes.dependencies.forget,
        "v": verdict,
        "x": forget,
        "a": add,
        "f": file,
        "g": lambda path: notes.files.pop(path, None),
        "o": notes.due.update,
        "p": notes.due.difference_update,
    }


def _as_file(known: Known) -> list[Any]:
    shape = known.shape
    described: list[Any] = [known.size, known.changed, known.digest]
    if shape is not None:
        described += [shape.rest, dict(shape.functions), list(shape.references), shape.broken]
    return described


def _from_file(size: int, changed: int, digest: str, *described: Any) -> Known:
    shape = None
    if described:
        rest, functions, references, broken = described
        shape = Shape(
            digest=digest, rest=rest, functions=dict(functions), references=tuple(references), broken=broken
        )
    return Known(size=int(size), changed=int(changed), digest=digest, shape=shape)


def _close(left: float | None, right: float) -> bool:
    """Whether two durations are alike enough not to be written down again."""
    return left is not None and abs(left - right) <= 0.5 * max(left, right, 0.02)
