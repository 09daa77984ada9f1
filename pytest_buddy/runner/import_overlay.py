"""Let a process import edited sources in place of the files on disk, without writing anything."""

import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType


def install(contents: Mapping[str, bytes], *, collected: bool = False) -> None:
    """From now on, importing the file at an absolute path that is a key compiles the given bytes instead.

    With `collected`, also where pytest would load it, as it does for every file that it was asked to collect:
    its asserts are not rewritten then.
    Bytecode caches are passed over for those files, in both directions. Meant for a forked child or a fresh
    process: it is never taken back.
    """
    original = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        content = contents.get(path)
        if content is None:
            return original(self, fullname)
        return self.source_to_code(content, path)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]
    if collected:
        sys.meta_path.insert(0, _Plainly(contents))


class _Plainly:
    """Finds the files at some paths before pytest does, whose loader reads the disk to rewrite asserts."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The usual specification of a module whose file is one of those; else None."""
        found = PathFinder.find_spec(fullname, path, target)
        return found if found is not None and found.origin in self._contents else None
