"""Templates on conditions: comparisons, conjunctions, negation, None and type tests."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.outline import FunctionNode
from pytest_buddy.coder.precedence import AND, COMPARE, CONDITIONAL, NOT, OR, level_of
from pytest_buddy.coder.roles import key_of
from pytest_buddy.coder.site import Site

_SYMBOL: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_SIBLINGS: Final[dict[str, dict[str, float]]] = {
    "<": {"<=": 1, ">": 0.8, ">=": 0.5, "!=": 0.2, "==": 0.15},
    "<=": {"<": 1, ">=": 0.8, ">": 0.5, "==": 0.15, "!=": 0.1},
    ">": {">=": 1, "<": 0.8, "<=": 0.5, "!=": 0.2, "==": 0.15},
    ">=": {">": 1, "<=": 0.8, "<": 0.5, "==": 0.15, "!=": 0.1},
    "==": {"!=": 1, ">=": 0.4, "<=": 0.4, ">": 0.2, "<": 0.2, "is": 0.1, "in": 0.2},
    "!=": {"==": 1, "<": 0.3, ">": 0.3, ">=": 0.1, "<=": 0.1, "is not": 0.1, "not in": 0.1},
    "is": {"is not": 1, "==": 0.8},
    "is not": {"is": 1, "!=": 0.8},
    "in": {"not in": 1, "==": 0.3},
    "not in": {"in": 1, "!=": 0.2},
}


def _test_slots(site: Site) -> Iterator[ast.expr]:
    """Expressions used as truth values, outermost only."""
    if isinstance(site.node, ast.If | ast.While | ast.Assert):
        yield site.node.test
    for node in site.parents:
        if isinstance(node, ast.IfExp):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        match node:
            case ast.Call(func=ast.Name(id="any" | "all"), args=[ast.GeneratorExp(elt=element)]):
                yield element
    if isinstance(site.node, ast.Match):
        yield from (case.guard for case in site.node.cases if case.guard is not None)


def _operator_span(site: Site, left: ast.expr, right: ast.expr) -> tuple[int, int] | None:
    content = site.source.content
    start, end = site.source.span(left)[1], site.source.span(right)[0]
    between = content[start:end]
    if b"#" in between or b"\\" in between:
        return None
    start += len(between) - len(between.lstrip(b" \t\r\n)"))
    end -= len(between) - len(between.rstrip(b" \t\r\n("))
    return (start, end) if start < end else None


@on_expressions("comparison", 0.22, ast.Compare)
def comparison_operator(site: Site, node: ast.Compare) -> Iterator[Change]:
    """Another comparison operator."""
    operands = [node.left, *node.comparators]
    for place, operator in enumerate(node.ops):
        span = _operator_span(site, operands[place], operands[place + 1])
        if span is None:
            continue
        symbol = _SYMBOL[type(operator)]
        against_none = isinstance(operands[place + 1], ast.Constant) and operands[place + 1].value is None  # type: ignore[attr-defined]
        for other, prior in _SIBLINGS[symbol].items():
            if against_none and other in ("<", ">", "<=", ">=", "in", "not in", "==", "!="):
                continue
            if other in ("in", "not in") and isinstance(operands[place + 1], ast.Constant):
                continue
            flipped = (symbol, other) in _NEGATIONS
            yield Change(
                splices=(Splice(*span, other),),
                rationale=f"compares with `{other}` instead of `{symbol}`",
                prior=prior,
                signal="truth" if flipped else "",
            )


_NEGATIONS: Final = frozenset(
    {("==", "!="), ("!=", "=="), ("is", "is not"), ("is not", "is"), ("in", "not in"), ("not in", "in")}
)


@on_expressions("boolean-operator", 0.16, ast.BoolOp)
def boolean_operator(site: Site, node: ast.BoolOp) -> Iterator[Change]:
    """`or` for `and`, and back."""
    symbol, other = ("or", "and") if isinstance(node.op, ast.Or) else ("and", "or")
    spans = [
        _operator_span(site, left, right) for left, right in zip(node.values, node.values[1:], strict=False)
    ]
    if any(span is None for span in spans):
        return
    outer = site.parent(node)
    splices = [Splice(*span, other) for span in spans if span is not None]
    if isinstance(outer, ast.BoolOp) or any(isinstance(value, ast.BoolOp) for value in node.values):
        level = OR if other == "or" else AND
        text = f" {other} ".join(site.operand(value, level + 1) for value in node.values)
        splices = [site.splice(node, text, level)]
    yield Change(
        splices=tuple(splices), rationale=f"joins the conditions with `{other}` instead of `{symbol}`"
    )
    if len(splices) > 1:
        for splice in splices:
            why = f"joins two of the conditions with `{other}` instead of `{symbol}`"
            yield Change(splices=(splice,), rationale=why, prior=0.3)


@on_expressions("drop-condition", 0.09, ast.BoolOp)
def drop_condition(site: Site, node: ast.BoolOp) -> Iterator[Change]:
    """One condition fewer, or one alternative fewer."""
    symbol = "or" if isinstance(node.op, ast.Or) else "and"
    level = OR if symbol == "or" else AND
    for place, dropped in enumerate(node.values):
        kept = [value for number, value in enumerate(node.values) if number != place]
        if len(kept) == 1:
            text, result = site.text(kept[0]), level_of(kept[0])
        else:
            text, result = f" {symbol} ".join(site.operand(value, level + 1) for value in kept), level
        why = f"drops `{symbol} {site.text(dropped)}`"
        yield site.change(node, text, why, level=result, suspicion=0.15)


@on_statement("negate", 0.11)
def negate(site: Site) -> Iterator[Change]:
    """The opposite condition."""
    for node in site.nodes_of(ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            why = f"drops `not` before `{site.text(node.operand)}`"
            yield site.change(
                node, site.text(node.operand), why, level=level_of(node.operand), signal="truth"
            )
    for test in _truths(site):
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _DIRECT:
            continue
        text = f"not {site.operand(test, NOT)}"
        why = f"negates `{site.text(test)}`"
        yield site.change(test, text, why, level=NOT, prior=0.7, signal="truth")


_DIRECT: Final = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)


def _truths(site: Site) -> Iterator[ast.expr]:
    for test in _test_slots(site):
        if isinstance(test, ast.BoolOp):
            yield from (value for value in test.values if not _is_not(value))
        if not _is_not(test) and not isinstance(test, ast.Constant):
            yield test
    if isinstance(site.node, ast.Return | ast.Assign) and isinstance(site.node.value, ast.expr):
        value = site.node.value
        if _is_predicate(site, value):
            yield value
        if isinstance(value, ast.BoolOp):
            yield from (item for item in value.values if not _is_not(item))


def _is_predicate(site: Site, value: ast.expr) -> bool:
    match value:
        case ast.BoolOp() | ast.Compare():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _PREDICATES
        case ast.Name() | ast.Attribute():
            return "truth" in site.hints.signals and not site.scope.roles.get(key_of(value))
    return False


_PREDICATES: Final = frozenset({"any", "all", "isinstance", "bool", "issubclass", "hasattr", "callable"})


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


@on_statement("swap-branches", 0.1)
def swap_branches(site: Site) -> Iterator[Change]:
    """The two values of a conditional expression change places, or one of them alone."""
    for node in site.nodes_of(ast.IfExp):
        body, other = site.text(node.body), site.text(node.orelse)
        yield Change(
            splices=(
                Splice(*site.source.span(node.body), site.operand(node.orelse, OR)),
                Splice(*site.source.span(node.orelse), site.operand(node.body, CONDITIONAL)),
            ),
            rationale=f"swaps `{body}` and `{other}`",
        )  # fmt: skip
        for kept in (node.body, node.orelse):
            why = f"always uses `{site.text(kept)}`"
            yield site.change(node, site.text(kept), why, level=level_of(kept), prior=0.15, suspicion=0.4)


@on_statement("none-guard", 0.06, spread=3)
def none_guard(site: Site) -> Iterator[Change]:
    """The condition, where a value is (or is not) None, or empty."""
    seen = site.hints.values
    for test in _test_slots(site):
        for name in _mentioned(site, test):
            may_be_none = 3.0 if "NoneType" in seen.get(name, ()) else 1.0
            for text, level, prior in (
                (f"{name} is not None and {site.operand(test, NOT)}", AND, 1.0),
                (f"{name} is None or {site.operand(test, AND)}", OR, 0.7),
                (f"{name} and {site.operand(test, NOT)}", AND, 0.5),
                (f"not {name} or {site.operand(test, AND)}", OR, 0.5),
            ):
                why = f"tests `{name}` before it is used"
                yield site.change(test, text, why, level=level, prior=prior * may_be_none)
        for part in test.values if isinstance(test, ast.BoolOp) else (test,):
            yield from _truth_to_none(site, part)


def _truth_to_none(site: Site, test: ast.expr) -> Iterator[Change]:
    negated = _is_not(test)
    inner = test.operand if isinstance(test, ast.UnaryOp) and negated else test
    if isinstance(inner, ast.Name | ast.Attribute | ast.Call | ast.NamedExpr):
        text = f"{site.operand(inner, COMPARE + 1)} {'is' if negated else 'is not'} None"
        why = f"asks whether `{site.text(inner)}` is None, not whether it is empty or zero"
        yield site.change(test, text, why, level=COMPARE, prior=3.0)
    match test:
        case ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            text = f"not {site.operand(left, NOT)}"
            yield site.change(test, text, "treats empty values as missing, too", level=NOT, prior=2.0)
        case ast.Compare(left=left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            yield site.change(test, site.text(left), "treats empty values as missing, too", prior=2.0)


def _mentioned(site: Site, test: ast.expr) -> list[str]:
    names: dict[str, None] = {}
    for node in ast.walk(test):
        match node:
            case ast.Attribute(value=ast.Name(id=owner)) if (
                owner == site.scope.instance and node in site.parents
            ):
                names[site.text(node)] = None
            case ast.Name(id=name) if name in site.scope.names and name != site.scope.instance:
                if site.scope.names[name].kind in ("parameter", "local"):
                    names[name] = None
    return list(names)[:3]


@on_statement("add-condition", 0.07, spread=5)
def add_condition(site: Site) -> Iterator[Change]:
    """One more condition: a variable's truth, or a comparison that the function makes elsewhere."""
    scope = site.scope
    for test in _test_slots(site):
        here = site.text(test)
        mentioned = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
        for name, likelihood in site.names_at(test).items():
            if likelihood < 1 or name in mentioned or name == scope.instance:
                continue
            for text, level, prior in (
                (f"{site.operand(test, NOT)} and {name}", AND, 1.0),
                (f"{site.operand(test, NOT)} and not {name}", AND, 0.8),
                (f"{site.operand(test, AND)} or {name}", OR, 0.7),
                (f"{site.operand(test, AND)} or not {name}", OR, 0.5),
            ):
                unread = 3.0 if name not in scope.reads else 1.0
                yield site.change(test, text, f"also tests `{name}`", level=level, prior=prior * unread)
        yield from _borrowed(site, test, here)


def _borrowed(site: Site, test: ast.expr, here: str) -> Iterator[Change]:
    for other in site.ingredients.comparisons:
        if other == here or other in here:
            continue
        for word, level, share in (("and", AND, 1.0), ("or", OR, 1.0)):
            text = f"{site.operand(test, level + 1)} {word} {other}"
            yield site.change(test, text, f"also tests `{other}`", level=level, prior=share)


@on_expressions("types-tested", 0.12, ast.Call)
def types_tested(site: Site, node: ast.Call) -> Iterator[Change]:
    """More, fewer or other types in an `isinstance` test."""
    match node:
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]):
            held = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
            known = site.outline.types_tested
            beside = dict.fromkeys(other for kind in held for other in sorted(known.get(site.text(kind), ())))
            yield from _other_types(site, kinds, (*beside, *_VALUE_TYPES, *known), first=len(beside))


@on_statement("types-caught", 0.25)
def types_caught(site: Site) -> Iterator[Change]:
    """More or other exceptions in an `except` clause: those that were raised, or that its block may raise."""
    node = site.node
    if isinstance(node, ast.ExceptHandler) and node.type is not None:
        raised = [name for name in sorted(site.hints.errors) if name != "AssertionError"]
        likely = dict.fromkeys((*raised, *_raised_by(site)))
        yield from _other_types(site, node.type, (*likely, *_ERRORS), first=len(likely))


def _raised_by(site: Site) -> Iterator[str]:
    """What the code under the `try` of an `except` clause may raise, by what it does."""
    around = site.statement.ancestors[-1] if site.statement.ancestors else None
    for node in (inner for part in getattr(around, "body", ()) for inner in ast.walk(part)):
        match node:
            case ast.Import() | ast.ImportFrom():
                yield "ImportError"
            case ast.Subscript(ctx=ast.Load()):
                yield from ("KeyError", "IndexError")
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                yield from _RAISED_BY.get(name, ())
                for function in site.outline.functions.get(name, ())[:1]:
                    yield from _raised_in(function)
            case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod()):
                yield "ZeroDivisionError"


def _raised_in(function: FunctionNode) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name)) | ast.Name(id=name)):
                yield name


_RAISED_BY: Final[dict[str, tuple[str, ...]]] = {
    "int": ("ValueError", "TypeError"), "float": ("ValueError", "TypeError", "OverflowError"),
    "next": ("StopIteration",), "getattr": ("AttributeError",), "index": ("ValueError",),
    "remove": ("ValueError", "KeyError"), "pop": ("KeyError", "IndexError"), "open": ("OSError",),
    "iter": ("TypeError",), "len": ("TypeError",), "hash": ("TypeError",), "loads": ("ValueError",),
    "decode": ("UnicodeDecodeError",), "encode": ("UnicodeEncodeError",),
    "chr": ("ValueError", "OverflowError"),
    "date": ("ValueError",), "datetime": ("ValueError",), "strptime": ("ValueError", "TypeError"),
    "fromisoformat": ("ValueError",), "fromtimestamp": ("OSError", "ValueError", "OverflowError"),
    "import_module": ("ImportError",), "__import__": ("ImportError",), "getsource": ("OSError", "TypeError"),
}  # fmt: skip
_VALUE_TYPES: Final = ("int", "float", "str", "bytes", "list", "tuple", "dict", "set", "bool", "complex")
_ERRORS: Final = (
    "ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "LookupError", "ZeroDivisionError",
    "OSError", "StopIteration", "ArithmeticError",
)  # fmt: skip
_PARTNERS: Final = frozenset(
    {("int", "float"), ("float", "int"), ("list", "tuple"), ("tuple", "list"), ("str", "bytes"),
     ("bytes", "str"), ("KeyError", "IndexError"), ("IndexError", "KeyError"), ("ValueError", "TypeError"),
     ("TypeError", "ValueError"), ("set", "frozenset"), ("LookupError", "KeyError")}
)  # fmt: skip


def _other_types(site: Site, kinds: ast.expr, pool: tuple[str, ...], first: int = 0) -> Iterator[Change]:
    held = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    texts = [site.text(kind) for kind in held]
    imported = [
        name for name, known in site.scope.names.items() if known.kind == "import" and _is_class(name)
    ]
    names = dict.fromkeys((*pool, *site.outline.classes, *imported))
    for rank, name in enumerate(names):
        if name in texts:
            continue
        prior = 3.0 if rank < first else 0.3
        if any((text, name) in _PARTNERS for text in texts):
            prior = 2.0
        widened = f"({', '.join((*texts, name))})"
        yield site.change(kinds, widened, f"takes `{name}` as well", prior=prior)
        if len(texts) == 1:
            why = f"takes `{name}` instead of `{texts[0]}`"
            yield site.change(kinds, name, why, prior=prior * (0.8 if rank < first else 0.4))
    if len(texts) > 1:
        for dropped in texts:
            kept = [text for text in texts if text != dropped]
            text = kept[0] if len(kept) == 1 else f"({', '.join(kept)})"
            yield site.change(kinds, text, f"no longer takes `{dropped}`", prior=0.8)


def _is_class(name: str) -> bool:
    return name[:1].isupper() and not name.isupper()


@on_statement("value-guard", 0.05, spread=3)
def value_guard(site: Site) -> Iterator[Change]:
    """A value worked out only when what it is made of is there."""
    node = site.node
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.Return) or not isinstance(
        node.value, ast.Call | ast.BinOp | ast.Subscript | ast.Attribute
    ):
        return
    here = site.operand(node.value, NOT)
    for name in _mentioned(site, node.value):
        likely = 3.0 if "NoneType" in site.hints.values.get(name, ()) else 1.0
        why = f"works it out only when there is a `{name}`"
        yield site.change(node.value, f"{name} and {here}", why, level=AND, prior=likely, signal="none")
        for test, share in ((name, 1.0), (f"{name} is not None", 0.7)):
            for value in ("None", '""', name, "[]"):
                text = f"{site.operand(node.value, OR)} if {test} else {value}"
                prior = likely * share * (0.7 if value == "None" else 0.25)
                yield site.change(node.value, text, why, level=CONDITIONAL, prior=prior)


TEMPLATES: Final[tuple[Template, ...]] = (
    comparison_operator,
    boolean_operator,
    drop_condition,
    negate,
    swap_branches,
    none_guard,
    add_condition,
    types_tested,
    types_caught,
    value_guard,
)
