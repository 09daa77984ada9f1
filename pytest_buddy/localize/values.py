"""What variables' values say: which of them are alike in failing tests and otherwise in passing ones.

A value as such tells little, for every test has inputs of its own; that several failing tests have the very
same one does. Otherwise what is asked of values is a closed list of properties: type, whether it is `None`,
empty, zero, negative, true. A property tells as far as it holds in failing tests and not in passing ones:

    strength = failing with it / failing observed - (passing with it + 1) / (passing observed + 2)

so that two passing tests say less than ten. A statement whose result tells, where no variable that it reads
does, is where the odd value comes from; one that only reads it is behind the fault.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_buddy.domain import Fault, Observation, Suspect
from pytest_buddy.localize.standing import ranked
from pytest_buddy.localize.weights import TOTAL, VALUE

_RESULT = ""
_LEAST = 0.3
_DIGITS = 6
_READ = 0.3
_SHORT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A property of a variable at a statement that separates failing from passing tests.

    `name` is empty for the value that the statement returns or assigns; `strength` is in 0..1; `text` says
    it to a person.
    """

    path: str
    line: int
    name: str
    strength: float
    text: str


def telling(observations: Sequence[Observation]) -> tuple[Telling, ...]:
    """What separates failing from passing tests at each observed statement, the strongest first.

    Of several properties of one variable at one statement the strongest is given. Nothing is told of a
    statement that only failing, or only passing, tests reached.
    """
    at: dict[tuple[str, int], list[Observation]] = {}
    for observation in observations:
        if observation.hits:
            at.setdefault((observation.path, observation.line), []).append(observation)
    found = [told for place, seen in at.items() for told in _at(place, seen)]
    return tuple(sorted(found, key=lambda told: (-told.strength, told.path, told.line, told.name)))


def weigh_values(fault: Fault, observations: Sequence[Observation]) -> Fault:
    """The fault with its suspects moved, and given evidence, by the values that were seen at them.

    To be called once, with all observations: every call moves the scores.
    """
    strongest: dict[tuple[str, int], list[Telling]] = {}
    for told in telling(observations):
        strongest.setdefault((told.path, told.line), []).append(told)
    if not strongest:
        return fault
    moved = [_moved(suspect, strongest.get((suspect.path, suspect.line), ())) for suspect in fault.suspects]
    return replace(fault, suspects=ranked(moved, fault.suspects))


def _moved(suspect: Suspect, told: Sequence[Telling]) -> Suspect:
    if not told:
        return suspect
    made = max((one.strength for one in told if one.name == _RESULT), default=0.0)
    read = max((one.strength for one in told if one.name != _RESULT), default=0.0)
    boost = made - read if made > read else _READ * read
    score = min(1.0, suspect.score + VALUE * boost / TOTAL)
    return replace(suspect, score=round(score, _DIGITS), evidence=(*suspect.evidence, told[0].text))


def _at(place: tuple[str, int], seen: Sequence[Observation]) -> Iterator[Telling]:
    failing = [observation for observation in seen if observation.failed]
    passing = [observation for observation in seen if not observation.failed]
    if not failing or not passing:
        return
    names = dict.fromkeys(variable.name for one in failing for variable in one.variables)
    if any(one.result for one in failing):
        names[_RESULT] = None
    for name in names:
        ours = [values for one in failing if (values := _properties(one, name)) is not None]
        theirs = [values for one in passing if (values := _properties(one, name)) is not None]
        if ours and theirs and (told := _strongest(ours, theirs)):
            strength, text = told
            subject = f"`{name}`" if name else "its value"
            others = f"{sum(text in one for one in theirs)} of {_tests(len(theirs), 'passing')}"
            share = f"{sum(text in one for one in ours)} of {len(ours)} failing"
            yield Telling(
                path=place[0],
                line=place[1],
                name=name,
                strength=strength,
                text=f"{subject} {text} in {share} and {others}",
            )


def _strongest(
    ours: Sequence[Mapping[str, None]], theirs: Sequence[Mapping[str, None]]
) -> tuple[float, str] | None:
    best: tuple[float, str] | None = None
    for text in dict.fromkeys(text for one in ours for text in one):
        shared = sum(text in one for one in ours)
        if shared == 1 and _is_value(text):
            continue  # every test has inputs of its own
        with_it = shared / len(ours)
        without = (sum(text in one for one in theirs) + 1) / (len(theirs) + 2)
        if with_it - without >= _LEAST and (best is None or with_it - without > best[0]):
            best = (with_it - without, text)
    return best


def _properties(observation: Observation, name: str) -> Mapping[str, None] | None:
    """What is true of a variable, or of the result; None when it was not seen."""
    if name == _RESULT:
        return dict.fromkeys(_of(observation.result, "")) if observation.result else None
    for variable in observation.variables:
        if variable.name == name:
            return dict.fromkeys(_of(variable.value, variable.type))
    return None


def _is_value(text: str) -> bool:
    """Whether a property is one value, and not a kind of value."""
    return text not in _KINDS and not text.startswith(("is a ", "is an "))


_KINDS = frozenset({"is None", "is empty", "is zero", "is negative", "is True", "is False"})
_EMPTY = frozenset({"''", '""', "b''", "[]", "()", "{}", "set()", "frozenset()"})


def _of(value: str, kind: str) -> Iterator[str]:
    """The properties of a value that is known by its repr, the most telling first."""
    if value == "None":
        yield "is None"
        return
    if value in _EMPTY or value.endswith(("([])", "({})")):
        yield "is empty"
    number = _number(value)
    if number is not None:
        if number == 0:
            yield "is zero"
        elif number < 0:
            yield "is negative"
    if len(value) <= _SHORT and "..." not in value:
        yield f"is {value}"
    if kind and kind != "NoneType":
        article = "an" if kind[0].lower() in "aeiou" else "a"
        yield f"is {article} {kind}"


def _number(value: str) -> float | None:
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def _tests(count: int, kind: str) -> str:
    return f"{count} {kind} test" if count == 1 else f"{count} {kind} tests"
