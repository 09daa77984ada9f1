"""Compiled files that are no longer of their source."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath


def forget_bytecode(root: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Remove what Python and pytest have compiled of files that have changed; what could not be removed.

    Python tells stale bytecode by size and whole seconds alone: two quick saves may look alike.
    """
    problems = []
    for path in paths:
        pure = PurePosixPath(path)
        if pure.suffix != ".py":
            continue
        cache = root / pure.parent / "__pycache__"
        try:
            for compiled in cache.glob(f"{_literal(pure.stem)}.*.pyc"):
                compiled.unlink(missing_ok=True)
        except OSError as error:
            problems.append(f"outdated bytecode of {path} cannot be removed: {error.strerror}")
    return tuple(problems)


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
