"""How much of our corpus of secrets is caught, what innocent text is changed, and what that costs.

With --goals the exit status is 1 when a goal is missed. With --show, missed secrets and changed innocents.
"""

# ruff: noqa: E501

import argparse
import random
import statistics
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from overhead import Figure, report
from secret_corpus import samples

from pytest_buddy.redact import Redactor, redact

_CHUNK = 40
_FOREIGN = frozenset({"test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "__pycache__"})


def caught(show: bool) -> list[Figure]:
    """The share of secrets that are gone, and the kind that fares worst."""
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for sample in samples():
        clean = redact(sample.text)
        for name in (sample.kind, f"in {sample.place}"):
            total[name] += 1
            found[name] += not sample.leaks(clean)
        if show and sample.leaks(clean):
            print(f"  missed {sample.kind} in {sample.place}: {sample.text!r}")
    kinds = [name for name in total if not name.startswith("in ")]
    share = sum(found[kind] for kind in kinds) / sum(total[kind] for kind in kinds)
    worst = min(kinds, key=lambda kind: found[kind] / total[kind])
    for name in sorted(total, key=lambda name: found[name] / total[name])[:8]:
        print(f"  {name}: {found[name]} of {total[name]}")
    return [
        Figure(text="kinds of secrets", value=len(kinds), goal=30, at_least=True),
        Figure(text=f"caught of {sum(total[kind] for kind in kinds)} secrets, %", value=100 * share, goal=97, at_least=True),
        Figure(text=f"caught of the worst kind ({worst}), %", value=100 * found[worst] / total[worst], goal=80, at_least=True),
    ]  # fmt: skip


def sources(*roots: str) -> Iterator[str]:
    """Python files below directories, without tests."""
    for root in roots:
        for path in sorted(Path(root).rglob("*.py")):
            if _FOREIGN.isdisjoint(path.relative_to(root).parts[:-1]):
                yield path.read_text(encoding="utf-8", errors="replace")


def innocent(show: bool, most: int) -> list[Figure]:
    """How many pieces of public source are changed, and how often the standard library is."""
    library = list(sources(sysconfig.get_path("stdlib")))
    size = sum(map(len, library))
    wrong = 0
    for text in library:
        redactor = Redactor()
        redactor.redact(text)
        wrong += sum(redactor.counts.values())
    pieces = []
    for text in (*library, *sources(sysconfig.get_path("purelib"))):
        lines = text.splitlines(keepends=True)
        pieces += ["".join(lines[at : at + _CHUNK]) for at in range(0, len(lines), _CHUNK)]
    random.Random(1).shuffle(pieces)
    pieces = pieces[:most]
    changed = 0
    kinds: Counter[str] = Counter()
    for piece in pieces:
        redactor = Redactor()
        clean = redactor.redact(piece)
        changed += clean != piece
        kinds.update(redactor.counts)
        if show and clean != piece:
            lines = zip(piece.splitlines(), clean.splitlines(), strict=False)
            print("  changed: " + next((f"{a.strip()!r}" for a, b in lines if a != b), "?")[:160])
    print(f"  kinds that changed innocents: {dict(kinds.most_common())}")
    return [
        Figure(text=f"changed of {len(pieces)} innocent texts, %", value=100 * changed / len(pieces), goal=1),
        Figure(text=f"wrong redactions per 100 KB of the standard library ({size / 1e6:.1f} MB)", value=wrong / size * 1e5, goal=1),
    ]  # fmt: skip


def cost() -> list[Figure]:
    """CPU time of texts of 100 KB: source, and logs that are full of secrets."""
    library = "".join(sources(sysconfig.get_path("stdlib")))
    logs = "\n".join(sample.text for sample in samples(4))
    logs *= 1 + 100_000 // len(logs)
    figures = []
    for name, texts in (
        ("source", [library[at : at + 100_000] for at in range(0, 2_000_000, 100_000)]),
        ("nothing but secrets", [logs[:100_000]] * 5),
    ):
        times = []
        for text in texts:
            started = time.process_time()
            redact(text)
            times.append(1000 * (time.process_time() - started))
        print(f"  {name}: {min(times):.0f} to {max(times):.0f} ms")
        figures.append(
            Figure(text=f"CPU ms for 100 KB, {name}, median", value=statistics.median(times), goal=50)
        )
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--goals", action="store_true", help="exit with 1 when a goal is missed")
    parser.add_argument("--show", action="store_true", help="print what was missed and what was changed")
    parser.add_argument("--pieces", type=int, default=4000, help="innocent texts to try")
    arguments = parser.parse_args()
    figures = [*caught(arguments.show), *innocent(arguments.show, arguments.pieces), *cost()]
    report(figures)
    return int(arguments.goals and not all(figure.met for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
