"""The top of the screen: how the tests stand, what ran and why, what is switched on."""

from collections.abc import Iterator

from rich.text import Text

from buddy_watch.screen.sheet import Sheet
from buddy_watch.values import Scene

_BAR = 24


def header(scene: Scene, sheet: Sheet) -> tuple[Text, Text]:
    """Two lines; the first says the most important."""
    name = sheet.page.user(scene.project, "bold")
    standing = Text.assemble(sheet.cut(name, max(8, sheet.width // 3)), "  ", _state(scene, sheet))
    return (
        sheet.halves(standing, sheet.joined(list(_marks(scene)))),
        sheet.halves(
            sheet.joined(list(_run(scene, sheet))), sheet.joined(list(_filters(scene, sheet))), keep="right"
        ),
    )


def _state(scene: Scene, sheet: Sheet) -> Text:
    signs = sheet.signs
    counts = _counts(scene)
    if scene.state == "broken" or scene.standing.state == "broken":
        return Text(f"{signs.failed} pytest cannot run", "bold red")
    if scene.state == "starting":
        return Text(f"{signs.busy} starting pytest", "yellow")
    if scene.state == "running":
        return Text.assemble((f"{signs.busy} ", "yellow"), _bar(scene, sheet), counts)
    if scene.failed or scene.red:
        return Text.assemble((f"{signs.failed} ", "bold red"), counts)
    if scene.passed:
        return Text.assemble((f"{signs.passed} ", "bold green"), counts)
    return Text.assemble((f"{signs.idle} ", "dim"), counts or ("nothing has run yet", "dim"))


def _counts(scene: Scene) -> Text:
    parts = []
    if scene.failed:
        parts.append(Text(f"{scene.failed:,} failed", "bold red"))
    if scene.passed:
        parts.append(Text(f"{scene.passed:,} passed", "green"))
    if scene.skipped:
        parts.append(Text(f"{scene.skipped:,} skipped", "yellow"))
    return Text("  ").join(parts)


def _bar(scene: Scene, sheet: Sheet) -> Text:
    total = max(scene.selected, scene.done)
    if not total:
        return Text("running  ", "yellow")
    shown = Text(f"{scene.done:,}/{total:,}  ", "yellow")
    columns = min(_BAR, sheet.width // 4)
    if columns < 10:
        return shown
    filled = columns * scene.done // total
    return Text.assemble(
        (sheet.signs.done * filled, "red" if scene.failed else "green"),
        (sheet.signs.left * (columns - filled), "dim"),
        " ",
        shown,
    )


def _run(scene: Scene, sheet: Sheet) -> Iterator[Text]:
    if scene.state == "broken" or scene.standing.state == "broken":
        return
    if scene.run:
        every = scene.selected >= scene.known
        number = f"all {scene.selected:,}" if every else f"{scene.selected:,} of {scene.known:,}"
        yield Text(f"{number} {'test' if number == 'all 1' else 'tests'}")
        if scene.why:
            yield sheet.page.prose(scene.why, limit=80)
        if scene.state != "running":
            yield Text(duration(scene.seconds), "dim")
    elif scene.known:
        yield Text(f"{scene.known:,} tests known", "dim")


def _marks(scene: Scene) -> Iterator[Text]:
    if scene.failed_only:
        yield Text("failed only", "bold magenta")
    if scene.paused:
        yield Text("paused", "bold yellow")
    standing = scene.standing.state
    if standing == "cold":
        yield Text("cold", "yellow")
    elif standing == "starting" and scene.state != "starting":
        yield Text("warming up", "dim")
    elif standing == "warm":
        yield Text("warm", "dim")


def _filters(scene: Scene, sheet: Sheet) -> Iterator[Text]:
    for label, text in (("paths", scene.path_filter), ("keyword", scene.keyword)):
        if text:
            yield Text.assemble((f"{label} ", "dim"), sheet.page.prose(text, "magenta", limit=60))


def duration(seconds: float) -> str:
    """A duration, in milliseconds while that is short."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min {seconds % 60:.0f} s"
