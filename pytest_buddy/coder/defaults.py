"""Templates on the defaults of parameters: what the file, the docstring and the annotation say they are."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Template, on_statement
from pytest_buddy.coder.outline import FunctionNode
from pytest_buddy.coder.precedence import level_of
from pytest_buddy.coder.site import Site

_STATED: Final = re.compile(
    r"default(?:s|ed|ing)?(?:\s+(?:value|is|to|of))*\s*[:=]?\s*[`*]*(?P<value>'[^'\n]*'|\"[^\"\n]*\"|-?[\w.]+)",
    re.IGNORECASE,
)
_USUAL: Final = ("None", "False", "True", "0", "1", '""', "()", "-1")
_OF_TYPE: Final = {
    "bool": ("False", "True"), "int": ("0", "1", "-1"), "float": ("0.0", "1.0"), "str": ('""', '" "'),
}  # fmt: skip
_MOST: Final = 14
_SAID: Final = 4.0  # the docstring says so
_SHARED: Final = 2.5  # other functions give the parameter of that name that default
_FITTING: Final = 1.2  # the annotation allows it
_ROOM: Final = 300  # characters of a docstring behind a name that are about it


def defaults_of(function: FunctionNode) -> list[tuple[ast.arg, ast.expr]]:
    """The parameters of a function that have a default, with it."""
    spec = function.args
    plain = [*spec.posonlyargs, *spec.args]
    pairs = list(zip(plain[len(plain) - len(spec.defaults) :], spec.defaults, strict=True))
    keywords = zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
    return [*pairs, *((argument, value) for argument, value in keywords if value is not None)]


@on_statement("default-value", 0.45)
def default_value(site: Site) -> Iterator[Change]:
    """Another default: the one that is documented, that namesakes have, or that the annotation allows."""
    if not isinstance(site.node, FunctionNode):
        return
    pairs = defaults_of(site.node)
    shared = _of_namesakes(site) if pairs else {}
    for argument, old in pairs:
        written = ast.unparse(old)
        found = {text: prior for text, prior in _plain(argument, old) if text != written}
        for text, count in shared.get(argument.arg, Counter()).most_common(3):
            found[text] = max(found.get(text, 0.0), _SHARED * (1.0 if count > 1 else 0.6))
        for text in _stated(site.node, argument.arg):
            found[text] = max(found.get(text, 0.0), _SAID)
        found.pop(written, None)
        for text, prior in sorted(found.items(), key=lambda item: -item[1])[:_MOST]:
            yield site.change(
                old,
                text,
                f"`{argument.arg}` is `{text}` when callers leave it out, instead of `{written}`",
                level=level_of(ast.parse(text, mode="eval").body),
                prior=prior,
                structural=True,
            )


def _plain(argument: ast.arg, old: ast.expr) -> Iterator[tuple[str, float]]:
    """The usual defaults, and how likely one is meant where `old` stands."""
    annotation = ast.unparse(argument.annotation) if argument.annotation is not None else ""
    optional = "None" in annotation or "Optional" in annotation
    is_truth = isinstance(old, ast.Constant) and isinstance(old.value, bool)
    for text in _USUAL:
        likely = 0.3
        if text == "None":
            likely = _FITTING if optional or not annotation else 0.4
        elif text in ("True", "False"):
            likely = 1.5 if is_truth else 0.3
        yield text, likely
    for name, texts in _OF_TYPE.items():
        if re.search(rf"\b{name}\b", annotation):
            yield from ((text, _FITTING) for text in texts if not (is_truth and name != "bool"))
    if isinstance(old, ast.Constant) and type(old.value) is int:
        yield from ((str(old.value + step), 0.8) for step in (1, -1))
        yield from ((str(number), 0.5) for number in (old.value * 10, old.value * 2, old.value // 2))


def _of_namesakes(site: Site) -> dict[str, Counter[str]]:
    """Parameter -> the short defaults that it has in other functions of the file."""
    found: dict[str, Counter[str]] = {}
    for functions in site.outline.functions.values():
        for function in functions:
            for argument, value in defaults_of(function) if function is not site.node else ():
                if isinstance(value, ast.Constant | ast.Name | ast.Attribute | ast.UnaryOp | ast.Tuple):
                    found.setdefault(argument.arg, Counter())[ast.unparse(value)] += 1
    return found


def _stated(function: FunctionNode, name: str) -> Iterator[str]:
    """The defaults that the docstring gives for a parameter, behind its name."""
    text = ast.get_docstring(function) or ""
    for place in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
        if stated := _STATED.search(text[place.end() : place.end() + _ROOM]):
            value = stated["value"].rstrip(".")
            try:
                ast.literal_eval(value)
            except (ValueError, SyntaxError):
                continue
            yield value


TEMPLATES: Final[tuple[Template, ...]] = (default_value,)
