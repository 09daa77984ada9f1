"""Which tests depend on which functions, files and directories: an index from each thing to its tests."""

from array import array
from collections.abc import Iterable, Iterator

from buddy_watch.values import Touched

Thing = tuple[str, str]
FILE, DIRECTORY = "\0file", "\0directory"  # in the place of a function's name, which never looks like that


class Dependencies:
    """What each test touched when it last ran. Tests that touched the same share one set."""

    def __init__(self) -> None:
        self._numbers: dict[Thing, int] = {}
        self._things: list[Thing] = []
        self._enclosing: dict[Thing, tuple[int, ...]] = {}
        self._sets: dict[bytes, int] = {}
        self._contents: list[array[int]] = []
        self._users: list[array[int]] = []  # by thing: the sets that hold it
        self._tests: list[set[str]] = []  # by set
        self._set_of: dict[str, int] = {}
        self.beyond: set[str] = set()

    def __contains__(self, test: str) -> bool:
        return test in self._set_of

    @property
    def tests(self) -> Iterable[str]:
        """The tests of which it is known what they depend on."""
        return self._set_of.keys()

    def learn(self, test: str, touched: Touched) -> bool:
        """Put in what a test touched, in the place of what was known; whether that is news."""
        numbers: set[int] = set()
        enclosing = self._enclosing
        for function in touched.functions:
            numbers.update(enclosing.get(function) or self._with_enclosing(function))
        numbers.update(self._number((path, FILE)) for path in touched.files)
        numbers.update(self._number((path, DIRECTORY)) for path in touched.directories)
        known_beyond = test in self.beyond
        if touched.beyond:
            self.beyond.add(test)
        else:
            self.beyond.discard(test)
        return self._assign(test, sorted(numbers)) or known_beyond != touched.beyond

    def restore(self, test: str, things: Iterable[Thing], *, beyond: bool) -> None:
        """Put in what was stored."""
        if beyond:
            self.beyond.add(test)
        else:
            self.beyond.discard(test)
        self._assign(test, sorted({self._number(thing) for thing in things}))

    def forget(self, test: str) -> bool:
        """Know nothing of a test any more; whether anything was known."""
        self.beyond.discard(test)
        number = self._set_of.pop(test, None)
        if number is None:
            return False
        self._tests[number].discard(test)
        return True

    def tests_of(self, things: Iterable[Thing]) -> set[str]:
        """The tests that touched one of these."""
        found: set[str] = set()
        for thing in things:
            number = self._numbers.get(thing)
            if number is not None:
                for users in self._users[number]:
                    found |= self._tests[users]
        return found

    def things_of(self, test: str) -> tuple[Thing, ...]:
        """What a test touched."""
        number = self._set_of.get(test)
        return () if number is None else tuple(self._things[one] for one in self._contents[number])

    def knows(self, thing: Thing) -> bool:
        """Whether any test has ever touched this."""
        return thing in self._numbers

    def shared_sets(self) -> Iterator[tuple[tuple[Thing, ...], tuple[str, ...]]]:
        """Every set with the tests that have it."""
        for contents, tests in zip(self._contents, self._tests, strict=True):
            if tests:
                yield tuple(self._things[one] for one in contents), tuple(tests)

    def trim(self) -> None:
        """Let go of sets that no test has any more, when there are many."""
        dead = sum(not tests for tests in self._tests)
        if dead < 1000 or dead < len(self._tests) // 2:
            return
        alive = [(self._contents[number], tests) for number, tests in enumerate(self._tests) if tests]
        self._sets.clear()
        self._contents, self._tests = [], []
        self._users = [array("I") for _ in self._things]
        for contents, tests in alive:
            self._add_set(contents, tests)
            self._set_of.update(dict.fromkeys(tests, len(self._contents) - 1))

    def _assign(self, test: str, numbers: list[int]) -> bool:
        contents = array("I", numbers)
        key = contents.tobytes()
        number = self._sets.get(key)
        if number is None:
            number = self._add_set(contents, set())
        before = self._set_of.get(test)
        if before == number:
            return False
        if before is not None:
            self._tests[before].discard(test)
        self._set_of[test] = number
        self._tests[number].add(test)
        return True

    def _add_set(self, contents: "array[int]", tests: set[str]) -> int:
        number = self._sets[contents.tobytes()] = len(self._contents)
        self._contents.append(contents)
        self._tests.append(tests)
        for thing in contents:
            self._users[thing].append(number)
        return number

    def _with_enclosing(self, function: Thing) -> tuple[int, ...]:
        numbers = tuple(self._number(one) for one in with_enclosing(function))
        self._enclosing[function] = numbers
        return numbers

    def _number(self, thing: Thing) -> int:
        number = self._numbers.get(thing)
        if number is None:
            number = self._numbers[thing] = len(self._things)
            self._things.append(thing)
            self._users.append(array("I"))
        return number


def with_enclosing(function: Thing) -> tuple[Thing, ...]:
    """The function and those around it: what made it ran earlier, and may have been kept."""
    path, name = function
    names = [name]
    while ".<locals>." in name:
        name = name.rpartition(".<locals>.")[0]
        names.append(name)
    return tuple((path, one) for one in names)
