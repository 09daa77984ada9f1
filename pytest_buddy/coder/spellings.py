"""Templates that spell a text another way: capitals, signs between words, keys and names of the file."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from pytest_buddy.coder.change import Change, Template, on_statement
from pytest_buddy.coder.literals import quoted, strings
from pytest_buddy.coder.names import likeness
from pytest_buddy.coder.patterns import looks_like_pattern
from pytest_buddy.coder.site import Site

_MOST_STRINGS: Final = 12
_LONGEST: Final = 60
_MOST_KEYS: Final = 12
_KNOWN: Final = 3.0  # the file, its names or the failure have that spelling
_UNKNOWN: Final = 2.0  # the interpreter looked for a name that nothing spells
_ONCE: Final = 1.5  # the spelling that stands there is nowhere else
_PATCHED: Final = ("getattr", "setattr", "hasattr", "delattr", "get", "pop", "setdefault", "attrgetter")
_END: Final = re.compile(r"[.!:,;]$")


def variants(text: str) -> Iterator[tuple[str, float]]:
    """Other spellings of a text, and how often one is taken for the other."""
    for other, likely in (
        (text.lower(), 1.0),
        (text.upper(), 0.7),
        (text.capitalize(), 0.7),
        (text.replace("-", "_"), 1.0),
        (text.replace("_", "-"), 1.0),
        (text.replace("_", " "), 0.4),
        (text.replace(" ", "_"), 0.4),
        (text.strip(), 1.0),
        (text.removesuffix("s"), 0.7),
        (f"{text}s", 0.5),
        (text.lstrip("_"), 0.5),
        (f"_{text}", 0.3),
        (_END.sub("", text), 0.4),
        (f"{text} ", 0.3),
    ):
        if other and other != text:
            yield other, likely


@on_statement("respelled-string", 0.16, spread=3)
def respelled_string(site: Site) -> Iterator[Change]:
    """A text with other capitals or signs between its words, first of all as it is spelled elsewhere."""
    known = {*site.outline.strings, *site.scope.data_attributes, *site.hints.subjects}
    known |= {key for key in (*site.hints.keys, *site.hints.held_keys) if isinstance(key, str)}
    known |= site.hints.unknown
    for node in islice(strings(site), _MOST_STRINGS):
        value = str(node.value)
        if len(value) > _LONGEST or looks_like_pattern(node, site.parent(node)):
            continue
        once = _ONCE if site.outline.strings.get(value, 0) <= 1 else 1.0
        for other in _counterparts(site, node):
            yield _written(site, node, other, 1.5)
        for other, likely in dict(variants(value)).items():
            prior = likely * once * (_KNOWN if other in known else 0.3)
            yield _written(site, node, other, prior)


def _counterparts(site: Site, node: ast.Constant) -> list[str]:
    """What the other texts of a list would come with: the same letter in the other case."""
    parent = site.parent(node)
    if not isinstance(parent, ast.List | ast.Tuple | ast.Set):
        return []
    held = [item.value for item in parent.elts if isinstance(item, ast.Constant)]
    texts = [item for item in held if isinstance(item, str)]
    lost = [text.swapcase() for text in texts if text and text.swapcase() not in texts]
    return [text for text in dict.fromkeys(lost) if text.swapcase() != node.value][:4]


@on_statement("key-of-the-file", 0.1, spread=4)
def key_of_the_file(site: Site) -> Iterator[Change]:
    """Another key of the file's dictionaries where a key stands, or the name that was looked for in vain."""
    keys: Counter[str] | None = None
    for node in islice(strings(site), _MOST_STRINGS):
        value = str(node.value)
        if site.hints.unknown and value.isidentifier():
            for name in sorted(site.hints.unknown - {value}):
                yield _written(site, node, name, _UNKNOWN * (0.3 + likeness(value, name)))
        if not is_key(site.parent(node), node):
            continue
        keys = keys_of(site) if keys is None else keys
        ranked = sorted(keys, key=lambda key: -(likeness(value, key) + min(keys[key], 4) / 8))
        for other in [key for key in ranked if key != value][:_MOST_KEYS]:
            yield _written(site, node, other, 0.2 + likeness(value, other) + min(keys[other], 4) / 10)


def keys_of(site: Site) -> Counter[str]:
    """The short texts that the file uses as keys, and how often."""
    found: Counter[str] = Counter()
    for node in site.outline.nodes:
        held: list[ast.expr | None] = []
        match node:
            case ast.Subscript(slice=key):
                held = [key]
            case ast.Dict(keys=several):
                held = [*several]
            case ast.Call(func=ast.Attribute(attr=name), args=[key, *_]) if name in _PATCHED:
                held = [key]
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()]):
                held = [key]
        texts = [item.value for item in held if isinstance(item, ast.Constant)]
        found.update(text for text in texts if isinstance(text, str) and 0 < len(text) <= 40)
    return found


def is_key(parent: ast.AST, node: ast.expr) -> bool:
    """Whether an expression is what a dictionary or an object is asked for."""
    match parent:
        case ast.Subscript(slice=key):
            return key is node
        case ast.Dict(keys=several):
            return any(key is node for key in several)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments):
            return name in _PATCHED and any(argument is node for argument in arguments[:2])
        case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()]):
            return key is node
    return False


def _written(site: Site, node: ast.Constant, other: str, prior: float) -> Change:
    text = quoted(site, node, other)
    return site.change(node, text, f"writes {text} instead of {site.text(node)}", prior=prior)


TEMPLATES: Final[tuple[Template, ...]] = (respelled_string, key_of_the_file)
