"""Candidates from values: what a place should give, by the angels, and expressions that give it."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Final

from pytest_buddy.coder.angels import Place, Want, margin
from pytest_buddy.coder.atoms import Example, atoms, came_of, module_constants, same, values_of, vector
from pytest_buddy.coder.change import Change, Splice
from pytest_buddy.coder.checking import Checker
from pytest_buddy.coder.evaluating import Unknown, evaluate, parsed
from pytest_buddy.coder.expressions import expressions
from pytest_buddy.coder.hints import read_hints
from pytest_buddy.coder.ingredients import Ingredients
from pytest_buddy.coder.precedence import AND, OR, level_of
from pytest_buddy.coder.predicates import compared, predicates, thresholds
from pytest_buddy.coder.scope import Scope
from pytest_buddy.coder.site import Site
from pytest_buddy.coder.templates import patch_of
from pytest_buddy.domain import Observation, Patch
from pytest_buddy.ports import Context

_MOST_WANTS: Final = 8
_PER_WANT: Final = 20
_PLAIN_ENDS: Final = frozenset({"None", "True", "False", "[]", "{}", "''", "0", "()", "0.0"})
_HARD_CODED: Final = 0.8
_SINGLE: Final = re.compile(r"'([^'\\]*)'")


def synthesised(
    context: Context, found: Sequence[Want], observations: Iterable[Observation]
) -> Iterator[Patch]:
    """Candidates that make every place give what is wanted there, as far as the observed values tell."""
    seen: set[str] = set()
    by_place: dict[tuple[str, int], list[Observation]] = {}
    for item in observations:
        by_place.setdefault((item.path, item.line), []).append(item)
    streams = [_of_want(context, want, by_place.get(_key(want.place), ())) for want in found[:_MOST_WANTS]]
    for row in zip_longest(*streams):
        for patch in row:
            if patch is not None and patch.id not in seen:
                seen.add(patch.id)
                yield patch


def _key(place: Place) -> tuple[str, int]:
    return place.outline.source.path, place.statement.node.lineno


def _of_want(context: Context, want: Want, observations: Iterable[Observation]) -> Iterator[Patch]:
    place = want.place
    scope = Scope(outline=place.outline, owner=place.statement.owner)
    site = Site(
        outline=place.outline,
        statement=place.statement,
        scope=scope,
        hints=read_hints(context.failures),
        ingredients=Ingredients(scope=scope),
    )
    constants = module_constants(site)
    wanted = dict(want.values)
    examples = []
    for item in observations:
        values = constants | values_of(item)
        if not item.hits:
            continue
        if not item.failed:
            examples.append(Example(values=values, fails=False, came=came_of(item)))
        elif item.test in wanted:
            examples.append(
                Example(values=values, fails=True, wanted=_value(wanted[item.test]), came=came_of(item))
            )
    if not any(example.fails for example in examples):
        return
    checker = Checker(source=place.outline.source, statement=place.statement)
    made = 0
    for kind, change in _changes(site, want, examples):
        if made >= _PER_WANT:
            return
        if checker.accepts(change.splices, structural=place.kind == "guard"):
            patch = patch_of(
                place.outline, place.statement, change, origin=kind, score=place.weight * change.prior
            )
            if patch is not None:
                made += 1
                yield patch


def _value(text: str) -> tuple[Any, ...]:
    if text == "return":
        return (None,)
    try:
        return (evaluate(parsed(text.removeprefix("return ")), {}),)
    except Unknown:
        return ()


def _changes(site: Site, want: Want, examples: Sequence[Example]) -> Iterator[tuple[str, Change]]:
    if want.place.kind == "condition":
        yield from (("by-value-condition", change) for change in _conditions(site, want, examples))
    elif want.place.kind == "value":
        yield from (("by-value", change) for change in _values(site, want, examples))
    else:
        yield from (("by-value-guard", change) for change in _guards(site, want, examples))


def _values(site: Site, want: Want, examples: Sequence[Example]) -> Iterator[Change]:
    node = want.place.node
    assert node is not None
    known = [_with_old(node, example) for example in examples]
    for part, text, prior in expressions(site, node, atoms(site, known), known):
        yield site.change(
            part,
            text,
            f"`{text}` gives the expected value where `{site.text(part)}` does not",
            level=level_of(parsed(text)),
            prior=prior,
            suspicion=_HARD_CODED if _is_literal(text) else 0.0,
        )


def _with_old(node: ast.expr, example: Example) -> Example:
    if example.fails or example.came:
        return example
    old = vector(node, (example,))
    return replace(example, came=old) if old is not None else example


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


def _conditions(site: Site, want: Want, examples: Sequence[Example]) -> Iterator[Change]:
    """`C or P` where the condition must hold and does not, `C and P` where it must not."""
    node = want.place.node
    assert node is not None
    old = site.text(node)
    forced = {text for _, text in want.values}
    if len(forced) != 1:
        return
    must = forced == {"True"}
    truths = [_truth(node, example) for example in examples]
    needs = tuple(
        must if example.fails else (None if truth is must else not must)
        for example, truth in zip(examples, truths, strict=True)
    )
    exact = tuple(must if example.fails else truth for example, truth in zip(examples, truths, strict=True))
    for place, text, prior in thresholds(node, examples, exact):
        yield site.change(place, text, f"compares with {text} instead of {site.text(place)}", prior=prior)
    word, level = ("or", OR) if must else ("and", AND)
    for text, prior in predicates(site, atoms(site, examples), examples, needs):
        operand = text if level_of(parsed(text)) > level else f"({text})"
        yield site.change(
            node,
            f"{site.operand(node, level)} {word} {operand}",
            f"the condition {'also holds' if must else 'holds only'} if `{text}`",
            level=level,
            prior=prior,
        )
    if None not in exact[:1] and sum(item is not None for item in exact) > 2:
        for text, prior in predicates(site, atoms(site, examples), examples, exact)[:12]:
            why = f"asks whether `{text}` instead of `{old}`"
            yield site.change(node, text, why, level=level_of(parsed(text)), prior=prior * 0.5)


def _truth(node: ast.expr, example: Example) -> bool | None:
    try:
        return bool(evaluate(node, example.values))
    except Unknown:
        return None


def _guards(site: Site, want: Want, examples: Sequence[Example]) -> Iterator[Change]:
    """`if P: return V` before the statement, where P holds in the failing runs only."""
    found = atoms(site, examples)
    needs = tuple(example.fails for example in examples)
    conditions = predicates(site, found, examples, needs)
    ends = _ends(want, examples, {atom.text: atom.values for atom in found}, alike=_cases(site))
    before = margin(want.place)
    word, start = _branch(want.place) or ("if", want.place.span[0])
    if word == "elif":
        before = before.removesuffix(site.step)
    ranked = [(prior * likely, text, end) for end, likely in ends for text, prior in conditions[:_PER_WANT]]
    ranked.sort(key=lambda item: -item[0])
    for prior, condition, leaving in ranked:
        text, end = _in_style(site, condition), _in_style(site, leaving)
        yield Change(
            splices=(Splice(start, start, f"{word} {text}:\n{before}{site.step}{end}\n{before}"),),
            rationale=f"leaves with `{end}` if `{text}`",
            prior=prior,
            structural=True,
        )


def _in_style(site: Site, text: str) -> str:
    """The text with double quotes where the file has mostly those."""
    content = site.source.content
    if '"' in text or content.count(b'"') <= content.count(b"'"):
        return text
    return _SINGLE.sub(r'"\1"', text)


def _branch(place: Place) -> tuple[str, int] | None:
    """Where an `elif` goes when the place is the first statement of an `else`."""
    statement, source = place.statement, place.outline.source
    parent = statement.ancestors[-1] if statement.ancestors else None
    if not isinstance(parent, ast.If) or parent.orelse[:1] != [statement.node]:
        return None
    for line in range((parent.body[-1].end_lineno or 0) + 1, statement.node.lineno):
        text = source.line(line)
        if text.strip() == "else:":
            return "elif", source.line_starts[line - 1] + len(text) - len(text.lstrip())
    return None


def _cases(site: Site) -> frozenset[type]:
    """The types of the constants that at least two branches return, where the function tells cases apart."""
    if not compared(site):
        return frozenset()
    found: list[type] = []
    for node in ast.walk(site.scope.owner.node):
        match node:
            case ast.If(body=[ast.Return(value=ast.Constant(value=value))]):
                found.append(type(value))
    return frozenset(kind for kind in found if found.count(kind) > 1)


def _ends(
    want: Want, examples: Sequence[Example], known: Mapping[str, tuple[Any, ...]], *, alike: frozenset[type]
) -> list[tuple[str, float]]:
    """The statements that leave as wanted and how likely they are.

    The test's own answer is none of them, but where the function's other cases return such constants too.
    """
    texts = {text for _, text in want.values}
    first = next(iter(texts))
    if not first.startswith("return"):
        return [(first, 1.0)]
    found: list[tuple[str, float]] = []
    for text, values in known.items():
        pairs = [(example, value) for example, value in zip(examples, values, strict=True) if example.fails]
        if all(example.wanted and same(value, example.wanted[0]) for example, value in pairs):
            found.append((f"return {text}", 1.0))
    if len(texts) == 1 and first.removeprefix("return ") in _PLAIN_ENDS:
        found.append((first, 0.9))
    elif len(texts) == 1 and {type(value) for value in _value(first)} <= alike and _value(first):
        found.append((first, 0.8))
    return found
