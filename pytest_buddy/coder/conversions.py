"""Templates on the fields of texts: `!r` or not, `%s` or `%r`, alignment, sign, zeros, letters of dates."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_statement
from pytest_buddy.coder.literals import strings
from pytest_buddy.coder.site import Site

_PERCENT: Final = re.compile(r"%(?:\(\w+\))?(?P<flags>[-+0 #]*)(?P<width>\d*)(?:\.\d+)?(?P<kind>[a-zA-Z])")
_FIELD: Final = re.compile(r"(?<!\{)\{(?P<name>[^{}:!]*)(?P<convert>![rsa])?(?P<spec>:[^{}]*)?\}(?!\})")
_DATES: Final = {
    "Y": "y", "y": "Y", "m": "M", "M": "m", "d": "j", "j": "d", "H": "I", "I": "H", "b": "B", "B": "b",
    "a": "A", "A": "a", "S": "f", "f": "S", "p": "z",
}  # fmt: skip
_KINDS: Final = {
    "s": ("r", "d"), "r": ("s",), "d": ("s", "x"), "x": ("X", "d"), "X": ("x",), "f": ("g", "e"), "g": ("f",),
    "i": ("d",), "e": ("f",), "o": ("x",),
}  # fmt: skip
_ALIGNED: Final = {"<": ">^", ">": "<^", "^": "<>"}
_QUOTES_DIFFER: Final = 4.0
_MOST: Final = 40
_MOST_NAMES: Final = 10
_NEARBY: Final = 0.5


@on_statement("field-conversion", 0.25)
def field_conversion(site: Site) -> Iterator[Change]:
    """A field written another way: quoted or not, aligned to the other side, in another base or letter."""
    made = 0
    for node in (*site.nodes_of(ast.JoinedStr), *strings(site)):
        text = site.text(node)
        start, end = site.source.span(node)
        if end - start != len(text):
            continue
        for place, last, new, prior in _edits(text, use_of(site, node)):
            made += 1
            if made > _MOST:
                return
            quoting = new in ("!r", "r", "s", "") and _quotes_differ(site)
            old = text[place:last]
            yield Change(
                splices=(Splice(start + place, start + last, new),),
                rationale=f"writes the field with {new!r} instead of {old!r}"
                if new
                else f"writes the field without {old!r}",
                prior=prior * (_QUOTES_DIFFER if quoting else 1.0),
            )


@on_statement("field-without-value", 0.5)
def field_without_value(site: Site) -> Iterator[Change]:
    """A value for the field of a `%` text that has none, or none for the value that has no field."""
    for node in site.nodes_of(ast.BinOp):
        text = node.left.value if isinstance(node.left, ast.Constant) else ""
        if not isinstance(node.op, ast.Mod) or not isinstance(text, str) or "%(" in text:
            continue
        fields = len(_PERCENT.findall(text.replace("%%", "")))
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        if any(isinstance(value, ast.Starred) for value in values):
            continue
        texts = [site.text(value) for value in values]
        if fields == len(values) + 1 and isinstance(node.right, ast.Tuple | ast.Name | ast.Attribute):
            yield from _filled(site, node.right, texts)
        elif fields == len(values) - 1 and fields:
            for place, text in enumerate(texts):
                kept = [*texts[:place], *texts[place + 1 :]]
                why = f"leaves out `{text}`, for which the text has no field"
                yield site.change(
                    node.right, f"({', '.join(kept)},)" if len(kept) == 1 else f"({', '.join(kept)})", why
                )


def _filled(site: Site, values: ast.expr, texts: list[str]) -> Iterator[Change]:
    """The values with one more of what is in scope, at every place among them."""
    ranked = sorted(site.names_at(values).items(), key=lambda item: -item[1])
    names = [(name, prior) for name, prior in ranked if name not in texts and prior >= _NEARBY]
    for name, prior in names[:_MOST_NAMES]:
        for place in range(len(texts) + 1):
            written = ", ".join((*texts[:place], name, *texts[place:]))
            yield site.change(
                values, f"({written})", f"writes `{name}` in the field that has no value", prior=prior
            )


def use_of(site: Site, node: ast.expr) -> str:
    """How a text is filled in: as an f-string, by `%`, by `format`, by a date; empty when it is not."""
    if isinstance(node, ast.JoinedStr):
        return "f"
    match site.parent(node):
        case ast.BinOp(op=ast.Mod(), left=left) if left is node:
            return "%"
        case ast.Attribute(attr="format" | "format_map"):
            return "{"
        case ast.Call(func=ast.Attribute(attr="strftime" | "strptime")):
            return "date"
    return ""


def _edits(text: str, use: str) -> Iterator[tuple[int, int, str, float]]:
    """Start, end and new text inside a literal, with its likelihood."""
    if use in ("f", "{"):
        for field in _FIELD.finditer(text):
            yield from _of_field(field)
    elif use == "%":
        for field in _PERCENT.finditer(text):
            yield from _of_percent(field)
    elif use == "date":
        for field in re.finditer(r"%([a-zA-Z])", text):
            if other := _DATES.get(field[1]):
                yield field.start(1), field.end(1), other, 1.0


def _of_field(field: re.Match[str]) -> Iterator[tuple[int, int, str, float]]:
    if field["convert"]:
        yield *field.span("convert"), "", 1.0
    elif not field["spec"]:
        yield field.end("name"), field.end("name"), "!r", 1.0
    if not field["spec"]:
        return
    start, end = field.span("spec")
    spec = field["spec"]
    yield start, end, "", 0.3
    for place, sign in enumerate(spec):
        if sign in _ALIGNED:
            yield from ((start + place, start + place + 1, other, 1.0) for other in _ALIGNED[sign])
    for match in re.finditer(r"\d+", spec):
        width = int(match[0])
        span = start + match.start(), start + match.end()
        if match[0].startswith("0"):
            yield span[0], span[0] + 1, "", 0.6
        elif match.start() <= 1 and width:
            yield span[0], span[0], "0", 0.8
        yield from (
            (*span, f"{match[0][:1] if match[0][0] == '0' else ''}{width + step}", 0.6) for step in (1, -1)
        )
    last = spec[-1]
    if last in _KINDS:
        yield from ((end - 1, end, other, 0.5) for other in _KINDS[last] if other not in "rs")
    if "," in spec:
        place = start + spec.index(",")
        yield place, place + 1, "", 0.5
    elif last in "df" or last.isdigit():
        place = start + (re.search(r"\.|[df]$|$", spec) or field).start()
        yield place, place, ",", 0.5


def _of_percent(field: re.Match[str]) -> Iterator[tuple[int, int, str, float]]:
    place = field.start("kind")
    for rank, other in enumerate(_KINDS.get(field["kind"], ())):
        yield place, place + 1, other, 1.0 / (1 + rank)
    width, flags = field.span("width"), field.span("flags")
    if field["width"]:
        if "0" in field["flags"]:
            yield *flags, field["flags"].replace("0", ""), 0.6
        else:
            yield flags[1], flags[1], "0", 0.8
        yield from ((*width, str(int(field["width"]) + step), 0.6) for step in (1, -1))
        side = field["flags"].replace("-", "") if "-" in field["flags"] else f"-{field['flags']}"
        yield *flags, side, 0.8
    elif field["kind"] == "d":
        yield from ((width[0], width[0], other, 0.4) for other in ("02", "03", "04"))


def _quotes_differ(site: Site) -> bool:
    return any(
        sum(map(left.count, "'\"")) != sum(map(right.count, "'\"")) for left, right in site.hints.texts
    )


TEMPLATES: Final[tuple[Template, ...]] = (field_conversion, field_without_value)
