"""The house itself: HOUSE rules that a machine can check, and the papers against what they describe."""

import ast
import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_buddy.config import Config

pytestmark = pytest.mark.house

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pytest_buddy"
WATCH = ROOT / "watcher" / "buddy_watch"
PROGRAMS = {WATCH / "inside"}  # of other processes: entered by their names on a command line
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
WATCH_ROOMS = sorted(path.parent.name for path in WATCH.glob("*/__init__.py") if path.parent not in PROGRAMS)
MODULES = sorted((*PACKAGE.rglob("*.py"), *WATCH.rglob("*.py")))
PARTS = ("pytest_buddy", "watcher", "tests", "fixtures", "models", ".ci", ".github")
LONGEST = 450
LONG_ON_PURPOSE = {"domain.py"}  # all nouns on one page
STANDARD_LIBRARY_ONLY = (
    "codec", "config", "domain", "errors", "processes", "redact", "secret_rules", "source", "values",
    "workspace",
)  # fmt: skip


def _check(*arguments: str) -> None:
    """Fail with what a tool of the running environment says of the repository, unless it is content."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else WATCH.parent).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), str(path))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _own_files() -> Iterator[Path]:
    """Every text file of the repository, and nothing that tools have left in it."""
    yield from (path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(".coverage"))
    for part in PARTS:
        for path in (ROOT / part).rglob("*"):
            if path.is_file() and not {"__pycache__", ".buddy"} & set(path.parts) and path.suffix != ".pyc":
                yield path


# The tools.


def test_ruff_finds_nothing():
    _check("-m", "ruff", "check", "--no-cache", "--output-format=concise")


def test_ruff_would_format_nothing():
    _check("-m", "ruff", "format", "--no-cache", "--check")


def test_mypy_is_content():
    _check("-m", "mypy")


def test_imports_keep_their_contracts():
    command = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    _check("-c", command)


# Rooms and modules.


def test_the_rooms_of_the_contract_are_the_rooms_there_are():
    assert {"capture", "coder", "explain", "localize", "patch", "response", "runner", "values"} <= set(ROOMS)
    assert {"affected", "changes", "fixing", "screen", "workers"} == set(WATCH_ROOMS)


@pytest.mark.parametrize(
    "room", [*(PACKAGE / room for room in ROOMS), *(WATCH / room for room in WATCH_ROOMS)], ids=_name
)
def test_a_room_names_what_it_offers(room):
    tree = _tree(room / "__init__.py")
    offered = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert len(offered) == 1
    assert 1 <= len(offered[0]) <= 8


def test_a_room_is_entered_by_its_init():
    rooms = {"pytest_buddy": ROOMS, "buddy_watch": WATCH_ROOMS}
    inside = re.compile("|".join(rf"{package}\.({'|'.join(names)})\." for package, names in rooms.items()))
    strangers = [
        f"{_name(path)} imports {name}"
        for path in MODULES
        for name in _imports(_tree(path))
        if inside.match(name) and f"/{'/'.join(name.split('.')[:2])}/" not in path.as_posix()
    ]
    assert not strangers


@pytest.mark.parametrize("floor", STANDARD_LIBRARY_ONLY)
def test_the_lower_floors_need_only_the_standard_library(floor):
    place = PACKAGE / floor
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    foreign = {name.partition(".")[0] for path in files for name in _imports(_tree(path))}
    assert foreign - sys.stdlib_module_names <= {"pytest_buddy"}


def test_no_module_is_named_for_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "base", "misc", "tools", "shared"}
    assert not [_name(path) for path in MODULES if path.stem in vague]


def test_folders_that_are_no_packages_have_no_init():
    places = [ROOT / name for name in ("tests", "fixtures", "models", "watcher")]
    found = [place / "__init__.py" for place in places] + list((ROOT / "tests").rglob("__init__.py"))
    assert not [str(path.relative_to(ROOT)) for path in found if path.exists()]


def test_no_file_is_too_long():
    long = {_name(path) for path in MODULES if len(path.read_bytes().splitlines()) > LONGEST}
    assert long <= LONG_ON_PURPOSE


def test_nothing_imports_the_private_side_of_pytest():
    files = [*MODULES, *(ROOT / "tests").rglob("*.py")]
    private = "_" + "pytest"
    assert not [
        str(path.relative_to(ROOT))
        for path in files
        if any(name.partition(".")[0] == private for name in _imports(_tree(path)))
    ]


def test_no_class_looks_like_a_test():
    classes = [
        f"{_name(path)}: {node.name}"
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    ]
    assert not classes


def test_the_nouns_are_frozen_slotted_and_keyword_only():
    loose = []
    for node in ast.walk(_tree(PACKAGE / "domain.py")):
        if not isinstance(node, ast.ClassDef):
            continue
        decorators = " ".join(map(ast.unparse, node.decorator_list))
        wanted = {"frozen=True", "kw_only=True"}
        if "cached_property" not in ast.unparse(node):  # which keeps its value where slots have no room
            wanted.add("slots=True")
        if not decorators.startswith("dataclass(") or not all(word in decorators for word in wanted):
            loose.append(node.name)
    assert not loose


# What is promised of an idle plugin.

_LOADED = """
import sys, pytest
before = set(sys.modules)
import pytest_buddy.plugin
print(*set(sys.modules) - before)
"""


def test_an_idle_plugin_imports_only_pytest():
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stdout.split()) == {"pytest_buddy", "pytest_buddy.plugin"}


# The papers.


def test_nothing_names_a_place_on_somebodys_machine():
    here = re.compile(
        rb"(?<![\w.~'\"+])/(" + b"|".join((b"wor" + b"k", b"roo" + b"t", b"home/\\w+/src")) + rb")/\w"
    )
    found = [str(path.relative_to(ROOT)) for path in _own_files() if here.search(path.read_bytes())]
    assert not found


def test_the_readme_names_every_setting_flag_and_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    settings = {field.name for field in dataclasses.fields(Config)} - {"voice"}  # nothing listens yet
    plugin = (PACKAGE / "plugin.py").read_text(encoding="utf-8")
    flags = set(re.findall(r'"(--(?:no-)?buddy[a-z-]*)"', plugin))
    commands = set(re.findall(r'command\(\s*"([a-z]+)"', (PACKAGE / "cli.py").read_text(encoding="utf-8")))
    assert len(flags) >= 7
    assert len(commands) >= 9
    wanted = {f"`{name}`" for name in settings} | flags | {f"buddy {name}" for name in commands}
    assert not {words for words in wanted if words not in readme}


def test_the_readme_names_every_word_and_key_of_the_watcher():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = (WATCH / "cli.py").read_text(encoding="utf-8")
    usage = set(re.findall(r"^  (--[a-z]+)", text, re.MULTILINE)) - {"--version", "--buddy"}
    assert usage >= {"--plain", "--json", "--poll"}
    keys = {f"`{key}`" for key in "astednufApkobhq"} - {"`h`"} | {"`Enter`"}
    assert not {word for word in {f"`{word}`" for word in usage} | keys if word not in readme}


def test_ci_runs_the_second_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = [line.removesuffix(' "$@"') for line in script.splitlines() if ".venv" in line]
    assert " && ".join(steps) in readme
