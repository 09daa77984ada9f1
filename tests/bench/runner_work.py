"""One measurement of the runner, in a process of its own; prints what was done as JSON.

`start ROOT`: start and collect only. `plain ROOT`: run the tests warm, untraced. `trace ROOT`: with lines.
`batched ROOT` and `forked ROOT`: try candidates on one test, many in a child or one in each. A third word is
the sandbox level; `start` in the answer is how long the runner took to be ready, without the probe.
The only file here that knows the runner's interface.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.runner import Launcher, Runner, probe
from pytest_buddy.workspace import Workspace

CANDIDATES = 600
CPU = 5.0
BATCH = 25
PART = "plenty/part1.py"
TEST = "tests/test_part1.py::test_bounded[3]"


def candidates(workspace: Workspace, count: int) -> Iterator[Patch]:
    """Patches that change a default in turn; every one compiles, and none touches what the test checks."""
    source = workspace.source(PART)
    match = re.search(rb"value > high", source.content)
    assert match is not None
    for number in range(count):
        edit = Edit(
            path=PART,
            digest=source.digest,
            start=match.start(),
            end=match.end(),
            replacement=b"value > high + %d" % (number + 1),
        )
        yield Patch(edits=(edit,), origin="bench")


def measure(what: str, root: Path, level: str = "auto") -> dict[str, float | str]:
    """Do it once: how many things were done, in how many seconds of wall after the runner was ready."""
    workspace = Workspace(root)
    confinement = probe(workspace, wanted=level, cache=root.parent / "confinement")
    launcher = Launcher(workspace=workspace, cwd=root, confinement=confinement)
    files = [str(path.relative_to(root)) for path in sorted((root / "tests").glob("test_*.py"))]
    called = time.perf_counter()
    with Runner(launcher, files, jobs=1) as runner:
        tests = runner.wait_ready(60.0)
        start = time.perf_counter()
        if what == "start":
            done = len(tests)
        elif what == "plain":
            done = len(runner.run(tests, cpu=CPU, fresh=False, direct=True))
        elif what == "trace":
            done = sum(1 for _ in runner.trace(tests, cpu=CPU, direct=frozenset(tests)))
        else:
            batch = BATCH if what == "batched" else 1
            direct = frozenset({TEST})
            trials = runner.trials(
                candidates(workspace, CANDIDATES), [TEST], cpu=CPU, batch=batch, direct=direct
            )
            done = sum(bool(trial.outcomes) for trial in trials)
        seconds = time.perf_counter() - start
    return {"done": done, "seconds": seconds, "start": start - called, "sandbox": confinement.level}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])))
