"""What is known of a project's tests, and which of them are owed a run: decisions without side effects."""

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from buddy_watch.values import Collected, Ran, RedTest, RunRequest, Selection
from pytest_buddy.domain import GREEN, RED, Baseline, Failure, Outcome, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the person wants to see run: only failing tests, only some files, only some names.

    `scope` is what pytest was called for: paths, node ids and globs; empty for everything.
    """

    scope: tuple[str, ...] = ()
    failed_only: bool = False
    paths: str = ""
    keyword: str = ""

    def admit(self, test: str, status: Status | None) -> bool:
        """Whether a test may run; names are pytest's own business."""
        named = any("::" in part for part in self.scope)
        if named and not any(_covers(part, test) for part in self.scope):
            return False
        return self.admit_file(file_of(test)) and not (self.failed_only and status not in RED)

    def admit_file(self, path: str) -> bool:
        """Whether a file's tests may run: a glob, or any part of its path."""
        wanted = self.paths
        if self.scope and not any(_covers(file_of(part), path) for part in self.scope):
            return False
        return not wanted or fnmatch.fnmatch(path, wanted) or (wanted.lower() in path.lower())


def _covers(part: str, name: str) -> bool:
    """Whether a path, node id or glob names a file or test, or something around it."""
    return (
        name == part
        or name.startswith((f"{part}/", f"{part}::", f"{part}["))
        or fnmatch.fnmatch(name, part)
        or fnmatch.fnmatch(name, f"{part}/*")
    )


def file_of(test: str) -> str:
    """The file of a node id."""
    return test.split("::", 1)[0]


@dataclass(slots=True)
class Board:
    """The last verdict of every test, as of which content it is, and what is still to be run.

    `generation` counts the changes that tests could see; a verdict belongs to the generation of its run.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    generation: int = 0
    _reached: dict[str, int] = field(default_factory=dict)
    _tests: set[str] = field(default_factory=set)
    _files: set[str] = field(default_factory=set)
    _held: set[str] = field(default_factory=set)
    _everything: bool = False
    why: str = ""

    def remember(self, statuses: Mapping[str, Status]) -> None:
        """Verdicts of an earlier session: known, but of no generation of this one."""
        for test, status in statuses.items():
            self.statuses.setdefault(test, status)

    def owe(self, selection: Selection) -> None:
        """Tests that have to run since their last verdict may no longer hold."""
        if not selection:
            return
        self.generation += 1
        self.ask(selection)

    def ask(self, selection: Selection) -> None:
        """Tests that are to run though nothing has changed."""
        self._tests |= selection.tests
        self._files |= selection.files
        self._everything |= selection.everything
        self.why = selection.why or self.why

    @property
    def owing(self) -> bool:
        """Whether anything has to run, filters aside."""
        return bool(self._tests or self._files or self._everything)

    def release(self) -> None:
        """What a keyword kept from running is owed again."""
        self._tests |= self._held
        self._held.clear()

    def request(self, run: int, filters: Filters) -> RunRequest | None:
        """The next run: all that is owed and that the filters admit; None when that is nothing.

        Failing tests come first, then those that took least time.
        """
        files = frozenset() if filters.failed_only else self._files
        files = frozenset(path for path in files if filters.admit_file(path))
        tests = frozenset(self.admitted(self._tests, filters))
        narrowed = filters.failed_only or bool(filters.paths)
        if self._everything and self.statuses and narrowed:
            tests = frozenset(self.admitted(self.statuses, filters))
        everything = self._everything and not (self.statuses and narrowed)
        if not (tests or files or everything):
            return None
        return RunRequest(
            run=run,
            tests=tests,
            files=files,
            everything=everything,
            first=self.red,
            keyword=filters.keyword,
        )

    def rest(self, run: int, filters: Filters) -> RunRequest | None:
        """The background run: tests without a verdict since the last change, longest unseen first."""
        if filters.failed_only:
            return None
        behind = [test for test in self.statuses if self._reached.get(test, -1) < self.generation]
        behind = [test for test in self.admitted(behind, filters) if test not in self._held]
        behind.sort(key=lambda test: self._reached.get(test, -1))
        if not behind:
            return None
        return RunRequest(
            run=run,
            tests=frozenset(behind),
            first=tuple(behind),
            keyword=filters.keyword,
            background=True,
        )

    def admitted(self, tests: Iterable[str], filters: Filters) -> list[str]:
        """The tests that the filters let through."""
        return [test for test in tests if filters.admit(test, self.statuses.get(test))]

    def collected(self, request: RunRequest, collected: Collected) -> None:
        """Forget tests that are gone; hold those that the request's keyword left out."""
        seen, chosen = set(collected.seen), set(collected.tests)
        looked_at = {file_of(test) for test in (*request.tests, *seen)} | request.files
        gone = {
            test
            for test in (*self.statuses, *request.tests)
            if test not in seen and (request.everything or file_of(test) in looked_at)
        }
        left_out = {test for test in request.tests if test in seen and test not in chosen}
        if request.keyword:
            self._held |= left_out
            left_out = set()
        self.forget(gone | left_out)
        self._tests -= self._held

    def forget(self, tests: Iterable[str]) -> None:
        """Tests that do not exist any more, or that the person's own options leave out."""
        for test in tests:
            for kept in (self.statuses, self.seconds, self.failures, self._reached):
                kept.pop(test, None)
            self._tests.discard(test)
            self._held.discard(test)

    def ran(self, ran: Ran, *, generation: int) -> None:
        """A verdict on the content of that generation."""
        self.statuses[ran.test] = ran.status
        self.seconds[ran.test] = ran.seconds
        self._reached[ran.test] = generation
        self._tests.discard(ran.test)
        if ran.failure is not None and ran.status in RED:
            self.failures[ran.test] = ran.failure
        elif ran.status in GREEN:
            self.failures.pop(ran.test, None)
        if ran.status in GREEN and "::" in ran.test:
            self._cure(file_of(ran.test))

    def _cure(self, path: str) -> None:
        """A file whose tests run has no error in its collection any more."""
        if self.statuses.get(path) in RED:
            self.forget([path])

    def over(self, request: RunRequest) -> None:
        """A run that was not cut short has paid what was asked of it."""
        self._tests -= request.tests
        self._files -= request.files
        if request.everything or not self._files | self._tests:
            self._everything = False

    @property
    def red(self) -> tuple[str, ...]:
        """The failing tests, stale verdicts included."""
        return tuple(test for test, status in self.statuses.items() if status in RED)

    def listed(self) -> tuple[RedTest, ...]:
        """The failing tests for the screen; stale are those that are owed a new run."""
        return tuple(
            RedTest(
                test=test,
                status=self.statuses[test],
                message=_first_line(self.failures.get(test)),
                stale=test in self._tests or file_of(test) in self._files or self._everything,
            )
            for test in self.red
        )

    def baseline(self, args: tuple[str, ...]) -> Baseline:
        """What a diagnosis starts from: every verdict, and the details of the red ones."""
        outcomes = tuple(
            Outcome(
                test=test,
                status=status,
                seconds=self.seconds.get(test, 0.0),
                error_type=self.failures[test].error_type if test in self.failures else "",
                message=self.failures[test].message[:300] if test in self.failures else "",
            )
            for test, status in self.statuses.items()
        )
        known = tuple(self.failures[test] for test in self.red if test in self.failures)
        return Baseline(outcomes=outcomes, failures=known, args=args)

    def count(self, statuses: frozenset[Status]) -> int:
        """How many tests ended in one of these ways."""
        return sum(status in statuses for status in self.statuses.values())


def _first_line(failure: Failure | None) -> str:
    if failure is None:
        return ""
    text = failure.message.strip().splitlines()
    first = text[0] if text else ""
    return f"{failure.error_type.rpartition('.')[2]}: {first}" if first else failure.error_type
