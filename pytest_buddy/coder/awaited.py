"""Which exceptions the failing lines of tests wait for."""

import ast
from collections.abc import Iterable, Iterator, Mapping

from pytest_buddy.domain import Failure
from pytest_buddy.errors import SourceError
from pytest_buddy.source import Source

_WAITING = frozenset({"raises", "assertRaises", "assertRaisesRegex", "assertRaisesRegexp"})


def awaited_errors(failures: Iterable[Failure], sources: Mapping[str, Source]) -> tuple[str, ...]:
    """The exceptions for which a test waits by `raises` where it failed, and that did not come."""
    found: dict[str, None] = {}
    for failure in failures:
        for frame in failure.project_frames[:2]:
            source = sources.get(frame.path)
            if source is not None and frame.path == failure.test.partition("::")[0]:
                found |= dict.fromkeys(_around(source, frame.line))
    return tuple(name for name in found if not _ended_with(name, failures))


def _ended_with(name: str, failures: Iterable[Failure]) -> bool:
    return any(failure.error_type.rpartition(".")[2] == name for failure in failures)


def _around(source: Source, line: int) -> Iterator[str]:
    try:
        tree = source.tree
    except SourceError:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or not node.lineno <= line <= (node.end_lineno or 0):
            continue
        if isinstance(node, ast.With | ast.AsyncWith):
            calls: Iterable[ast.AST] = (item.context_expr for item in node.items)
        elif isinstance(node, ast.Expr | ast.Assign):
            calls = ast.walk(node)
        else:
            continue
        for call in calls:
            if isinstance(call, ast.Call) and _name(call.func) in _WAITING and call.args:
                wanted = call.args[0]
                kinds = wanted.elts if isinstance(wanted, ast.Tuple) else [wanted]
                yield from (name for kind in kinds if (name := _name(kind)))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
