"""Candidates for code that nobody wrote for these tests: the standard library's."""

import random
import sysconfig
import warnings
from itertools import islice
from pathlib import Path

import pytest

from pytest_buddy.coder import TemplateCoder
from pytest_buddy.coder.outline import Outline
from pytest_buddy.domain import Failure, Suspect
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

LIBRARY = Path(sysconfig.get_path("stdlib"))
MODULES = (
    "bisect", "colorsys", "copy", "fnmatch", "graphlib", "heapq", "json/scanner", "linecache", "queue",
    "reprlib", "sched", "shlex", "string", "types", "asyncio/locks", "asyncio/queues",
)  # fmt: skip
ERRORS = (
    "AssertionError",
    "TypeError",
    "KeyError",
    "IndexError",
    "NameError",
    "AttributeError",
    "ValueError",
)


@pytest.mark.parametrize("module", MODULES)
def test_every_candidate_compiles(module):
    chance = random.Random(module)
    source = Source(path=f"{module}.py", module="m", content=(LIBRARY / f"{module}.py").read_bytes())
    statements = Outline(source=source).statements
    stride = 1 + len(source.content) // 1_000  # compiling a whole file is what takes the time
    for statement in chance.sample(statements, 2):
        line = statement.node.lineno
        suspect = Suspect(path=source.path, line=line, end_line=line, function="m", score=1.0, rank=1)
        failure = Failure(test="t", phase="call", error_type=chance.choice(ERRORS), message="")
        context = Context(
            failures=(failure,),
            suspects=(suspect,),
            sources={source.path: source},
            editable=frozenset({source.path}),
        )
        seen = {source.content}
        for number, patch in enumerate(islice(TemplateCoder().propose(context), 300)):
            content = source.edited(patch.edits).content
            assert content not in seen
            seen.add(content)
            if number % stride == 0:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    compile(content, source.path, "exec", dont_inherit=True)
