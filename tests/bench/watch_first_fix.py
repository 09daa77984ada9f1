"""From a save that breaks a project to the first confirmed fix on the screen, on mended copies of fixtures/.

Usage: python tests/bench/watch_first_fix.py [NAME...]

For each: seconds from the save to the first red verdict, the place of the fault, the first confirmed fix.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "watcher"), str(Path(__file__).parent)]

from catalogue import Fixture, load, mend  # noqa: E402
from limited import machine_line  # noqa: E402

from pytest_buddy.testing import Project  # noqa: E402
from tests.watch.watching import watching  # noqa: E402

READY = 4.0


def measured(fixture: Fixture, base: Path) -> dict[str, float]:
    """Seconds from the save to each kind of news; no entry for what did not come."""
    copy = fixture.copy(base / "copy")
    files = {
        path.relative_to(copy).as_posix(): path.read_bytes() for path in copy.rglob("*") if path.is_file()
    }
    project = Project(base, files, plugins=None)
    broken = {path: files[path] for path in {fault.file for fault in fixture.faults}}
    mend(project.root, fixture.fix)
    with watching(project) as watch:
        watch.until("run-ended")
        watch.quiet(READY)
        before = time.monotonic()
        project.write(broken)
        came: dict[str, float] = {}
        try:
            watch.until("verdict-reached", lambda event: event["status"] in ("failed", "error"))
            came["red"] = time.monotonic() - before
            watch.until("fault-located")
            came["fault"] = time.monotonic() - before
            end = watch.until("fix-confirmed")
            came["fix"] = time.monotonic() - before
        except AssertionError as error:
            end = {"kind": str(error).partition("\n")[0]}
        print(f"{fixture.name:24}", *(f"{name} {value:.2f}" for name, value in came.items()), end["kind"])
        return came


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names
    chosen = [one for one in load() if (one.name in names if names else one.single_edit and one.fix)]
    print(machine_line())
    results = []
    for fixture in chosen:
        with tempfile.TemporaryDirectory(prefix="watch-fix-") as base:
            results.append(measured(fixture, Path(base)))
    for name in ("red", "fault", "fix"):
        values = sorted(came[name] for came in results if name in came)
        if values:
            ninth = values[min(len(values) - 1, round(0.9 * len(values)))]
            print(
                f"save -> {name}: {len(values)} of {len(results)}, "
                f"median {statistics.median(values):.2f} s, p90 {ninth:.2f} s"
            )
    print(machine_line())


if __name__ == "__main__":
    main()
