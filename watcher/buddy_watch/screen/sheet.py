"""The sheet that a frame is drawn on: pages, and lines with a left and a right half."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len
from rich.text import Text

from pytest_buddy.response import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The few characters that say how something stands."""

    passed: str = "✓"
    failed: str = "✗"
    busy: str = "●"
    idle: str = "○"
    stale: str = "◌"
    rule: str = "─"
    done: str = "━"
    left: str = "─"
    down: str = "↓"
    up: str = "↑"
    enter: str = "⏎"
    cursor: str = "▏"


_ASCII = Signs(
    passed="+",
    failed="x",
    busy="*",
    idle="o",
    stale="~",
    rule="-",
    done="#",
    left=".",
    down="v",
    up="^",
    enter="Enter",
    cursor="_",
)


@dataclass(slots=True, kw_only=True)
class Sheet:
    """How frames of one size are drawn; texts of the user's program enter through `page`s only."""

    width: int
    height: int
    color: bool = False
    ascii: bool = False
    redact: Callable[[str], str] | None = None
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.page = self.fresh()

    @property
    def signs(self) -> Signs:
        """The signs that the terminal can show."""
        return _ASCII if self.ascii else Signs()

    @property
    def dot(self) -> str:
        """What stands between parts of a line."""
        return f" {self.page.symbols.dot} "

    def fresh(self, *, margin: int = 0) -> Page:
        """An empty page, narrower than the sheet by a margin."""
        return Page(width=max(1, self.width - margin), color=self.color, ascii=self.ascii, redact=self.redact)

    def joined(self, parts: list[Text]) -> Text:
        """The parts that are not empty, with a dot between them."""
        return self.page.joined(parts)

    def halves(self, left: Text, right: Text, *, keep: Literal["left", "right"] = "left") -> Text:
        """One line, `right` at its end; where there is no room for both, one is kept as far as possible."""
        room = self.width - 2
        if left.cell_len + right.cell_len + 2 > room:
            if keep == "left":
                right = self.cut(right, max(0, room - left.cell_len - 2))
            else:
                left = self.cut(left, max(room // 3, room - right.cell_len - 2))
                right = self.cut(right, max(0, room - left.cell_len - 2))
        left = self.cut(left, room)
        gap = room - left.cell_len - right.cell_len
        return Text.assemble(" ", left, " " * max(0, gap), right)

    def cut(self, text: Text, columns: int) -> Text:
        """As much of the text as has room, with an ellipsis where it was cut."""
        if text.cell_len <= columns:
            return text
        ellipsis = self.page.symbols.ellipsis
        if columns < cell_len(ellipsis) + 4:
            return Text()
        kept = text.copy()
        kept.truncate(columns - cell_len(ellipsis), overflow="crop")
        kept.rstrip()
        return kept.append(ellipsis, "dim")

    def columns(self, left: list[Text], right: list[Text], width: int) -> list[Text]:
        """Two columns, the left one so wide, with a line between them."""
        bar = Text(f" {self.page.symbols.bar} ", "dim")
        rows = itertools.zip_longest(left, right, fillvalue=Text())
        return [Text.assemble(one, " " * max(0, width - one.cell_len), bar, other) for one, other in rows]

    def rule(self, label: Text | None = None) -> Text:
        """A line across, with a label near its right end."""
        if label is None or label.cell_len + 6 > self.width:
            return Text(self.signs.rule * self.width, "dim")
        before = self.signs.rule * (self.width - label.cell_len - 4)
        return Text.assemble((before, "dim"), " ", label, " ", (self.signs.rule * 2, "dim"))

    def rendered(self, lines: list[Text]) -> tuple[str, ...]:
        """Exactly `height` lines as the terminal gets them, none wider than `width`."""
        page = self.fresh()
        for line in lines[: self.height]:
            if line.cell_len > self.width:
                line = line.copy()
                line.truncate(self.width, overflow="crop")
            page.lines.append(line)
        text = page.render()
        drawn = text.split("\n")[:-1] if text else []
        return tuple(drawn + [""] * (self.height - len(drawn)))
