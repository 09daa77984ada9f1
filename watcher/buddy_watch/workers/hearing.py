"""What test processes say -> the values of the watch loop."""

import json
from collections.abc import Mapping
from typing import Any

from buddy_watch.values import Collected, Hello, Ran, Touched
from pytest_buddy.codec import decode
from pytest_buddy.domain import Failure


def hello(body: Mapping[str, Any], *, here_first: bool) -> Hello:
    """What pytest says of the project."""
    return Hello(
        rootdir=body["rootdir"],
        inipath=body["inipath"],
        arguments=tuple(body["arguments"]),
        paths=tuple(body["paths"]),
        testpaths=tuple(body["testpaths"]),
        python_files=tuple(body["python_files"]),
        norecursedirs=tuple(body["norecursedirs"]),
        inherited=tuple(body["inherited"]),
        here_first=here_first,
        loaded=frozenset(body["loaded"]),
    )


def collected(run: int, body: Mapping[str, Any]) -> Collected:
    """What a run will run; a run of all that it has seen does not say so twice."""
    tests = tuple(body["tests"])
    return Collected(
        run=run,
        tests=tests,
        seen=tests if body["seen"] is None else tuple(body["seen"]),
        edges=frozenset((importer, imported) for importer, imported in body["edges"]),
    )


def ran(run: int, body: Mapping[str, Any]) -> Ran:
    """How a test ended."""
    text = body.get("failure")
    found = body.get("touched")
    return Ran(
        run=run,
        test=body["test"],
        status=body["status"],
        seconds=body["seconds"],
        failure=None if text is None else decode(Failure, json.loads(text)),
        touched=None if found is None else _touched(found),
    )


def _touched(body: Mapping[str, Any]) -> Touched:
    return Touched(
        functions=_pairs(body, "functions"),
        files=frozenset(body.get("files", ())),
        directories=frozenset(body.get("directories", ())),
        imported=frozenset(body.get("imported", ())),
        edges=_pairs(body, "edges"),
        early=_pairs(body, "early"),
        early_files=_pairs(body, "early_files"),
        beyond=bool(body.get("beyond", False)),
    )


def _pairs(body: Mapping[str, Any], name: str) -> frozenset[tuple[str, str]]:
    return frozenset((first, second) for first, second in body.get(name, ()))
