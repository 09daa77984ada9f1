"""Styled lines laid out for one width, with or without colour, in Unicode or ASCII."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from pytest_buddy.response.escape import one_line, visible

NARROW = 60
_WIDEST = 400
_PROSE_LIMIT = 600
_LONGEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """The few characters beyond letters that the layout uses."""

    dot: str = "·"
    bar: str = "│"
    bullet: str = "•"
    ellipsis: str = "…"
    prompt: str = "❯"
    fold: str = "↪"


_ASCII = Symbols(dot="-", bar="|", bullet="*", ellipsis="...", prompt="$", fold="\\")


class Page:
    """Collects lines; text of the user's program enters only through `user` and `prose`."""

    def __init__(
        self,
        *,
        width: int = 80,
        color: bool = False,
        ascii: bool = False,  # noqa: A002
        redact: Callable[[str], str] | None = None,
    ) -> None:
        self.width = max(20, min(width, _WIDEST))
        self.color = color
        self.symbols = _ASCII if ascii else Symbols()
        self.lines: list[Text] = []
        self._ascii = ascii
        self._redact = redact
        self._margin = 0
        self._label: Text | None = None
        self._console = Console(
            file=StringIO(),
            width=self.width,
            color_system="standard" if color else None,
            force_terminal=color,
            force_jupyter=False,
            legacy_windows=False,
            no_color=not color,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def fresh(self) -> "Page":
        """An empty page of the same kind."""
        return Page(width=self.width, color=self.color, ascii=self._ascii, redact=self._redact)

    @property
    def room(self) -> int:
        """The columns right of the margin."""
        return self.width - self._margin

    def clean(self, text: str) -> str:
        """The text as others may read it; secrets of several lines are found only in the whole text."""
        return self._redact(text) if self._redact else text

    def user(self, text: str, style: str = "") -> Text:
        """One line of the user's text, escaped, as it is."""
        return Text(visible(self.clean(text), ascii=self._ascii), style)

    def prose(self, text: str, style: str = "", *, limit: int = _PROSE_LIMIT) -> Text:
        """The user's text as flowing text, its `quoted code` set off: on one line, cut when very long."""
        flat = one_line(self.clean(text[:_LONGEST]), limit=limit)
        shown = Text(visible(flat, ascii=self._ascii), style)
        shown.highlight_regex(r"`[^`]+`", "cyan")
        return shown

    def joined(self, parts: Iterable[Text | str]) -> Text:
        """The parts that are not empty, with a dot between them."""
        return Text(f" {self.symbols.dot} ").join(
            Text(part) if isinstance(part, str) else part for part in parts if part
        )

    def section(self, name: str) -> None:
        """Put what follows right of a label, or below it where the page is narrow."""
        self._margin = 0
        if self.width < NARROW:
            self.add(Text(f"  {name}", "bold"))
            self._margin = 4
        else:
            self._label = Text(f"  {name:<7}", "bold")
            self._margin = 9

    def indent(self, columns: int) -> None:
        """Put what follows that many columns from the left."""
        self._margin, self._label = columns, None

    def blank(self) -> None:
        """An empty line, unless the page has none yet or ends with one."""
        if self.lines and self.lines[-1].plain.strip():
            self.lines.append(Text())

    def add(self, text: Text | str, *, lead: Text | str = "", hang: Text | str | None = None) -> None:
        """Wrapped text; `lead` comes before its first line, `hang` (spaces by default) before the others."""
        text = Text(text) if isinstance(text, str) else text
        lead = Text(lead) if isinstance(lead, str) else lead
        hang = Text(hang if hang is not None else " " * lead.cell_len) if not isinstance(hang, Text) else hang
        for number, line in enumerate(text.wrap(self._console, max(8, self.room - lead.cell_len))):
            line.rstrip()
            self._emit(Text.assemble(lead if number == 0 else hang, line))

    def add_cut(self, text: Text, *, lead: Text | str = "") -> None:
        """Text on exactly one line, cut with an ellipsis where it does not fit."""
        lead = Text(lead) if isinstance(lead, str) else lead
        self._emit(Text.assemble(lead, self._cut(text, max(8, self.room - lead.cell_len))))

    def add_folded(self, text: Text, *, rows: int) -> int:
        """Text broken wherever the line is full, spaces kept, cut after `rows`; returns the rows it took."""
        offsets: list[int] = []
        columns, used = max(8, self.room), 0
        for position, character in enumerate(text.plain):
            size = get_character_cell_size(character)
            if used + size > columns:
                if len(offsets) + 1 == rows:
                    text = text[: max(0, position - cell_len(self.symbols.ellipsis))]
                    text.append(self.symbols.ellipsis, "dim")
                    break
                offsets.append(position)
                used = cell_len(self.symbols.fold) + 1
            used += size
        for number, line in enumerate(text.divide(offsets)):
            self._emit(line if number == 0 else Text.assemble((f"{self.symbols.fold} ", "dim"), line))
        return len(offsets) + 1

    def code(self, lines: Sequence[str]) -> list[Text]:
        """Lines of Python, syntax-coloured on a page with colours."""
        cleaned = self.clean("\n".join(lines)).split("\n") if lines else []
        shown = [Text(visible(line[: 2 * _WIDEST], ascii=self._ascii)) for line in cleaned]
        if not self.color or not lines:
            return shown
        plain = "\n".join(line.plain for line in shown)
        colored = Syntax("", "python", theme="ansi_dark").highlight(plain).split("\n", allow_blank=True)
        return list(colored[: len(shown)])

    def extend(self, other: "Page") -> None:
        """Take over the lines of another page."""
        self.lines.extend(other.lines)

    def render(self) -> str:
        """The whole page; each line ends with a newline."""
        while self.lines and not self.lines[-1].plain.strip():
            self.lines.pop()
        with self._console.capture() as capture:
            for line in self.lines:
                self._console.print(line, soft_wrap=True)
        return capture.get()

    def _emit(self, line: Text) -> None:
        label, self._label = self._label, None
        line.rstrip()
        self.lines.append(Text.assemble(label if label is not None else " " * self._margin, line))

    def _cut(self, text: Text, columns: int) -> Text:
        if text.cell_len <= columns:
            return text
        cut = text.copy()
        cut.truncate(columns - cell_len(self.symbols.ellipsis), overflow="crop")
        cut.rstrip()
        return cut.append(self.symbols.ellipsis, "dim")
