"""What a person is told about a suspect: facts about tests, tracebacks and readers, never a bare figure."""

from dataclasses import dataclass

from pytest_buddy.localize.program import Element


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a statement in one fault: bit sets of tests, counts of failures, what errors say.

    `alike` counts the other statements that exactly the same tests ran.
    """

    failing: int
    passing: int
    traced: bool
    alike: int
    innermost: int
    on_stack: int
    mention: str
    called: bool = False
    changed: str = ""
    decides: bool = False


def evidence(element: Element, facts: Facts) -> tuple[str, ...]:
    """The strongest facts first."""
    said: list[str] = []
    if element.readers:
        said.append(_read(element, facts))
    elif facts.traced and not element.named:
        said.append(_run(element.runs, facts))
    if facts.innermost:
        said.append(f"innermost frame of {_count(facts.innermost, 'failure')}")
    elif facts.on_stack:
        said.append(f"on the traceback of {_count(facts.on_stack, 'failure')}")
    elif facts.decides:
        said.append("decides whether the line that fails is reached")
    if facts.mention:
        said.append(facts.mention)
    if facts.called:
        said.append("called by the line of the test that fails")
    if facts.changed:
        said.append(f"changed: {facts.changed}")
    if facts.traced and facts.alike and not element.indirect:
        said.append(f"coverage cannot tell this line from {_count(facts.alike, 'other')}")
    if is_shown(element) and not element.runs & facts.passing:
        said.append("perhaps run only to show the failed assertion")
    if not said:
        said.append("in a function on the traceback; no coverage of the failing test is known")
    return tuple(said)


def is_shown(element: Element) -> bool:
    """Whether it is part of how an object is shown."""
    return element.statement.qualname.endswith(".__repr__")


def _run(runs: int, facts: Facts) -> str:
    failing, passing = facts.failing.bit_count(), facts.passing.bit_count()
    ran = (runs & facts.failing).bit_count()
    if not passing:
        told = "run by the one failing test" if failing == 1 else f"run by {ran} of {failing} failing tests"
        return f"{told}; no passing test to compare with"
    also = (runs & facts.passing).bit_count()
    return f"run by {ran} of {failing} failing and {also} of {_count(passing, 'passing test')}"


def _read(element: Element, facts: Facts) -> str:
    """Names the reader that most failing and fewest passing tests run."""
    label, runs = max(
        element.readers,
        key=lambda reader: (
            (reader[1] & facts.failing).bit_count(),
            bool(reader[0]),
            -(reader[1] & facts.passing).bit_count(),
        ),
    )
    statement = element.statement
    if not label and statement.kind not in _FUNCTIONS:
        who = "the test itself" if facts.failing.bit_count() == 1 else "the tests themselves"
        return f"`{element.name}` is read by {who}"
    who = _who(runs, facts)
    if statement.kind in _FUNCTIONS:
        return f"the defaults and decorators of `{element.name}`, which {who}"
    if statement.qualname and label.endswith(f".{statement.qualname}"):
        return f"{_article(element)} {label}, which {who}"
    return f"`{element.name}` is read by {label}, which {who}"


_FUNCTIONS = ("functiondef", "asyncfunctiondef")


def _article(element: Element) -> str:
    return "the class" if element.statement.kind == "classdef" else f"`{element.name}` belongs to"


def _who(runs: int, facts: Facts) -> str:
    ran, failing = (runs & facts.failing).bit_count(), facts.failing.bit_count()
    also, passing = (runs & facts.passing).bit_count(), facts.passing.bit_count()
    told = "the failing test" if failing == 1 else "all failing tests"
    if ran != failing:
        told = f"{ran} of {failing} failing tests"
    if passing:
        told = f"{told.removesuffix(' tests')} and {also} of {_count(passing, 'passing test')}"
        return f"{told} run"
    return f"{told} run{'s' if failing == 1 else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
