"""What git ignores, asked of git itself."""

import os
from collections.abc import Iterable
from pathlib import Path

from pytest_buddy.processes import git

_MOST_ARGUMENTS = 100
_LIST = (
    "--literal-pathspecs",
    "ls-files",
    "--others",
    "--ignored",
    "--exclude-standard",
    "--directory",
    "-z",
)


def ignored_by_git(root: Path, among: Iterable[str] = ()) -> frozenset[str]:
    """Paths of ignored files and directories, among some or in all; none where there is no git.

    What is tracked in spite of a rule is not ignored, nor is what is inside an ignored directory listed.
    """
    paths = tuple(among)
    limited = ("--", *paths) if len(paths) <= _MOST_ARGUMENTS else ()
    listed = _split(git(root, *_LIST, *limited))
    directories = [path.removesuffix("/") for path in listed if path.endswith("/")]
    files = frozenset(path for path in listed if not path.endswith("/"))
    if not directories:
        return files
    # A directory is also listed when it just happens to hold nothing but ignored files.
    question = b"".join(os.fsencode(path) + b"\0" for path in directories)
    return files.union(_split(git(root, "check-ignore", "--stdin", "-z", stdin=question)))


def _split(answer: bytes | None) -> list[str]:
    return [os.fsdecode(part) for part in (answer or b"").split(b"\0") if part]
