"""A request -> what pytest collects and which of the collected tests it keeps, in which order."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from buddy_watch.inside.place import Place
from pytest_buddy.messages import Message


class Narrowing:
    """A plugin for one run of some tests; `collected` is told what will run and what there is."""

    def __init__(self, request: Message, collected: Callable[[list[str], list[str]], None]) -> None:
        self._collected = collected
        self._wanted: frozenset[Path] = frozenset()
        self._seen: list[str] = []
        self.take(request)

    def take(self, request: Message) -> None:
        """Keep the tests of this request; after `begin` its files must be among those of the one before."""
        self._everything: bool = request["everything"]
        self._tests = frozenset(request["tests"])
        self._files = frozenset(request["files"])
        self._first = {test: place for place, test in enumerate(request["first"])}
        self._keyword: str = request["keyword"]

    def begin(self, config: pytest.Config) -> None:
        """Say what to collect; before the collection."""
        narrow_by(config, self._keyword)
        if not self._everything:
            config.args = self._arguments(config)

    def _arguments(self, config: pytest.Config) -> list[str]:
        files = {test.partition("::")[0] for test in self._tests} | self._files
        place = Place(config.rootpath)
        here = config.invocation_params.dir
        named = [here / word.partition("::")[0] for word in config.option.file_or_dir or ()]
        there = [path for path in sorted(files) if os.path.isfile(place.absolute(path))]  # noqa: PTH113
        found = [path for path in there if not _left_out(config, Path(place.absolute(path)), named)]
        self._wanted = frozenset(Path(place.absolute(path)) for path in found)
        theirs = [word for word in config.args if "::" in word]
        words: dict[str, None] = {}
        for path in found:
            narrowed = [] if path in self._tests else _within(theirs, here, Path(place.absolute(path)))
            for word in narrowed or [os.path.relpath(_expressible(place, path), here)]:
                words[word if word.startswith(os.pardir) or narrowed else f".{os.sep}{word}"] = None
        return list(words)

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Spare pytest the files beside those that are wanted."""
        if self._everything or collection_path in self._wanted or collection_path.suffix == "":
            return None
        return True if collection_path.is_file() else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Iterator[None]:
        """Note what there is, then keep what was asked for of what everybody else leaves."""
        self._seen = [item.nodeid for item in items]
        result = yield
        if not self._everything:
            kept = [item for item in items if self._asked(item.nodeid)]
            if len(kept) != len(items):
                config.hook.pytest_deselected(items=[item for item in items if not self._asked(item.nodeid)])
                items[:] = kept
        if self._first:
            items.sort(key=lambda item: self._first.get(item.nodeid, len(self._first)))
        return result

    def _asked(self, test: str) -> bool:
        return test in self._tests or test.partition("::")[0] in self._files

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Say what will run."""
        self._collected([item.nodeid for item in session.items], self._seen)


def narrow_by(config: pytest.Config, keyword: str) -> None:
    """Let pytest's own `-k` narrow further."""
    if keyword:
        theirs = config.option.keyword
        config.option.keyword = f"({theirs}) and ({keyword})" if theirs else keyword


def _left_out(config: pytest.Config, file: Path, named: list[Path]) -> bool:
    """Whether pytest would not come across the file by itself: it, or a folder above it, is to be ignored."""
    last = next((path for path in named if path == file or path in file.parents), config.rootpath)
    for path in (file, *file.parents):
        if path == last or config.rootpath not in path.parents:
            return False
        if config.hook.pytest_ignore_collect(collection_path=path, config=config):
            return True
    return False


def _within(words: list[str], here: Path, file: Path) -> list[str]:
    """The person's own arguments that name parts of a file."""
    return [word for word in words if here.joinpath(word.partition("::")[0]) == file]


def _expressible(place: Place, path: str) -> str:
    """The file, or the nearest folder above it whose name pytest takes for nothing else."""
    while "[" in path or "::" in path:
        path = path.rpartition("/")[0]
    return place.absolute(path)
