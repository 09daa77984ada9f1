"""Let a process import edited sources in place of the files on disk, without writing anything."""

from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from types import CodeType


def install(contents: Mapping[str, bytes]) -> None:
    """From now on, importing the file at an absolute path that is a key compiles the given bytes instead.

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
