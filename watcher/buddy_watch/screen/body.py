"""The middle of the screen: what is red, why, and the fix; or that all is well."""

import re
from collections.abc import Iterable
from dataclasses import replace

from rich.text import Text

from buddy_watch.screen.glance import views
from buddy_watch.screen.manual import manual
from buddy_watch.screen.sheet import Sheet
from buddy_watch.values import RedTest, Scene
from pytest_buddy.response import Page

_MESSAGE_ROOM = 24
_MESSAGE = 2_000
_LOOSE = 3
_ASIDES = 20
_MOST = 300
_OUTPUT = 20_000
_OUTPUT_LINES = 400
_NOTES = 5
_UNLIKE = re.compile(r"[\W\d_]+")  # notes that differ in nothing else say the same
_EDGE = 1
_WIDE = 140


def body(scene: Scene, sheet: Sheet, rows: int) -> list[Text]:
    """All lines of the body; the frame shows `rows` of them."""
    page, notes = sheet.fresh(margin=2 * _EDGE), sheet.fresh(margin=2 * _EDGE)
    if not scene.help:
        _add_notes(notes, scene)
    if scene.help:
        manual(page)
    elif _broken(scene):
        _add_breakdown(page, scene, sheet)
    elif scene.red or (scene.diagnosis and scene.diagnosis.faults):
        kept = len(notes.lines) + 1 if notes.lines else 0
        _add_red(page, scene, sheet, rows - min(kept, rows // 3))
    else:
        _add_calm(page, scene, sheet)
    page.blank()
    page.extend(notes)
    while page.lines and not page.lines[-1].plain.strip():
        page.lines.pop()
    return [Text.assemble(" " * _EDGE, line) for line in page.lines]


def starts_at_its_end(scene: Scene) -> bool:
    """Whether the end of the body is what is to be read first."""
    return _broken(scene) and not scene.help


def subject(scene: Scene) -> Scene:
    """The scene without what the body does not show: bodies of equal subjects are equal."""
    without = replace(
        scene,
        project="",
        progress="something" if scene.progress else "",
        background="",
        message="",
        asking=None,
        run=0,
        why="",
        seconds=0.0,
        path_filter="",
        keyword="",
        failed_only=False,
        paused=False,
    )
    if scene.red:
        return replace(without, selected=0, known=0, done=0, passed=0, failed=0, skipped=0)
    return without


def _broken(scene: Scene) -> bool:
    return scene.state == "broken" or scene.standing.state == "broken"


def _add_red(page: Page, scene: Scene, sheet: Sheet, rows: int) -> None:
    faults = views(scene)
    explained = {test for view in faults for test in view.fault.tests}
    loose = [red for red in scene.red if red.test not in explained]
    shown = max(_LOOSE, rows - 3) if not faults else _LOOSE
    _add_tests(page, loose, sheet, most=shown)
    if not faults:
        return
    page.blank()
    asides = faults[1:]
    reserved = len(page.lines) + (min(len(asides), _ASIDES) + 1 if asides else 0)
    failures = {failure.test: failure for failure in scene.diagnosis.failures} if scene.diagnosis else {}
    if sheet.width < _WIDE:
        faults[0].add(page, failures, scene.sources, rows=rows - reserved, whole=scene.explained)
    else:
        half = (page.width - 3) // 2
        left, right = (sheet.fresh(margin=sheet.width - half) for _ in range(2))
        faults[0].add(
            left, failures, scene.sources, rows=rows - reserved, whole=scene.explained, beside=right
        )
        page.lines += sheet.columns(left.lines, right.lines, half)
    if asides:
        page.blank()
        for view in asides[:_ASIDES]:
            view.add_line(page)
        if len(asides) > _ASIDES:
            page.add(Text(f"and {len(asides) - _ASIDES:,} more faults", "dim"))


def _add_tests(page: Page, tests: Iterable[RedTest], sheet: Sheet, *, most: int) -> None:
    tests = list(tests)
    room = max(1, most if len(tests) <= most else most - 1)
    two = 2 * len(tests) <= most
    for red in tests[:room]:
        style = "dim" if red.stale else "red"
        sign = sheet.signs.stale if red.stale else sheet.signs.failed
        line = page.user(red.test, "dim" if red.stale else "bold")
        line.stylize("not bold dim", 0, line.plain.find("::") + 2 if "::" in line.plain else 0)
        if red.status not in ("failed", "passed"):
            line = Text.assemble(line, "  ", (red.status, "yellow"))
        reason = page.prose(red.message[:_MESSAGE], "dim", limit=200)
        beside = page.room - line.cell_len - 4 >= max(_MESSAGE_ROOM, min(reason.cell_len, 50))
        if reason and beside:
            line = Text.assemble(line, "  ", reason)
        page.add_cut(line, lead=Text(f"{sign} ", style))
        if reason and not beside and two:
            page.add_cut(reason, lead="    ")
    if len(tests) > room:
        page.add(Text(f"  and {len(tests) - room:,} more", "dim"))


def _add_breakdown(page: Page, scene: Scene, sheet: Sheet) -> None:
    reason = scene.standing.reason if scene.standing.state == "broken" else ""
    page.add(Text(f"{sheet.signs.failed} pytest broke down", "bold red"))
    if reason:
        page.add(page.prose(reason))
    page.add(Text("the next save tries again", "dim"))
    page.blank()
    lines = page.clean(scene.output[-_OUTPUT:]).rstrip().splitlines()[-_OUTPUT_LINES:]
    for line in lines:
        error = line.startswith(("E ", "ERROR", "INTERNALERROR> E"))
        page.add_folded(page.user(line, "bold red" if error else ""), rows=3)


def _add_calm(page: Page, scene: Scene, sheet: Sheet) -> None:
    signs = sheet.signs
    page.lines.append(Text())
    if scene.state == "starting":
        page.add(Text("starting pytest and reading the tests", "bold"), lead=Text(f"{signs.busy} ", "yellow"))
        hint = "the first run follows at once"
    elif scene.state == "running":
        number = count(max(scene.selected, scene.done), "test")
        page.add(Text(f"running {number}", "bold"), lead=Text(f"{signs.busy} ", "yellow"))
        hint = "a new save stops this run and starts the next one"
    elif scene.passed and not scene.failed:
        page.add(Text(_all_well(scene), "bold green"), lead=Text(f"{signs.passed} ", "bold green"))
        hint = "save a file, and the tests that it affects run"
    else:
        page.add(Text("no test has run yet", "bold"), lead=Text(f"{signs.idle} ", "dim"))
        hint = "save a file, or press Enter"
    page.add(Text(hint, "dim"), lead="  ")


def _all_well(scene: Scene) -> str:
    """Says only what has been run."""
    ran = scene.passed + scene.skipped
    if ran >= scene.known and not scene.skipped:
        return f"all {scene.passed:,} tests pass" if scene.passed > 1 else "the one test passes"
    if ran >= scene.known:
        return f"{count(scene.passed, 'test')} pass, {scene.skipped:,} skipped"
    return f"no failure known: {ran:,} of {scene.known:,} tests have run"


def count(number: int, noun: str) -> str:
    """The number with its noun, in the right form."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _add_notes(page: Page, scene: Scene) -> None:
    notes = list(scene.notices)
    if scene.diagnosis:
        flaky = scene.diagnosis.flaky
        if flaky:
            listed = ", ".join(flaky[:3]) + (" ..." if len(flaky) > 3 else "")
            notes.append(f"flaky, passed when run again and is not repaired: {listed}")
        notes += scene.diagnosis.notices
    if scene.standing.state == "cold" and scene.standing.reason:
        notes.append(f"runs are slower than they could be: {scene.standing.reason}")
    different = {_UNLIKE.sub(" ", note).strip(): note for note in reversed(notes)}
    for note in reversed(list(different.values())[-_NOTES:]):
        text, _, hint = note.strip().partition("\n")
        page.add(page.prose(text), lead=Text("note  ", "yellow"))
        if hint.strip():
            page.add(page.prose(hint, "dim"), lead="      ")
