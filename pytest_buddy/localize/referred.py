"""The files that a program's imports may mean: what no test runs a line of is known by its importers only."""

from collections.abc import Iterator, Mapping

from pytest_buddy.errors import SourceError
from pytest_buddy.localize.names import names
from pytest_buddy.source import Source


def referred(sources: Mapping[str, Source]) -> tuple[str, ...]:
    """Paths, sorted, that imports of the sources may mean and that are not among them.

    Most do not exist: which do is for the workspace to say. A module of tables and constants is such a file,
    for its lines run at import and in no test.
    """
    found = {path for source in sources.values() for path in _paths(source)}
    return tuple(sorted(found - set(sources)))


def _paths(source: Source) -> Iterator[str]:
    try:
        known = names(source)
    except SourceError:
        return
    root = _root(source)
    for dotted in (*known.imports.values(), *known.stars):
        # `from a.b import c` may mean a module a.b.c or a name of a.b.
        for length in range(max(1, len(dotted) - 1), len(dotted) + 1):
            module = "/".join(dotted[:length])
            if module:
                yield f"{root}{module}.py"
                yield f"{root}{module}/__init__.py"


def _root(source: Source) -> str:
    """The directory that the module's name counts from, with a trailing slash; empty for the workspace."""
    stem = source.path.removesuffix(".py").removesuffix("/__init__")
    return stem.removesuffix(source.module.replace(".", "/"))
