"""Which of the project's files come along when others are imported, by their import statements."""

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from pytest_buddy.errors import SourceError
from pytest_buddy.source import Source

_MOST_FILES = 400
_ROOTS = ("", "src")


def may_load(starts: Iterable[str], target: str, read: Callable[[str], Source]) -> bool:
    """Whether importing any of these files may import `target`; true where it cannot be told.

    `read` gives a file of the project, and raises SourceError where there is none.
    """
    pending = [path for start in starts for path in (start, *_conftests(start))]
    seen: set[str] = set()
    while pending:
        path = pending.pop()
        if path == target or len(seen) > _MOST_FILES:
            return True
        if path in seen:
            continue
        seen.add(path)
        try:
            source = read(path)
        except SourceError:
            continue
        try:
            pending += _named(source)
        except SourceError:
            return True
    return False


def _conftests(path: str) -> Iterator[str]:
    yield from ((folder / "conftest.py").as_posix() for folder in PurePosixPath(path).parents)


def _named(source: Source) -> Iterator[str]:
    """The paths that the imports of a file may mean."""
    here = PurePosixPath(source.path).parent
    roots = [*(PurePosixPath(root) for root in _ROOTS), here, *here.parents]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(roots, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            folders = [here, *here.parents]
            places = folders[node.level - 1 : node.level] if node.level else roots
            words = node.module.split(".") if node.module else []
            for alias in node.names:
                yield from _files(places, [*words, alias.name])


def _files(roots: Iterable[PurePosixPath], words: list[str]) -> Iterator[str]:
    """Every module on the way along a dotted name: packages run first."""
    for root in roots:
        yield (root / "__init__.py").as_posix()
        for count in range(1, len(words) + 1):
            place = root.joinpath(*words[:count])
            yield from (f"{place.as_posix()}.py", (place / "__init__.py").as_posix())
