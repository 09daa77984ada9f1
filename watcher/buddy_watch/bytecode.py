"""Compiled files that are no longer of their source."""

from pathlib import Path, PurePosixPath


def forget_bytecode(root: Path, path: str) -> None:
    """Remove what was compiled of a file that has changed, by Python and by pytest; raises OSError.

    Python tells stale bytecode by size and whole seconds alone: two quick saves may look alike.
    """
    pure = PurePosixPath(path)
    cache = root / pure.parent / "__pycache__"
    for compiled in cache.glob(f"{_literal(pure.stem)}.*.pyc"):
        compiled.unlink(missing_ok=True)


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
