"""The sources under suspicion: their statements on demand, and how paths and module names map to them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from pytest_buddy.errors import SourceError
from pytest_buddy.localize.statements import Statement, Statements, statements
from pytest_buddy.source import Source

# Path and qualified name.
Function = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Element:
    """A statement that may be suspected and the bit set of executions that depend on it.

    For a statement that tests run, `readers` is empty. A definition is run when its module is imported, by
    no test in particular: `readers` then names the code that reads it, each with its own bit set, and
    `through` holds the functions that ran by which tests depend on it, with the bit sets of what reads it
    there. `named` marks a definition that only the error leads to; the failing executions count as reaching
    it.
    """

    statement: Statement
    runs: int
    name: str = ""
    readers: tuple[tuple[str, int], ...] = ()
    through: tuple[tuple[Function, int], ...] = ()
    distance: int = 0
    named: bool = False

    @property
    def indirect(self) -> bool:
        """Whether tests only depend on it, without a line of it being run."""
        return self.named or bool(self.readers)


@dataclass(frozen=True, kw_only=True)
class Program:
    """Sources by path; `tests` are paths that are read but never suspected."""

    sources: Mapping[str, Source]
    tests: Collection[str]

    def table(self, path: str) -> Statements | None:
        """The statements of a file; None when it is not at hand or does not parse."""
        source = self.sources.get(path)
        if source is None:
            return None
        try:
            return statements(source)
        except SourceError:
            return None

    @cached_property
    def modules(self) -> dict[str, str]:
        """Dotted module name -> path."""
        return {source.module: path for path, source in self.sources.items()}

    def find(self, path: str, *, broken: bool = False) -> str | None:
        """The path in `sources` that an absolute path, or a bare file name, stands for; None when unclear.

        With `broken`, only files that do not parse are meant.
        """
        path = path.replace("\\", "/")
        known = [p for p in self.sources if p == path or path.endswith("/" + p) or p.endswith("/" + path)]
        if broken:
            known = [p for p in known if self.table(p) is None]
        if path in known:
            return path
        outer = [p for p in known if path.endswith("/" + p)]
        if outer:
            return max(outer, key=len)
        return known[0] if len(known) == 1 else None
