"""Real small fixes: `pytest --buddy` on a release, with the tests of the release after it.

    python tests/bench/releases.py --budget 20
    python tests/bench/releases_report.py OUT

Each fix of `releases_pairs.py` is what a newer release changed for some of its tests, all else of that
release left out. On the older code those tests are red; the other tests that are red there are deselected.
A fix's row (OUT/rows.jsonl) is written once for each budget and each commit of this repository, HEAD unless
`--commit` names another; what was printed is kept beside it (OUT/said). Needs Python 3.12 and, the first
time, the network.
"""

import argparse
import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from factory_faults import add, entries
from factory_packages import Bench, Recipe, ready, subject_tree
from limited import machine_line
from packages import plugin_directory
from releases_pair import Pair, Trees, trees
from releases_pairs import PAIRS, PYTEST
from releases_row import ReleaseRow, Unfit, name_of, undone
from suite import Suite


def examined(
    pairs: Sequence[Pair], cache: Path, out: Path, *, budget: float, subject: Path, commit: str
) -> Iterator[ReleaseRow]:
    """The rows that are missing, one after the other."""
    rows = entries(out / "rows.jsonl")
    done = {row["fix"] for row in rows if (row["budget"], row["subject"]) == (budget, commit)}
    host = ready(_host(), cache, subject)
    for pair in pairs:
        found = trees(pair, cache)
        for fix in pair.fixes:
            name = name_of(found, fix)
            if name in done:
                continue
            try:
                work = undone(found, fix, _bench(host, found, cache))
            except Unfit as error:
                print(error, flush=True)
                continue
            said = out / "said" / f"{name.replace(':', '_')}.{commit}.txt"
            yield work.row(budget, commit, said)


def _host() -> Recipe:
    """One environment for all pairs: no package of theirs is installed in it, what their tests need is."""
    needs = dict.fromkeys(need for pair in PAIRS for need in pair.older.requires)
    package = replace(PAIRS[0].older, requires=(PYTEST, *needs), editable=False)
    return Recipe(package=package, about="the host of all pairs")


def _bench(host: Bench, found: Trees, cache: Path) -> Bench:
    work = cache / "work" / found.pair.name
    prepared = replace(host.prepared, package=found.pair.older, pristine=found.mixed, work=work)
    source = str(Path(found.pair.code).parent)
    told = any(item.startswith("pythonpath=") for item in found.pair.arguments)
    arguments = (
        *found.pair.arguments,
        *(("-o", f"pythonpath={source}") if source != "." and not told else ()),
    )
    suite = Suite(root=work, python=prepared.python, plugins=plugin_directory(cache), arguments=arguments)
    work.parent.mkdir(parents=True, exist_ok=True)
    return Bench(recipe=host.recipe, prepared=prepared, suite=suite)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(tempfile.gettempdir()) / "pytest-buddy-releases"
    parser.add_argument("--cache", type=Path, default=home)
    parser.add_argument("--out", type=Path, default=home / "results")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds given to --buddy-budget")
    parser.add_argument("--only", action="append", help="only pairs whose name begins so")
    parser.add_argument("--commit", default="HEAD", help="which commit of this repository is measured")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    for name in ("PYTHONDONTWRITEBYTECODE", "CI", "PYTEST_ADDOPTS"):
        os.environ.pop(name, None)
    cache, out = arguments.cache.resolve(), arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    pairs = [pair for pair in PAIRS if pair.name.startswith(tuple(arguments.only or ("",)))]
    with (cache / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another run is using {cache}") from None
        subject, commit = subject_tree(cache, arguments.commit)
        print(f"{machine_line()}; pytest-buddy at {commit}", flush=True)
        for row in examined(pairs, cache, out, budget=arguments.budget, subject=subject, commit=commit):
            add(out / "rows.jsonl", asdict(row))
            offer = f"offer {'right' if row.right else 'wrong'}: {row.origin}" if row.offers else "no offer"
            print(f"  {row.fix:58} {offer} {row.note} {row.total or 0:.1f} s", flush=True)


if __name__ == "__main__":
    main()
