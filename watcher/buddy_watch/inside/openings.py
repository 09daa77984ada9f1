"""Which files of the project are read and which of its directories listed, and which programs are started."""

import os
import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from types import FrameType
from typing import Any

from buddy_watch.inside.territory import Territory

_IMPORTLIB = "<frozen importlib"
_READS_SOURCES = ("linecache.py", "tokenize.py")
_PYTEST = f"{os.sep}_pytest{os.sep}"
_WRITES = os.O_WRONLY | os.O_RDWR
_LOOKS_LIKE_PYTHON = (
    "python",
    "pypy",
    "pytest",
    "py.test",
    "uv",
    "tox",
    "nox",
    "coverage",
    "sh",
    "bash",
    "make",
)


class Openings:
    """What has been opened since it was last taken. Its audit hook can't be removed, only silenced."""

    def __init__(self, territory: Territory, failed: Callable[[], None]) -> None:
        self._territory = territory
        self._failed = failed
        self._heeding = False
        self._written: set[str] = set()
        self.files: set[str] = set()
        self.directories: set[str] = set()
        self.early: set[tuple[str, str]] = set()
        self.beyond = False
        self.testing = False

    def start(self) -> None:
        """Begin to listen, in all threads."""
        handlers: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "open": self._opened,
            "sqlite3.connect": self._connected,
            "os.listdir": self._listed,
            "os.scandir": self._listed,
            "subprocess.Popen": self._program,
            "os.posix_spawn": self._program,
            "os.exec": self._program,
            "os.spawn": self._spawned,
            "os.system": self._left,
            "os.fork": self._left,
            "os.forkpty": self._left,
        }
        self._heeding = True

        def heard(event: str, arguments: tuple[Any, ...]) -> None:
            handler = handlers.get(event)
            if handler is not None and self._heeding:
                try:
                    handler(arguments)
                except Exception:  # noqa: BLE001  what is raised here would come out of the person's open()
                    self._heeding = False
                    self._failed()

        sys.addaudithook(heard)

    def stop(self) -> None:
        """Listen no more."""
        self._heeding = False

    def _opened(self, arguments: tuple[Any, ...]) -> None:
        name, mode, flags = arguments
        path = self._path(name)
        if path is None:
            return
        if _writes(mode, flags):
            self._written.add(path)
            self.files.discard(path)
        elif path not in self._written and not path.endswith(".pyc"):
            self._read(path, sys._getframe(2))  # noqa: SLF001  no other way to know who opens it

    def _connected(self, arguments: tuple[Any, ...]) -> None:
        path = self._path(arguments[0])
        if path is not None and path not in self._written:
            self._read(path, sys._getframe(2))  # noqa: SLF001

    def _read(self, path: str, frame: FrameType) -> None:
        if path.endswith(".py") and _is_import(frame):
            return
        self._note(path, frame, self.files)

    def _listed(self, arguments: tuple[Any, ...]) -> None:
        given = arguments[0] if arguments else None
        name = _text("." if given is None else given)
        directory = None if name is None else self._territory.listed(name)
        if directory is None:
            return
        frame = sys._getframe(2)  # noqa: SLF001
        if not frame.f_code.co_filename.startswith(_IMPORTLIB):
            self._note(directory, frame, self.directories)

    def _note(self, path: str, frame: FrameType, found: set[str]) -> None:
        if self.testing:
            found.add(path)
            importer = self._territory.importing(frame)
        else:
            importer = self._territory.asking(frame)
        if importer is not None:
            self.early.add((importer, path))

    def _program(self, arguments: tuple[Any, ...]) -> None:
        program = _text(arguments[0])
        words = arguments[1] if len(arguments) > 1 else ()
        first = words if isinstance(words, str | bytes | os.PathLike) else next(iter(words or ()), None)
        for name in (program, None if first is None else _text(first)):
            if name is not None and self._may_be_ours(name):
                self.beyond = True

    def _spawned(self, arguments: tuple[Any, ...]) -> None:
        self._program(arguments[1:])

    def _left(self, _arguments: tuple[Any, ...]) -> None:
        self.beyond = True

    def _may_be_ours(self, program: str) -> bool:
        """Whether a program may run the project's code: an interpreter, a shell, a script of its own."""
        if PurePath(program).name.startswith(_LOOKS_LIKE_PYTHON) or " " in program:
            return True
        beside = Path(sys.executable).parent
        if os.sep in program:
            return Path(program).parent == beside or self._territory.relative(program) is not None
        return (beside / program).exists()

    def _path(self, name: Any) -> str | None:
        text = None if isinstance(name, int) else _text(name)
        return None if text is None else self._territory.relative(self._territory.absolute(text))


def _text(name: Any) -> str | None:
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else None


def _writes(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wxa+")
    return isinstance(flags, int) and bool(flags & _WRITES)


def _is_import(frame: FrameType | None) -> bool:
    """Whether a source is read to be imported, or to be shown in a traceback."""
    for _ in range(3):
        if frame is None:
            return False
        filename = frame.f_code.co_filename
        if filename.startswith(_IMPORTLIB) or filename.endswith(_READS_SOURCES) or _PYTEST in filename:
            return True
        frame = frame.f_back
    return False
