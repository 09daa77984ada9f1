"""Templates on constants: numbers, True/False/None, strings."""

import ast
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.names import near
from pytest_buddy.coder.precedence import PRIMARY, UNARY
from pytest_buddy.coder.site import Site

_QUOTED: Final = re.compile(r"(?s)^([rRbBuU]*)('''|\"\"\"|'|\")(.*)\2$")
_MOST_STRINGS: Final = 12
_PLAIN: Final = re.compile(r"[^{}'\"\\\n]+")
_PRECISION: Final = re.compile(r"\.(\d)([fFeEgG%])")


def _signed(site: Site, node: ast.Constant) -> tuple[ast.expr, int | float]:
    parent = site.parent(node)
    value = node.value
    assert isinstance(value, int | float)
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub):
        return parent, -value
    return node, value


def _is_identity(site: Site, node: ast.expr, value: float) -> bool:
    """Whether the number would make its operation do nothing."""
    match site.parent(node):
        case ast.BinOp(op=ast.Add() | ast.Sub()) | ast.AugAssign(op=ast.Add() | ast.Sub()):
            return value == 0
        case ast.BinOp(op=ast.Mult() | ast.Div() | ast.FloorDiv() | ast.Pow() | ast.Mod()):
            return value in (0, 1)
    return False


@on_expressions("number", 0.17, ast.Constant)
def number(site: Site, node: ast.Constant) -> Iterator[Change]:
    """Another number: one more or less, 0, 1, -1, 2, or one that the function mentions."""
    if type(node.value) not in (int, float):
        return
    place, value = _signed(site, node)
    if isinstance(site.parent(place), ast.Starred | ast.If | ast.While):
        return
    choices: dict[int | float, tuple[float, str]] = {}
    if isinstance(value, int):
        choices[value + 1] = (1.0, "+1")
        choices[value - 1] = (1.0, "-1")
        for usual, likely in ((0, 0.7), (1, 0.7), (-1, 0.4), (2, 0.35), (-value, 0.4)):
            choices.setdefault(usual, (likely, ""))
        if value:
            choices.setdefault(value * 10, (0.25, ""))
        if value and value % 10 == 0:
            choices.setdefault(value // 10, (0.3, ""))
    else:
        for scaled, likely in (
            (-value, 0.4), (0.0, 0.3), (1.0, 0.4), (value * 10, 0.4), (value / 10, 0.4), (value * 2, 0.3),
            (value / 2, 0.3), (value + 1, 0.3), (1 - value, 0.3),
        ):  # fmt: skip
            choices.setdefault(round(scaled, 12), (likely, ""))
    for mentioned in site.ingredients.numbers:
        choices.setdefault(mentioned, (0.3, ""))
    in_test = isinstance(site.parent(place), ast.Compare)
    for other, (prior, signal) in choices.items():
        if (other == value and type(other) is type(value)) or not math.isfinite(other):
            continue
        why = f"uses {other} instead of {value}"
        yield site.change(
            place,
            repr(other),
            why,
            level=UNARY if other < 0 else PRIMARY,
            prior=prior * (0.8 if in_test else 1.0) * (0.2 if _is_identity(site, place, other) else 1.0),
            signal=signal or ("negate" if other == -value else ""),
        )


@on_expressions("constant", 0.13, ast.Constant)
def constant(site: Site, node: ast.Constant) -> Iterator[Change]:
    """True for False and back, None for either, an empty value for None."""
    if isinstance(site.node, ast.While) and site.node.test is node:
        return
    if node.value is True or node.value is False:
        yield site.change(
            node, str(not node.value), f"`{not node.value}` instead of `{node.value}`", signal="truth"
        )
        yield site.change(node, "None", f"`None` instead of `{node.value}`", prior=0.2, signal="none")
    elif node.value is None and not isinstance(site.parent(node), ast.Compare):
        for text, prior in (("False", 0.5), ("True", 0.5), ("0", 0.5), ('""', 0.4), ("[]", 0.4), ("{}", 0.2)):
            yield site.change(node, text, f"`{text}` instead of `None`", prior=prior, signal="return")


@on_expressions("constant-kind", 0.03, ast.Constant)
def constant_kind(site: Site, node: ast.Constant) -> Iterator[Change]:
    """The same constant as text, number or bytes."""
    value = node.value
    text = ""
    if (
        isinstance(value, str)
        and value.lstrip("-").isdigit()
        and value.isascii()
        and str(int(value)) == value
    ):
        text = value
    elif type(value) is int:
        text = f'"{value}"'
        yield site.change(node, f"{value}.0", f"`{value}.0` instead of `{value}`", prior=0.5, signal="float")
    elif isinstance(value, float) and value.is_integer():
        text = str(int(value))
    elif isinstance(value, str) and value.isascii() and _QUOTED.match(site.text(node)):
        text = f"b{site.text(node)}"
    elif isinstance(value, bytes) and site.text(node).startswith("b"):
        text = site.text(node)[1:]
    if text:
        yield site.change(node, text, f"`{text}` instead of `{site.text(node)}`", prior=0.5)


@on_statement("zero-or-none", 0.08)
def zero_or_none(site: Site) -> Iterator[Change]:
    """None, an empty value or a plain number where a statement returns or sets one of the others."""
    node = site.node
    value = node.value if isinstance(node, ast.Return | ast.Assign) else None
    match value:
        case (
            ast.Constant(value=int() | float() | str())
            | ast.List(elts=[])
            | ast.Dict(keys=[])
            | ast.Tuple(elts=[])
        ):
            yield site.change(value, "None", "`None` instead of a value", prior=0.6, signal="none")
            if isinstance(value, ast.List | ast.Dict | ast.Tuple):
                for other in ("[]", "{}", "set()", "()"):
                    if other != site.text(value):
                        signal = {"[]": "list", "{}": "dict", "set()": "set", "()": "tuple"}[other]
                        why = f"`{other}` instead of `{site.text(value)}`"
                        yield site.change(value, other, why, prior=0.5, signal=signal)


def quoted(site: Site, node: ast.Constant, value: str) -> str:
    """A text as a literal, with the quotes of the literal that stands there."""
    match = _QUOTED.match(site.text(node))
    quote = match[2] if match and len(match[2]) == 1 else '"'
    text = repr(value)
    if quote == '"' and text.startswith("'") and '"' not in value:
        inner = text[1:-1].replace("\\'", "'")
        text = f'"{inner}"'
    return text


def strings(site: Site) -> Iterator[ast.Constant]:
    """The plain strings of the statement that are written as one literal."""
    for node in site.nodes_of(ast.Constant):
        if isinstance(node.value, str) and _QUOTED.match(site.text(node)):
            yield node


@on_statement("string-by-values", 0.5)
def string_by_values(site: Site) -> Iterator[Change]:
    """The text that turns what came into what was expected."""
    found: dict[tuple[int, str], Change] = {}
    for actual, expected in site.hints.texts:
        for node in _texts(site):
            for new, prior in _respelled(node.value, actual, expected):
                text = quoted(site, node, new)
                whole = new == expected
                why = f"writes {text} instead of {site.text(node)}, which is what the test expects"
                change = site.change(node, text, why, prior=prior, suspicion=0.6 if whole else 0.1)
                found.setdefault((id(node), new), change)
        for place, piece in _pieces(site):
            for new, prior in _respelled(piece, actual, expected):
                if _PLAIN.fullmatch(new):
                    why = f"writes {new!r} instead of {piece!r}, which is what the test expects"
                    splices = (Splice(place, place + len(piece), new),)
                    found.setdefault(
                        (place, new), Change(splices=splices, rationale=why, prior=prior, suspicion=0.1)
                    )
    yield from found.values()


def _texts(site: Site) -> Iterator[ast.Constant]:
    """All plain strings of the statement; of a table, those of rows that are too many for other templates."""
    yield from strings(site)
    if isinstance(site.node, ast.Assign | ast.AnnAssign) and site.node.value is not None:
        for node in ast.walk(site.node.value):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            if node not in site.parents and _QUOTED.match(site.text(node)):
                yield node


def _pieces(site: Site) -> Iterator[tuple[int, str]]:
    """The plain texts inside f-strings, found by their text: offsets inside them are wrong before 3.12."""
    for node in site.nodes_of(ast.JoinedStr):
        text = site.text(node)
        start, end = site.source.span(node)
        for value in node.values:
            piece = value.value if isinstance(value, ast.Constant) else ""
            if not isinstance(piece, str) or not piece.isascii() or not _PLAIN.fullmatch(piece):
                continue
            if text.isascii() and end - start == len(text) and text.count(piece) == 1:
                yield start + text.index(piece), piece


def _respelled(old: object, actual: str, expected: str) -> Iterator[tuple[str, float]]:
    """What the constant `old` would have to be for `actual` to become `expected`."""
    if not isinstance(old, str):
        return
    if old and old in actual:
        pieces = actual.split(old)
        if len(pieces) > 1 and (new := _joint(pieces, expected)) is not None and new != old:
            yield new, 1.0
    start, end, middle = _difference(actual, expected)
    place = actual.find(old) if old else -1
    while place >= 0:
        if place <= start and end <= place + len(old):
            new = old[: start - place] + middle + old[end - place :]
            if new != old:
                yield new, 0.8
        place = actual.find(old, place + 1)
    if not old and start == end:
        yield middle, 0.3


def _joint(pieces: list[str], expected: str) -> str | None:
    if not expected.startswith(pieces[0]) or not expected.endswith(pieces[-1]):
        return None
    total = len(expected) - sum(len(piece) for piece in pieces)
    width, rest = divmod(total, len(pieces) - 1)
    if rest or width < 0:
        return None
    new = expected[len(pieces[0]) : len(pieces[0]) + width]
    return new if new.join(pieces) == expected else None


def _difference(actual: str, expected: str) -> tuple[int, int, str]:
    limit = min(len(actual), len(expected))
    start = next((place for place in range(limit) if actual[place] != expected[place]), limit)
    tail = 0
    while tail < limit - start and actual[-1 - tail] == expected[-1 - tail]:
        tail += 1
    return start, len(actual) - tail, expected[start : len(expected) - tail]


@on_statement("near-string", 0.07)
def near_string(site: Site) -> Iterator[Change]:
    """A string that the file writes elsewhere, spelled alike; or the key that was missing."""
    for node in islice(strings(site), _MOST_STRINGS):
        value = node.value
        assert isinstance(value, str)
        if not value or len(value) > 40 or any(character.isspace() for character in value):
            continue
        missing = value in site.hints.keys
        pool = (*site.outline.strings, *site.scope.names, *site.scope.data_attributes)
        wanted = [key for key in site.hints.keys if isinstance(key, str) and key != value]
        for rank, other in enumerate([*near(value, tuple(pool)), *(near(value, tuple(wanted), 1))]):
            why = f"writes {other!r} instead of {value!r}"
            prior = 0.6**rank * (2.0 if missing else 1.0) * (0.5 if len(value) < 3 else 1.0)
            yield site.change(node, quoted(site, node, other), why, prior=prior)
        for other in site.hints.held_keys if missing else ():
            if other != value:
                why = f"reads {other!r}, which is there, instead of {value!r}"
                yield site.change(node, quoted(site, node, other), why, prior=0.5)


@on_statement("other-string", 0.08, spread=3)
def other_string(site: Site) -> Iterator[Change]:
    """Another key or word that the file uses, in place of a string."""
    for node in islice(strings(site), _MOST_STRINGS):
        value = node.value
        assert isinstance(value, str)
        if isinstance(site.node, ast.Raise) or len(value) > 40 or value not in site.outline.strings:
            continue
        parent = site.parent(node)
        if not isinstance(
            parent, ast.Subscript | ast.Call | ast.Compare | ast.Dict | ast.Return | ast.Assign
        ):
            continue
        for other in site.ingredients.words:
            if other != value:
                why = f"writes {other!r} instead of {value!r}"
                yield site.change(node, quoted(site, node, other), why, prior=0.3)


@on_statement("format", 0.12)
def format_specification(site: Site) -> Iterator[Change]:
    """Another precision in a format specification."""
    for node in (*site.nodes_of(ast.JoinedStr), *strings(site)):
        text = site.text(node)
        start, end = site.source.span(node)
        if end - start != len(text):
            continue
        for match in _PRECISION.finditer(text):
            if match[0].endswith("%") and isinstance(node, ast.Constant):
                continue
            digits = int(match[1])
            for other, prior in ((digits + 1, 1.0), (digits - 1, 1.0), (2, 0.6), (0, 0.3), (3, 0.3)):
                if other != digits and 0 <= other <= 9:
                    place = start + match.start(1)
                    why = f"formats with {other} digits after the point instead of {digits}"
                    yield Change(splices=(Splice(place, place + 1, str(other)),), rationale=why, prior=prior)


TEMPLATES: Final[tuple[Template, ...]] = (
    number,
    constant,
    constant_kind,
    zero_or_none,
    string_by_values,
    near_string,
    other_string,
    format_specification,
)
