"""The bottom of the screen: what goes on or was asked, and the keys that make sense now."""

from collections.abc import Iterator

from rich.text import Text

from buddy_watch.screen.glance import can_undo, has_place, offered_fix
from buddy_watch.screen.manual import BINDINGS
from buddy_watch.screen.sheet import Sheet
from buddy_watch.values import Scene


def doing(scene: Scene, sheet: Sheet) -> Text:
    """One line: the line being typed, else the answer to the last key, else what goes on."""
    if scene.asking is not None:
        return _asked(*scene.asking, sheet)
    background = Text()
    if scene.background and not scene.paused:
        background = sheet.page.prose(f"background {scene.background}", "dim", limit=120)
    if scene.message:
        return sheet.halves(sheet.page.prose(scene.message, "bold"), background)
    left = Text()
    if scene.progress:
        sign = Text(f"{sheet.signs.busy} ", "cyan")
        left = Text.assemble(sign, sheet.page.prose(scene.progress, limit=200))
    return sheet.halves(left, background)


def keys(scene: Scene, sheet: Sheet) -> Text:
    """The keys that make sense now, as many as fit; help and quit always."""
    if scene.asking is not None:
        shown = [("Enter", "confirm"), ("Esc", "cancel")]
        return Text.assemble(" ", Text("  ").join(_key(*pair) for pair in shown))
    last = [_bound("h", sheet, scene), _bound("q", sheet, scene)]
    room = sheet.width - 2 - sum(part.cell_len + 2 for part in last)
    parts: list[Text] = []
    for key in _sensible(scene):
        part = _bound(key, sheet, scene)
        if part.cell_len > room:
            break
        parts.append(part)
        room -= part.cell_len + 2
    return Text.assemble(" ", Text("  ").join([*parts, *last]))


def _sensible(scene: Scene) -> Iterator[str]:
    """Keys, the most wanted first."""
    if scene.help:
        return
    red = bool(scene.red or (scene.diagnosis and scene.diagnosis.faults))
    if offered_fix(scene):
        yield from "asd"
    if can_undo(scene):
        yield "u"
    faults = scene.diagnosis.faults if scene.diagnosis else ()
    if len(faults) > 1:
        yield "n"
    if faults:
        yield "e"
    yield "enter"
    if red and has_place(scene):
        yield "o"
    if red or scene.failed_only:
        yield "f"
    yield from ("A", "p", "k")
    if scene.background or scene.paused:
        yield "b"
    if faults:
        yield "t"


def _bound(key: str, sheet: Sheet, scene: Scene) -> Text:
    words = {"e": "less" if scene.explained else "more", "b": "go on" if scene.paused else "pause"}
    name = sheet.signs.enter if key == "enter" else key
    return _key(name, words.get(key) or BINDINGS[key].word)


def _key(name: str, word: str) -> Text:
    return Text.assemble((name, "bold cyan"), " ", (word, "dim"))


def _asked(label: str, text: str, sheet: Sheet) -> Text:
    lead = Text.assemble(
        " ", sheet.page.user(label, "bold magenta"), (f" {sheet.page.symbols.prompt} ", "dim")
    )
    typed = sheet.page.user(text)
    room = max(1, sheet.width - lead.cell_len - 2)
    while typed.cell_len > room:  # the end is where the person types
        typed = typed[max(1, (typed.cell_len - room) // 2) :]
    return Text.assemble(lead, typed, (sheet.signs.cursor, "bold"))
