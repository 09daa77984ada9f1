"""Labels of a diff -> the one file of the project they name."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

from pytest_buddy.patch.refusal import RefusedError
from pytest_buddy.workspace import Workspace

_LONGEST_PATH = 4096
_LONGEST_NAME = 255
_PREFIXES = ("a/", "b/", "i/", "w/", "c/", "o/")
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPED = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}


def resolve(workspace: Workspace, labels: tuple[str, ...]) -> str:
    """The existing file that all labels name, with or without the prefixes of diffs; raises RefusedError."""
    names = [_unquoted(label) for label in labels]
    for name in names:
        _refuse_hostile(name)
    common = set.intersection(*({*_spellings(name)} for name in names))
    if not common:
        raise RefusedError("rename", f"it names two files: {names[0]!r} and {names[-1]!r}")
    found = sorted({path for name in common for path in _existing(workspace, name)})
    if not found:
        raise RefusedError("missing", f"there is no file {min(common, key=len)!r}")
    if len(found) > 1:
        raise RefusedError("ambiguous", f"its file may be any of {', '.join(found)}")
    return found[0]


def _unquoted(label: str) -> str:
    """The name as it is: git quotes like C, diff adds a tab and a time."""
    label = label.rstrip("\r")
    if label.startswith('"'):
        quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"\s*', label.partition("\t")[0])
        if not quoted:
            raise RefusedError("path", f"not the name of a file: {label[:80]!r}")
        raw = quoted[1].encode("utf-8", "surrogateescape")
        return _ESCAPE.sub(_byte, raw).decode("utf-8", "surrogateescape")
    return label.partition("\t")[0].rstrip(" ") if "\t" in label else label


def _byte(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([_ESCAPED[code] if code in _ESCAPED else int(code, 8) & 255])


def _refuse_hostile(name: str) -> None:
    """Raise for a name that leads out of the project, or that some system reads as another one."""
    encoded = name.encode("utf-8", "surrogateescape")
    plain = name.removeprefix("./")
    pure = PurePosixPath(plain)
    hostile = (
        not plain
        or len(encoded) > _LONGEST_PATH
        or plain.startswith(("/", "~"))
        or "\\" in plain
        or "\0" in plain
        or re.match(r"[A-Za-z]:|[A-Za-z][\w+.-]*://", plain) is not None
        or str(pure) != plain
        or any(_bad(part) for part in pure.parts)
    )
    if hostile:
        raise RefusedError("path", f"not the name of a file in the project: {name[:80]!r}")


def _bad(part: str) -> bool:
    return (
        part in ("..", ".", "~")
        or len(part.encode("utf-8", "surrogateescape")) > _LONGEST_NAME
        or part != part.strip()
        or part.endswith(".")
        or any(unicodedata.category(character) == "Cc" for character in part)
        or _DEVICE.fullmatch(part) is not None
    )


def _spellings(name: str) -> Iterator[str]:
    plain = name.removeprefix("./")
    yield plain
    for prefix in _PREFIXES:
        if plain.startswith(prefix) and len(plain) > len(prefix):
            yield plain.removeprefix(prefix)


def _existing(workspace: Workspace, name: str) -> Iterator[str]:
    """The files on disk with that name, spelled as there and accents written in either way."""
    folders = [""]
    for part in PurePosixPath(name).parts:
        folders = [
            f"{folder}/{there}" if folder else there
            for folder in folders
            for there in _matching(part, workspace.names(folder))
        ]
    yield from folders


def _matching(part: str, names: frozenset[str]) -> tuple[str, ...]:
    if part in names:
        return (part,)
    if part.isascii():
        return ()
    wanted = unicodedata.normalize("NFC", part)
    return tuple(sorted(name for name in names if unicodedata.normalize("NFC", name) == wanted))
