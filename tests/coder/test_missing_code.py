"""What was left out of a program is put back, as its surroundings ask for it."""

import tomllib
from itertools import islice
from pathlib import Path
from statistics import median

import pytest

from pytest_buddy.coder import TemplateCoder
from pytest_buddy.domain import Failure, Suspect
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

FAULTS = tomllib.loads(Path(__file__).with_name("missing.toml").read_text(encoding="utf-8"))["fault"]
FARTHEST = 150


def context_of(sources, line, *, error="AssertionError", message=""):
    first = sources[0]
    failure = Failure(test="tests/test_it.py::test_it", phase="call", error_type=error, message=message)
    suspect = Suspect(path=first.path, line=line, end_line=line, function="", score=0.8, rank=1)
    return Context(
        failures=(failure,),
        suspects=(suspect,),
        sources={source.path: source for source in sources},
        editable=frozenset({first.path}),
    )


def source_of(text, path="pkg/m.py"):
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Source(path=path, module=module, content=text.encode())


def texts(context, limit=FARTHEST):
    source = next(iter(context.sources.values()))
    found = islice(TemplateCoder().propose(context), limit)
    return [source.edited(patch.edits).content.decode() for patch in found]


def place_of(fault):
    said = {key: fault[key] for key in ("error", "message") if key in fault}
    found = texts(context_of([source_of(fault["source"])], fault["line"], **said), 1_000)
    return found.index(fault["wanted"]) + 1 if fault["wanted"] in found else 10 * FARTHEST


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["name"])
def test_what_was_left_out_is_put_back(fault):
    assert place_of(fault) <= FARTHEST


def test_what_was_left_out_is_among_the_first():
    assert median(place_of(fault) for fault in FAULTS) <= 10


@pytest.mark.parametrize(
    ("other", "path", "line"),
    [
        (
            "from pkg.shapes import (\n    Box,  # the plain one\n    Ring,\n)\n",
            "pkg/a.py",
            "from pkg.shapes import Ring",
        ),
        ("from .shapes import Ring\n", "pkg/a.py", "from pkg.shapes import Ring"),
        ("from ..shapes import Circle as Ring\n", "pkg/sub/a.py", "from pkg.shapes import Circle as Ring"),
        ("import shapes.ring as Ring\n", "pkg/a.py", "import shapes.ring as Ring"),
        ("class Ring:\n    pass\n", "pkg/b.py", "from pkg.b import Ring"),
        ("Ring = tuple\n", "pkg/__init__.py", "from pkg import Ring"),
        ("", "pkg/Ring.py", "from pkg import Ring"),
    ],
)
def test_an_unknown_name_is_imported_as_elsewhere_in_the_project(other, path, line):
    head = '"""Rings."""\n\nfrom __future__ import annotations\n'
    body = "\n\ndef make(size):\n    return Ring(size)\n"
    context = context_of(
        [source_of(head + body), source_of(other, path)],
        7,
        error="NameError",
        message="name 'Ring' is not defined",
    )
    assert f"{head}{line}\n{body}" in texts(context, 20)


def test_a_file_does_not_import_from_itself():
    source = source_of("def make():\n    return Ring()\n\n\ndef later():\n    class Ring:\n        pass\n")
    context = context_of([source], 2, error="NameError", message="name 'Ring' is not defined")
    assert not any("import Ring" in text for text in texts(context))
