"""Real fixes of expressions, reversed: bounds, defaults, copies, keys, strings, formats, regexes, tables."""

import ast
import difflib
import re
import warnings
from collections.abc import Iterator, Mapping

from factory_ground import Edits, Ground, Shape, spliced, without_item, written

_RE_FUNCTIONS = ("compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer")
_COPIES = ("copy", "deepcopy", "list", "dict", "set", "tuple")
_CONVERSIONS = ("int", "str", "float", "len", "abs", "sorted", "reversed", "bytes", "max", "min", "bool")
_REGEX_CHANGES = (
    (r"\\b|[$^]", ""),
    (r"(?<=[\w\])}.])[*]", "+"),
    (r"(?<=[\w\])}.])[+]", "*"),
    (r"(?<=[\w\])}*+])[?]", ""),
    (r"\\([.+*?()\[\]])", r"."),
    (r"[|][^|()]+(?=[|)]|$)", ""),
    (r"\\d", r"\\w"),
    (r"\\s", " "),
    (r"[{](\d+),\d*[}]", r"{\1}"),
    (r"[a-z]-[a-z](?=[^\[\]]*\])", "a-y"),
    (r"[.,_:+-](?=[^\[\]]*\])", ""),
    (r"[(][?]:", "("),
)
_FORMAT_CHANGES = (
    (r"[<]", ">"),
    (r"[>]", "<"),
    (r"[.](\d)", ".0"),
    (r"^0(\d)", r"\1"),
    (r"[!]r", ""),
    (r"%0(\d)", r"%\1"),
    (r"%s", "%r"),
    (r"%r", "%s"),
    (r"(?<=[:%\d])d", "x"),
    (r"x$", "X"),
    (r",", ""),
    (r"[{](\w*):[^{}]+[}]", r"{\1}"),
)


def none_as_false(ground: Ground) -> Iterator[Edits]:
    """`x is None` has become `not x`, `x is not None` has become `x`."""
    module = ground.module
    for node in ground.nodes():
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Is | ast.IsNot):
            continue
        if isinstance(node.comparators[0], ast.Constant) and node.comparators[0].value is None:
            text = module.text(node.left)
            negated = isinstance(node.ops[0], ast.Is)
            yield written(module, "none-as-false", node, b"(not " + text + b")" if negated else text)


def dropped_or_default(ground: Ground) -> Iterator[Edits]:
    """`x or d`, `get(k, d)`, `getattr(o, n, d)`, `x if c else d` have lost what they fall back on."""
    module, tests = ground.module, _tests(ground)
    for node in ground.nodes():
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == 2:
            if id(node) not in tests:
                yield written(module, "dropped-default", node, module.text(node.values[0]))
        elif isinstance(node, ast.IfExp):
            yield written(module, "dropped-default", node, module.text(node.body))
        elif isinstance(node, ast.Call) and _called(node) in ("get", "pop", "getattr", "next", "setdefault"):
            arity = 3 if _called(node) == "getattr" else 2
            if len(node.args) == arity:
                yield spliced("dropped-default", module.span(node.args[-2])[1], module.span(node.args[-1])[1])


def narrowed_isinstance(ground: Ground) -> Iterator[Edits]:
    """`isinstance` asks for fewer types."""
    module = ground.module
    for call in ground.calls():
        if _called(call) in ("isinstance", "issubclass") and isinstance(call.args[-1], ast.Tuple):
            elements = call.args[-1].elts
            spans = [module.span(element) for element in elements]
            for index in range(len(elements)):
                if len(elements) == 2:
                    yield written(
                        module, "narrowed-isinstance", call.args[-1], module.text(elements[1 - index])
                    )
                else:
                    yield from without_item(module, "narrowed-isinstance", spans, index)


def off_by_one(ground: Ground) -> Iterator[Edits]:
    """A bound of a slice or a range, or an index, is one too many or too few."""
    module = ground.module
    for node in ground.nodes():
        bounds: list[ast.expr | None] = []
        if isinstance(node, ast.Slice):
            bounds = [node.lower, node.upper]
        elif isinstance(node, ast.Call) and _called(node) == "range":
            bounds = [*node.args[:2]]
        elif isinstance(node, ast.Subscript) and isinstance(_number(node.slice), int):
            bounds = [node.slice]
        for bound in bounds:
            if bound is None:
                continue
            value = _number(bound)
            for step in (1, -1):
                text = f"{value + step}".encode() if value is not None else _shifted(module.text(bound), step)
                yield written(module, "off-by-one", bound, text)


def missing_copy(ground: Ground) -> Iterator[Edits]:
    """A list, dict or object is used itself where a copy was made."""
    module = ground.module
    for node in ground.nodes():
        if isinstance(node, ast.Call) and _called(node) in _COPIES and not node.keywords:
            if isinstance(node.func, ast.Attribute) and not node.args:
                yield written(module, "missing-copy", node, module.text(node.func.value))
            elif len(node.args) == 1 and not isinstance(node.args[0], ast.GeneratorExp | ast.Starred):
                yield written(module, "missing-copy", node, module.text(node.args[0]))
        elif isinstance(node, ast.Subscript) and ast.unparse(node.slice) == ":":
            yield written(module, "missing-copy", node, module.text(node.value))


def missing_call(ground: Ground) -> Iterator[Edits]:
    """`s.strip()` has become `s`, `int(x)` has become `x`."""
    module, alone = ground.module, ground.docstrings()
    for call in ground.calls():
        if id(call) in alone or call.keywords:
            continue
        if isinstance(call.func, ast.Attribute) and not call.args and call.func.attr not in _COPIES:
            yield written(module, "missing-call", call, module.text(call.func.value))
        elif _called(call) in _CONVERSIONS and len(call.args) == 1:
            inner = call.args[0]
            if not isinstance(inner, ast.GeneratorExp | ast.Starred):
                yield written(module, "missing-call", call, module.text(inner))


def missing_self(ground: Ground) -> Iterator[Edits]:
    """`self.x` is read as `x`."""
    for node in ground.nodes():
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            owner = node.value
            if isinstance(owner, ast.Name) and owner.id == "self":
                yield written(ground.module, "missing-self", node, node.attr.encode())


def wrong_key(ground: Ground) -> Iterator[Edits]:
    """The key of a dictionary is another one of the file, near in spelling, or misspelt."""
    keys = {node.value for node in _keys(ast.walk(ground.module.tree))}
    for node in _keys(ground.nodes()):
        word = str(node.value)
        near = difflib.get_close_matches(word, map(str, keys), n=3, cutoff=0.3)
        for other in [*(one for one in near if one != word), f"{word}s", word[:-1]]:
            if other and other != word:
                yield written(ground.module, "wrong-key", node, repr(other).encode())


def changed_string(ground: Ground) -> Iterator[Edits]:
    """A text has a letter, a blank, a capital or its end changed."""
    kept_out = ground.docstrings() | ground.within(ast.JoinedStr) | _regexes(ground)
    for node in ground.nodes():
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in kept_out:
            continue
        if node.value and node.lineno == node.end_lineno and node.value.isascii():
            for other in _misspelt(node.value):
                yield written(ground.module, "changed-string", node, repr(other).encode())


def changed_regex(ground: Ground) -> Iterator[Edits]:
    """A regular expression has lost or changed an anchor, a repetition, an alternative, a class."""
    regexes = _regexes(ground)
    for node in ground.nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) in regexes:
            start, _ = ground.module.span(node)
            text = ground.module.text(node).decode()
            for pattern, other in _REGEX_CHANGES:
                for found in re.finditer(pattern, text):
                    changed = text[: found.start()] + found.expand(other) + text[found.end() :]
                    if _is_regex(changed):
                        yield spliced("changed-regex", start, start + len(text.encode()), changed.encode())


def changed_format(ground: Ground) -> Iterator[Edits]:
    """A format specification of an f-string, `format` or `%` is another or gone."""
    module = ground.module
    for node in _formats(ground):
        text = module.text(node).decode()
        for pattern, other in _FORMAT_CHANGES:
            for found in re.finditer(pattern, text):
                changed = text[: found.start()] + found.expand(other) + text[found.end() :]
                yield written(module, "changed-format", node, changed.encode())


def changed_table(ground: Ground) -> Iterator[Edits]:
    """A list, tuple or dict lacks an entry, or an entry's number is another."""
    module = ground.module
    for node in ground.nodes():
        if isinstance(node, ast.Dict) and len(node.keys) > 1 and all(node.keys):
            spans = [
                (module.span(key)[0], module.span(value)[1])
                for key, value in zip(node.keys, node.values, strict=True)
                if key is not None
            ]
            values = node.values
        elif isinstance(node, ast.List | ast.Set | ast.Tuple) and len(node.elts) > 2:
            spans, values = [module.span(element) for element in node.elts], node.elts
        else:
            continue
        for index, value in enumerate(values):
            yield from without_item(module, "changed-table", spans, index)
            number = _number(value)
            if number is not None:
                yield written(module, "changed-table", value, f"{number + 1}".encode())


def changed_constant(ground: Ground) -> Iterator[Edits]:
    """A number or truth value that stands outside functions is another."""
    if ground.function is not None:
        return
    for node in ground.nodes():
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            value = node.value.value
            if isinstance(value, bool):
                yield written(ground.module, "changed-constant", node.value, repr(not value).encode())
            elif isinstance(value, int | float):
                for other in (value + 1, value - 1):
                    yield written(ground.module, "changed-constant", node.value, repr(other).encode())


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _tests(ground: Ground) -> frozenset[int]:
    found: set[int] = set()
    for node in ground.nodes():
        if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
            found.update(id(part) for part in ast.walk(node.test))
        elif isinstance(node, ast.comprehension):
            found.update(id(part) for test in node.ifs for part in ast.walk(test))
    return frozenset(found)


def _number(node: ast.expr) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def _shifted(text: bytes, step: int) -> bytes:
    """The expression plus or minus one, written as a person would."""
    undo = b" - 1" if step > 0 else b" + 1"
    if text.endswith(undo):
        return text.removesuffix(undo)
    return text + (b" + 1" if step > 0 else b" - 1")


def _keys(nodes: Iterator[ast.AST]) -> Iterator[ast.Constant]:
    for node in nodes:
        found: list[ast.expr | None] = []
        if isinstance(node, ast.Subscript):
            found = [node.slice]
        elif isinstance(node, ast.Dict):
            found = [*node.keys]
        elif isinstance(node, ast.Call) and _called(node) in ("get", "pop", "setdefault"):
            found = [*node.args[:1]]
        for key in found:
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value:
                yield key


def _misspelt(text: str) -> Iterator[str]:
    if len(text) == 1:
        yield from ("", text * 2, " ")
        return
    middle = len(text) // 2
    letters = [*text]
    letters[middle - 1], letters[middle] = letters[middle], letters[middle - 1]
    swapped = "".join(letters)
    for other in (text[:-1], text[1:], swapped, text.swapcase(), text.replace(" ", "", 1), f"{text} "):
        if other != text:
            yield other


def _regexes(ground: Ground) -> frozenset[int]:
    found: set[int] = set()
    for call in ground.calls():
        module = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(module, ast.Name) and module.id in ("re", "regex") and _called(call) in _RE_FUNCTIONS:
            found.update(id(part) for part in ast.walk(call.args[0]) if call.args)
    for node in ground.nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_raw = ground.module.text(node)[:1] in (b"r", b"R")
            if is_raw and re.search(r"[\\\[(][\w?^]", node.value):
                found.add(id(node))
    return frozenset(found - ground.within(ast.JoinedStr))


def _is_regex(literal: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(ast.literal_eval(literal))
        except (re.error, SyntaxError, ValueError, OverflowError, Warning):
            return False
    return True


def _formats(ground: Ground) -> Iterator[ast.expr]:
    for node in ground.nodes():
        if isinstance(node, ast.JoinedStr):
            parts = [part for part in node.values if isinstance(part, ast.FormattedValue)]
            if any(part.format_spec is not None or part.conversion != -1 for part in parts):
                yield node
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            if isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
                yield node.left
        elif isinstance(node, ast.Call) and _called(node) in ("format", "strftime", "strptime"):
            target = node.func.value if isinstance(node.func, ast.Attribute) else None
            for item in (target, *node.args):
                if isinstance(item, ast.Constant) and isinstance(item.value, str):
                    yield item


SHAPES: Mapping[str, Shape] = {
    "none-as-false": none_as_false,
    "dropped-default": dropped_or_default,
    "narrowed-isinstance": narrowed_isinstance,
    "off-by-one": off_by_one,
    "missing-copy": missing_copy,
    "missing-call": missing_call,
    "missing-self": missing_self,
    "wrong-key": wrong_key,
    "changed-string": changed_string,
    "changed-regex": changed_regex,
    "changed-format": changed_format,
    "changed-table": changed_table,
    "changed-constant": changed_constant,
}
