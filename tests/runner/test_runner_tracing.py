"""Every tracer sees the same lines."""

import json
from pathlib import Path

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
