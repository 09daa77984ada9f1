"""A scene and a size -> the lines of the whole terminal."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text

from buddy_watch.screen.body import body, starts_at_its_end, subject
from buddy_watch.screen.footer import doing, keys
from buddy_watch.screen.header import header
from buddy_watch.screen.sheet import Sheet
from buddy_watch.values import Scene

_RULED = 12  # lines from which there is room for rules
_TALL = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`lines` from top to bottom, styled, none wider than asked; the body shows `rows` lines from `scroll`.

    `scroll` is at least 0 and at most `most`.
    """

    lines: tuple[str, ...]
    scroll: int = 0
    most: int = 0
    rows: int = 0


@dataclass(slots=True, kw_only=True)
class Painter:
    """Draws frames, and keeps the body of the last one for as long as it stays the same."""

    color: bool = False
    ascii: bool = False
    redact: Callable[[str], str] | None = None
    _kept: tuple[object, list[Text]] = (None, [])

    def draw(self, scene: Scene, *, width: int, height: int, scroll: int | None = None) -> Frame:
        """The whole screen; without `scroll` the body starts where it is best read."""
        sheet = Sheet(
            width=max(1, width),
            height=max(1, height),
            color=self.color,
            ascii=self.ascii,
            redact=self.redact,
        )
        above, below = _edges(scene, sheet)
        rows = max(0, sheet.height - len(above) - len(below) - (sheet.height >= _RULED))
        lines = self._body(scene, sheet, rows)
        most = max(0, len(lines) - rows)
        if scroll is None:
            scroll = most if starts_at_its_end(scene) else 0
        scroll = max(0, min(scroll, most))
        shown = lines[scroll : scroll + rows]
        shown += [Text()] * (rows - len(shown))
        ruled = [sheet.rule(_place(sheet, scroll, rows, len(lines)))] if sheet.height >= _RULED else []
        return Frame(
            lines=sheet.rendered([*above, *shown, *ruled, *below]), scroll=scroll, most=most, rows=rows
        )

    def _body(self, scene: Scene, sheet: Sheet, rows: int) -> list[Text]:
        key = (subject(scene), sheet.width, rows)
        if key != self._kept[0]:
            self._kept = (key, body(scene, sheet, rows) if rows else [])
        return self._kept[1]


def draw(
    scene: Scene,
    *,
    width: int,
    height: int,
    color: bool = False,
    ascii: bool = False,  # noqa: A002
    scroll: int | None = None,
    redact: Callable[[str], str] | None = None,
) -> Frame:
    """The whole screen, once. Texts of the user's program are shown escaped and pass through `redact`."""
    painter = Painter(color=color, ascii=ascii, redact=redact)
    return painter.draw(scene, width=width, height=height, scroll=scroll)


def _edges(scene: Scene, sheet: Sheet) -> tuple[list[Text], list[Text]]:
    """What stands above and below the body; less of it on a terminal of few lines."""
    first, second = header(scene, sheet)
    if sheet.height >= _RULED:
        return [first, second, sheet.rule()], [doing(scene, sheet), keys(scene, sheet)]
    if sheet.height >= _TALL:
        return [first, second], [doing(scene, sheet), keys(scene, sheet)]
    if sheet.height >= 3:
        asked = scene.asking is not None or bool(scene.message)
        return [first], [doing(scene, sheet) if asked else keys(scene, sheet)]
    return [first], []


def _place(sheet: Sheet, scroll: int, rows: int, total: int) -> Text | None:
    """Where in a body that does not fit the person is."""
    if total <= rows:
        return None
    above, below = scroll, total - scroll - rows
    parts = []
    if above:
        parts.append(f"{sheet.signs.up} {above:,}")
    if below:
        parts.append(f"{sheet.signs.down} {below:,} more")
    return Text("  ".join(parts), "yellow")
