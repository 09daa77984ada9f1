"""Templates on whole statements: what they do, where they stand, in which order."""

import ast
from collections.abc import Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.layout import ends_flow, line_end, lines_of, shifted, text_between
from pytest_buddy.coder.outline import LOOPS, StatementNode
from pytest_buddy.coder.precedence import LAMBDA, LOOSE, level_of
from pytest_buddy.coder.site import Site

_SIMPLE: Final = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Raise, ast.Break,
                  ast.Continue, ast.Delete)  # fmt: skip
_IN_PLACE: Final = frozenset(
    {"sort", "reverse", "append", "extend", "add", "update", "insert", "remove", "clear"}
)
_RETURNING: Final = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "title", "replace", "capitalize", "union", "difference",
     "intersection", "removeprefix", "removesuffix", "zfill", "ljust", "rjust", "encode", "decode", "copy",
     "with_suffix", "astimezone", "casefold", "format", "join"}
)  # fmt: skip
_RAISED: Final = (
    "ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "RuntimeError",
    "NotImplementedError", "StopIteration", "OverflowError", "ZeroDivisionError", "LookupError", "OSError",
)  # fmt: skip


def _keyword(site: Site, old: str, new: str) -> Splice:
    start = site.source.span(site.statement.node)[0]
    return Splice(start, start + len(old), new)


@on_statement("add-return", 0.25)
def add_return(site: Site) -> Iterator[Change]:
    """The value of a bare expression, or of an assignment, returned."""
    node = site.node
    if site.statement.owner.function is None:
        return
    if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom):
        method = node.value.func.attr if _is_method(node.value) else ""  # type: ignore[attr-defined]
        start = site.source.span(node)[0]
        exception = isinstance(node.value, ast.Call) and site.text(node.value.func).endswith(
            ("Error", "Exception")
        )
        if exception:
            why = f"raises `{site.text(node.value)}`"
            yield Change(splices=(Splice(start, start, "raise "),), rationale=why, structural=True, prior=2.0)
        yield Change(
            splices=(Splice(start, start, "return "),),
            rationale=f"returns `{site.text(node.value)}`",
            prior=0.1 if method in _IN_PLACE else 1.0,
            signal="return",
            structural=True,
        )
    elif isinstance(node, ast.Return) and node.value is not None:
        text = site.text(node.value)
        if isinstance(node.value, ast.Call) and site.text(node.value.func).endswith(("Error", "Exception")):
            yield Change(
                splices=(_keyword(site, "return", "raise"),), rationale=f"raises `{text}`", structural=True
            )


def _is_method(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


@on_statement("return-value", 0.12, spread=2)
def return_value(site: Site) -> Iterator[Change]:
    """A variable of the function returned, where nothing is returned so far."""
    node, function = site.statement.node, site.statement.owner.function
    if function is None or site.scope.is_generator:
        return
    names = [
        name.id
        for name in site.scope.names.values()
        if name.kind in ("local", "parameter") and name.id != "self"
    ]
    if isinstance(node, ast.Return) and node.value is None:
        end = site.source.span(node)[1]
        for name in names:
            splice = Splice(end, end, f" {name}")
            yield Change(splices=(splice,), rationale=f"returns `{name}`", signal="return", structural=True)
    last = function.body[-1]
    if node is not last and not (site.statement.ancestors and site.statement.ancestors[0] is last):
        return
    if ends_flow(last) or (end_of_last := line_end(site, last)) is None:
        return
    margin = _margin(site, last)
    updated = {item.id for item in ast.walk(last) if isinstance(item, ast.Name)}
    for name in names if margin is not None else ():
        prior = (1.0 if site.scope.names[name].kind == "local" else 0.3) * (1.0 if name in updated else 0.4)
        splice = Splice(end_of_last, end_of_last, f"\n{margin}return {name}")
        yield Change(
            splices=(splice,), rationale=f"returns `{name}` at the end", prior=prior, signal="return",
            structural=True,
        )  # fmt: skip


def _margin(site: Site, node: ast.stmt) -> str | None:
    start = site.source.line_starts[node.lineno - 1]
    text = text_between(site, start, site.source.span(node)[0])
    return text if not text.strip() else None


@on_expressions("yield-from", 0.3, ast.Yield, ast.YieldFrom)
def yield_from(site: Site, node: ast.Yield | ast.YieldFrom) -> Iterator[Change]:
    """`yield from` for `yield`, and back."""
    if node.value is None:
        return
    text = site.text(node.value)
    if isinstance(node, ast.Yield):
        change = site.change(node, f"yield from {text}", f"yields each item of `{text}`", level=LOOSE)
    else:
        change = site.change(node, f"yield {text}", f"yields `{text}` itself", level=LOOSE)
    yield Change(splices=change.splices, rationale=change.rationale, structural=True)


@on_statement("return-or-yield", 0.06)
def return_or_yield(site: Site) -> Iterator[Change]:
    """`yield` for `return` in a loop or generator, and back."""
    node = site.node
    if isinstance(node, ast.Return) and node.value is not None:
        prior = 1.0 if site.scope.is_generator or site.statement.in_loop else 0.2
        splice = _keyword(site, "return", "yield")
        yield Change(
            splices=(splice,),
            rationale="yields the value instead of returning it",
            prior=prior,
            structural=True,
        )
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield) and node.value.value is not None:
        splice = _keyword(site, "yield", "return")
        yield Change(
            splices=(splice,),
            rationale="returns the value instead of yielding it",
            prior=0.3,
            structural=True,
        )


@on_statement("break-continue", 0.2)
def break_or_continue(site: Site) -> Iterator[Change]:
    """`break`, `continue` or `return` in place of one another."""
    words: dict[type[ast.AST], str] = {ast.Break: "break", ast.Continue: "continue", ast.Pass: "pass"}
    old = words.get(type(site.node), "")
    if isinstance(site.node, ast.Return) and site.node.value is None:
        old = "return"
    if old and site.statement.in_loop:
        for new in ("continue", "break", "return", "pass"):
            if new != old and not (new == "return" and site.statement.owner.function is None):
                splice = _keyword(site, old, new)
                prior = 1.0 if new in ("break", "continue") else 0.2
                yield Change(
                    splices=(splice,), rationale=f"`{new}` instead of `{old}`", prior=prior, structural=True
                )


@on_statement("keyword", 0.08)
def statement_keyword(site: Site) -> Iterator[Change]:
    """`while` for `if`, `elif` for `if`, and back."""
    node = site.node
    if isinstance(node, ast.While):
        yield Change(
            splices=(_keyword(site, "while", "if"),), rationale="`if` instead of `while`", structural=True
        )
    if not isinstance(node, ast.If):
        return
    if site.statement.chained:
        why = "asks this condition as well, whatever the one above said"
        yield Change(splices=(_keyword(site, "elif", "if"),), rationale=why, structural=True)
        return
    if not node.orelse and not ends_flow(node.body[-1]):
        why = "repeats as long as the condition holds"
        yield Change(splices=(_keyword(site, "if", "while"),), rationale=why, prior=0.5, structural=True)
    previous = site.statement.block[site.statement.index - 1] if site.statement.index else None
    if isinstance(previous, ast.If) and not ends_flow(previous.body[-1]) and not previous.orelse:
        why = "asks this condition only when the one above does not hold"
        yield Change(splices=(_keyword(site, "if", "elif"),), rationale=why, structural=True)


@on_statement("in-place", 0.2)
def in_place(site: Site) -> Iterator[Change]:
    """The result kept, of a method that returns it; or not, of one that works in place."""
    node = site.node
    match node:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr=attr))
        ):
            if attr in _RETURNING or (attr not in _IN_PLACE and attr in site.outline.functions):
                start = site.source.span(node)[0]
                target = site.text(owner)
                prior = 2.0 if attr in _RETURNING else 0.2
                why = f"keeps the result of `{attr}`, which does not change `{target}`"
                yield Change(splices=(Splice(start, start, f"{target} = "),), rationale=why, prior=prior)
        case ast.Expr(
            value=ast.Call(func=ast.Name(id="sorted" | "reversed" | "list" | "set"), args=[first, *_])
        ):
            if isinstance(first, ast.Name | ast.Attribute):
                start = site.source.span(node)[0]
                why = f"keeps the result in `{site.text(first)}`"
                yield Change(splices=(Splice(start, start, f"{site.text(first)} = "),), rationale=why)
        case ast.Assign(value=ast.Call(func=ast.Attribute(value=owner, attr=attr)) as call) if (
            attr in _IN_PLACE
        ):
            start, end = site.source.span(node)
            if attr in ("sort", "reverse"):
                name = "sorted" if attr == "sort" else "reversed"
                rest = "".join(f", {site.text(item)}" for item in call.keywords)
                text = f"{name}({site.text(owner)}{rest})"
                yield site.change(
                    call, text, f"takes the sorted copy, as `{attr}` returns None", signal="return"
                )
            why = f"does not assign the result of `{attr}`, which is None"
            yield Change(splices=(Splice(start, end, site.text(call)),), rationale=why)
        case ast.Return(value=ast.Call(func=ast.Attribute(value=owner, attr="sort")) as call):
            rest = "".join(f", {site.text(item)}" for item in call.keywords)
            text = f"sorted({site.text(owner)}{rest})"
            yield site.change(
                call, text, "returns the sorted copy, as `sort` returns None", signal="return", prior=2
            )


@on_statement("dedent", 0.12)
def dedent(site: Site) -> Iterator[Change]:
    """The statement, and those after it in its block, one level further out."""
    statement = site.statement
    if not statement.ancestors or not statement.index or not site.starts_line or statement.chained:
        return
    parent, node = statement.ancestors[-1], statement.node
    last = statement.block[-1]
    outer = _outer_margin(site, parent)
    if outer is None or isinstance(parent, ast.Try) or isinstance(node, ast.Break | ast.Continue):
        return
    if last.end_lineno != parent.end_lineno or not isinstance(node, ast.stmt):
        return
    span = lines_of(site, node, last)
    text = shifted(text_between(site, *span), site.indentation, outer) if span is not None else None
    if span is None or text is None:
        return
    out_of_loop = isinstance(parent, LOOPS) and isinstance(node, ast.Return)
    yield Change(
        splices=(Splice(*span, text),),
        rationale=f"moves the statement out of the `{_word(parent)}` around it",
        prior=(2.0 if out_of_loop else 1.0) * (1.0 if node is last else 0.4),
        structural=True,
    )


def _outer_margin(site: Site, parent: StatementNode) -> str | None:
    text = text_between(site, site.source.line_starts[parent.lineno - 1], site.source.span(parent)[0])
    return text if not text.strip() else None


def _word(node: StatementNode) -> str:
    return {"asyncfor": "async for", "excepthandler": "except"}.get(
        type(node).__name__.lower(), type(node).__name__.lower()
    )


@on_statement("indent", 0.09)
def indent(site: Site) -> Iterator[Change]:
    """The statement one level further in, at the end of the block before it."""
    statement = site.statement
    if (
        not statement.index
        or not site.starts_line
        or statement.chained
        or not isinstance(statement.node, ast.stmt)
    ):
        return
    previous = statement.block[statement.index - 1]
    if not isinstance(previous, (*LOOPS, ast.If, ast.With)) or not isinstance(site.node, _SIMPLE):
        return
    block = previous.orelse if isinstance(previous, ast.If) and previous.orelse else previous.body
    inner = _margin(site, block[-1])
    span = lines_of(site, statement.node, statement.node)
    if span is None or inner is None or len(inner) <= len(site.indentation):
        return
    text = shifted(text_between(site, *span), site.indentation, inner)
    if text is not None and not ends_flow(block[-1]):
        yield Change(
            splices=(Splice(*span, text),),
            rationale=f"moves the statement into the `{_word(previous)}` before it",
            prior=0.5 if isinstance(site.node, ast.Return) else 1.0,
            structural=True,
        )


@on_statement("swap-lines", 0.06)
def swap_lines(site: Site) -> Iterator[Change]:
    """The statement and a neighbour in the other order."""
    statement = site.statement
    node = statement.node
    if not isinstance(node, ast.stmt) or statement.chained or ends_flow(node):
        return
    for place in (statement.index - 1, statement.index + 1):
        if not 0 <= place < len(statement.block):
            continue
        other = statement.block[place]
        if ends_flow(other) or not isinstance(other, (*_SIMPLE, ast.If)) or _is_text(other):
            continue
        if _margin(site, other) != site.indentation or not site.starts_line:
            continue
        first, second = (other, node) if place < statement.index else (node, other)
        splices = (
            Splice(*site.source.span(first), site.text(second)),
            Splice(*site.source.span(second), site.text(first)),
        )
        why = f"runs `{site.text(second).splitlines()[0]}` before `{site.text(first).splitlines()[0]}`"
        yield Change(splices=splices, rationale=why, structural=True)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@on_statement("move-line", 0.05)
def move_line(site: Site) -> Iterator[Change]:
    """The statement a few lines further down or up in its block."""
    statement, node = site.statement, site.statement.node
    if (
        not isinstance(node, _SIMPLE)
        or not site.starts_line
        or ends_flow(node)
        or site.statement.is_docstring
    ):
        return
    span = lines_of(site, node, node)
    end = len(site.source.content)
    if span is None or span[1] >= end:
        return
    newline = len(site.source.newline)
    text = text_between(site, *span)
    for place, other in enumerate(statement.block):
        if abs(place - statement.index) < 2 or ends_flow(other) or _margin(site, other) != site.indentation:
            continue
        target = lines_of(site, other, other)
        if target is None or _is_text(other) or getattr(other, "decorator_list", None):
            continue
        down = place > statement.index
        inserted = (
            Splice(target[1], target[1], f"\n{text}") if down else Splice(target[0], target[0], f"{text}\n")
        )
        yield Change(
            splices=(Splice(span[0], span[1] + newline, ""), inserted),
            rationale=f"moves `{text.strip().splitlines()[0]}` {'down' if down else 'up'}",
            prior=1.0 if place in (0, len(statement.block) - 1) else 0.5,
            structural=True,
        )


@on_statement("raise-other", 0.15)
def raise_other(site: Site) -> Iterator[Change]:
    """Another exception raised."""
    node = site.node
    if not isinstance(node, ast.Raise) or node.exc is None:
        return
    kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if isinstance(kind, ast.Attribute):  # module.Error: the wanted one is likely to be there too
        for name in site.hints.wanted_errors:
            if name != kind.attr:
                text = f"{site.text(kind.value)}.{name}"
                yield site.change(kind, text, f"raises `{text}` instead of `{site.text(kind)}`", prior=4.0)
    if not isinstance(kind, ast.Name):
        return
    wanted = site.hints.wanted_errors
    own = [name for name in site.outline.classes if name.endswith(("Error", "Exception", "Warning"))]
    for name in dict.fromkeys((*wanted, *own, *_RAISED)):
        if name != kind.id:
            prior = 4.0 if name in wanted else 0.3
            yield site.change(kind, name, f"raises `{name}` instead of `{kind.id}`", prior=prior)


@on_statement("delete", 0.002)
def delete(site: Site) -> Iterator[Change]:
    """The statement left out."""
    statement = site.statement
    node = statement.node
    if (
        not isinstance(node, (*_SIMPLE, ast.If, ast.Assert))
        or statement.chained
        or not isinstance(node, ast.stmt)
    ):
        return
    why = f"leaves out `{site.text(node).splitlines()[0]}`"
    if len(statement.block) == 1 or not site.starts_line:
        splice = Splice(*site.source.span(node), "pass")
    else:
        span = lines_of(site, node, node)
        if span is None:
            return
        newline = len(site.source.newline) if site.source.content[span[1] : span[1] + 1] else 0
        splice = Splice(span[0], min(span[1] + newline, len(site.source.content)), "")
    yield Change(splices=(splice,), rationale=why, suspicion=0.7, structural=True)


@on_statement("reverse-assignment", 0.04)
def reverse_assignment(site: Site) -> Iterator[Change]:
    """The assignment the other way round."""
    node = site.node
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
        if isinstance(value, ast.Name | ast.Attribute | ast.Subscript) and isinstance(
            target, ast.Name | ast.Attribute | ast.Subscript
        ):
            splices = (
                Splice(*site.source.span(target), site.operand(value, LAMBDA)),
                Splice(*site.source.span(value), site.text(target)),
            )
            if level_of(value) >= LAMBDA:
                why = f"assigns `{site.text(target)}` to `{site.text(value)}`, not the reverse"
                yield Change(splices=splices, rationale=why, structural=True)


TEMPLATES: Final[tuple[Template, ...]] = (
    add_return,
    return_value,
    yield_from,
    return_or_yield,
    break_or_continue,
    statement_keyword,
    in_place,
    dedent,
    indent,
    swap_lines,
    move_line,
    raise_other,
    delete,
    reverse_assignment,
)
