"""What a failure's tracebacks and message point at, test files left out."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pytest_buddy.domain import Failure, Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A frame of a failure that may be suspected; `distance` counts from 1 at the innermost one."""

    path: str
    line: int
    function: str
    distance: int


def sites(failure: Failure, tests: Collection[str]) -> tuple[Site, ...]:
    """The project frames outside tests, innermost first, of the exception and of the ones that led to it.

    A line that recurs (recursion) counts once, at its innermost place; each exception of the chain counts
    its distances anew, for an earlier exception is at least as close to the fault as the one it turned into.
    """
    nearest: dict[tuple[str, int], Site] = {}
    for frames in (failure.frames, *(cause.frames for cause in failure.causes)):
        distances: dict[tuple[str, int], int] = {}
        for frame in reversed(frames):
            if not frame.project or frame.path in tests or frame.line < 1:
                continue
            key = (frame.path, frame.line)
            distance = distances.setdefault(key, len(distances) + 1)
            known = nearest.get(key)
            if known is None or distance < known.distance:
                nearest[key] = Site(
                    path=frame.path, line=frame.line, function=frame.function, distance=distance
                )
    return tuple(sorted(nearest.values(), key=lambda site: site.distance))


def weight(site: Site) -> float:
    """How much a frame is worth: 1 for the innermost, falling with the distance from it."""
    return 1 / site.distance


_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|0x[0-9a-fA-F]+|\d+(?:\.\d+)?|[\[({].*[\])}]", re.DOTALL)


def shape(failure: Failure) -> tuple[str, str]:
    """Exception type and first line of the message without the values in it."""
    first = failure.message.strip().split("\n", 1)[0][:200]
    return failure.error_type, _VARYING.sub("_", first)


def origin(failure: Failure, tests: Collection[str]) -> tuple[str, str, str] | None:
    """Exception type, path and function of the innermost frame outside tests; None when there is none."""
    found = sites(failure, tests)
    return (failure.error_type, found[0].path, found[0].function) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A definition that the error itself names: a class, a function, a module, or a line of a file.

    `missing` is the attribute or name that was looked up in it; `path` and `line` are set for a place.
    """

    name: str = ""
    missing: str = ""
    path: str = ""
    line: int = 0
    text: str = ""


_LACKS = (
    re.compile(r"'(?P<name>\w+)' object has no attribute '(?P<missing>\w+)'"),
    re.compile(r"type object '(?P<name>\w+)' has no attribute '(?P<missing>\w+)'"),
    re.compile(r"partially initialized module '(?P<name>[\w.]+)' has no attribute '(?P<missing>\w+)'"),
    re.compile(r"module '(?P<name>[\w.]+)' has no attribute '(?P<missing>\w+)'"),
    re.compile(
        r"cannot import name '(?P<missing>\w+)' from (?:partially initialized module )?'(?P<name>[\w.]+)'"
    ),
)
_CLASSES = re.compile(
    r"(?:abstract class |instances of |type\(s\) for [^:]*: |and |object of type |type: |^)'?(\w+)'?"
)
_CALLED = re.compile(
    r"(?P<name>[\w.<>]+)\(\) (?:got (?:an|some|multiple)|takes|missing|does not take|requires)"
)
_PLACES = (
    re.compile(r'File "(?P<path>[^"\n]+)", line (?P<line>\d+)'),
    re.compile(r"\((?P<path>[^()\n]+\.py), line (?P<line>\d+)\)"),
    re.compile(r"^(?P<path>[^\s:][^:\n]*\.py):(?P<line>\d+): ", re.MULTILINE),
)


def mentions(failure: Failure) -> Iterator[Mention]:
    """What the messages of the failure and of its causes name, beyond the frames."""
    chain = ((failure.error_type, failure.message), *((c.error_type, c.message) for c in failure.causes))
    for error_type, message in chain:
        kind = error_type.rpartition(".")[2]
        if kind in ("AttributeError", "ImportError"):
            yield from _lacking(message)
        elif kind == "TypeError":
            yield from _mistyped(message)
        yield from _uncalled(message)
        if kind in _SYNTAX or failure.phase == "collect":
            yield from _places(message)


_SYNTAX = frozenset({"SyntaxError", "IndentationError", "TabError"})


def _lacking(message: str) -> Iterator[Mention]:
    for pattern in _LACKS:
        if found := pattern.search(message):
            name, missing = found["name"], found["missing"]
            yield Mention(name=name, missing=missing, text=f"the error says that `{name}` has no `{missing}`")
            return


_UNCALLED = re.compile(
    r"<(?:bound method|function|coroutine object|generator object) (?P<name>[\w.<>]+) (?:of|at) "
)


def _uncalled(message: str) -> Iterator[Mention]:
    """A method where its value was wanted: a decorator, a call or an `await` is missing."""
    for name in dict.fromkeys(_UNCALLED.findall(message)):
        yield Mention(name=name, text=f"the error shows `{name}` itself in the place of what it gives")


def _mistyped(message: str) -> Iterator[Mention]:
    if found := _CALLED.search(message):
        name = found["name"]
        yield Mention(name=name, text=f"the error is about how `{name}` is called")
        return
    for name in dict.fromkeys(_CLASSES.findall(message)):
        yield Mention(name=name, text=f"the error names `{name}`")


def _places(message: str) -> Iterator[Mention]:
    for pattern in _PLACES:
        # The last place is the one where the chain of imports ended.
        if found := list(pattern.finditer(message)):
            path, line = found[-1]["path"], int(found[-1]["line"])
            yield Mention(path=path, line=line, text="the error points at this line")
            return


def executed_frames(failure: Failure, tests: Collection[str]) -> tuple[Frame, ...]:
    """All project frames outside tests, of the failure and its causes, in the order they are held."""
    chain = (failure.frames, *(cause.frames for cause in failure.causes))
    return tuple(frame for frames in chain for frame in frames if frame.project and frame.path not in tests)
