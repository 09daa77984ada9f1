"""The import of a name that nothing in the file defines, as other files of the project have it."""

import ast
import re
import typing
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from pytest_buddy.coder.change import Change, Splice, Template, on_statement
from pytest_buddy.coder.site import Site
from pytest_buddy.source import Source

_IMPORTED: Final = re.compile(
    rb"^\s*from\s+(\.*[\w.]*)\s+import\s+(?:\(([^)]*)\)|([^\n#(]+))|^\s*import\s+([^\n#]+)", re.M
)
_MOST: Final = 6


def imports_known(sources: Iterable[Source], names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Name -> import lines that bind it, the most frequent first: other files' imports and definitions."""
    counts: dict[str, dict[str, int]] = {name: {} for name in names}
    for source in sources if names else ():
        for name in names:
            if name.encode() in source.content:
                for line in _lines(source, name):
                    counts[name][line] = counts[name].get(line, 0) + 1
        package, _, last = source.module.rpartition(".")
        if last in counts and package:
            counts[last].setdefault(f"from {package} import {last}", 1)
    for name in typing.__all__:
        if name in counts:
            counts[name].setdefault(f"from typing import {name}", 0)
    ordered = {name: sorted(found, key=lambda line: -found[line]) for name, found in counts.items()}
    return {name: tuple(found[:_MOST]) for name, found in ordered.items() if found}


def _lines(source: Source, name: str) -> Iterator[str]:
    word = name.encode()
    for match in _IMPORTED.finditer(source.content):
        module, grouped, plain, modules = match.groups()
        for item in re.split(rb"[,\n]", grouped or plain or modules or b""):
            parts = item.partition(b"#")[0].split()
            if parts and parts[-1] == word:
                text = b" ".join(parts).decode("utf-8", "replace")
                home = _absolute(module.decode("utf-8", "replace"), source) if module is not None else ""
                yield f"from {home} import {text}" if home else f"import {text}"
    defined = rb"^(?:async def|def|class)\s+" + re.escape(word) + rb"\b|^" + re.escape(word) + rb"\s*[:=]"
    if re.search(defined, source.content, re.M) and source.module:
        yield f"from {source.module} import {name}"


def _absolute(module: str, source: Source) -> str:
    """The module's full name, for one that is named from where the file is."""
    dots = len(module) - len(module.lstrip("."))
    if not dots:
        return module
    parts = source.module.split(".")
    inside = source.path.endswith("/__init__.py")
    parts = parts[: len(parts) - dots + (1 if inside else 0)]
    return ".".join([*parts, module.lstrip(".")]).strip(".") or module


@on_statement("project-import", 0.3)
def project_import(site: Site) -> Iterator[Change]:
    """The import of an unknown name, as other files of the project import or define it."""
    for name, lines in site.hints.imports.items():
        if name in site.scope.names:
            continue
        place = _place(site)
        for rank, line in enumerate(line for line in lines if not _of_itself(site, line)):
            yield Change(
                splices=(Splice(place, place, f"{line}\n"),),
                rationale=f"adds `{line}`, as elsewhere in the project",
                prior=1.0 / (rank + 1),
                structural=True,
            )


def _of_itself(site: Site, line: str) -> bool:
    return line.startswith(f"from {site.source.module} import ")


def _place(site: Site) -> int:
    """Behind the last import at the head of the file, before its first other statement otherwise."""
    body = site.source.tree.body
    documented = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    last = body[0].end_lineno or 0 if documented else 0
    for node in body[int(documented) :]:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            break
        last = node.end_lineno or 0
    return site.source.line_starts[last]


TEMPLATES: Final[tuple[Template, ...]] = (project_import,)
