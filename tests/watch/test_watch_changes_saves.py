"""Every save is told, once, whatever the editor does; what is no save is not."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor_saves import STYLES, Desk, in_place

from buddy_watch.reactor import Reactor

SAVES = 20


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "x.py").write_text("a = 0\n")
    with Desk(tmp_path) as made:
        yield made


@pytest.mark.parametrize("style", STYLES)
def test_each_save_is_told_once(desk, style):
    path = desk.root / "pkg" / "x.py"
    doubles = slow = 0
    for number in range(SAVES):
        desk.batches.clear()
        start = time.monotonic()
        STYLES[style](path, f"a = {number}\n")
        slow += time.monotonic() - start > 0.005
        desk.until(lambda: desk.batches)
        desk.turn(0.01)
        assert desk.told == {"pkg/x.py"}
        doubles += len(desk.batches) > 1
    # A busy machine may stretch a save into two.
    assert doubles <= slow + SAVES // 10


def test_what_lies_around_while_a_person_edits_is_never_told(desk):
    names = (
        "4913", ".x.py.swp", ".x.py.swo", "x.py~", ".#x.py", "#x.py#", "x.py___jb_tmp___",
        ".goutputstream-AB12CD",
        ".x.py.kate-swp", "x.py.vsctmp", "x.py.tmp", ".tmpAb12Cd", "x.py.QyTnGa", "x.py.tmp.4711.1700000",
        "x.pyc", ".coverage", ".coverage.host.1.2", "x.py.1234567890",
    )  # fmt: skip
    for name in names:
        (desk.root / "pkg" / name).write_text("x")
    desk.marked()
    assert desk.told == set()


def test_ordinary_files_are_told_whatever_their_name(desk):
    names = {
        "2024", "x.py.expected", "data.tmp.json", ".template.yml", "file.sha256", "swap.swift", "edit.txt",
        "sediment", "café.py", "new\nline.py", "🐍.py", " spaced name.py", "#1.md", "x.tar.gz", "coverage.py",
    }  # fmt: skip
    for name in names:
        desk.write(f"pkg/{name}", "x")
    desk.until(lambda: {f"pkg/{name}" for name in names} <= desk.told)


def test_an_empty_file_is_waited_for_but_told_when_it_stays_empty(desk):
    path = desk.root / "pkg" / "x.py"
    path.write_text("")
    desk.until(lambda: desk.batches)
    assert desk.batches == [("pkg/x.py",)]
    in_place(path, "a = 1\n")
    desk.until(lambda: len(desk.batches) == 2)


def test_the_second_half_of_a_save_joins_the_first(desk):
    path = desk.root / "pkg" / "x.py"
    with path.open("w") as file:
        desk.reactor.later(0.035, lambda: (file.write("a = 1\n"), file.flush()))
        desk.until(lambda: desk.batches)
    assert path.read_text() == "a = 1\n"
    assert desk.batches == [("pkg/x.py",)]


def test_a_file_deleted_is_told_unless_it_comes_back_at_once(desk):
    path = desk.root / "pkg" / "x.py"
    text = path.read_text()
    path.unlink()
    desk.reactor.later(0.04, lambda: path.write_text(text))
    desk.until(lambda: desk.batches)
    assert path.exists()
    desk.turn(0.1)
    assert desk.batches == [("pkg/x.py",)]
    path.unlink()
    desk.until(lambda: len(desk.batches) == 2)
    assert desk.batches[1] == ("pkg/x.py",)


def test_files_saved_together_are_told_together(desk):
    for number in range(5):
        desk.write(f"pkg/m{number}.py", "x = 1\n")
    desk.until(lambda: len(desk.told) == 5)
    assert len(desk.batches) == 1


def test_a_stream_of_writes_is_told_before_it_ends(desk):
    path = desk.root / "pkg" / "log.txt"
    written = 0

    def write() -> None:
        nonlocal written
        with path.open("a") as file:
            file.write("line\n")
        written += 1
        if written < 200:
            desk.reactor.later(0.004, write)

    write()
    desk.until(lambda: desk.batches)
    assert written < 100


def test_a_save_is_told_soon(desk):
    waits = []
    for number in range(9):
        desk.batches.clear()
        start = time.monotonic()
        desk.write("pkg/x.py", f"a = {number}\n")
        desk.until(lambda: desk.batches)
        waits.append(time.monotonic() - start)
        desk.turn(0.02)
    assert sorted(waits)[4] < 0.1


def test_a_save_before_the_thread_is_up_is_told(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("a = 1\n")
    desk = Desk(tmp_path)
    desk.watching.start()
    path.write_text("a = 2\n")
    desk.until(lambda: "x.py" in desk.told)
    desk.watching.close()
    desk.reactor.close()


def test_closing_ends_the_thread_and_lets_go_of_everything(tmp_path):
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    with Desk(tmp_path):
        pass
    before, threads = descriptors(), threading.active_count()
    for _ in range(5):
        desk = Desk(tmp_path)
        with desk:
            assert threading.active_count() == threads + 1
        start = time.monotonic()
        desk.watching.close()
        assert time.monotonic() - start < 1
    assert threading.active_count() == threads
    # The system's watch is closed by a thread of its own, a moment later.
    end = time.monotonic() + 5
    while descriptors() > before and time.monotonic() < end:
        Reactor().step(0.01)  # nothing tells of a descriptor that is closed elsewhere
    assert descriptors() <= before
