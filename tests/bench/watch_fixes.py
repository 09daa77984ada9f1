"""How long a person at the watch loop waits for the first confirmed fix, on copies of fixtures/.

For each: seconds from `Fixing.diagnose`, with a proposer that stands ready, to every kind of event.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import catalogue
from judging import commit_all
from limited import machine_line

from buddy_watch.fixing import Fixing, Machine, Room
from buddy_watch.reactor import Reactor
from pytest_buddy.codec import decode
from pytest_buddy.config import load
from pytest_buddy.domain import Baseline, Event, FixConfirmed, NoticeGiven, StepStarted, WorkEnded
from pytest_buddy.workspace import Workspace

_HERE = Path(__file__).parent
_LONGEST = 60.0


@dataclass(slots=True)
class Row:
    """Seconds from the red test to each first event of a kind."""

    name: str
    at: dict[str, float] = field(default_factory=dict)
    confirming: float = 0.0
    notices: list[str] = field(default_factory=list)


class _Roomy(Machine):
    """A machine with room for as many jobs as it has cores, however busy it is."""

    def room(self) -> Room:
        return Room(jobs=self.read().mine)


def plain_run(root: Path, target: Path) -> tuple[Baseline, Mapping[str, object]]:
    """What plain pytest makes of a project, and how a runner has to be called for it."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(_HERE), str(_HERE.parents[1]), str(_HERE.parents[1] / "watcher"))),
        "BENCH_BASELINE": str(target),
    }
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-pbaseline_log"],
        cwd=root,
        env=environment,
        capture_output=True,
        check=False,
    )
    data = json.loads(target.read_text(encoding="utf-8"))
    return decode(Baseline, data["baseline"]), data


def measure(name: str, root: Path, target: Path, *, warm: float) -> Row:
    """Start, let the proposer get ready for `warm` seconds, turn red, and listen to the end."""
    baseline, called = plain_run(root, target)
    reactor = Reactor()
    row = Row(name)
    started = 0.0

    def emit(event: Event) -> None:
        now = time.monotonic() - started
        key = f"{event.kind}" if not isinstance(event, StepStarted) else event.step
        row.at.setdefault(key, now)
        if isinstance(event, FixConfirmed) and not row.confirming:
            row.confirming = event.proposal.verdict.seconds
        if isinstance(event, NoticeGiven):
            row.notices.append(f"{event.text} {event.hint}".strip())
        if isinstance(event, WorkEnded) or not fixing.busy:
            reactor.stop()

    workspace = Workspace(root)
    fixing = Fixing(
        workspace,
        load(root),
        cwd=root,
        here_first=bool(called["here_first"]),
        inherited=tuple(called["inherited"]),  # type: ignore[arg-type]
        reactor=reactor,
        emit=emit,
        machine=_Roomy(),
    )
    fixing.start()
    _run(reactor, warm)
    started = time.monotonic()
    fixing.diagnose(baseline)
    _run(reactor, _LONGEST)
    fixing.close()
    reactor.close()
    return row


def _run(reactor: Reactor, seconds: float) -> None:
    timer = reactor.later(seconds, reactor.stop)
    reactor.run()
    timer.cancel()


_COLUMNS = ("confirm", "collect", "localize", "fault-located", "propose", "fix-confirmed", "work-ended")


def line(row: Row) -> str:
    """One line of the table."""
    cells = "".join(f"{row.at.get(key, float('nan')):9.2f}" for key in _COLUMNS)
    return f"{row.name:20.20}{cells}{row.confirming:9.2f}  {'; '.join(row.notices)}".rstrip()


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--warm", type=float, default=2.0, help="seconds before the tests turn red")
    arguments = parser.parse_args()
    show: Callable[[str], None] = lambda text: print(text, flush=True)  # noqa: E731
    show(machine_line())
    show(f"{'fixture':20}" + "".join(f"{name[:8]:>9}" for name in (*_COLUMNS, "referee")))
    rows: list[Row] = []
    for fixture in catalogue.load():
        if arguments.only in fixture.name:
            with tempfile.TemporaryDirectory(prefix="buddy-bench-") as name:
                directory = Path(name).resolve()
                root = fixture.copy(directory / "work")
                commit_all(root)
                row = measure(fixture.name, root, directory / "baseline.json", warm=arguments.warm)
            rows.append(row)
            show(line(row))
    fixed = [row.at["fix-confirmed"] for row in rows if "fix-confirmed" in row.at]
    if not fixed:
        return 1
    show(f"{len(fixed)} of {len(rows)} fixed; first fix: median {statistics.median(fixed):.2f}, ")
    show(f"p90 {_quantile(fixed, 0.9):.2f}, worst {max(fixed):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
