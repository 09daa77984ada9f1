"""Text -> the changes it asks for: unified diffs and search/replace blocks, amid prose or not.

Everything that looks like part of a change is read or refused; nothing of a text is taken when a part is not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_buddy.patch.hunks import Hunk, hunk_at, is_file_header, is_hunk_header, lines_of
from pytest_buddy.patch.refusal import Reason, RefusedError

_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})([^`]*)")
_SEARCH = re.compile(r"<{5,9} ?SEARCH\s*")
_DIVIDER = re.compile(r"={5,9}\s*")
_REPLACE = re.compile(r">{5,9} ?REPLACE\s*")
_NAME = re.compile(r"[#*>\s`]*(?:[Ff]ile(?:name)?:\s*)?[`*]*([^\s`*:][^`*:\n]*?)[`*:]*\s*")
_EXTENDED: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (re.compile(r"(?:new file mode|new mode|index \S+) 120000\b"), "symlink"),
    (re.compile(r"(?:new file mode|new mode|index \S+) 160000\b|Subproject commit "), "submodule"),
    (re.compile(r"(?:GIT binary patch|Binary files .* differ)\s*"), "binary"),
    (re.compile(r"new file mode \d"), "create"),
    (re.compile(r"deleted file mode \d"), "delete"),
    (re.compile(r"(?:rename from|rename to) \S"), "rename"),
    (re.compile(r"(?:copy from|copy to) \S"), "copy"),
    (re.compile(r"(?:old mode|new mode) \d"), "mode"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A hunk and the labels of its file, as they stand in the text; none where the text names no file."""

    labels: tuple[str, ...]
    hunk: Hunk


def changes(text: str) -> tuple[Change, ...]:
    """The changes a text asks for, in its order; raises RefusedError."""
    if "\n" not in text:
        text = text.replace("\r", "\n")
    scan = _Scan(_split(text))
    scan.run()
    if not scan.found:
        raise RefusedError(
            "empty", "there is no change in the text: neither a hunk nor a search/replace block"
        )
    return tuple(scan.found)


def _split(text: str) -> list[str]:
    """The lines of the text; a diff whose own headers end in CR has no CR of its file in its body."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    heads = [line for line in lines if line.startswith(("--- ", "+++ ", "@@ ", "<<<<<<< "))]
    if heads and all(line.endswith("\r") for line in heads):
        lines = [line.removesuffix("\r") for line in lines]
    return lines


class _Scan:
    """Goes through the lines once; `labels` are those of the file that hunks belong to now."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.found: list[Change] = []
        self.labels: tuple[str, ...] = ()
        self.at = 0
        self.fence = ""
        self.diff = False
        self.end = len(lines)
        self.header = False

    def run(self) -> None:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if _SEARCH.fullmatch(line):
                self._block()
            elif self._fences(line):
                self.at += 1
            elif is_hunk_header(line):
                self._hunk(line)
            elif is_file_header(self.lines, self.at):
                self.labels = (line[4:].rstrip("\r"), self.lines[self.at + 1][4:].rstrip("\r"))
                self._refuse_whole_files()
                self.at += 2
            else:
                self._other(line)
                self.at += 1

    def _fences(self, line: str) -> bool:
        """Whether the line opens or closes a fence."""
        if self.fence:
            if line.rstrip() != self.fence:
                return False
            self.fence, self.diff, self.end = "", False, len(self.lines)
            return True
        match = _FENCE.fullmatch(line.rstrip())
        if not match:
            return False
        self.fence = match[1] + match[2]
        self.labels, self.header = (), False
        self.diff = match[3].strip().lower() in ("diff", "patch", "udiff")
        self._close_from(self.at + 1)
        return True

    def _close_from(self, start: int) -> None:
        """Find where the open fence ends."""
        lines = self.lines
        closing = (at for at in range(start, len(lines)) if lines[at].rstrip() == self.fence)
        self.end = next(closing, -1)
        if self.end < 0:
            if self.found or any(is_hunk_header(rest) or _SEARCH.fullmatch(rest) for rest in lines[start:]):
                raise RefusedError("truncated", "the block of the text that holds the change never ends")
            self.end = len(lines)

    def _hunk(self, line: str) -> None:
        if line.startswith("@@@"):
            raise RefusedError("malformed", "a diff of a merge has no single file to change")
        hunk, self.at = hunk_at(self.lines, self.at, end=self.end, fenced=bool(self.fence))
        self.header = False
        self.found.append(Change(labels=self.labels, hunk=hunk))

    def _refuse_whole_files(self) -> None:
        old, new = (label.split("\t")[0].strip() for label in self.labels)
        if old == "/dev/null":
            raise RefusedError("create", f"it creates the file {new!r}")
        if new == "/dev/null":
            raise RefusedError("delete", f"it deletes the file {old!r}")

    def _other(self, line: str) -> None:
        """A line outside hunks: what git says about whole files is refused, prose is passed over."""
        if line.startswith("diff --git "):
            self.header, self.labels = True, ()
        elif self.diff and line[:1] in ("+", "-") and line[:4] not in ("--- ", "+++ "):
            raise RefusedError("malformed", f"a line of the diff belongs to no hunk: {line.strip()[:80]!r}")
        elif self.header or self.fence:
            for pattern, reason in _EXTENDED:
                if pattern.match(line):
                    raise RefusedError(reason, f"it does more than change lines: {line.strip()[:80]!r}")

    def _block(self) -> None:
        """A search/replace block; fences inside it are text of the file."""
        start = self.at
        divider = self._next(_DIVIDER, start + 1, len(self.lines))
        close = self._next(_REPLACE, start + 1, len(self.lines))
        if close < 0 or divider < 0 or divider > close:
            raise RefusedError("truncated", "a search/replace block never ends")
        if self._next(_DIVIDER, divider + 1, close) >= 0 or self._next(_SEARCH, start + 1, close) >= 0:
            raise RefusedError("malformed", "a search/replace block has more than two parts")
        name = self._name_above(start)
        if name:
            self.labels = (name,)
        old, _ = lines_of("".join(f"{line}\n" for line in self.lines[start + 1 : divider]))
        new, _ = lines_of("".join(f"{line}\n" for line in self.lines[divider + 1 : close]))
        self.found.append(Change(labels=self.labels, hunk=Hunk(old=old, new=new)))
        self.at = close + 1
        if self.fence and self.end < self.at:
            self._close_from(self.at)

    def _next(self, pattern: re.Pattern[str], start: int, end: int) -> int:
        return next((at for at in range(start, end) if pattern.fullmatch(self.lines[at])), -1)

    def _name_above(self, at: int) -> str:
        """The file name on the line above a block, or above the fence that the block is in."""
        above = at - 1
        while above >= 0 and (not self.lines[above].strip() or _FENCE.fullmatch(self.lines[above].rstrip())):
            above -= 1
            if at - above > 3:
                return ""
        if above < 0:
            return ""
        match = _NAME.fullmatch(self.lines[above])
        name = match[1] if match else ""
        return name if re.search(r"\.\w+$", name) and len(name.split()) <= 3 else ""
