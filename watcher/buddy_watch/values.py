"""The nouns of the watch loop.

Paths are posix and relative to the project's rootdir, tests are node ids, times are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_buddy.domain import Diagnosis, Failure, Status
from pytest_buddy.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file whose content is no longer what it was when it was last looked at.

    `functions` are the qualified names of the functions whose bodies changed; `whole` is true when anything
    outside function bodies changed, when it is no Python file, or when the file came or went. Neither means
    that only comments, blank space or line numbers changed.
    """

    path: str
    kind: Literal["added", "modified", "deleted"] = "modified"
    functions: frozenset[str] = frozenset()
    whole: bool = False

    @property
    def cosmetic(self) -> bool:
        """Whether no test can see the change."""
        return not self.functions and not self.whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What one test depends on: (path, qualified name) of functions, files it read, directories it listed.

    `imported` are the project's files that were imported while it ran. What outlives the test is known of the
    process since its last test: `edges` are pairs of (importing file, imported file), `early` functions that
    ran while a file was imported, `early_files` pairs of (importing file, file or directory read meanwhile).
    `beyond` says that it started other programs or processes, into which nobody looked.
    """

    functions: frozenset[tuple[str, str]] = frozenset()
    files: frozenset[str] = frozenset()
    directories: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()
    edges: frozenset[tuple[str, str]] = frozenset()
    early: frozenset[tuple[str, str]] = frozenset()
    early_files: frozenset[tuple[str, str]] = frozenset()
    beyond: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Tests that a change affects, and test files of which every test is to run; `why` is one short text.

    `everything` asks for all tests. A selection without tests and files affects nothing.
    """

    tests: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    everything: bool = False
    why: str = ""

    def __bool__(self) -> bool:
        return bool(self.tests or self.files or self.everything)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Tests to run: `tests` by node id, every test of `files`, or all.

    Tests run in pytest's order with those of `first` before all others. `keyword` is an expression for `-k`
    that narrows the run, on top of what the person's own arguments narrow.
    """

    run: int
    tests: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    everything: bool = False
    first: tuple[str, ...] = ()
    keyword: str = ""
    background: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What pytest itself says of the project when its first process is up: told once after each (re)start.

    `rootdir` and `inipath` are absolute; `arguments` are the person's after addopts, `paths` the positional
    ones, `python_files` and `norecursedirs` the patterns in force. `inherited` is what a repair runner is
    called with; `loaded` the project files that are imported in every test process from the start (conftest
    files, plugins and what they import).
    """

    rootdir: str
    inipath: str
    arguments: tuple[str, ...]
    paths: tuple[str, ...]
    testpaths: tuple[str, ...] = ()
    python_files: tuple[str, ...] = ("test_*.py", "*_test.py")
    norecursedirs: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()
    here_first: bool = False
    loaded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A run has collected: `tests` will run, in this order; `seen` are all tests of the files looked at.

    `edges` are pairs of (importing file, imported file) that collecting showed, inside the project.
    """

    run: int
    tests: tuple[str, ...]
    seen: tuple[str, ...] = ()
    edges: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A test of a run has ended; a collection error is reported under the collector's node id."""

    run: int
    test: str
    status: Status
    seconds: float = 0.0
    failure: Failure | None = None
    touched: Touched | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """A run is over. `output` is the end of what pytest printed, for runs that broke down."""

    run: int
    outcome: Literal["done", "broken"] = "done"
    exit: int = 0
    seconds: float = 0.0
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How runs are started now: kept `warm`, `starting` up, `cold` for `reason`, or `broken`.

    Broken means that pytest itself cannot start, for `reason`; the next change tries again.
    """

    state: Literal["starting", "warm", "cold", "broken"]
    reason: str = ""


Heard = Hello | Collected | Ran | Over | Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class RedTest:
    """A failing test as the screen lists it."""

    test: str
    status: Status
    message: str = ""
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that the screen shows at one moment; made by the loop, drawn by `screen`.

    `progress` is the work on fixes, `background` that on the rest of the suite; `focus` is the index of the
    fault looked at; `statuses` what became of proposals, by id; `sources` files by path; `asking` a line that
    the person is typing: its label and the text so far; `message` answers the last key.
    """

    project: str
    standing: Standing
    state: Literal["starting", "running", "idle", "broken"] = "starting"
    run: int = 0
    selected: int = 0
    known: int = 0
    done: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    why: str = ""
    red: tuple[RedTest, ...] = ()
    diagnosis: Diagnosis | None = None
    focus: int = 0
    progress: str = ""
    background: str = ""
    notices: tuple[str, ...] = ()
    message: str = ""
    failed_only: bool = False
    paused: bool = False
    path_filter: str = ""
    keyword: str = ""
    asking: tuple[str, str] | None = None
    explained: bool = False
    help: bool = False
    output: str = ""
    statuses: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
