"""A fault of the factory: its kind and places, which tests notice it, and how those are shared out."""

import ast
import difflib
import json
import random
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import factory_shapes
import factory_values
from factory_ground import Edits, Ground, Shape
from faults import Fault, Span
from mutation import Module

SHAPES: Mapping[str, Shape] = {**factory_shapes.SHAPES, **factory_values.SHAPES}
TOOL_KINDS: Mapping[str, str] = {
    "ReplaceComparisonOperator": "tool-comparison",
    "ReplaceBinaryOperator": "tool-arithmetic",
    "ReplaceUnaryOperator": "tool-arithmetic",
    "ReplaceAndWithOr": "tool-logic",
    "ReplaceOrWithAnd": "tool-logic",
    "AddNot": "tool-logic",
    "ReplaceTrueWithFalse": "tool-constant",
    "ReplaceFalseWithTrue": "tool-constant",
    "NumberReplacer": "tool-constant",
    "ReplaceBreakWithContinue": "tool-loop",
    "ReplaceContinueWithBreak": "tool-loop",
    "ZeroIterationForLoop": "tool-loop",
    "RemoveDecorator": "tool-decorator",
}
TWO_PLACES = "two-places"
KINDS: tuple[str, ...] = (*SHAPES, *dict.fromkeys(TOOL_KINDS.values()), TWO_PLACES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """From line `line` of the untouched file, `old` was replaced by `new`; either may be empty."""

    line: int
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault in one file of a package, the red tests that a search may see, and those kept back."""

    package: str
    version: str
    kind: str
    shape: str
    file: str
    hunks: tuple[Hunk, ...]
    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    tests: int = 0
    seed: int = 0
    turn: int = 0

    @property
    def name(self) -> str:
        """What tables and resumed runs call it."""
        return f"{self.package}:{Path(self.file).name}:{self.hunks[0].line}:{self.kind}"

    def faulty(self, text: str, leave: Iterable[int] = ()) -> str:
        """The untouched text with the fault in it, but for the hunks whose numbers are left out."""
        lines = text.splitlines(keepends=True)
        kept_out = set(leave)
        for number, hunk in reversed([*enumerate(self.hunks)]):
            count = len(hunk.old.splitlines())
            start = hunk.line - 1
            if "".join(lines[start : start + count]) != hunk.old:
                raise ValueError(f"{self.file}:{hunk.line} is not what the fault was made from")
            if number not in kept_out:
                lines[start : start + count] = hunk.new.splitlines(keepends=True)
        return "".join(lines)

    def put_into(self, root: Path, leave: Iterable[int] = ()) -> None:
        """Write the fault into a tree."""
        path = root / self.file
        path.write_text(self.faulty(read(path), leave), encoding="utf-8", newline="")

    def true_statements(self, faulty: str) -> tuple[Span, ...]:
        """First and last lines, in the faulty file, of the statements at fault."""
        found: dict[Span, None] = {}
        shift = 0
        for hunk in self.hunks:
            here = Fault(
                package=self.package,
                version=self.version,
                file=self.file,
                line=hunk.line + shift,
                old=hunk.old,
                new=hunk.new,
                operator=self.kind,
                seed=self.seed,
            )
            found.update(dict.fromkeys(here.true_statements(faulty)))
            shift += len(hunk.new.splitlines()) - len(hunk.old.splitlines())
        return tuple(found)


def read(path: Path) -> str:
    """A file's text, line ends as they are."""
    with path.open(encoding="utf-8", newline="") as opened:
        return opened.read()


def hunks(before: str, after: str) -> tuple[Hunk, ...]:
    """The changed lines between two texts, neighbouring ones together."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Hunk(line=first + 1, old="".join(old[first:last]), new="".join(new[start:end]))
        for tag, first, last, start, end in matcher.get_opcodes()
        if tag != "equal"
    )


def applied(content: bytes, edits: Edits) -> bytes:
    """The content with all edits in it."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        content = edit.applied_to(content)
    return content


def is_fault(module: Module, edits: Edits) -> bool:
    """Whether the edits do not overlap and the file compiles, without new warnings, to another program."""
    ordered = sorted(edits, key=lambda edit: edit.start)
    if any(left.end > right.start for left, right in pairwise(ordered)):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(applied(module.content, edits))
            compile(tree, "mutant", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):
            return False
    return ast.dump(tree) != ast.dump(module.tree)


def drawn(ground: Ground, kind: str, random_: random.Random) -> Edits | None:
    """One fault of a kind on a piece of ground, or None when the kind finds nothing there."""
    if kind == TWO_PLACES:
        return _two(ground, random_)
    found = list(SHAPES[kind](ground))
    random_.shuffle(found)
    return next((edits for edits in found[:8] if is_fault(ground.module, edits)), None)


def _two(ground: Ground, random_: random.Random) -> Edits | None:
    """Two faults of one function: of one kind, as when a mistake was made twice, or else of two kinds."""
    if ground.function is None:
        return None
    kinds = [kind for kind in SHAPES if kind != "mutable-default"]
    random_.shuffle(kinds)
    twice = random_.random() < 0.6
    for left, right in zip(kinds, kinds if twice else [*kinds[1:], kinds[0]], strict=True):
        firsts, seconds = list(SHAPES[left](ground)), list(SHAPES[right](ground))
        for _ in range(4 if firsts and seconds else 0):
            one, other = random_.choice(firsts), random_.choice(seconds)
            both = (*one, *other)
            good = all(is_fault(ground.module, edits) for edits in (one, other, both))
            if good and len(_hunks(ground.module, both)) > 1:
                return both
    return None


def shape_of(kind: str, edits: Edits) -> str:
    """What a fault of two places is made of; the kind itself for others."""
    return "+".join(sorted(edit.operator for edit in edits)) if kind == TWO_PLACES else kind


def _hunks(module: Module, edits: Edits) -> tuple[Hunk, ...]:
    return hunks(module.content.decode(), applied(module.content, edits).decode())


def shared_out(failing: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every other red test is kept back, in the order they ran; a single one stays to be seen."""
    return tuple(failing[::2]), tuple(failing[1::2])


def load(path: Path) -> Iterator[Injected]:
    """The faults kept in a file of JSON lines; none when there is no file."""
    for entry in entries(path):
        if entry.pop("kept", True) is False:
            continue
        places = tuple(Hunk(**hunk) for hunk in entry.pop("hunks"))
        tests = {key: tuple(entry.pop(key)) for key in ("seen", "unseen")}
        yield Injected(hunks=places, **tests, **entry)


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """The objects in a file of JSON lines; a last line that was cut off is left out."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


def add(path: Path, entry: Mapping[str, Any]) -> None:
    """Append an object to a file of JSON lines."""
    with path.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(entry) + "\n")
