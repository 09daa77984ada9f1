"""What the failures say about the fix: unknown names, values off by one, telling exceptions."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_buddy.coder.pairs import Pair, literal, number_pairs, text_pairs, whole_pairs
from pytest_buddy.coder.signals import STRONG, WEAK, value_signals
from pytest_buddy.domain import Failure, Frame

_REVERSED: Final = 0.6  # people also write `assert expected == actual`
_MOST_SUBJECTS: Final = 24
_LONGEST_SUBJECT: Final = 120

_BY_ERROR: Final[Mapping[str, Mapping[str, float]]] = {
    "NameError": {"did-you-mean": 8, "missing-self": 6, "add-import": 6, "swap-name": 1.5},
    "UnboundLocalError": {"did-you-mean": 4, "swap-name": 2, "dedent": 2, "initialise": 6},
    "AttributeError": {
        "did-you-mean": 8,
        "attribute": 2.5,
        "sibling-method": 2,
        "drop-attribute": 2,
        "add-attribute": 2,
        "missing-self": 2,
        "call-parentheses": 2,
        "super-init": 6,
    },
    "ImportError": {"did-you-mean": 6},
    "TypeError": {
        "add-argument": 2.5,
        "drop-argument": 2.5,
        "swap-arguments": 2,
        "none-guard": 2,
        "wrap-call": 2.5,
        "call-parentheses": 2,
        "await": 2,
        "constant-kind": 2,
        "return-value": 2,
        "missing-self": 2,
    },
    "IndexError": {
        "offset": 2.5,
        "bounds": 2.5,
        "comparison": 2,
        "number": 2,
        "guard-empty": 3,
        "drop-operand": 2,
        "boolean-operator": 1.5,
    },
    "KeyError": {"dict-get": 4, "near-string": 5, "guard-membership": 4, "swap-name": 1.5, "wrap-call": 1.5},
    "RecursionError": {"comparison": 2, "number": 2, "offset": 3, "guard-empty": 3, "swap-name": 1.5},
    "ZeroDivisionError": {"guard-empty": 5, "guard-zero": 6, "add-condition": 3, "default": 3, "offset": 1.5},
    "StopIteration": {"default": 2, "add-argument": 2, "guard-empty": 2},
    "ValueError": {"guard-empty": 3, "add-argument": 1.5, "default": 2, "number": 1.5},
    "RuntimeError": {"wrap-call": 2},
}
_ON_TIMEOUT: Final[Mapping[str, float]] = {
    "comparison": 3,
    "augmented": 3,
    "number": 2,
    "offset": 2.5,
    "boolean-operator": 2,
    "break-continue": 2,
    "insert-line": 2.5,
    "indent": 3,
    "dedent": 2,
    "swap-name": 1.5,
    "negate": 1.5,
    "bounds": 2,
}
_BY_MESSAGE: Final[tuple[tuple[str, Mapping[str, float]], ...]] = (
    (r"missing \d+ required", {"add-argument": 4, "super-init": 2}),
    (r"takes \d+ .*were? given|takes no arguments", {"drop-argument": 4, "missing-self": 3, "add-self": 6}),
    (r"'NoneType' object", {"none-guard": 3, "add-return": 6, "return-value": 6, "in-place": 4}),
    (r"NoneType", {"none-guard": 2, "add-return": 3, "default": 2, "usual-argument": 3, "dict-get": 2}),
    (r"is not callable", {"call-parentheses": 4, "attribute": 2}),
    (r"'(builtin_function_or_|)method'|'function'", {"call-parentheses": 5}),
    (r"coroutine|never awaited|can't be used in 'await'|async_generator", {"await": 8}),
    (r"concatenate str|must be str|expected str|not 'str'", {"wrap-call": 3}),
    (r"unhashable", {"wrap-call": 3}),
    (r"changed size during iteration|mutated during iteration", {"wrap-call": 4, "copy": 5}),
    (r"not subscriptable", {"call-parentheses": 2, "wrap-call": 2}),
    (r"unexpected keyword argument", {"did-you-mean": 6, "drop-argument": 3, "keyword-name": 6}),
)  # fmt: skip
_SIGNALS_BY_MESSAGE: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"concatenate str|must be str|expected str|expected string", ("str",)),
    (r"unsupported operand .*'(int|float)' and 'str'|'str' and '(int|float)'", ("int", "float", "str")),
    (r"not supported between instances of .*'str'", ("int", "float", "str")),
    (r"unhashable type: 'list'", ("tuple",)),
    (r"unhashable type: 'set'", ("frozenset", "tuple")),
    (r"must be real number|not 'str'|cannot be interpreted as an integer", ("int", "float", "len")),
    (r"'(generator|map|filter|zip|dict_\w+|set|range)' .*(len\(|subscriptable|no attribute)", ("list",)),
    (r"values to unpack", ("items",)),
    (r"changed size during iteration|mutated during iteration", ("list", "copy")),
    (r"a bytes-like object is required|not 'bytes'", ("encode", "decode")),
    (r"'list' object has no attribute '(lower|strip|split|upper|startswith)", ("first", "join")),
)  # fmt: skip
_NAMED: Final = (
    re.compile(r"name '(\w+)' is not defined"),
    re.compile(r"has no attribute '(\w+)'"),
    re.compile(r"unexpected keyword argument '(\w+)'"),
    re.compile(r"cannot import name '(\w+)'"),
    re.compile(r"variable '(\w+)' "),
)
_WANTED: Final = re.compile(r"DID NOT RAISE (?:any of \()?(?:<class ')?(?:[\w<>]+\.)*(\w+)|^(\w+) not raised")
_SUGGESTED: Final = re.compile(r"Did you mean:? '?(?:self\.)?(\w+)'?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Evidence for kinds of fixes.

    `templates` and `signals` are factors on the likelihood of templates and of changes with a signal;
    `pairs` holds values that came and were expected, `texts` and `numbers` those found inside them too;
    `subjects` are texts that the failing frames hold, `wished` the values that the tests expect;
    `unknown` the names the interpreter did not find, `suggested` those it offered instead; `keys` the
    missing keys, `held_keys` those that dictionaries of the failing frame have; `types` the types named by
    TypeErrors; `imports` the import lines by which the project binds names that were not defined.
    """

    templates: Mapping[str, float] = field(default_factory=dict)
    signals: Mapping[str, float] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    numbers: tuple[tuple[float, float], ...] = ()
    subjects: tuple[str, ...] = ()
    wished: tuple[Any, ...] = ()
    held_keys: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()
    suggested: frozenset[str] = frozenset()
    keys: tuple[Any, ...] = ()
    types: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    expected: frozenset[str] = frozenset()
    wanted_errors: tuple[str, ...] = ()
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def factor(self, template: str, signal: str) -> float:
        """How much more likely the failures make a change of that template with that signal."""
        return self.templates.get(template, 1.0) * (self.signals.get(signal, 1.0) if signal else 1.0)


def read_hints(failures: Iterable[Failure], awaited: Sequence[str] = ()) -> Hints:
    """Read the evidence in the failures of one fault; `awaited` are exceptions that did not come."""
    held = tuple(failures)
    templates: dict[str, float] = {}
    signals: dict[str, float] = {}
    pairs = tuple(whole_pairs(held))
    for failure in held:
        _raise(templates, _error_boosts(failure))
    for actual, expected in pairs[:20]:
        _raise(signals, value_signals(actual, expected))
        _raise(
            signals,
            {name: 1 + (factor - 1) * _REVERSED for name, factor in value_signals(expected, actual).items()},
        )
    for failure in held:
        _raise(signals, _type_signals(failure))
        for pattern, named in _SIGNALS_BY_MESSAGE:
            if re.search(pattern, failure.message):
                _raise(signals, dict.fromkeys(named, STRONG))
    messages = [failure.message for failure in held]
    if any(_WANTED.search(text) for text in messages):
        _raise(templates, {"guard-raise": 8, "copied-guard": 6, "comparison": 1.5})
    if awaited:
        _raise(templates, {"raise-other": 8, "types-caught": 3, "guard-raise": 3, "copied-guard": 3})
    return Hints(
        templates=templates,
        signals=signals,
        pairs=pairs,
        texts=text_pairs(held),
        numbers=number_pairs(held),
        subjects=tuple(_subjects(held)),
        wished=tuple(_wished(held)),
        held_keys=tuple(_held_keys(held)),
        unknown=frozenset(
            match[1] for text in messages for named in _NAMED for match in named.finditer(text)
        ),
        suggested=frozenset(match[1] for text in messages for match in _SUGGESTED.finditer(text)),
        keys=tuple(_keys(held)),
        types=frozenset(
            name
            for failure in held
            if "TypeError" in failure.error_type
            for name in re.findall(r"'(\w+)'", failure.message)
        ),
        errors=frozenset(failure.error_type.rpartition(".")[2] for failure in held),
        expected=frozenset(repr(expected) for _, expected in pairs),
        wanted_errors=tuple(
            dict.fromkeys(
                [
                    *(match[1] or match[2] for text in messages for match in _WANTED.finditer(text)),
                    *awaited,
                ]
            )
        ),
        values=_frame_values(held),
    )


def _raise(factors: dict[str, float], more: Mapping[str, float]) -> None:
    for name, factor in more.items():
        factors[name] = max(factors.get(name, 1.0), factor)


def _error_boosts(failure: Failure) -> Mapping[str, float]:
    error = failure.error_type.rpartition(".")[2]
    boosts = dict(_BY_ERROR.get(error, {}))
    for pattern, more in _BY_MESSAGE:
        if error != "AssertionError" and re.search(pattern, failure.message):
            _raise(boosts, more)
    if "timeout" in f"{error} {failure.message[:200]}".lower():
        _raise(boosts, _ON_TIMEOUT)
    return boosts


def _keys(failures: Iterable[Failure]) -> Iterator[Any]:
    for failure in failures:
        if failure.error_type == "KeyError":
            yield from literal(failure.message.partition("\n")[0].removeprefix("KeyError: "))


def _frame_values(failures: Iterable[Failure]) -> dict[str, frozenset[str]]:
    values: dict[str, frozenset[str]] = {}
    for failure in failures:
        for frame in failure.project_frames:
            for variable in frame.variables:
                values[variable.name] = values.get(variable.name, frozenset()) | {variable.type}
    return values


def _subjects(failures: Iterable[Failure]) -> list[str]:
    """The short texts among the variables of the failing frames, the innermost first."""
    found: dict[str, None] = {}
    for failure in failures:
        for frame in reversed(failure.project_frames):
            for variable in frame.variables:
                for value in literal(variable.value):
                    found |= dict.fromkeys(_texts(value))
    return [text for text in found if 0 < len(text) <= _LONGEST_SUBJECT][:_MOST_SUBJECTS]


def _held_keys(failures: Iterable[Failure]) -> dict[str, None]:
    """The keys that the dictionaries of a frame have in which a key was not found."""
    found: dict[str, None] = {}
    for failure in failures:
        if failure.error_type.rpartition(".")[2] == "KeyError" and failure.project_frames:
            for variable in failure.project_frames[-1].variables:
                for value in literal(variable.value):
                    if isinstance(value, dict) and len(found) < _MOST_SUBJECTS:
                        found |= dict.fromkeys(key for key in value if isinstance(key, str))
    return found


def _wished(failures: Iterable[Failure]) -> Iterator[Any]:
    """What the failing tests compare with: by the comparison, or by the line that was not passed."""
    seen: set[str] = set()
    for failure in failures:
        found = [expected for _, expected in whole_pairs((failure,))]
        if failure.comparison is None and failure.project_frames:
            found += _compared(failure.project_frames[0])
        for value in found:
            if repr(value) not in seen and len(seen) < _MOST_SUBJECTS:
                seen.add(repr(value))
                yield value


def _compared(frame: Frame) -> Iterator[Any]:
    """The values with which a line of a test compares something by `==`."""
    try:
        tree = ast.parse(frame.source.strip())
    except (SyntaxError, ValueError):
        return
    known = {variable.name: variable.value for variable in frame.variables}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
            for side in (node.comparators[0], node.left):
                text = known.get(side.id, "") if isinstance(side, ast.Name) else ast.unparse(side)
                yield from literal(text)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if "\n" in value:
            yield from value.splitlines()
    elif isinstance(value, list | tuple):
        yield from (item for item in value if isinstance(item, str))


def _type_signals(failure: Failure) -> dict[str, float]:
    comparison = failure.comparison
    if comparison is None or not comparison.right_type or comparison.left_type == comparison.right_type:
        return {}
    found = {comparison.right_type: WEAK}
    if comparison.left_type in ("generator", "map", "filter", "dict_keys", "dict_values", "zip", "range"):
        found[comparison.right_type] = STRONG
    if comparison.left_type == "NoneType":
        found["return"] = STRONG
    if comparison.left_type in ("method", "builtin_function_or_method", "function"):
        found["call"] = STRONG
    if comparison.left_type == "coroutine":
        found["await"] = STRONG
    return found
