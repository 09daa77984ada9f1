"""A scene and a size -> the lines of the whole terminal."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text

from buddy_watch.screen.body import body, starts_at_its_end
from buddy_watch.screen.footer import doing, keys
from buddy_watch.screen.header import header
from buddy_watch.screen.sheet import Sheet
from buddy_watch.values import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`lines` from top to bottom, styled, none wider than asked; the body shows `rows` lines from `scroll`.

    `scroll` is at least 0 and at most `most`.
    """

    lines: tuple[str, ...]
    scroll: int = 0
    most: int = 0
    rows: int = 0


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
    """The whole screen. Texts of the user's program are shown escaped and pass through `redact`.

    Without `scroll` the body starts where it is best read.
    """
    sheet = Sheet(width=max(1, width), height=max(1, height), color=color, ascii=ascii, redact=redact)
    above, below = _edges(scene, sheet)
    rows = max(0, sheet.height - len(above) - len(below) - (sheet.height >= _RULED))
    lines = body(scene, sheet, rows) if rows else []
    most = max(0, len(lines) - rows)
    if scroll is None:
        scroll = most if starts_at_its_end(scene) else 0
    scroll = max(0, min(scroll, most))
    shown = lines[scroll : scroll + rows]
    shown += [Text()] * (rows - len(shown))
    ruled = [sheet.rule(_place(sheet, scroll, rows, len(lines)))] if sheet.height >= _RULED else []
    return Frame(lines=sheet.rendered([*above, *shown, *ruled, *below]), scroll=scroll, most=most, rows=rows)


_RULED = 12
_TALL = 8


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
