"""Tables out of the rows of the real fixes: one line a fix, then shares.

python tests/bench/releases_report.py OUT [--budget 20] [--subject COMMIT]
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from factory_faults import entries
from factory_report import localization
from factory_row import standing
from releases_row import told

Row = Mapping[str, Any]


def table(rows: Sequence[Row]) -> list[str]:
    """A line a fix; ranks with ties at random, and behind all equals after the stroke."""
    lines = [
        f"{'fix':50} {'red':>3} {'lines':>5} {'places':>6} {'statement':>11} {'function':>11}"
        f" {'seconds':>7} {'bullets':>7}  outcome"
    ]
    for row in rows:
        ranks = "".join(f" {_rank(row, unit):>11}" for unit in ("statement", "function"))
        lines.append(
            f"{row['fix']:50} {len(row['red']):>3} {row['lines']:>5} {len(row['places']):>6}{ranks}"
            f" {row['total'] or 0:>7.1f} {len(row['bullets']):>7}  {_outcome(row)}"
        )
    return lines


def summary(rows: Sequence[Row]) -> list[str]:
    """How many were offered a fix, how many of these are right, and what the others were told."""
    offered = [row for row in rows if row["offers"]]
    without = [row for row in rows if not row["offers"]]
    complete = [row for row in without if row["told"] and all(row["told"].values())]
    lines = [
        f"a confirmed offer: {_share(len(offered), len(rows))}",
        f"right, all newer tests green with the first offer: {_share(_right(rows), len(rows))}",
        f"right when all offers are applied: {_share(sum(r['right_together'] for r in rows), len(rows))}",
        f"false offers among offers: {_share(len(offered) - _right(offered), len(offered))}",
        f"no offer, and told all that is known: {_share(len(complete), len(without))}",
    ]
    for most in (1, 2, 5, 12):
        mine = [row for row in rows if row["lines"] <= most]
        lines.append(f"right among those of {most} changed lines or fewer: {_share(_right(mine), len(mine))}")
    return lines


def report(rows: Sequence[Row]) -> str:
    """All tables."""
    ranks = ["among the first 1 / 3 / 5, per cent", *localization(rows)]
    return "\n\n".join("\n".join(part) for part in (table(rows), ranks, summary(rows)))


def _outcome(row: Row) -> str:
    if not row["report"]:
        return f"no report; {row['note']}"
    if row["offers"]:
        return f"{'right' if row['right'] else 'wrong'}: {row['origin']}"
    return f"no fix ({row['stopped'] or 'no search'}); told {told(row)}"


def _rank(row: Row, unit: str) -> str:
    found = standing(row, "before" if row["offers"] else "final", unit)
    if found.above is None:
        return "-"
    return f"{found.expected:.1f}/{found.above + found.tied - found.true + 1}"


def _right(rows: Sequence[Row]) -> int:
    return sum(row["right"] for row in rows)


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "none"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--budget", type=float, help="only rows of this budget")
    parser.add_argument("--subject", default="", help="only rows of this commit; the last one's by default")
    arguments = parser.parse_args()
    rows = list(entries(arguments.out / "rows.jsonl"))
    if not rows:
        raise SystemExit("there are no rows")
    subject, budget = arguments.subject or rows[-1]["subject"], arguments.budget or rows[-1]["budget"]
    rows = [row for row in rows if row["subject"].startswith(subject) and row["budget"] == budget]
    print(f"{len(rows)} fixes, budget {budget:g} s, pytest-buddy at {subject}\n")
    print(report(rows))


if __name__ == "__main__":
    main()
