"""Asks the coders again, without a clock, whether they would have come to the original text, and when.

Run by the interpreter of the package under test, with a file that holds a job in JSON. The answer goes to
standard output: for what was tried, for all that the coders propose with the suspects they were given, and
for what they propose when they are told the true statements.
"""

import ast
import json
import pickle
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_buddy.config import Config
from pytest_buddy.domain import Suspect
from pytest_buddy.ports import Context
from pytest_buddy.registry import coders
from pytest_buddy.source import Source

_IGNORED = re.compile(rb"[\s()\\,]+")
_NEAR = 3
Edits = Iterable[tuple[str, int, int, bytes]]


class Target:
    """The original text of one file, and texts in which only one place was mended."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.file: str = job["file"]
        self.faulty = job["faulty"].encode()
        self.wanted = {name: text.encode() for name, text in job["wanted"].items()}
        self._stripped = {_stripped(text): name for name, text in self.wanted.items()}
        starts = [0]
        for line in self.faulty.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self._near = [
            (starts[max(0, first - 1 - _NEAR)], starts[min(len(starts) - 1, last + _NEAR)])
            for first, last in job["places"]
        ]

    def met(self, edits: Edits) -> str:
        """The name of the text that the edits give, or nothing."""
        mine = sorted(edits, key=lambda edit: edit[1], reverse=True)
        if any(edit[0] != self.file for edit in mine):
            return ""
        if not any(start <= last and end >= first for _, start, end, _ in mine for first, last in self._near):
            return ""
        text = self.faulty
        for _, start, end, replacement in mine:
            text = text[:start] + replacement + text[end:]
        name = self._stripped.get(_stripped(text), "")
        return name if name and _tree(text) == _tree(self.wanted[name]) else ""


def tried(target: Target, watch: dict[str, Any]) -> dict[str, Any]:
    """When the original text was tried, and how the tests ended with it."""
    count, found = 0, {}
    for seconds, probe, edits, origin, ends in watch["tried"]:
        count += not probe
        name = target.met(edits)
        if name and name not in found:
            found[name] = {"place": count, "seconds": seconds, "origin": origin, "ends": ends, "probe": probe}
    return {"count": count, "found": found}


def proposed(target: Target, context: Context, most: int, seconds: float) -> dict[str, Any]:
    """Which place the original text has among all that the coders propose."""
    limit = time.monotonic() + seconds
    found: dict[str, int] = {}
    count = 0
    for patch in _patches(context):
        count += 1
        name = target.met((edit.path, edit.start, edit.end, edit.replacement) for edit in patch.edits)
        if name:
            found.setdefault(name, count)
        if name == "whole" or count >= most or time.monotonic() > limit:
            break
    return {"count": count, "found": found}


def _patches(context: Context) -> Iterator[Any]:
    for coder in coders(Config(coder="templates")):
        yield from coder.propose(context)


def _contexts(watch: dict[str, Any]) -> Iterator[Context]:
    for known in watch["contexts"]:
        sources = {
            path: Source(path=path, module=module, content=content)
            for path, (module, content) in known["sources"].items()
        }
        yield replace(known["context"], sources=sources)


def _told(context: Context, file: str, places: list[list[int]]) -> Context:
    """The context with the true statements as its only suspects."""
    suspects = tuple(
        Suspect(path=file, line=first, end_line=last, function="", score=1.0, rank=1)
        for first, last in places
    )
    return replace(context, suspects=suspects)


def _stripped(text: bytes) -> bytes:
    """A cheap first look: texts of equal trees nearly always agree in this."""
    return _IGNORED.sub(b"", text.replace(b"'", b'"'))


def _tree(text: bytes) -> str:
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        return ""


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_bytes())
    watch = pickle.loads(Path(job["watch"]).read_bytes())
    target = Target(job)
    contexts = list(_contexts(watch))
    answer: dict[str, Any] = {"tried": tried(target, watch), "proposed": None, "told": None}
    if contexts:
        context = contexts[0]
        answer["proposed"] = proposed(target, context, 20_000, job["seconds"])
        if job["file"] in context.editable:
            answer["told"] = proposed(target, _told(context, job["file"], job["places"]), 3_000, 20.0)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
