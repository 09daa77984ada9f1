"""Tables out of the rows of the fault factory: by package, by kind, and what was missed, by cause.

python tests/bench/factory_report.py OUT [--budget 20] [--subject COMMIT] [--misses]
"""

import argparse
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from factory_causes import CAUSES, RIGHT, cause, detail
from factory_faults import entries
from factory_row import standing
from factory_standing import Standing

Row = Mapping[str, Any]
_TOPS = (1, 3, 5)
_RANKINGS = {"final": "at the end", "before": "before a fix", "ochiai": "plain Ochiai"}
_GROUPS = ("package", "kind")
_HEAD = (
    f"{'':22} {'faults':>6} {'function':>9} {'statement':>9} {'top-5':>6}   "
    f"{'offered':>8} {'right':>6} {'false':>6}   {'first':>6} {'p90':>6} {'total':>6}"
)


def localization(rows: Sequence[Row], rankings: Mapping[str, str] = _RANKINGS) -> list[str]:
    """True statement and function top-1/3/5 in per cent, with ties behind and at random, for each ranking."""
    units = [(unit, ties) for unit in ("statement", "function") for ties in ("worst", "random")]
    lines = [f"{'':16}" + "".join(f"{f'{unit}, {ties}':>20}" for unit, ties in units)]
    for ranking, name in rankings.items():
        cells = [" / ".join(_tops(rows, ranking, unit, ties)) for unit, ties in units]
        lines.append(f"{name:16}" + "".join(f"{cell:>20}" for cell in cells))
    return lines


def repair(rows: Sequence[Row]) -> list[str]:
    """What was offered, how much of it is right, and what it took."""
    offered = [row for row in rows if row["offers"]]
    single = [row for row in rows if row["hunks"] == 1]
    judged = [row for row in offered if row["unseen"]]
    alone = [row for row in offered if row["right"] and not row["unseen"] and not row["same_program"]]
    differing = sum(row["calls_different"] > 0 or not row["calls"] for row in alone)
    firsts = [row["first_fix"] for row in offered if row["first_fix"] is not None]
    rate = [
        row["validated"] / row["search_seconds"] / row["cores"] for row in rows if row["search_seconds"] > 0.2
    ]
    return [
        f"a confirmed offer: {_share(len(offered), len(rows))}",
        f"a right first offer: {_share(_right(rows), len(rows))}; "
        f"of faults in one place: {_share(_right(single), len(single))}",
        f"right when all offers are applied: {_share(_count(rows, 'right_together'), len(rows))}",
        f"the original program: {_share(_count(rows, 'same_program'), len(rows))}",
        f"false offers among offers: {_share(len(offered) - _right(offered), len(offered))}; "
        f"among those with unseen tests: {_share(len(judged) - _right(judged), len(judged))}",
        f"of {len(alone)} right by the suite alone, {differing} differ from the original in calls",
        f"seconds to the first confirmed fix: {_spread(firsts)}; in total: {_spread(_values(rows, 'total'))}",
        f"candidates a second and core: {_spread(rate)}; most memory at once, MiB: "
        f"{_spread(_values(rows, 'memory'))}",
        f"load of the machine, which slows all of this: {_spread(_values(rows, 'load'))}",
    ]


def table(rows: Sequence[Row], key: str) -> list[str]:
    """One line for each package, or for each kind of fault; ties at random."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    lines = [f"{key:22}" + _HEAD[22:]]
    for name, mine in sorted(groups.items()):
        offered = [row for row in mine if row["offers"]]
        firsts = [row["first_fix"] for row in offered if row["first_fix"] is not None]
        function = _top(mine, "final", "function", "random", 1)
        statement, five = (_top(mine, "final", "statement", "random", top) for top in (1, 5))
        lines.append(
            f"{name:22} {len(mine):>6} {function:>8.0f}% {statement:>8.0f}% {five:>5.0f}%   "
            f"{len(offered):>8} {_right(mine):>6} {len(offered) - _right(offered):>6}   "
            f"{_seconds(firsts, 0.5)} {_seconds(firsts, 0.9)} {_seconds(_values(mine, 'total'), 0.5)}"
        )
    return lines


def misses(rows: Sequence[Row], *, every: bool) -> list[str]:
    """How many faults got no right first offer for which cause, the commonest first; one by one as well."""
    found = [(cause(row), row) for row in rows]
    counts = Counter(name for name, _ in found if name != RIGHT)
    lines = [f"no right first offer: {_share(sum(counts.values()), len(rows))}"]
    for name in sorted(CAUSES, key=lambda name: -counts[name]):
        lines.append(f"  {counts[name]:>4}  {name}")
        for mine, row in found:
            if every and mine == name:
                lines.append(f"          {row['fault']:54} {detail(row)}")
    return lines


def report(rows: Sequence[Row], *, every: bool) -> str:
    """All tables."""
    beside = [row for row in rows if "fauxpy" in row["standings"]]
    parts = [localization(rows)]
    if beside:
        lines = localization(beside, {**_RANKINGS, "fauxpy": "FauxPy"})
        parts.append([f"where FauxPy was run too, {len(beside)} faults", *lines])
    parts += [repair(rows), *(table(rows, key) for key in _GROUPS), misses(rows, every=every)]
    return "\n\n".join("\n".join(part) for part in parts)


def _tops(rows: Sequence[Row], ranking: str, unit: str, ties: str) -> list[str]:
    return [f"{_top(rows, ranking, unit, ties, top):.0f}" for top in _TOPS]


def _top(rows: Sequence[Row], ranking: str, unit: str, ties: str, top: int) -> float:
    found = [standing(row, ranking, unit) for row in rows]
    share = Standing.worst if ties == "worst" else Standing.random
    return 100 * sum(share(one, top) for one in found) / len(found) if found else 0.0


def _right(rows: Sequence[Row]) -> int:
    return _count(rows, "right")


def _count(rows: Sequence[Row], key: str) -> int:
    return sum(row[key] for row in rows)


def _values(rows: Sequence[Row], key: str) -> list[float]:
    return [row[key] for row in rows if row.get(key) is not None]


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "none"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"median {statistics.median(values):.1f}, p90 {_quantile(values, 0.9):.1f}, most {max(values):.1f}"


def _seconds(values: Sequence[float], part: float) -> str:
    return f"{_quantile(values, part):6.1f}" if values else f"{'-':>6}"


def _quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that so large a part of them does not exceed."""
    ordered = sorted(values)
    place = -(-len(ordered) * part // 1)
    return ordered[max(0, int(place) - 1)]


def with_fauxpy(rows: Sequence[Row], path: Path) -> list[Row]:
    """The rows with the standings that factory_fauxpy.py has written for some faults."""
    known = {entry["fault"]: entry["standing"] for entry in entries(path)}
    return [
        {**row, "standings": {**row["standings"], "fauxpy": known[row["fault"]]}}
        if row["fault"] in known
        else row
        for row in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--budget", type=float, help="only rows of this budget")
    parser.add_argument("--subject", default="", help="only rows of this commit; the last one's by default")
    parser.add_argument("--misses", action="store_true", help="list every miss")
    arguments = parser.parse_args()
    rows = list(entries(arguments.out / "rows.jsonl"))
    if not rows:
        raise SystemExit("there are no rows")
    subject, budget = arguments.subject or rows[-1]["subject"], arguments.budget or rows[-1]["budget"]
    rows = [row for row in rows if row["subject"].startswith(subject) and row["budget"] == budget]
    print(f"{len(rows)} faults, budget {budget:g} s, pytest-buddy at {subject}\n")
    print(report(with_fauxpy(rows, arguments.out / "fauxpy.jsonl"), every=arguments.misses))


if __name__ == "__main__":
    main()
