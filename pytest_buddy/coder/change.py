"""What a template makes: changes of the text at one statement, each with its likelihood."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_buddy.domain import Edit
from pytest_buddy.source import Source

if TYPE_CHECKING:
    from pytest_buddy.coder.site import Site


class Splice(NamedTuple):
    """Replace the bytes `start`..`end` of the source by `text` (its newlines become the file's)."""

    start: int
    end: int
    text: str


def encoded(source: Source, text: str, errors: str = "strict") -> bytes:
    """The text as the file writes it: its encoding, its newlines; raises UnicodeEncodeError."""
    encoding = "utf-8" if source.encoding == "utf-8-sig" else source.encoding
    return text.encode(encoding, errors).replace(b"\n", source.newline)


def edits_of(source: Source, splices: Iterable[Splice]) -> tuple[Edit, ...]:
    """The edits that splices of a file stand for; raises UnicodeEncodeError."""
    return tuple(
        Edit(
            path=source.path,
            digest=source.digest,
            start=splice.start,
            end=splice.end,
            replacement=encoded(source, splice.text),
        )
        for splice in sorted(splices)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One way to rewrite the statement.

    `prior` compares the changes of one template at one statement; `suspicion` says how much it looks like
    pleasing the test only; `signal` names the kind of evidence that would speak for it; `structural` changes
    are checked with the whole function around them.
    """

    splices: tuple[Splice, ...]
    rationale: str
    prior: float = 1.0
    suspicion: float = 0.0
    signal: str = ""
    structural: bool = False


ExpressionMaker = Callable[["Site", Any], Iterable[Change]]
StatementMaker = Callable[["Site"], Iterable[Change]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A kind of fix: `weight` is how likely it is at a statement it applies to.

    `spread` tells among how many changes the weight is usually shared, at least; it puts off making many
    changes at statements that are little suspected.
    With `nodes`, `make` is called with the site and each expression of those types; without, with the site.
    """

    name: str
    weight: float
    make: Callable[..., Iterable[Change]]
    nodes: tuple[type[ast.AST], ...] = ()
    spread: int = 1

    def changes(self, site: "Site") -> Iterable[Change]:
        """All changes it has to offer at the site."""
        if not self.nodes:
            yield from self.make(site)
            return
        for node_type in self.nodes:
            for node in site.nodes_of(node_type):
                yield from self.make(site, node)


def on_expressions(
    name: str, weight: float, *nodes: type[ast.AST], spread: int = 1
) -> Callable[[ExpressionMaker], Template]:
    """Make a template of a function that is called for each expression of the given types."""

    def wrap(make: ExpressionMaker) -> Template:
        return Template(name=name, weight=weight, make=make, nodes=nodes, spread=spread)

    return wrap


def on_statement(name: str, weight: float, spread: int = 1) -> Callable[[StatementMaker], Template]:
    """Make a template of a function that is called once for each statement."""

    def wrap(make: StatementMaker) -> Template:
        return Template(name=name, weight=weight, make=make, spread=spread)

    return wrap
