"""Every tracer sees the same lines."""

import json
import sys
from pathlib import Path

import pytest

from pytest_buddy.testing import Project

TWICE = """\
import threading


def inner(value):
    for _ in range(3):
        if value > 1:
            value -= 1
    return value


def outer(value):
    thread = threading.Thread(target=inner, args=(value,))
    thread.start()
    thread.join()
    return [inner(item) for item in (1, 2)]


def never():
    return None
"""
COMPARE = """\
import json, os, sys
import twice
from pytest_buddy.runner import tracing

prefix = os.getcwd() + os.sep
kinds = [tracing.PlainTracer, tracing.CoverageTracer]
if hasattr(sys, "monitoring"):
    kinds.append(tracing.MonitoringTracer)
seen = {}
for kind in kinds:
    tracer = kind(prefix, ("/site-packages/",))
    rounds = []
    for work in (lambda: twice.outer(3), lambda: twice.inner(0)):
        tracer.start()
        work()
        rounds.append(tracing.inside(prefix, tracer.stop()))
    seen[kind.__name__] = rounds
print(json.dumps(seen))
"""


def test_tracers_agree(tmp_path: Path) -> None:
    run = Project(tmp_path, {"twice.py": TWICE, "compare.py": COMPARE}).python("compare.py")
    assert run.exit == 0, run.err
    seen = json.loads(run.out)
    first, second = seen["PlainTracer"]
    assert first["twice.py"] == [5, 6, 7, 8, 12, 13, 14, 15]
    assert second["twice.py"] == [5, 6, 8]
    for name, rounds in seen.items():
        assert [lines["twice.py"] for lines in rounds] == [first["twice.py"], second["twice.py"]], name


SHOWN = """\
class Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x

    def __repr__(self):
        return f"Point({self.x})"
"""
TEST_SHOWN = """\
import unittest
from shown import Point


def test_plain():
    point = Point(1)
    assert point == Point(2)


def test_used():
    assert repr(Point(1)) == "Point(2)"


class TestOld(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(Point(1), Point(2))
"""
WATCH = """\
import json, os, pytest
from pytest_buddy.runner import tracing

prefix = os.getcwd() + os.sep
tracer = tracing.MonitoringTracer(prefix, ("/site-packages/",))
seen = {}

class Watch:
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        tracer.start()
        try:
            return (yield)
        finally:
            seen[item.name] = tracing.inside(prefix, tracer.stop())

pytest.main(["-q", "-p", "no:cacheprovider", "test_shown.py"], plugins=[Watch()])
print(json.dumps(seen))
"""


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="needs sys.monitoring")
def test_what_puts_a_failed_assertion_into_words_is_not_counted(tmp_path: Path) -> None:
    files = {"shown.py": SHOWN, "test_shown.py": TEST_SHOWN, "watch.py": WATCH, "pytest.ini": "[pytest]\n"}
    run = Project(tmp_path, files).python("watch.py")
    assert run.exit == 0, run.err
    seen = json.loads(run.out.splitlines()[-1])
    assert {name: lines["shown.py"] for name, lines in seen.items()} == {
        "test_plain": [3, 6],
        "test_used": [3, 9],
        "test_equal": [3, 6],
    }
