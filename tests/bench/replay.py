"""Compares a function of two trees on the calls that the suite makes of it, and on calls near those.

It judges a fix when only one test notices the fault, so that none could be kept back.
"""

import ast
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faults import innermost_function
from limited import run
from packages import Prepared
from suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How many calls were compared, and how many did something else."""

    calls: int
    different: int


def compare(prepared: Prepared, suite: Suite, file: str, line: int) -> Comparison:
    """Compare the function around a line of the untouched tree with that of the work tree, which is reset."""
    name = qualified_name((prepared.pristine / file).read_text(encoding="utf-8"), line)
    if not name:
        return Comparison(calls=0, different=0)
    patched = (prepared.work / file).read_bytes()
    prepared.reset()
    with tempfile.TemporaryDirectory(prefix="bench-replay-") as directory:
        calls = Path(directory) / "calls"
        target = {"BENCH_CALLS_OF": f"{prepared.work / file}::{name}", "BENCH_CALLS": str(calls)}
        suite.run(("-p", "call_log"), environment=target)
        before = _replay(prepared, suite, calls, file, name)
        (prepared.work / file).write_bytes(patched)
        return judge(before, _replay(prepared, suite, calls, file, name))


def judge(before: list[list[str]], after: list[list[str]]) -> Comparison:
    """Count differences: of recorded calls any, of calls near them those that used to return."""
    if len(before) != len(after):
        return Comparison(calls=len(before), different=len(before))
    counted = [(old, new) for old, new in zip(before, after, strict=True) if old[0] != "near raised"]
    return Comparison(
        calls=len(counted), different=sum(_behaviour(old) != _behaviour(new) for old, new in counted)
    )


def qualified_name(text: str, line: int) -> str:
    """What code objects call the innermost function around a line; empty at module level."""
    span = innermost_function(text, line)
    return next((name for name, first, last in _named(ast.parse(text), "") if (first, last) == span), "")


def _named(parent: ast.AST, prefix: str) -> Iterator[tuple[str, int, int]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield prefix + node.name, first, node.end_lineno or node.lineno
            yield from _named(node, f"{prefix}{node.name}.<locals>.")
        elif isinstance(node, ast.ClassDef):
            yield from _named(node, f"{prefix}{node.name}.")
        else:
            yield from _named(node, prefix)


def _replay(prepared: Prepared, suite: Suite, calls: Path, file: str, name: str) -> list[list[str]]:
    if not calls.exists():
        return []
    path = prepared.work / file
    answer = calls.with_name("answer")
    answer.unlink(missing_ok=True)
    parts = [path.stem] if path.stem != "__init__" else []
    parent = path.parent
    while (parent / "__init__.py").exists():
        parts.insert(0, parent.name)
        parent = parent.parent
    environment = {
        "PYTHONPATH": os.pathsep.join((str(parent), str(prepared.work))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }
    script = suite.plugins / "call_log.py"
    command: list[str | os.PathLike[str]] = [
        prepared.python,
        "-P",
        script,
        calls,
        path,
        ".".join(parts),
        name,
        answer,
    ]
    run(command, cwd=prepared.work, env=environment, wall=120)
    if not answer.exists():
        return []
    replayed: list[list[str]] = json.loads(answer.read_text(encoding="utf-8"))
    return replayed


def _behaviour(call: list[str]) -> tuple[str, str]:
    kind, text = call
    return kind, text.partition(":")[0] if kind.endswith("raised") else text
