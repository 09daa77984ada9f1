"""Templates on format specifications: the one that writes what the test expects, worked out from texts."""

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions
from pytest_buddy.coder.site import Site

_SPECIFICATIONS: Final = (
    "02d", "03d", "04d", ".0f", ".1f", ".2f", ".3f", ",", ",.2f", ",.0f", ".0%", ".1%", ".2%", "x", "X", "b",
    "o", "+d", "+.1f", "e", "g", "02x", "02X", "04x", "08b", ">", "<", "^", "0",
)  # fmt: skip
_CONVERSION: Final = re.compile(
    r"%(?P<flags>[-+0 #]*)(?P<width>\d*)(?P<precision>\.\d+)?(?P<kind>[diouxXeEfFgGrsa])"
)
_FIELD: Final = re.compile(r"(?<!\{)\{(?P<name>\w*)(?P<convert>![rsa])?(?::(?P<spec>[^{}]*))?\}(?!\})")
_FIELD_OF_F: Final = re.compile(
    r"(?<!\{)\{(?!\{)(?P<name>[^{}:!]+)(?P<convert>![rsa])?(?::(?P<spec>[^{}]*))?\}"
)
_MOST_WIDTH: Final = 40
_MOST: Final = 40
_ONE_FIELD: Final = 2  # pieces of text around it
_WORD: Final = re.compile(r"[\w.]+")


def specifications(value: str, wanted: str) -> Iterator[tuple[str, float]]:
    """The specifications that write `wanted` for what stands there as `value`, the plainest first."""
    readings: list[object] = [value]
    for kind in (int, float):
        try:
            readings.insert(0, kind(value.strip()))
        except ValueError:
            continue
    seen: set[str] = set()
    for spec in _with_widths(wanted):
        for reading in readings:
            try:
                written = format(reading, spec)
            except (ValueError, TypeError, OverflowError):
                continue
            if written == wanted and written != value and spec not in seen:
                seen.add(spec)
                yield spec, 1.0 / (1 + 0.2 * len(seen))


def _with_widths(wanted: str) -> Iterator[str]:
    yield from _SPECIFICATIONS[:-4]
    width = len(wanted)
    if width <= _MOST_WIDTH:
        for sign in _SPECIFICATIONS[-4:]:
            yield f"{sign}{width}"
        for precision in (0, 1, 2, 3):
            yield f"{width}.{precision}f"
        yield f"0{width}d"
        yield str(width)


def _parts(pieces: Sequence[str], actual: str) -> tuple[str, ...] | None:
    """What stands in `actual` between the fixed pieces; None when it was not written that way."""
    shape = "(.*?)".join(re.escape(piece) for piece in pieces)
    match = re.search(shape + ("$" if not pieces[-1] else ""), actual, re.DOTALL)
    return match.groups() if match else None


def _solutions(pieces: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[int, str, float]]:
    """Which field (its number) needs which specification for a text to become the expected one."""
    for actual, expected in pairs:
        came, wanted = _parts(pieces, actual), _parts(pieces, expected)
        differ: list[tuple[int, str, str]] = []
        if came is not None and wanted is not None:
            both = enumerate(zip(came, wanted, strict=True))
            differ = [(place, left, right) for place, (left, right) in both if left != right]
        found = _specified(differ if len(differ) == 1 else [])
        if not found and len(pieces) == _ONE_FIELD:
            found = _specified([(0, *words) for words in _first_words(actual, expected)])
        yield from found


def _specified(differ: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, float]]:
    return [
        (place, spec, prior) for place, left, right in differ for spec, prior in specifications(left, right)
    ]


def _first_words(actual: str, expected: str) -> Iterator[tuple[str, str]]:
    """The first words in which two texts differ, without what ends both."""
    mine, theirs = _WORD.findall(actual), _WORD.findall(expected)
    for left, right in zip(mine, theirs, strict=False):
        if left != right:
            ends = zip(reversed(left), reversed(right), strict=False)
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
            for size in range(same, -1, -1):
                yield left[: len(left) - size], right[: len(right) - size]
            return


def _why(spec: str) -> str:
    return f"writes the value with the format {spec!r}, which gives what the test expects"


@on_expressions("format-by-values", 0.4, ast.JoinedStr)
def in_f_string(site: Site, node: ast.JoinedStr) -> Iterator[Change]:
    """The specification of a replacement field of an f-string."""
    text = site.text(node)
    start, end = site.source.span(node)
    fields = [*_FIELD_OF_F.finditer(text)]
    if end - start != len(text) or not fields:
        return
    inner = re.match(r"(?s)^[a-zA-Z]*('''|\"\"\"|'|\")", text)
    if inner is None or len(fields) != sum(isinstance(part, ast.FormattedValue) for part in node.values):
        return
    edges = [inner.end(), *(place for field in fields for place in field.span()), len(text) - len(inner[1])]
    pieces = [text[first:last] for first, last in zip(edges[::2], edges[1::2], strict=True)]
    for place, spec, prior in _best(_solutions(pieces, site.hints.texts)):
        field = fields[place]
        if field["spec"] is not None:
            where = field.span("spec")
            yield Change(
                splices=(Splice(start + where[0], start + where[1], spec),), rationale=_why(spec), prior=prior
            )
        else:
            close = start + field.end() - 1
            yield Change(splices=(Splice(close, close, f":{spec}"),), rationale=_why(spec), prior=prior)


@on_expressions("field-by-values", 0.4, ast.Constant)
def in_template(site: Site, node: ast.Constant) -> Iterator[Change]:
    """The specification of a field in a text that is formatted by `%` or by `format`."""
    pattern = _used_with(site, node)
    text = site.text(node)
    start, end = site.source.span(node)
    if pattern is None or end - start != len(text) or not isinstance(node.value, str):
        return
    fields = [*pattern.finditer(text)]
    whole = re.fullmatch(r"(?s)([rRuU]?)('''|\"\"\"|'|\")(.*)\2", text)
    if not fields or whole is None or "\\" in whole[3]:
        return
    edges = [whole.start(3), *(place for field in fields for place in field.span()), whole.end(3)]
    pieces = [text[first:last] for first, last in zip(edges[::2], edges[1::2], strict=True)]
    for place, spec, prior in _best(_solutions(pieces, site.hints.texts)):
        field = fields[place]
        written = _percent(spec) if pattern is _CONVERSION else f"{{{field['name']}:{spec}}}"
        if written:
            splice = Splice(start + field.start(), start + field.end(), written)
            yield Change(splices=(splice,), rationale=_why(written), prior=prior)


def _used_with(site: Site, node: ast.Constant) -> re.Pattern[str] | None:
    match site.parent(node):
        case ast.BinOp(op=ast.Mod(), left=left) if left is node:
            return _CONVERSION
        case ast.Attribute(attr="format"):
            return _FIELD
    return None


def _percent(spec: str) -> str:
    """The same specification as `%` writes it; empty when it cannot."""
    if match := re.fullmatch(r"(?P<align>[<>]?)(?P<zero>0?)(?P<width>\d*)(?P<rest>(\.\d+)?[dfxXeEg]?)", spec):
        rest = match["rest"] if match["rest"][-1:].isalpha() else f"{match['rest']}s"
        return f"%{'-' if match['align'] == '<' else ''}{match['zero']}{match['width']}{rest}"
    return ""


def _best(found: Iterator[tuple[int, str, float]]) -> list[tuple[int, str, float]]:
    """Each once, those that more tests agree on first."""
    votes: dict[tuple[int, str], float] = {}
    for place, spec, prior in found:
        votes[place, spec] = votes.get((place, spec), 0.0) + prior
    ranked = sorted(votes.items(), key=lambda item: -item[1])[:_MOST]
    return [(place, spec, prior) for (place, spec), prior in ranked]


TEMPLATES: Final[tuple[Template, ...]] = (in_f_string, in_template)
