"""The system cannot watch, loses its place or goes silent: what is saved is told all the same."""

import builtins
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from editor_saves import Desk
from watchfiles import watch

from buddy_watch.changes import Watching
from buddy_watch.reactor import Reactor
from pytest_buddy.errors import BuddyError


class Failing:
    """A watch that raises what it is told to, at each opening, until it is told to work."""

    def __init__(self, *faults: BaseException | None) -> None:
        self.faults = list(faults)
        self.opened = 0

    def __call__(self, *places: str, **options: Any) -> Iterator[Any]:
        self.opened += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        yield from watch(*places, **options)


def _saved(desk: Desk, name: str, text: str) -> None:
    desk.batches.clear()
    desk.write(name, text)
    desk.until(lambda: name in desk.told)


def test_at_the_limit_of_watches_files_are_polled_and_the_person_told(tmp_path):
    failing = Failing(OSError("OS file watch limit reached."))
    with Desk(tmp_path, watch=failing) as desk:
        for number in range(3):
            _saved(desk, "pkg/x.py", f"a {'<>'[number % 2]} b\n")
        (tmp_path / "pkg" / "x.py").unlink()
        desk.batches.clear()
        desk.until(lambda: "pkg/x.py" in desk.told)
        _saved(desk, "new/deep/y.py", "y = 1\n")
    assert failing.opened == 1
    [notice] = desk.notices
    assert "watch limit reached" in notice
    assert "max_user_watches" in notice


def test_polling_can_be_asked_for_and_ignores_what_watching_ignores(tmp_path):
    (tmp_path / "out").mkdir()
    with Desk(tmp_path, poll=True, watch=Failing(AssertionError("not to be called"))) as desk:
        (tmp_path / "out" / "x.pyc").write_text("x")
        _saved(desk, "pkg/x.py", "a = 1\n")
        assert desk.told == {"pkg/x.py"}
        assert desk.notices == []


def test_a_directory_that_vanishes_before_it_is_watched_is_no_fault(tmp_path):
    (tmp_path / "pkg").mkdir()
    failing = Failing(FileNotFoundError("pkg"), FileNotFoundError("pkg"))
    with Desk(tmp_path, watch=failing) as desk:
        _saved(desk, "pkg/x.py", "a = 1\n")
    assert failing.opened == 3
    assert desk.notices == []


def test_a_fault_while_the_watch_opens_is_tried_again(tmp_path):
    failing = Failing(RuntimeError("Unable to decode path"), RuntimeError("Unable to decode path"))
    with Desk(tmp_path, watch=failing) as desk:
        _saved(desk, "x.py", "a = 1\n")
    assert failing.opened == 3
    assert desk.notices == []


def test_a_watch_that_never_opens_gives_way_to_polling(tmp_path):
    failing = Failing(*[RuntimeError("Too many open files")] * 1000)
    with Desk(tmp_path, watch=failing) as desk:
        _saved(desk, "x.py", "a = 1\n")
    assert failing.opened == 5
    assert len(desk.notices) == 1


def test_a_watch_that_fails_again_and_again_gives_way_to_polling(tmp_path):
    failing = Failing(*[FileNotFoundError("strange")] * 1000)
    with Desk(tmp_path, watch=failing) as desk:
        _saved(desk, "x.py", "a = 1\n")
    assert failing.opened < 30
    assert len(desk.notices) == 1


def test_what_happened_while_the_watch_was_broken_is_told(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("a = 1\n")
    breaking = threading.Event()

    def broken_once(*places: str, **options: Any) -> Iterator[Any]:
        for found in watch(*places, **options):
            if breaking.is_set():
                breaking.clear()
                path.write_text("a = 2, and nobody tells\n")
                raise RuntimeError("Unable to decode path")
            yield found

    with Desk(tmp_path, watch=broken_once) as desk:
        breaking.set()
        desk.until(lambda: desk.told == {"x.py"})
        _saved(desk, "x.py", "a = 3\n")
        assert desk.notices == []


def test_what_the_system_does_not_tell_is_found_a_little_later(tmp_path):
    (tmp_path / "silent").mkdir()

    def deaf(*places: str, **options: Any) -> Iterator[Any]:
        for found in watch(*places, **options):
            yield {(change, path) for change, path in found if "silent" not in path}

    with Desk(tmp_path, watch=deaf) as desk:
        desk.write("silent/x.py", "x = 1\n")
        desk.write("y.py", "y = 1\n")
        desk.until(lambda: "silent/x.py" in desk.told)


def test_when_nothing_works_the_person_is_told(tmp_path):
    class Unlisted:
        """Rules of the caller that break in the thread that polls."""

        def __call__(self, path: str) -> bool:
            if threading.current_thread() is not threading.main_thread():
                raise RuntimeError(f"no rule for {path}")
            return False

    (tmp_path / "x.py").write_text("x")
    desk = Desk(tmp_path, poll=True, ignored=Unlisted())
    desk.watching.start()
    desk.until(lambda: desk.notices)
    assert "no longer watched" in desk.notices[0]
    desk.watching.close()
    desk.reactor.close()


def test_a_missing_watchfiles_is_said_with_the_cure(tmp_path, monkeypatch):
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "watchfiles":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    watching = Watching(Path(tmp_path), Reactor(), print, ignored=None, notice=print)
    with pytest.raises(BuddyError) as caught:
        watching.start()
    assert caught.value.hint == 'pip install "pytest-buddy[watch]"'
