"""The tables of pytest_buddy/SANDBOX.md are what the tests try, no more and no less; REWRITE_GOLDEN=1 writes them."""

# ruff: noqa: E501

import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

import pytest_buddy
from pytest_buddy.runner.sandbox import probing

PAGE = Path(pytest_buddy.__file__).with_name("SANDBOX.md")
_UNTRIED = "not tried"


def _module(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"table_of_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _table(first: str, rows: dict[str, tuple[str, ...]], columns: tuple[str, ...]) -> str:
    lines = [
        f"| {first} | {' | '.join(f'`{column}`' for column in columns)} |",
        "| --- |" + " --- |" * len(columns),
    ]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    return "\n".join(lines)


def _attacks() -> str:
    stopped = _module("test_sandbox_attacks").STOPPED
    rows = {
        name: tuple("stopped" if name in stopped[level] else "gets through" for level in ("full", "partial"))
        for name in stopped["full"]
    }
    return _table(
        "attack", {name: (*cells, _UNTRIED) for name, cells in rows.items()}, ("full", "partial", "macOS")
    )


def _runaways() -> str:
    levels = ("full", "partial", "none")
    rows = {}
    for name, function in vars(_module("test_sandbox_runaways")).items():
        if name.startswith("test_"):
            marks = getattr(function, "pytestmark", [])
            held = next((mark.args[1] for mark in marks if mark.args[0] == "room"), ("full",))
            rows[name[5:].replace("_", " ")] = tuple(
                "held" if level in held else "not promised" for level in levels
            )
    return _table("runaway", rows, levels)


def _ordinary() -> str:
    working = _module("test_sandbox_ordinary").WORKING
    levels = ("full", "partial")
    return _table(
        "what a test does",
        {
            name: tuple("works" if name in working[level] else "not promised" for level in levels)
            for name in working["full"]
        },
        levels,
    )


def test_the_page_shows_what_the_tests_try():
    tables = {"attacks": _attacks(), "runaways": _runaways(), "ordinary": _ordinary()}
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        assert block.search(text), name
        text = block.sub(lambda match, table=table: match[1] + table + match[2], text)
    if os.environ.get("REWRITE_GOLDEN") == "1":
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


def test_enough_is_tried():
    stopped = _module("test_sandbox_attacks").STOPPED
    assert len(stopped["full"]) + _runaways().count("\n") - 1 >= 47
    assert len(_module("test_sandbox_ordinary").WORKING["full"]) >= 26


def test_every_advice_names_what_to_do():
    assert all(value in probing._WANTED_VALUES for _, value, _ in probing._SWITCHES)
