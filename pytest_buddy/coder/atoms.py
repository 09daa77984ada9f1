"""The small expressions that a statement can read, with their values in every observed run."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_buddy.coder.evaluating import Record, Unknown, evaluate, observed, parsed
from pytest_buddy.coder.site import Site
from pytest_buddy.domain import Observation

_MOST_ATOMS: Final = 18
_MOST_FIELDS: Final = 8
_PLAIN: Final = (str, int, float, bool, list, tuple, dict, set, frozenset, bytes, type(None), type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What is known of one run at a place: the values in scope, the one wanted there, the one that came.

    `wanted` and `came` are empty when not known, else hold the value. `fails` says of which kind the test is.
    """

    values: Mapping[str, Any]
    fails: bool
    wanted: tuple[Any, ...] = ()
    came: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Atom:
    """An expression, its value in each example, and how natural it is there (1 is a plain name)."""

    text: str
    values: tuple[Any, ...]
    prior: float = field(compare=False)


def values_of(observation: Observation) -> dict[str, Any]:
    """The values of the variables that were observed and can be read back."""
    found: dict[str, Any] = {}
    for variable in observation.variables:
        try:
            found[variable.name] = observed(variable.value)
        except Unknown:
            continue
    return found


def came_of(observation: Observation) -> tuple[Any, ...]:
    """The value that the statement returned, when it is known."""
    try:
        return (observed(observation.result),) if observation.result else ()
    except Unknown:
        return ()


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal and of one kind: 1 is not True here."""
    if isinstance(left, bool) is not isinstance(right, bool) or isinstance(left, Record):
        return False
    if isinstance(left, str) is not isinstance(right, str):
        return False
    return bool(left == right)


def vector(node: ast.expr, examples: Sequence[Example]) -> tuple[Any, ...] | None:
    """The value of an expression in every example; None when one is not known."""
    try:
        return tuple(evaluate(node, example.values) for example in examples)
    except Unknown:
        return None


def vector_of(text: str, examples: Sequence[Example]) -> tuple[Any, ...] | None:
    """The values of an expression that is given as text."""
    try:
        return vector(parsed(text), examples)
    except Unknown:
        return None


def module_constants(site: Site) -> dict[str, Any]:
    """The names of the file's top level that are set once, to plain data."""
    found: dict[str, Any] = {}
    for node in site.source.tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                try:
                    found[name] = evaluate(value, found)
                except Unknown:
                    continue
    return found


def atoms(site: Site, examples: Sequence[Example], extra: Iterable[str] = ()) -> list[Atom]:
    """Names, attributes of objects, short expressions of the function: those known in all runs."""
    priors: dict[str, float] = {}
    shared = set.intersection(*(set(example.values) for example in examples)) if examples else set()
    nearby = site.mentioned
    for name in shared & set(site.names_at(site.node)):
        priors[name] = 1.0 if name in nearby else 0.8
    for name in sorted(shared):
        fields = [example.values[name].fields for example in examples if _is_record(example.values[name])]
        if len(fields) == len(examples):
            for attribute in [*fields[0]][:_MOST_FIELDS]:
                priors[f"{name}.{attribute}"] = 0.8
    for text in [*extra, *site.ingredients.expressions]:
        priors.setdefault(text, 0.5)
    for text in tuple(priors):
        if text.isidentifier() or "." in text:
            priors.setdefault(f"len({text})", 0.45)
    found: dict[str, Atom] = {}
    for text, prior in priors.items():
        held = vector_of(text, examples)
        if held is not None and all(isinstance(value, _PLAIN) for value in held):
            found[text] = Atom(text, held, prior)
    return sorted(found.values(), key=lambda atom: -atom.prior)[:_MOST_ATOMS]


def sums(found: Sequence[Atom], examples: Sequence[Example]) -> list[Atom]:
    """What two numbers make together, of the most natural ones."""
    numbers = [atom for atom in found if all(type(value) in (int, float) for value in atom.values)][:6]
    made = []
    for first, left in enumerate(numbers):
        for second, right in enumerate(numbers):
            for sign in ("+", "-", "*"):
                if first == second or (sign != "-" and first > second):
                    continue
                text = f"{left.text} {sign} {right.text}"
                values = vector_of(text, examples)
                if values is not None:
                    made.append(Atom(text, values, 0.5 * left.prior * right.prior))
    return made


def _is_record(value: object) -> bool:
    return isinstance(value, Record)
