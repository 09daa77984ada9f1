"""Templates on calls: their arguments, their callee, and calls around an expression."""

import ast
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.ingredients import arity
from pytest_buddy.coder.names import likeness, opposites
from pytest_buddy.coder.outline import FunctionNode
from pytest_buddy.coder.precedence import AWAIT, LAMBDA, PRIMARY, level_of
from pytest_buddy.coder.site import Site

_FAMILIES: Final = (
    ("append", "extend", "insert", "appendleft", "add"), ("add", "update", "discard"),
    ("remove", "discard", "pop"), ("pop", "popleft", "popitem"), ("get", "setdefault", "pop"),
    ("keys", "values", "items"), ("strip", "lstrip", "rstrip"), ("split", "rsplit", "splitlines"),
    ("partition", "rpartition"), ("startswith", "endswith"), ("removeprefix", "removesuffix"),
    ("lower", "upper", "title", "capitalize", "casefold", "swapcase"), ("find", "rfind", "index", "rindex"),
    ("isdigit", "isalpha", "isalnum", "isnumeric", "isdecimal", "isspace", "isidentifier"),
    ("islower", "isupper", "istitle"), ("union", "intersection", "difference", "symmetric_difference"),
    ("issubset", "issuperset", "isdisjoint"), ("encode", "decode"), ("read", "readline", "readlines"),
    ("extend", "extendleft", "append"), ("match", "fullmatch", "search"), ("findall", "finditer", "search"),
    ("dump", "dumps"), ("load", "loads"), ("ljust", "rjust", "center", "zfill"), ("setdefault", "update"),
    ("sort", "reverse"), ("floor", "ceil", "trunc"), ("write", "writelines"), ("group", "groups"),
    ("bisect_left", "bisect_right"), ("insort_left", "insort_right"), ("today", "now"),
    ("sin", "cos"), ("log", "log2", "log10"), ("start", "end"), ("heappush", "heappop", "heappushpop"),
)  # fmt: skip
_BUILTIN_FAMILIES: Final = (
    ("min", "max", "sum"), ("any", "all"), ("sum", "len"), ("sorted", "reversed", "list"),
    ("int", "float", "str", "round", "bool"), ("list", "tuple", "set", "frozenset", "sorted"),
    ("dict", "list"), ("isinstance", "issubclass"), ("map", "filter"), ("zip", "enumerate"),
    ("range", "enumerate"), ("int", "round", "abs"), ("str", "repr"), ("setattr", "getattr"),
    ("ord", "chr"), ("iter", "next"),
)  # fmt: skip
_WRAPPERS: Final = {
    "str": 1.0, "int": 0.9, "len": 0.8, "list": 0.8, "sorted": 0.7, "set": 0.4, "abs": 0.6, "float": 0.4,
    "tuple": 0.4, "max": 0.0, "min": 0.0, "round": 0.3, "sum": 0.2, "bool": 0.2, "reversed": 0.3, "dict": 0.2,
}  # fmt: skip
_CHAINED: Final = {
    "strip()": ("strip", 0.6), "lower()": ("lower", 0.6), "upper()": ("upper", 0.3), "copy()": ("copy", 0.4),
    "items()": ("items", 0.4), "values()": ("values", 0.4), "keys()": ("keys", 0.2),
    "split()": ("split", 0.2),
    "rstrip()": ("rstrip", 0.2), "lstrip()": ("lstrip", 0.1), "title()": ("title", 0.1),
    "capitalize()": ("capitalize", 0.1), "encode()": ("encode", 0.2), "decode()": ("decode", 0.2),
}  # fmt: skip
_OF_DICT: Final = frozenset({"items()", "values()", "keys()"})


def _families(name: str, families: tuple[tuple[str, ...], ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in families:
        if name in family:
            for other in family:
                if other != name:
                    found[other] = 1.0
    return found


def _callee(site: Site, node: ast.Call) -> tuple[FunctionNode | None, bool]:
    """The function of the same file that is called, and whether it is called on an object."""
    name, bound = "", False
    if isinstance(node.func, ast.Name):
        name = node.func.id
        if name in site.outline.classes:
            made = [item for item in site.outline.classes[name].body if isinstance(item, FunctionNode)]
            return next((item for item in made if item.name == "__init__"), None), True
    elif isinstance(node.func, ast.Attribute):
        name, bound = node.func.attr, True
    found = site.outline.functions.get(name, ())
    return (found[0] if found else None), bound


@on_expressions("sibling-function", 0.12, ast.Call)
def sibling_function(site: Site, node: ast.Call) -> Iterator[Change]:
    """Another function: a relative of the builtin, or one of the file that takes as many arguments."""
    if not isinstance(node.func, ast.Name):
        return
    name = node.func.id
    builtin = _families(name, _BUILTIN_FAMILIES) if name not in site.scope.names else {}
    choices = {other: 0.5 * prior for other, prior in builtin.items()}
    choices |= {other: p for other, p in _families(name, _FAMILIES).items() if other in site.scope.names}
    given = len(node.args) + len(node.keywords)
    is_class = name in site.outline.classes
    for other, known in site.scope.names.items():
        if other == name or known.kind not in ("callable", "import"):
            continue
        functions = site.outline.functions.get(other, ())
        prior = 0.15 + 0.6 * likeness(name, other)
        if functions:
            least, most = arity(functions[0], bound=False)
            prior *= 1.0 if least <= given <= most else 0.1
        elif (other in site.outline.classes) != is_class or known.kind == "import":
            prior *= 0.3
        if site.function is not None and other == site.function.name:
            prior *= 0.2
        choices.setdefault(other, prior)
    for other, prior in choices.items():
        why = f"calls `{other}` instead of `{name}`"
        yield site.change(node.func, other, why, prior=prior, signal=other)


@on_expressions("sibling-method", 0.13, ast.Attribute)
def sibling_method(site: Site, node: ast.Attribute) -> Iterator[Change]:
    """Another method: a relative of a standard one, one of the class, one that the file calls."""
    parent = site.parent(node)
    if not (isinstance(parent, ast.Call) and parent.func is node):
        return
    choices = _families(node.attr, _FAMILIES)
    own = isinstance(node.value, ast.Name) and node.value.id == site.scope.instance
    given = len(parent.args) + len(parent.keywords)
    if own:
        for other, function in site.scope.methods.items():
            least, most = arity(function, bound=True)
            fits = 1.0 if least <= given <= most else 0.1
            dunder = 0.1 if other.startswith("__") else 1.0
            choices.setdefault(other, (0.2 + likeness(node.attr, other)) * fits * dunder)
    else:
        for other in site.outline.frequent_calls:
            choices.setdefault(other, 0.03 + 0.15 * likeness(node.attr, other))
    choices.pop(node.attr, None)
    for other, prior in choices.items():
        why = f"calls `{other}` instead of `{node.attr}`"
        yield Change(splices=(_attribute(site, node, other),), rationale=why, prior=prior, signal=other)


def _attribute(site: Site, node: ast.Attribute, name: str) -> Splice:
    end = site.source.span(node)[1]
    return Splice(end - len(node.attr.encode(site.source.encoding)), end, name)


@on_expressions("attribute", 0.12, ast.Attribute)
def sibling_attribute(site: Site, node: ast.Attribute) -> Iterator[Change]:
    """Another attribute: of the class, or one that the file reads."""
    parent = site.parent(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return
    own = isinstance(node.value, ast.Name) and node.value.id == site.scope.instance
    pool = dict.fromkeys(site.scope.data_attributes if own else site.outline.frequent_reads, 1.0)
    if not own:
        pool = dict.fromkeys(opposites(node.attr), 0.5) | pool
    stored = 0.3 if isinstance(node.ctx, ast.Store) else 1.0
    for other, known in pool.items():
        if other != node.attr:
            why = f"uses the attribute `{other}` instead of `{node.attr}`"
            prior = ((0.3 if own else 0.05) + likeness(node.attr, other)) * stored * known
            prior *= site.scope.suits(f"self.{node.attr}", f"self.{other}") if own else 1.0
            yield Change(splices=(_attribute(site, node, other),), rationale=why, prior=prior)


@on_statement("drop-attribute", 0.05)
def drop_attribute(site: Site) -> Iterator[Change]:
    """The object itself instead of its attribute."""
    for node in site.nodes_of(ast.Attribute):
        called = isinstance(parent := site.parent(node), ast.Call) and parent.func is node
        if called or isinstance(node.ctx, ast.Store):
            continue
        if isinstance(node.value, ast.Name) and node.value.id == site.scope.instance:
            if node.attr in site.scope.names:
                why = f"uses the variable `{node.attr}` instead of the attribute"
                yield site.change(node, node.attr, why, prior=1.5)
            continue
        why = f"uses `{site.text(node.value)}` itself, not its `{node.attr}`"
        yield site.change(node, site.text(node.value), why, level=level_of(node.value))


@on_statement("add-attribute", 0.05, spread=4)
def add_attribute(site: Site) -> Iterator[Change]:
    """An attribute of the object instead of the object itself."""
    pool = {name: count for name, count in site.outline.attributes[0].items() if not name.startswith("__")}
    for node in site.nodes_of(ast.Name):
        parent = site.parent(node)
        if isinstance(parent, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if isinstance(parent, ast.Call) and parent.func is node:
            continue
        seen = site.ingredients.attributes_of.get(node.id, {})
        for name in (
            *(name for name in seen if name in pool),
            *[name for name in pool if name not in seen][:10],
        ):
            if name in site.scope.methods and node.id == site.scope.instance:
                continue
            why = f"uses the `{name}` of `{node.id}`, not `{node.id}` itself"
            yield site.change(node, f"{node.id}.{name}", why, prior=1.0 if name in seen else 0.15)


def _insertion(site: Site, node: ast.Call, text: str) -> Splice | None:
    end = site.source.span(node)[1] - 1
    last: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    if not last:
        return Splice(end, end, text)
    if any(isinstance(item, ast.GeneratorExp) for item in node.args):
        return None
    place = max(site.source.span(item)[1] for item in last)
    between = site.source.content[place:end]
    if between.strip() not in (b"", b","):
        return None
    return Splice(place, place, f", {text}")


@on_expressions("add-argument", 0.15, ast.Call)
def add_argument(site: Site, node: ast.Call) -> Iterator[Change]:
    """One more argument: a variable in scope, by position or by the callee's name for it."""
    function, bound = _callee(site, node)
    given = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    values = site.names_at(node)
    if function is not None:
        yield from _by_signature(site, node, function, values, bound=bound)
    if function is not None and len(node.args) >= arity(function, bound=bound)[1]:
        return
    if isinstance(node.func, ast.Name) and node.func.id in _ONE_ARGUMENT and node.args:
        return
    for name, likelihood in values.items():
        if likelihood >= 0.35 and name not in given and name != site.scope.instance and not node.keywords:
            splice = _insertion(site, node, name)
            unread = 4.0 if name not in site.scope.reads and likelihood == 1.0 else 1.0
            if splice is not None:
                yield Change(
                    splices=(splice,), rationale=f"passes `{name}`", prior=0.25 * likelihood * unread
                )


@on_expressions("usual-argument", 0.08, ast.Call)
def usual_argument(site: Site, node: ast.Call) -> Iterator[Change]:
    """An argument that is often forgotten with this builtin or method."""
    if isinstance(node.func, ast.Name):
        known = _KNOWN_EXTRA.get(node.func.id, ())
    elif isinstance(node.func, ast.Attribute):
        known = tuple((text, "") for text in _KNOWN_METHOD_EXTRA.get(node.func.attr, ()))
    else:
        return
    passed = {item.arg for item in node.keywords}
    for text, signal in known:
        splice = _insertion(site, node, text)
        if splice is not None and text.partition("=")[0] not in passed:
            yield Change(splices=(splice,), rationale=f"passes `{text}`", prior=0.6, signal=signal)


_ONE_ARGUMENT: Final = frozenset(
    {"len", "str", "list", "tuple", "set", "sorted", "abs", "bool", "float", "ord", "chr", "repr", "any",
     "all", "reversed", "hash", "id", "type", "callable", "dict", "frozenset", "bytes", "iter", "next"}
)  # fmt: skip
_KNOWN_EXTRA: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "sorted": (("reverse=True", "reversed"), ("key=len", ""), ("key=str.lower", "")),
    "enumerate": (("1", "+1"), ("start=1", "+1")),
    "int": (("2", ""), ("16", "")),
    "round": (("2", ""), ("1", ""), ("3", "")),
    "zip": (("strict=True", ""),),
    "max": (("default=None", ""), ("default=0", "")),
    "min": (("default=None", ""), ("default=0", "")),
    "next": (("None", ""),),
    "getattr": (("None", ""),),
    "open": (('encoding="utf-8"', ""),),
    "sum": (("[]", ""),),
}
_KNOWN_METHOD_EXTRA: Final = {
    "get": ("0", "None", '""', "[]", "{}"),
    "pop": ("0", "None", "-1"),
    "split": ("1", '","'),
    "rsplit": ("1",),
    "replace": ("1",),
    "sort": ("reverse=True",),
    "dumps": ("sort_keys=True", "indent=2"),
    "mkdir": ("exist_ok=True", "parents=True"),
    "setdefault": ("[]", "{}"),
    "group": ("1", "0"),
}


def _by_signature(
    site: Site, node: ast.Call, function: FunctionNode, values: dict[str, float], *, bound: bool
) -> Iterator[Change]:
    positional = [*function.args.posonlyargs, *function.args.args][1 if bound else 0 :]
    passed = {item.arg for item in node.keywords}
    for place, argument in enumerate([*positional, *function.args.kwonlyargs]):
        if argument.arg in passed or (place < len(node.args)):
            continue
        by_position = place == len(node.args) and place < len(positional) and not node.keywords
        own = f"{site.scope.instance}.{argument.arg}"
        candidates = {argument.arg: 3.0} if argument.arg in values else {}
        if argument.arg in site.scope.data_attributes and site.scope.instance:
            candidates[own] = 2.0
        if not candidates:
            candidates = {name: 0.2 * prior for name, prior in values.items() if prior >= 0.35}
            candidates.pop(site.scope.instance, None)
        for value, prior in candidates.items():
            texts = [(value, 1.0)] if by_position else []
            texts.append((f"{argument.arg}={value}", 1.0 if not by_position else 0.3))
            for text, share in texts:
                splice = _insertion(site, node, text)
                if splice is not None:
                    why = f"passes `{text}` on to `{function.name}`"
                    yield Change(splices=(splice,), rationale=why, prior=prior * share)


@on_expressions("drop-argument", 0.08, ast.Call)
def drop_argument(site: Site, node: ast.Call) -> Iterator[Change]:
    """One argument fewer."""
    items: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    items.sort(key=lambda item: site.source.span(item))
    if any(isinstance(item, ast.GeneratorExp) for item in items) and len(items) == 1:
        return
    for splice, item in _without(site, items, site.source.span(node)[1] - 1):
        why = f"no longer passes `{site.text(item)}`"
        prior = 0.5 if isinstance(item, ast.keyword) or item is items[-1] else 0.3
        yield Change(splices=(splice,), rationale=why, prior=prior, suspicion=0.1)


def _without(
    site: Site, items: list[ast.expr | ast.keyword], end: int
) -> Iterator[tuple[Splice, ast.expr | ast.keyword]]:
    spans = [site.source.span(item) for item in items]
    for place, item in enumerate(items):
        if len(items) == 1:
            yield Splice(spans[0][0], end, ""), item
        elif place == 0:
            yield Splice(spans[0][0], spans[1][0], ""), item
        else:
            yield Splice(spans[place - 1][1], spans[place][1], ""), item


@on_expressions("swap-arguments", 0.12, ast.Call)
def swap_arguments(site: Site, node: ast.Call) -> Iterator[Change]:
    """Two arguments change places."""
    plain = [item for item in node.args if not isinstance(item, ast.Starred)]
    for left, right in list(combinations(plain, 2))[:6]:
        if site.text(left) == site.text(right):
            continue
        splices = (
            Splice(*site.source.span(left), site.operand(right, LAMBDA)),
            Splice(*site.source.span(right), site.operand(left, LAMBDA)),
        )
        why = f"swaps the arguments `{site.text(left)}` and `{site.text(right)}`"
        harmless = isinstance(node.func, ast.Name) and node.func.id in ("min", "max")
        mixed = isinstance(left, ast.Constant) != isinstance(right, ast.Constant)
        yield Change(splices=splices, rationale=why, prior=0.1 if harmless else 0.4 if mixed else 1.0)


@on_expressions("keyword-name", 0.06, ast.Call)
def keyword_name(site: Site, node: ast.Call) -> Iterator[Change]:
    """Another keyword of the callee's signature."""
    function, _ = _callee(site, node)
    if function is None:
        return
    known = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
    for keyword in node.keywords:
        for name in known:
            if keyword.arg is not None and name not in {item.arg for item in node.keywords} | {"self", "cls"}:
                start, _ = site.source.span(keyword)
                splice = Splice(start, start + len(keyword.arg.encode(site.source.encoding)), name)
                prior = 0.2 + likeness(name, keyword.arg)
                yield Change(splices=(splice,), rationale=f"passes it as `{name}`", prior=prior)


def _wrappable(site: Site) -> Iterator[tuple[ast.expr, float]]:
    for node in site.loads:
        parent = site.parent(node)
        if isinstance(
            node, ast.Constant | ast.Lambda | ast.JoinedStr | ast.NamedExpr | ast.Yield | ast.Await
        ):
            continue
        if isinstance(node, ast.Name) and node.id == site.scope.instance:
            continue
        if isinstance(parent, ast.Call) and parent.func is node:
            continue
        if isinstance(parent, ast.Attribute | ast.Starred):
            continue
        match parent:
            case ast.Return() | ast.For() | ast.Yield():
                yield node, 1.0
            case ast.Assign() | ast.comprehension() | ast.keyword():
                yield node, 0.7
            case ast.Call() | ast.Compare() | ast.Dict() | ast.Tuple():
                yield node, 0.6
            case ast.BinOp() | ast.ListComp() | ast.GeneratorExp() | ast.AugAssign():
                yield node, 0.5
            case _:
                yield node, 0.2


@on_statement("wrap-call", 0.12, spread=5)
def wrap_call(site: Site) -> Iterator[Change]:
    """A conversion or helper called on the value."""
    for node, place in _wrappable(site):
        inner = site.text(node)
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if isinstance(node, ast.GeneratorExp) and inner.startswith("("):
            inner = inner[1:-1]
        elif level_of(node) < LAMBDA:
            inner = f"({inner})"
        for wrapper, prior in (*_WRAPPERS.items(), *((name, 0.25) for name in site.ingredients.helpers)):
            if prior and wrapper != called:
                signal = wrapper
                why = f"takes `{wrapper}(...)` of `{site.text(node)}`"
                yield site.change(node, f"{wrapper}({inner})", why, prior=prior * place, signal=signal)
        yield from _reversing(site, node, place)


def _reversing(site: Site, node: ast.expr, place: float) -> Iterator[Change]:
    if isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.ListComp | ast.Subscript):
        text = site.text(node)
        yield site.change(node, f"{text}[::-1]", f"reverses `{text}`", prior=0.3 * place, signal="reversed")
        for index, signal in (
            ("0", "first"),
            ("-1", "last"),
            ("1:", "without-first"),
            (":-1", "without-last"),
        ):
            why = f"takes `[{index}]` of `{text}`"
            yield site.change(node, f"{text}[{index}]", why, prior=0.2 * place, signal=signal)


@on_expressions("unwrap-call", 0.09, ast.Call)
def unwrap_call(site: Site, node: ast.Call) -> Iterator[Change]:
    """The argument alone, without the call around it."""
    for argument in node.args[:3]:
        if isinstance(argument, ast.Starred) or (isinstance(argument, ast.Constant) and len(node.args) > 1):
            continue
        plain = isinstance(node.func, ast.Name) and len(node.args) == 1
        yield site.change(
            node,
            site.text(argument),
            f"uses `{site.text(argument)}` without the call of `{site.text(node.func)}`",
            level=level_of(argument),
            prior=1.0 if plain else 0.3,
            suspicion=0.0 if plain else 0.1,
        )


@on_statement("add-method-call", 0.07, spread=6)
def add_method_call(site: Site) -> Iterator[Change]:
    """A method such as `.strip()`, `.items()` or `.copy()` called on the value."""
    for node, place in _wrappable(site):
        if isinstance(
            node, ast.BinOp | ast.Compare | ast.BoolOp | ast.ListComp | ast.GeneratorExp | ast.IfExp
        ):
            continue
        iterated = isinstance(site.parent(node), ast.For | ast.comprehension)
        for text, (signal, prior) in _CHAINED.items():
            if (text in _OF_DICT) and not iterated:
                prior *= 0.3
            if iterated and text in _OF_DICT:
                prior *= 2
            why = f"calls `.{text}` on `{site.text(node)}`"
            yield site.change(
                node, f"{site.operand(node, PRIMARY)}.{text}", why, prior=prior * place, signal=signal
            )


@on_expressions("drop-method-call", 0.07, ast.Call)
def drop_method_call(site: Site, node: ast.Call) -> Iterator[Change]:
    """The object itself, without the method called on it."""
    if isinstance(node.func, ast.Attribute) and not isinstance(site.parent(node), ast.Expr):
        value = node.func.value
        known = site.scope.names.get(value.id) if isinstance(value, ast.Name) else None
        if known is not None and (known.kind in ("import", "callable") or known.id == site.scope.instance):
            return
        why = f"uses `{site.text(value)}` without calling `.{node.func.attr}`"
        yield site.change(node, site.text(value), why, level=level_of(value))


@on_statement("call-parentheses", 0.06)
def call_parentheses(site: Site) -> Iterator[Change]:
    """A call where the method itself is named, or the reverse."""
    for node in site.nodes_of(ast.Attribute):
        parent = site.parent(node)
        if isinstance(parent, ast.Call) and parent.func is node:
            if not parent.args and not parent.keywords and not isinstance(site.parent(parent), ast.Expr):
                yield site.change(
                    parent, site.text(node), f"drops the parentheses after `{node.attr}`", prior=0.5
                )
        elif isinstance(node.ctx, ast.Load) and not isinstance(parent, ast.Attribute):
            known = node.attr in site.outline.attributes[1] or node.attr in site.outline.functions
            why = f"calls `{node.attr}` instead of naming it"
            yield site.change(node, f"{site.text(node)}()", why, prior=1.5 if known else 0.4, signal="call")
    for name in site.nodes_of(ast.Name):
        if name.id in site.outline.functions and isinstance(name.ctx, ast.Load):
            if isinstance(parent := site.parent(name), ast.Call) and parent.func is name:
                continue
            yield site.change(name, f"{name.id}()", f"calls `{name.id}` instead of naming it", signal="call")


@on_statement("await", 0.1)
def missing_await(site: Site) -> Iterator[Change]:
    """An `await` that is missing, or one too many."""
    for node in site.nodes_of(ast.Await):
        yield site.change(node, site.text(node.value), "drops `await`", level=level_of(node.value), prior=0.3)
    if not isinstance(site.statement.owner.node, ast.AsyncFunctionDef):
        return
    for call in site.nodes_of(ast.Call):
        if isinstance(site.parent(call), ast.Await):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        functions = site.outline.functions.get(name, ())
        known = any(isinstance(function, ast.AsyncFunctionDef) for function in functions)
        if functions and not known:
            continue
        why = f"awaits `{site.text(call.func)}(...)`"
        text = f"await {site.text(call)}"
        yield site.change(call, text, why, level=AWAIT, prior=2.0 if known else 0.3, signal="await")


@on_statement("best-of", 0.06)
def best_of(site: Site) -> Iterator[Change]:
    """The larger or smaller of the old and the new value."""
    node = site.node
    if (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name | ast.Attribute)
    ):
        target = site.text(node.targets[0])
        for name in ("max", "min"):
            text = f"{name}({target}, {site.operand(node.value, LAMBDA)})"
            yield site.change(node.value, text, f"keeps the {name}imum of `{target}` and the new value")
    if isinstance(node, ast.Return) and isinstance(node.value, ast.expr):
        for name in ("max", "min"):
            text = f"{name}({site.operand(node.value, LAMBDA)}, 0)"
            yield site.change(
                node.value, text, f"returns at {'least' if name == 'max' else 'most'} 0", prior=0.4
            )


TEMPLATES: Final[tuple[Template, ...]] = (
    sibling_function,
    sibling_method,
    sibling_attribute,
    drop_attribute,
    add_attribute,
    add_argument,
    usual_argument,
    drop_argument,
    swap_arguments,
    keyword_name,
    wrap_call,
    unwrap_call,
    add_method_call,
    drop_method_call,
    call_parentheses,
    missing_await,
    best_of,
)
