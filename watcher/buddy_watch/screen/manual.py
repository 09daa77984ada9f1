"""The keys: which there are, what they do, and the page that says so."""

from dataclasses import dataclass

from rich.text import Text

from pytest_buddy.domain import Verb
from pytest_buddy.response import Page


@dataclass(frozen=True, slots=True)
class Binding:
    """A key, the verb of its intent, the word for it and a sentence."""

    key: str
    verb: Verb
    word: str
    sentence: str


_FIXES = (
    Binding("a", "apply", "apply", "write the fix into the files"),
    Binding("s", "stage", "stage", "put it into git's index only"),
    Binding("d", "discard", "discard", "do not offer this fix again"),
    Binding("u", "undo", "undo", "take back the last change"),
    Binding("e", "explain", "more", "show more, or less"),
    Binding("n", "next", "next fault", "look at the next fault"),
    Binding("o", "open", "open", "open $EDITOR at the line"),
)
_RUNS = (
    Binding("enter", "rerun", "rerun", "run the last selection again"),
    Binding("t", "test", "test", "run this fault's tests again"),
    Binding("A", "all", "all", "run every test"),
    Binding("f", "failed", "failed only", "failing tests only, or not"),
    Binding("p", "paths", "paths", "only tests in files that match"),
    Binding("k", "keyword", "keyword", "only tests whose names match"),
    Binding("b", "pause", "pause", "stop background work, or go on"),
)
_REST = (
    Binding("h", "help", "help", "show or hide this page"),
    Binding("q", "quit", "quit", "end the watch; Ctrl-C does, too"),
)
_UNLISTED = (Binding("v", "voice", "voice", ""),)  # the loop says what is missing for it
BINDINGS = {binding.key: binding for binding in (*_FIXES, *_RUNS, *_REST, *_UNLISTED)}
_SCROLLING = "arrows, PgUp, PgDn, space, j, g, G and the wheel scroll"


def manual(page: Page) -> None:
    """All keys, in one column or two."""
    wide = page.width >= 76
    page.add(Text("Keys", "bold"))
    page.blank()
    if wide:
        for number in range(len(_FIXES)):
            _add(page, _FIXES[number], _RUNS[number])
    else:
        for binding in (*_FIXES, *_RUNS):
            _add(page, binding)
    page.blank()
    for binding in _REST:
        _add(page, binding)
    page.blank()
    page.add(Text(_SCROLLING, "dim"))


def _add(page: Page, *bindings: Binding) -> None:
    column = page.width // len(bindings)
    line = Text()
    for binding in bindings:
        name = binding.key.capitalize() if len(binding.key) > 1 else binding.key
        cell = Text.assemble((f"{name:>5}  ", "bold cyan"), binding.sentence)
        line.append_text(cell).append(" " * (column - cell.cell_len))
    page.add_cut(line)
