"""How patches that all pass differ: what each does with inputs that no test decides."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_buddy.domain import Answer, Patch, Question, Reaction
from pytest_buddy.runner import AnyRunner
from pytest_buddy.suite import Suite

_MOST_FAILING = 4
_MOST_PASSING = 4
_FEWEST_VARIANTS = 3
_NONSENSE = ("raises TypeError", "raises AttributeError")

Reactions = Mapping[str, Reaction]


@dataclass(frozen=True, slots=True)
class Behaviours:
    """What the faulty program and patches (by id) do, by the key of the input."""

    before: Reactions = field(default_factory=dict)
    after: Mapping[str, Reactions] = field(default_factory=dict)

    def question(self, patches: Sequence[str]) -> Question | None:
        """The simplest input on which the first patch and the best that is unlike it differ."""
        for other in patches[1:]:
            if told := self.told_apart(patches[0], other):
                return told
        return None

    def told_apart(self, one: str, other: str) -> Question | None:
        """The simplest input on which two patches differ; None when none is worth asking about."""
        pairs = list(self._pairs(one, other))
        differing = [pair for pair in pairs if pair[0].mark != pair[1].mark]
        worth = [pair for pair in differing if _worth_asking(*pair)]
        if not worth:
            return None
        first, second = min(worth, key=_how_simple)
        return Question(
            call=first.call,
            answers=(Answer(patch=one, result=first.result), Answer(patch=other, result=second.result)),
            compared=len(pairs),
        )

    def narrow(self, patch: str) -> tuple[str, ...]:
        """The failing tests' own calls, when a patch changes what those do and nothing that is like them."""
        after = self.after.get(patch, {})
        pairs = [(self.before[key], after[key]) for key in after if key in self.before]
        near = [pair for pair in pairs if pair[0].varied and not pair[0].green and not pair[0].raised]
        changed = [old for old, new in pairs if old.mark != new.mark]
        own = [old for old in changed if not (old.varied or old.green)]
        if len(own) == len(changed) and own and len(near) >= _FEWEST_VARIANTS:
            return tuple(old.call for old in own)
        return ()

    def _pairs(self, one: str, other: str) -> Iterator[tuple[Reaction, Reaction]]:
        first, second = self.after.get(one, {}), self.after.get(other, {})
        yield from ((first[key], second[key]) for key in first if key in second)


def observed(
    patches: Sequence[Patch], *, runner: AnyRunner, suite: Suite, tests: Sequence[str], limit: float
) -> Behaviours:
    """What the functions that patches edit do, unpatched and with each of them, until `limit`.

    Their inputs come from the failing `tests` and from passing ones that run the functions. Edits outside
    functions count by what they do to the functions that others edit.
    """
    places = _functions(patches, suite)
    chosen = [test for test in tests if not suite.failing[test].hung][:_MOST_FAILING]
    if not places or not chosen:
        return Behaviours()
    green = suite.passing_at(_lines(places), most=_MOST_PASSING)
    answers = runner.behave(
        [None, *patches],
        [*((test, False) for test in chosen), *((test, True) for test in green)],
        {path: [first for first, _ in spans] for path, spans in places.items()},
        cpu=suite.cpu(chosen[0], 2),
        wall=max(0.2, limit - time.monotonic()),
        stop=lambda: time.monotonic() > limit,
    )
    found = {patch.id if patch else "": {item.key: item for item in seen} for patch, seen in answers}
    return Behaviours(found.pop("", {}), {name: seen for name, seen in found.items() if seen})


def _functions(patches: Sequence[Patch], suite: Suite) -> dict[str, list[tuple[int, int]]]:
    """First and last lines of the outermost functions that patches edit, by path."""
    found: dict[str, list[tuple[int, int]]] = {}
    for patch in patches:
        for edit in patch.edits:
            source = suite.sources[edit.path]
            span = source.enclosing_lines(edit.start, edit.end)
            if span != (1, len(source.line_starts)) and span not in found.setdefault(edit.path, []):
                found[edit.path].append(span)
    return {path: spans for path, spans in found.items() if spans}


def _lines(places: Mapping[str, Sequence[tuple[int, int]]]) -> Iterator[tuple[str, int]]:
    for path, spans in places.items():
        for first, last in spans:
            yield from ((path, line) for line in range(first + 1, last + 1))


def _worth_asking(one: Reaction, other: Reaction) -> bool:
    """Whether a person would care: something is returned, and the texts show the difference."""
    return one.result != other.result and not (one.raised and other.raised)


def _how_simple(pair: tuple[Reaction, Reaction]) -> tuple[bool, bool, int, str]:
    results = [item.result for item in pair]
    texts = [pair[0].call, *results]
    hidden = any("..." in text or "<" in text for text in texts)
    return any(text in _NONSENSE for text in results), hidden, sum(map(len, texts)), pair[0].call
