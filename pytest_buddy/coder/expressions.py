"""Expressions that give the wanted value in the failing runs and the old one in the others."""

import ast
import copy
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pytest_buddy.coder.atoms import Atom, Example, same, vector_of
from pytest_buddy.coder.evaluating import Unknown, evaluate
from pytest_buddy.coder.precedence import level_of
from pytest_buddy.coder.site import Site

_UNARY_TEXT: Final = (
    "{}.lower()", "{}.upper()", "{}.strip()", "{}.title()", "{}.capitalize()", "{}.lstrip()", "{}.rstrip()",
    "{}[::-1]", "{}[1:]", "{}[:-1]", "{}[0]", "{}[-1]", "{}[:1]", "{}.splitlines()", "{}.split()", "int({})",
    "float({})", "len({})", "repr({})",
)  # fmt: skip
_UNARY_NUMBER: Final = (
    "-{}", "abs({})", "str({})", "int({})", "float({})", "round({})", "round({}, 1)", "round({}, 2)",
    "{} + 1", "{} - 1", "{} * 2", "{} // 2", "{} / 2", "{} * 100", "{} / 100", "{} ** 2", "max({}, 0)",
    "min({}, 1)", "round({} * 100)", "round({} * 100, 1)", "round({} * 100, 2)",
)  # fmt: skip
_UNARY_MANY: Final = (
    "len({})", "sum({})", "sorted({})", "{}[::-1]", "{}[1:]", "{}[:-1]", "{}[0]", "{}[-1]", "max({})",
    "min({})", "list({})", "tuple({})", "set({})", "''.join({})", "', '.join({})", "' '.join({})",
    "sorted(set({}))", "list(dict.fromkeys({}))", "sorted({}, reverse=True)",
)  # fmt: skip
_BINARY_NUMBER: Final = (
    "{} + {}", "{} - {}", "{} * {}", "{} // {}", "{} / {}", "{} % {}", "min({}, {})", "max({}, {})",
)  # fmt: skip
_BINARY_TEXT: Final = (
    "{} + {}",
    "{}.join({})",
    "{}.replace({}, '')",
    "{}.removeprefix({})",
    "{}.removesuffix({})",
)
_BY_NUMBER: Final = ("{}[:{}]", "{}[{}:]", "{}[{}]", "{}[-{}:]", "{}[:-{}]", "{} * {}")
_MOST_POOL: Final = 700
_MOST_LEFT: Final = 24
_MOST_RIGHT: Final = 16
_MOST_HOLES: Final = 12
_MOST_FOUND: Final = 30
_SIMPLER: Final = 0.55
_LONGEST_TEXT: Final = 80
_MOST_FIXED: Final = 0.4  # of a text that is written out: more is the test's answer


def expressions(
    site: Site, node: ast.expr, found: Sequence[Atom], examples: Sequence[Example]
) -> list[tuple[ast.expr, str, float]]:
    """Which part of `node` to replace by which text, so that every example gets what it wants; best first."""
    pool = _pool(site, node, found, examples)
    chosen: list[tuple[ast.expr, str, float]] = []
    for whole, text, prior in _at_root(node, pool, examples):
        chosen.append((whole, text, prior))
    for hole in [hole for hole in _holes(node) if hole in site.parents][:_MOST_HOLES]:
        chosen += _at_hole(node, hole, pool, examples)
    chosen.sort(key=lambda item: -item[2])
    return chosen[:_MOST_FOUND]


def _fits(values: Sequence[Any], examples: Sequence[Example]) -> bool:
    for value, example in zip(values, examples, strict=True):
        expected = example.wanted or ((example.came) if not example.fails else ())
        if expected and not same(value, expected[0]):
            return False
    return True


def _at_root(
    node: ast.expr, pool: Sequence[Atom], examples: Sequence[Example]
) -> Iterator[tuple[ast.expr, str, float]]:
    for atom in pool:
        if _fits(atom.values, examples):
            yield node, atom.text, atom.prior
    for text, prior in (*_formatted(pool, examples), *_cut(pool, examples)):
        yield node, text, prior


def _holes(node: ast.expr) -> list[ast.expr]:
    inner = (item for item in ast.walk(node) if isinstance(item, ast.expr) and item is not node)
    return [
        item
        for item in inner
        if not isinstance(item, ast.Slice | ast.Starred | ast.JoinedStr | ast.FormattedValue)
        and isinstance(getattr(item, "ctx", ast.Load()), ast.Load)
    ]


class _Replace(ast.NodeTransformer):
    def __init__(self, position: int) -> None:
        self._left = position

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr):
            if self._left == 0:
                self._left -= 1
                return ast.Name(id="__hole", ctx=ast.Load())
            self._left -= 1
        return super().generic_visit(node)


def _with_hole(node: ast.expr, hole: ast.expr) -> ast.expr | None:
    order = [item for item in _preorder(node) if isinstance(item, ast.expr)]
    position = next((place for place, item in enumerate(order) if item is hole), None)
    if position is None:
        return None
    made = _Replace(position).visit(copy.deepcopy(node))
    return made if isinstance(made, ast.expr) else None


def _preorder(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _preorder(child)


def _at_hole(
    node: ast.expr, hole: ast.expr, pool: Sequence[Atom], examples: Sequence[Example]
) -> Iterator[tuple[ast.expr, str, float]]:
    template = _with_hole(node, hole)
    if template is None or not pool:
        return
    if not any(_known(template, example, pool[0].values[0]) for example in examples) and not any(
        _known(template, examples[0], atom.values[0]) for atom in pool[:20]
    ):
        return
    size = sum(1 for _ in ast.walk(hole)) ** 0.5
    for atom in pool:
        values = []
        for example, value in zip(examples, atom.values, strict=True):
            result = _known(template, example, value)
            if not result:
                break
            values.append(result[0])
            if not _fits(values[-1:], [example]):
                break
        else:
            yield hole, atom.text, atom.prior * 0.9 / (1 + 0.1 * size)


def _known(template: ast.expr, example: Example, value: Any) -> tuple[Any, ...]:
    try:
        return (evaluate(template, {**example.values, "__hole": value}),)
    except Unknown:
        return ()


def _pool(site: Site, node: ast.expr, found: Sequence[Atom], examples: Sequence[Example]) -> list[Atom]:
    """Atoms, what one operation makes of one or of two; a few texts for each row of values."""
    texts = {atom.text: atom for atom in found}
    for inner in [node, *_holes(node)]:
        text = site.text(inner)
        if len(text) <= 60 and "\n" not in text and text not in texts:
            values = vector_of(text, examples)
            if values is not None:
                enough = level_of(inner) >= 15
                texts[text] = Atom(text if enough else f"({text})", values, 0.7)
    came = [example.came for example in examples]
    whole = site.text(node)
    if whole not in texts and all(came) and len(whole) <= 80 and "\n" not in whole:
        written = whole if level_of(node) >= 15 else f"({whole})"
        texts[whole] = Atom(written, tuple(item[0] for item in came), 0.7)
    for constant in (
        *site.ingredients.numbers,
        *(repr(word) for word in site.ingredients.words[:8]),
        0,
        1,
        "''",
        "' '",
    ):
        text = str(constant)
        values = vector_of(text, examples)
        if values is not None:
            texts.setdefault(text, Atom(text, values, 0.4))
    first = sorted(texts.values(), key=lambda atom: -atom.prior)
    second = [made for atom in first[:_MOST_LEFT] for made in _unary(atom, examples)]
    lefts = [*first[:_MOST_LEFT], *second[:_MOST_LEFT]]
    third = [
        made for left in lefts for right in first[:_MOST_RIGHT] for made in _binary(left, right, examples)
    ]
    kept: dict[str, int] = {}
    pool: list[Atom] = []
    for atom in sorted((*first, *second, *third), key=lambda atom: -atom.prior):
        key = repr(atom.values)
        kept[key] = kept.get(key, 0) + 1
        if kept[key] <= 3 and len(pool) < _MOST_POOL:
            pool.append(atom)
    return pool


def _only(values: Sequence[Any], *kinds: type) -> bool:
    return all(type(value) in kinds for value in values)


def _unary(atom: Atom, examples: Sequence[Example]) -> Iterator[Atom]:
    shapes: tuple[str, ...] = ()
    if _only(atom.values, str):
        shapes = (*_UNARY_TEXT, *_with_signs(atom.values))
    elif _only(atom.values, int, float):
        shapes = _UNARY_NUMBER
    elif _only(atom.values, list, tuple, set, dict):
        shapes = _UNARY_MANY
    elif _only(atom.values, bool):
        shapes = ("not {}",)
    yield from _made(shapes, (atom,), examples)


def _with_signs(values: Sequence[str]) -> list[str]:
    """Methods that take off a sign, with the signs that these texts begin or end with."""
    begins = dict.fromkeys(value[0] for value in values if value and not value[0].isalnum())
    ends = dict.fromkeys(value[-1] for value in values if value and not value[-1].isalnum())
    return [
        f"{{}}.{method}({sign!r})"
        for method, signs in (("lstrip", begins), ("rstrip", ends), ("strip", begins | ends))
        for sign in signs
        if sign.isprintable() and not sign.isspace() and sign not in "{}"
    ]


def _binary(left: Atom, right: Atom, examples: Sequence[Example]) -> Iterator[Atom]:
    if left.text == right.text:
        return
    shapes: tuple[str, ...] = ()
    if _only(left.values, int, float) and _only(right.values, int, float):
        shapes = _BINARY_NUMBER
    elif _only(left.values, str) and _only(right.values, str):
        shapes = _BINARY_TEXT
    elif _only(left.values, str, list, tuple) and _only(right.values, int):
        shapes = _BY_NUMBER
    elif _only(left.values, str) and _only(right.values, list, tuple):
        shapes = ("{}.join({})",)
    elif _only(left.values, list) and _only(right.values, list):
        shapes = ("{} + {}",)
    elif _only(left.values, dict):
        shapes = ("{}[{}]", "{}.get({})")
    yield from _made(shapes, (left, right), examples)


def _made(shapes: Sequence[str], parts: tuple[Atom, ...], examples: Sequence[Example]) -> Iterator[Atom]:
    prior = _SIMPLER
    for part in parts:
        prior *= part.prior
    operands = [part.text if _is_primary(part.text) else f"({part.text})" for part in parts]
    for shape in shapes:
        bare = shape.startswith(
            ("len", "sum", "min", "max", "int", "str", "set", "abs", "round", "sorted", "list", "tuple")
        )
        texts = [part.text for part in parts] if bare else operands
        text = shape.format(*texts)
        values = vector_of(text, examples)
        if values is not None:
            yield Atom(text, values, prior)


def _is_primary(text: str) -> bool:
    depth = 0
    quoted = ""
    for sign in text:
        if quoted:
            quoted = "" if sign == quoted else quoted
        elif sign in "'\"":
            quoted = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif depth == 0 and not (sign.isalnum() or sign in "_."):
            return False
    return not text[:1].isdigit() or text.isdigit()


def _formatted(pool: Sequence[Atom], examples: Sequence[Example]) -> Iterator[tuple[str, float]]:
    """An f-string that writes the wanted text, found by looking for the values in it."""
    wanted = [example.wanted or (() if example.fails else example.came) for example in examples]
    if not all(text and isinstance(text[0], str) for text in wanted):
        return
    parts = [
        atom
        for atom in pool[:60]
        if _only(atom.values, str, int, float) and re.match(r"(?!len\()[a-z_]", atom.text, re.IGNORECASE)
    ]
    first = next((place for place, example in enumerate(examples) if example.fails), 0)
    text = wanted[first][0]
    written, used = _template(text, [(atom, str(atom.values[first])) for atom in parts])
    fixed = re.sub(r"\{[^{}]+\}", "", written)
    if not used or len(text) > _LONGEST_TEXT or len(fixed.strip()) > len(text) * _MOST_FIXED:
        return
    values = vector_of(f"f{written!r}", examples)
    if values is not None and _fits(values, examples):
        quoted = repr(written)
        if quoted.startswith("'") and '"' not in written and "'" not in quoted[1:-1]:
            quoted = f'"{quoted[1:-1]}"'
        if "'" not in written or not quoted.startswith("'"):
            yield f"f{quoted}", 0.5


def _shared_end(texts: Sequence[str]) -> str:
    shortest = min(texts, key=len)
    sizes = range(len(shortest), 0, -1)
    return next(
        (shortest[-size:] for size in sizes if all(text.endswith(shortest[-size:]) for text in texts)), ""
    )


def _cut(pool: Sequence[Atom], examples: Sequence[Example]) -> Iterator[tuple[str, float]]:
    """The beginning of a text with a fixed end, as `text[: width - 3] + "..."`."""
    wanted = [example.wanted[0] for example in examples if example.fails and example.wanted]
    if len(wanted) < 2 or not _only(wanted, str):
        return
    end = _shared_end(wanted)
    while any(sign.isalnum() for sign in end):
        end = end[1:]
    for size in range(len(end), 0, -1):
        for text in [atom for atom in pool[:20] if _only(atom.values, str)]:
            for number in [atom for atom in pool[:20] if _only(atom.values, int)]:
                for less in range(6):
                    bound = f"{number.text} - {less}" if less else number.text
                    written = f"{text.text}[:{bound}] + {end[-size:]!r}"
                    values = vector_of(written, examples)
                    if values is not None and _fits(values, examples):
                        yield written, 0.6 / (1 + 0.1 * less)
                        return


def _template(text: str, parts: Sequence[tuple[Atom, str]]) -> tuple[str, list[str]]:
    """The text with the values in it replaced by the expressions that give them, longest first."""
    pieces: list[tuple[str, bool]] = [(text, False)]
    used: list[str] = []
    for atom, value in sorted(parts, key=lambda part: (-len(part[1]), -part[0].prior)):
        if not value.strip():
            continue
        for place, (piece, done) in enumerate(pieces):
            if done or value not in piece:
                continue
            before, _, after = piece.partition(value)
            pieces[place : place + 1] = [(before, False), (f"{{{atom.text}}}", True), (after, False)]
            used.append(atom.text)
            break
    fixed = [piece if done else piece.replace("{", "{{").replace("}", "}}") for piece, done in pieces]
    return "".join(fixed), used
