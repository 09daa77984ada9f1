"""Which files import which: names resolved in the project's own tree, and edges that runs have shown."""

import sys
from collections.abc import Callable, Iterable, Iterator

EVERYWHERE = ""  # the importer of what pytest itself imports before it collects: plugins named in options
_IMPLIED = ("__init__.py", "conftest.py")
_USUAL_ROOTS = frozenset({"", "src", "lib"})


class ImportGraph:
    """Files by path, their references, and who depends on whom; `is_test` knows the names of test files."""

    def __init__(self, is_test: Callable[[str], bool]) -> None:
        self._is_test = is_test
        self._references: dict[str, tuple[str, ...]] = {}
        self._resolved: dict[str, frozenset[str]] = {}
        self._importers: dict[str, set[str]] = {}
        self._former: dict[str, set[str]] = {}  # of files that are gone, who imported them
        self._observed: dict[str, set[str]] = {}
        self._everywhere: set[str] = set()
        self._mentions: dict[str, set[str]] = {}
        self._below: dict[str, int] = {}
        self._roots: dict[str, dict[str, int]] = {}
        self._listed_below: dict[str, tuple[str, ...]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._references

    def put(self, path: str, references: tuple[str, ...], *, settled: bool = True) -> None:
        """Add a file or give it new references; several additions are settled once at the end."""
        known = self._references.get(path)
        if known == references:
            return
        if known is not None:
            self._mention(path, known, forget=True)
        self._references[path] = references
        self._mention(path, references)
        if known is None:
            self._former.pop(path, None)
            self._place(path, 1)
            if settled:
                self._resolve_again(self._concerned(path))
        if settled:
            self._resolve(path)

    def settle(self) -> Iterator[None]:
        """Resolve what was added without; a step for each file."""
        for path in list(self._references):
            if path in self._references and path not in self._resolved:
                self._resolve(path)
                yield

    def drop(self, path: str) -> None:
        """Forget a file."""
        references = self._references.pop(path, None)
        if references is None:
            return
        self._mention(path, references, forget=True)
        self._place(path, -1)
        for imported in self._resolved.pop(path, ()):
            self._importers.get(imported, set()).discard(path)
        self._resolve_again(self._concerned(path))

    def observed(self, edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Edges that a run has shown, as far as they are news."""
        news = []
        for importer, imported in edges:
            if importer == EVERYWHERE:
                if imported not in self._everywhere and not imported.endswith("conftest.py"):
                    self._everywhere.add(imported)
                    news.append((importer, imported))
            elif importer not in self._observed.setdefault(imported, set()):
                self._observed[imported].add(importer)
                if importer not in self._importers.get(imported, ()):
                    news.append((importer, imported))
        return news

    def edges(self) -> Iterator[tuple[str, str]]:
        """All edges that runs have shown."""
        yield from ((EVERYWHERE, path) for path in self._everywhere)
        for imported, importers in self._observed.items():
            yield from ((importer, imported) for importer in importers)

    def dependents(self, paths: Iterable[str]) -> set[str]:
        """The files that import one of these, directly or not, these included.

        Files below a package import its `__init__.py`, tests below a directory its `conftest.py`.
        """
        found = set(paths)
        pending = list(found)
        sources = (self._importers, self._former, self._observed)
        while pending:
            path = pending.pop()
            new: set[str] = set()
            for importers in sources:
                if path in importers:
                    new |= importers[path]
            if path.endswith(_IMPLIED) or path in self._everywhere:
                new.update(self._implied(path))
            new -= found
            found |= new
            pending.extend(new)
        return found

    def _implied(self, path: str) -> Iterable[str]:
        directory, _, name = path.rpartition("/")
        if path in self._everywhere:
            return filter(self._is_test, self._references)
        if name == "conftest.py":
            return filter(self._is_test, self._files_below(directory))
        return self._files_below(directory) if name == "__init__.py" else ()

    def _files_below(self, directory: str) -> tuple[str, ...]:
        found = self._listed_below.get(directory)
        if found is None:
            prefix = f"{directory}/" if directory else ""
            found = tuple(path for path in self._references if path.startswith(prefix))
            self._listed_below[directory] = found
        return found

    def _concerned(self, path: str) -> set[str]:
        """The files whose references may mean something else now that this file came or went."""
        directory, _, name = path.rpartition("/")
        parts = directory.split("/") if directory else []
        names = {name.removesuffix(".py")}
        if name == "__init__.py":
            names |= set(parts[-1:])
        for depth in range(len(parts), 0, -1):
            if self._below.get("/".join(parts[:depth]), 0) > 1:
                break
            names.add(parts[depth - 1])
        concerned = set[str]().union(*(self._mentions.get(one, ()) for one in names))
        return concerned | (self._mentions.get("*", set()) if parts else set())

    def _resolve_again(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._resolve(path)

    def _mention(self, path: str, references: tuple[str, ...], *, forget: bool = False) -> None:
        names = {part for reference in references for part in reference.split(".") if part}
        for name in names:
            if forget:
                self._mentions.get(name, set()).discard(path)
            else:
                self._mentions.setdefault(name, set()).add(path)

    def _place(self, path: str, number: int) -> None:
        """Count the file as something that can be imported from each of the directories above it."""
        self._listed_below.clear()
        parts = path.removesuffix(".py").split("/")
        for depth in range(len(parts)):
            root = "/".join(parts[:depth])
            roots = self._roots.setdefault(parts[depth], {})
            roots[root] = roots.get(root, 0) + number
            if not roots[root]:
                del roots[root]
            if depth:
                self._below[root] = self._below.get(root, 0) + number

    def _resolve(self, path: str) -> None:
        before = self._resolved.get(path, frozenset())
        found: set[str] = set()
        for reference in self._references.get(path, ()):
            found.update(self._files_of(path, reference))
        found.discard(path)
        now = self._resolved[path] = frozenset(found)
        for imported in before - now:
            self._importers.get(imported, set()).discard(path)
            if imported not in self._references:
                self._former.setdefault(imported, set()).add(path)
        for imported in now - before:
            self._importers.setdefault(imported, set()).add(path)

    def _files_of(self, path: str, reference: str) -> Iterator[str]:
        name = reference.lstrip(".")
        level = len(reference) - len(name)
        parts = name.split(".") if name else []
        if level:
            above = path.split("/")[:-level]
            if len(path.split("/")) >= level:
                yield from self._down("/".join(above), parts)
            return
        for root in list(self._roots.get(parts[0], ()) if parts else ()):
            if self._importable_from(root, parts[0], path):
                yield from self._down(root, parts)

    def _importable_from(self, root: str, top: str, path: str) -> bool:
        """Whether a directory may be on the path for imports: packages are not."""
        if root in _USUAL_ROOTS:
            return True
        if top in sys.stdlib_module_names and root != path.rpartition("/")[0]:
            return False
        return f"{root}/__init__.py" not in self._references

    def _down(self, root: str, parts: list[str]) -> Iterator[str]:
        """Every file that importing the name from a directory may run."""
        base = f"{root}/" if root else ""
        if f"{base}__init__.py" in self._references and (not parts or root):
            yield f"{base}__init__.py"
        for part in parts:
            if part == "*":
                yield from self._directly_in(base)
                return
            base += part
            if f"{base}.py" in self._references:
                yield f"{base}.py"
            if f"{base}/__init__.py" in self._references:
                yield f"{base}/__init__.py"
            if base not in self._below:
                return
            base += "/"

    def _directly_in(self, base: str) -> Iterator[str]:
        for path in self._references:
            if path.startswith(base) and "/" not in path[len(base) :]:
                yield path
