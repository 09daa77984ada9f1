"""Whole lines around a statement: inserting, moving, re-indenting."""

import ast

from pytest_buddy.coder.change import Splice
from pytest_buddy.coder.site import Site

_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def ends_flow(node: ast.AST) -> bool:
    """Whether nothing after the statement in its block can run."""
    return isinstance(node, _ENDS)


def before(site: Site, *lines: str) -> Splice | None:
    """Insert lines above the statement, indented as it is; None where that cannot be done."""
    if not site.starts_line or site.statement.chained or not site.statement.block:
        return None
    node = site.statement.node
    if getattr(node, "decorator_list", None):
        return None
    start = site.source.span(node)[0]
    margin = site.indentation
    return Splice(start, start, "".join(f"{line}\n{margin}" for line in lines))


def after(site: Site, *lines: str) -> Splice | None:
    """Insert lines below the whole statement, indented as it is; None where that cannot be done."""
    node = site.statement.node
    if not site.starts_line or site.statement.chained or not site.statement.block or ends_flow(node):
        return None
    end = line_end(site, node)
    if end is None:
        return None
    return Splice(end, end, "".join(f"\n{site.indentation}{line}" for line in lines))


def line_end(site: Site, node: ast.stmt | ast.ExceptHandler) -> int | None:
    """Where the last line of a statement ends; None when more code follows on that line."""
    end = site.source.span(node)[1]
    content = site.source.content
    stop = end
    while stop < len(content) and content[stop] not in b"\r\n":
        stop += 1
    rest = content[end:stop].strip()
    return stop if not rest or rest.startswith(b"#") else None


def lines_of(site: Site, first: ast.stmt, last: ast.stmt) -> tuple[int, int] | None:
    """The bytes of the lines from one statement to another, without the last newline."""
    start = site.source.line_starts[first.lineno - 1]
    if site.source.content[start : site.source.span(first)[0]].strip():
        return None
    end = line_end(site, last)
    return None if end is None else (start, end)


def text_between(site: Site, start: int, end: int) -> str:
    r"""The text of a span, with `\n` newlines."""
    raw = site.source.content[start:end].decode(site.source.encoding, "replace")
    return raw.replace("\r\n", "\n").replace("\r", "\n")


def shifted(text: str, old: str, new: str) -> str | None:
    """The lines with the margin `old` replaced by `new`; None when a line has another margin."""
    lines = []
    for line in text.split("\n"):
        if not line.strip():
            lines.append(line)
        elif line.startswith(old):
            lines.append(new + line[len(old) :])
        else:
            return None
    return "\n".join(lines)
