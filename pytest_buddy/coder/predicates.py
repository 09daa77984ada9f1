"""Conditions that hold in some observed runs and not in others, the most natural first."""

import ast
import builtins
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations, product
from typing import Any, Final

from pytest_buddy.coder.atoms import Atom, Example, sums, vector
from pytest_buddy.coder.names import likeness
from pytest_buddy.coder.site import Site

Truths = tuple[bool | None, ...]
Test = Callable[[Any], Any]
_ORDER: Final[tuple[tuple[str, Callable[[Any, Any], Any]], ...]] = (
    (">", operator.gt), ("<", operator.lt), (">=", operator.ge), ("<=", operator.le), ("==", operator.eq),
    ("!=", operator.ne),
)  # fmt: skip
_BY_TYPE: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Gt: operator.gt, ast.Lt: operator.lt, ast.GtE: operator.ge, ast.LtE: operator.le, ast.Eq: operator.eq,
}  # fmt: skip
_LEAST_VALUES: Final = 3
_DIVISORS: Final = (2, 3, 4, 5, 7, 10, 100, 400)
_TYPES: Final[tuple[type, ...]] = (str, int, float, bool, list, tuple, dict, set, bytes)
_ERRORS: Final = (TypeError, ValueError, ArithmeticError)
_MOST_SIGNS: Final = 3
_LONGEST_CASE: Final = 40
_SPECIAL: Final = 0.15
_AFFINITY: Final = 0.6  # names spelled alike belong together, as `col` and `cols`
_LEAST: Final = 0.2


def predicates(
    site: Site, found: Sequence[Atom], examples: Sequence[Example], wanted: Truths
) -> list[tuple[str, float]]:
    """Conditions over the atoms that are as `wanted` in every example (None: either), with their priors."""
    chosen: dict[str, float] = {}
    for text, prior, truths in _enumerated(site, found, examples):
        if prior >= _LEAST and all(
            want is None or want is truth for want, truth in zip(wanted, truths, strict=True)
        ):
            chosen[text] = max(prior, chosen.get(text, 0.0))
    return sorted(chosen.items(), key=lambda item: -item[1])


def thresholds(
    test: ast.expr, examples: Sequence[Example], wanted: Truths
) -> Iterator[tuple[ast.expr, str, float]]:
    """The number of a comparison, and another for it, with which it is as `wanted` in every example."""
    match test:
        case ast.Compare(
            left=left, ops=[_], comparators=[ast.Constant(value=int() | float() as old) as place]
        ):
            pass
        case _:
            return
    values = vector(left, examples)
    work = _BY_TYPE.get(type(test.ops[0]))
    if work is None or values is None or isinstance(old, bool):
        return
    seen = {value for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    if len(seen) < len(values) or len(seen) < _LEAST_VALUES:
        return
    for number in sorted(seen | {value + 1 for value in seen} | {value - 1 for value in seen}):
        if number != old and all(
            want in (None, work(value, number)) for want, value in zip(wanted, values, strict=True)
        ):
            yield place, repr(number), 1.5 if number % 5 == 0 else 0.8


def _truths(values: tuple[Any, ...], test: Test) -> tuple[bool, ...] | None:
    try:
        return tuple(bool(test(value)) for value in values)
    except _ERRORS:
        return None


def _enumerated(
    site: Site, found: Sequence[Atom], examples: Sequence[Example]
) -> Iterator[tuple[str, float, tuple[bool, ...]]]:
    numbers = tuple(dict.fromkeys((0, 1, *site.ingredients.numbers)))
    divides = any(isinstance(node, ast.Mod) for node in ast.walk(site.scope.owner.node))
    failing = [place for place, example in enumerate(examples) if example.fails]
    signs = compared(site)
    for atom in found:
        if sign := signs.get(atom.text):
            yield from _cases(atom, sign, [atom.values[place] for place in failing])
        for text, prior, test in _of_one(
            atom, numbers, [atom.values[place] for place in failing], divides=divides
        ):
            truths = _truths(atom.values, test)
            if truths is not None:
                yield text, prior * atom.prior, truths
    for left, right in permutations(found, 2):
        yield from _of_two(left, right)
    for left, right in product(found, sums(found, examples)):
        if left.text not in right.text:
            yield from _of_two(left, right)


def compared(site: Site) -> dict[str, str]:
    """What the function compares with constants or types, and by which sign: it tells cases apart."""
    signs: dict[str, str] = {}
    for node in ast.walk(site.scope.owner.node):
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Is() as sign], comparators=[ast.Constant(value)]):
                plain = value is not None
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Is() as sign], comparators=[ast.Name(id=name)]):
                plain = isinstance(getattr(builtins, name, None), type)
            case _:
                continue
        if plain:
            signs.setdefault(site.text(left), "==" if isinstance(sign, ast.Eq) else "is")
    return signs


def _cases(atom: Atom, sign: str, failing: Sequence[Any]) -> Iterator[tuple[str, float, tuple[bool, ...]]]:
    """One more case of what the function tells apart: that of the failing tests."""
    for value in failing:
        if all(type(value) is type(other) for other in atom.values) and _is_short(value):
            name = value.__name__ if isinstance(value, type) else repr(value)
            yield f"{atom.text} {sign} {name}", 1.0, tuple(other == value for other in atom.values)


def _is_short(value: object) -> bool:
    return isinstance(value, int | str | type) and len(repr(value)) <= _LONGEST_CASE


def _is_a(kind: type) -> Test:
    return lambda value: isinstance(value, kind)


def _opposite(test: Test) -> Test:
    return lambda value: not test(value)


def _compared_with(work: Callable[[Any, Any], Any], other: Any) -> Test:
    return lambda value: work(value, other)


def _of_one(
    atom: Atom, numbers: tuple[int | float, ...], failing: list[Any], *, divides: bool
) -> Iterator[tuple[str, float, Test]]:
    text, kinds = atom.text, {type(value) for value in atom.values}
    if type(None) in kinds:
        yield f"{text} is None", 1.2, lambda value: value is None
        yield f"{text} is not None", 1.2, lambda value: value is not None
    yield f"not {text}", 1.0, operator.not_
    yield text, 0.9, bool
    if len(kinds) > 1:
        for kind in _TYPES:
            yield (
                f"isinstance({text}, {kind.__name__})",
                0.8,
                _is_a(kind),
            )
            name = f"not isinstance({text}, {kind.__name__})"
            yield name, 0.7, _opposite(_is_a(kind))
    if kinds <= {int, float}:
        yield from _of_number(text, numbers, kinds, divides=divides)
    if kinds == {str}:
        yield from _of_text(text, failing)


def _of_number(
    text: str, numbers: tuple[int | float, ...], kinds: set[type], *, divides: bool
) -> Iterator[tuple[str, float, Test]]:
    for number in numbers:
        for sign, work in _ORDER:
            prior = 0.9 if number == 0 or sign in (">", "<", "==") else 0.6
            test = _compared_with(work, number)
            yield f"{text} {sign} {number}", prior * (1.0 if number in (0, 1) else 0.8), test
    likely = 0.7 if divides else 0.15
    for divisor in _DIVISORS if kinds == {int} else ():
        rest = _compared_with(operator.mod, divisor)
        yield f"{text} % {divisor} == 0", likely, _opposite(rest)
        yield f"{text} % {divisor} != 0", 0.8 * likely, rest


def _of_text(text: str, failing: list[Any]) -> Iterator[tuple[str, float, Test]]:
    yield f"not {text}.strip()", 0.6, lambda value: not value.strip()
    for name in ("isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower"):
        yield f"{text}.{name}()", 0.4, operator.methodcaller(name)
        yield f"not {text}.{name}()", 0.35, _opposite(operator.methodcaller(name))
    signs = dict.fromkeys(value[0] for value in failing if value and not value[0].isalnum())
    for sign in [*signs][:_MOST_SIGNS]:
        yield f"{text}.startswith({sign!r})", 1.1, operator.methodcaller("startswith", sign)
    ends = dict.fromkeys(value[-1] for value in failing if value and not value[-1].isalnum())
    for sign in [*ends][:_MOST_SIGNS]:
        yield f"{text}.endswith({sign!r})", 0.9, operator.methodcaller("endswith", sign)
    inner = dict.fromkeys(sign for value in failing for sign in value if not sign.isalnum())
    for sign in [*inner][:_MOST_SIGNS]:
        yield f"{sign!r} in {text}", 0.5, operator.methodcaller("__contains__", sign)
    for whole in dict.fromkeys(failing):
        if len(whole) <= 12:
            yield f"{text} == {whole!r}", _SPECIAL, _compared_with(operator.eq, whole)


def _stem(atom: Atom) -> str:
    return re.sub(r"\W+", "_", atom.text.rpartition(".")[2]).strip("_")


def _of_two(left: Atom, right: Atom) -> Iterator[tuple[str, float, tuple[bool, ...]]]:
    prior = left.prior * right.prior * (1.0 + _AFFINITY * likeness(_stem(left), _stem(right)))
    if left.text.startswith("len(") is not right.text.startswith("len("):
        prior *= 0.8
    if _comparable(left, right):
        for sign, work in _ORDER:
            if sign in ("==", "!=") and left.text > right.text:
                continue
            truths = tuple(bool(work(*pair)) for pair in zip(left.values, right.values, strict=True))
            yield f"{left.text} {sign} {right.text}", prior * (1.0 if sign in "<>==" else 0.85), truths
    pairs = list(zip(left.values, right.values, strict=True))
    if all(isinstance(holder, list | tuple | dict | set | frozenset) for _, holder in pairs):
        try:
            inside = tuple(item in holder for item, holder in pairs)
        except TypeError:
            return
        yield f"{left.text} in {right.text}", prior, inside
        yield f"{left.text} not in {right.text}", prior, tuple(not truth for truth in inside)


def _comparable(left: Atom, right: Atom) -> bool:
    values = (*left.values, *right.values)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return True
    return all(isinstance(value, str) for value in values)
