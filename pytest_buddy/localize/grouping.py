"""Failures that have one cause, told by what they ran, where they broke and what they say."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log2

from pytest_buddy.domain import Failure
from pytest_buddy.localize.tracebacks import origin, shape

# Bits that naming one more fault costs, against the bits it takes to say which of the tests that run a
# place fail: several faults are assumed only when one explains the outcomes worse than that.
_FAULT = 4.0
# Bits for blaming a place that a failure with a traceback into the program does not lead through.
_OFF_STACK = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failures with one cause; `failing` is the bit set of their executions, 0 when there are none."""

    failures: tuple[Failure, ...]
    failing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Statements of one function that exactly the same executions ran."""

    path: str
    function: str
    runs: int


def groups(
    failures: Sequence[Failure],
    executions: Mapping[str, int],
    blocks: Sequence[Block],
    passing: int,
    tests: Collection[str],
) -> tuple[Group, ...]:
    """Each failure in exactly one group, the group of most tests first.

    `executions` maps each test that was run with coverage and failed to its bit.
    """
    units = _units(failures, executions, tests)
    covered = _cover(units, blocks, passing)
    of_test = {
        test: number for number, members in enumerate(covered) for unit in members for test in unit.tests
    }
    members: list[list[Failure]] = [[] for _ in covered]
    keys = _Keys(tests)
    later: list[Failure] = []
    for failure in failures:
        number = of_test.get(failure.test)
        if number is None:
            later.append(failure)
        else:
            members[number].append(failure)
            keys.note(keys.of(failure), number)
    for failure in later:
        shared = keys.of(failure)
        number = keys.find(shared)
        if number is None:
            number = len(members)
            members.append([])
        members[number].append(failure)
        keys.note(shared, number)
    found = [Group(failures=tuple(group), failing=_bits(group, executions)) for group in members if group]
    order = {id(failure): position for position, failure in enumerate(failures)}
    found.sort(key=lambda group: (-len({f.test for f in group.failures}), order[id(group.failures[0])]))
    return tuple(found)


def _bits(failures: Sequence[Failure], executions: Mapping[str, int]) -> int:
    bits = 0
    for failure in failures:
        bits |= executions.get(failure.test, 0)
    return bits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """Failing tests that broke at the same place in the same way: never told apart."""

    tests: tuple[str, ...]
    bits: int
    functions: frozenset[tuple[str, str]]


def _units(failures: Sequence[Failure], executions: Mapping[str, int], tests: Collection[str]) -> list[_Unit]:
    at: dict[object, list[Failure]] = {}
    first: dict[str, object] = {}
    for failure in failures:
        if failure.test in executions:
            # A test that fails twice (in its call and in its tear-down) is one unit, named by the first.
            key = first.setdefault(failure.test, origin(failure, tests) or failure.test)
            at.setdefault(key, []).append(failure)
    return [
        _Unit(
            tests=tuple(dict.fromkeys(failure.test for failure in group)),
            bits=_bits(group, executions),
            functions=frozenset(
                (frame.path, frame.function)
                for failure in group
                for frame in failure.frames
                if frame.project and frame.path not in tests
            ),
        )
        for group in at.values()
    ]


def _cover(units: Sequence[_Unit], blocks: Sequence[Block], passing: int) -> list[list[_Unit]]:
    """Greedily: the block that explains most failures for the fewest bits, until all are explained."""
    left = list(units)
    found: list[list[_Unit]] = []
    # What every passing test runs as well tells nothing about why some tests fail.
    telling = [block for block in blocks if not passing or block.runs & passing != passing]
    while left:
        chosen = min(
            (
                (_cost(block, mine, passing) / _failing(block, mine), -len(mine), position)
                for position, block in enumerate(telling)
                if (mine := [unit for unit in left if unit.bits & block.runs])
            ),
            default=None,
        )
        if chosen is None:
            break
        runs = telling[chosen[2]].runs
        found.append([unit for unit in left if unit.bits & runs])
        left = [unit for unit in left if not unit.bits & runs]
    return _absorbed(found, _unexplained(left), blocks, passing)


def _absorbed(
    found: list[list[_Unit]], unexplained: list[list[_Unit]], blocks: Sequence[Block], passing: int
) -> list[list[_Unit]]:
    """Failures that only run what every passing test runs join a group that one fault there explains too."""
    for units in unexplained:
        alone = _best(units, blocks, passing)
        together = [
            (_best([*group, *units], blocks, passing) - _best(group, blocks, passing) - alone, position)
            for position, group in enumerate(found)
        ]
        saving, position = min(together, default=(0.0, 0))
        if saving < 0:
            found[position] = [*found[position], *units]
        else:
            found.append(units)
    return found


def _best(units: Sequence[_Unit], blocks: Sequence[Block], passing: int) -> float:
    """Bits of the cheapest single block that all units run."""
    return min(
        (_cost(block, units, passing) for block in blocks if all(unit.bits & block.runs for unit in units)),
        default=inf,
    )


def _failing(block: Block, units: Sequence[_Unit]) -> int:
    return sum((unit.bits & block.runs).bit_count() for unit in units)


def _cost(block: Block, units: Sequence[_Unit], passing: int) -> float:
    """Bits that a fault in this block costs, as the explanation of these failures."""
    place = (block.path, block.function)
    off = [unit for unit in units if unit.functions and place not in unit.functions]
    passed = (block.runs & passing).bit_count()
    return _FAULT + _uncertainty(_failing(block, units), passed) + _OFF_STACK * _failing(block, off)


def _uncertainty(failed: int, passed: int) -> float:
    """Bits to say which of the tests fail, at the best fixed probability."""
    total = failed + passed
    return -sum(n * log2(n / total) for n in (failed, passed) if n)


def _unexplained(units: Sequence[_Unit]) -> list[list[_Unit]]:
    """Failures that share nothing telling: one fault for each function they broke in, one for the rest."""
    at: dict[frozenset[tuple[str, str]], list[_Unit]] = {}
    for unit in units:
        at.setdefault(unit.functions, []).append(unit)
    return list(at.values())


_Key = tuple[object, ...]


class _Keys:
    """Finds the group of a failure that was not run with coverage, by the most telling thing they share."""

    def __init__(self, tests: Collection[str]) -> None:
        self._tests = tests
        self._known: dict[_Key, int] = {}

    def of(self, failure: Failure) -> tuple[_Key, ...]:
        """What failures of one cause may share, the most telling first."""
        place = origin(failure, self._tests)
        function = failure.test.partition("[")[0]
        said = shape(failure)
        keys: list[_Key] = [("test", failure.test)]
        if place:
            keys.append(("origin", *place))
        keys += [("said", function, *said), ("message", *said, place), ("function", function)]
        if not place:
            keys.append(("module", failure.test.partition("::")[0], failure.error_type))
        return tuple(keys)

    def note(self, keys: Iterable[_Key], number: int) -> None:
        """Remember the group of a failure."""
        for key in keys:
            self._known.setdefault(key, number)

    def find(self, keys: Iterable[_Key]) -> int | None:
        """The group of the likest failure so far."""
        return next((self._known[key] for key in keys if key in self._known), None)
