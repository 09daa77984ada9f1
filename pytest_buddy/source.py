"""One source file as bytes, with the arithmetic between bytes, text, lines and syntax-tree offsets."""

import ast
import bisect
import hashlib
import io
import re
import tokenize
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pytest_buddy.domain import Edit
from pytest_buddy.errors import PatchError, SourceError, StaleFileError

_NEWLINE = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A Python file: `path` relative to the workspace (posix), dotted `module` name, raw `content`.

    Lines count from 1 and end at LF, CRLF or CR, as Python's own tokenizer counts them.
    """

    path: str
    module: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def encoding(self) -> str:
        """The codec of the file, from its BOM or coding line (PEP 263); raises SourceError."""
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(self.content).readline)
        except (SyntaxError, UnicodeDecodeError) as error:
            raise SourceError(f"{self.path} cannot be decoded: {error}") from error
        return encoding

    @cached_property
    def text(self) -> str:
        """The decoded content without BOM, newlines as they are; raises SourceError."""
        try:
            return self.content.decode(self.encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise SourceError(f"{self.path} cannot be decoded: {error}") from error

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; raises SourceError when the file does not parse."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the user's filters may turn them into errors
                return ast.parse(self.content, filename=self.path)
        except (SyntaxError, ValueError, RecursionError) as error:
            raise SourceError(f"{self.path} does not parse: {error}") from error

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Byte offset of the start of each line, plus the length of the content as a last entry."""
        bom = 3 if self.content.startswith(b"\xef\xbb\xbf") else 0
        starts = [bom, *(match.end() for match in _NEWLINE.finditer(self.content))]
        if starts[-1] != len(self.content):
            starts.append(len(self.content))
        return tuple(starts)

    def offset(self, line: int, column: int) -> int:
        """The byte offset in `content` of a syntax-tree position (`column` counts UTF-8 bytes)."""
        start = self.line_starts[line - 1]
        if self.encoding in ("utf-8", "utf-8-sig"):
            return start + column
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.content)
        text = self.content[start:end].decode(self.encoding)
        return start + len(text.encode()[:column].decode().encode(self.encoding))

    def span(self, node: ast.stmt | ast.expr | ast.arg | ast.keyword | ast.excepthandler) -> tuple[int, int]:
        """Start and end byte offsets in `content` of a node of `tree`."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def line(self, number: int) -> str:
        """The text of one line without its newline; empty outside the file."""
        if not 1 <= number < len(self.line_starts):
            return ""
        raw = self.content[self.line_starts[number - 1] : self.line_starts[number]]
        return raw.decode(self.encoding, "replace").rstrip("\r\n")

    @cached_property
    def newline(self) -> bytes:
        """The line ending most used in the file; LF when it has none."""
        endings: list[bytes] = _NEWLINE.findall(self.content)
        return max((b"\n", b"\r\n", b"\r"), key=endings.count) if endings else b"\n"

    def enclosing_lines(self, start: int, end: int) -> tuple[int, int]:
        """First and last line of the outermost function around the bytes; of the file when there is none."""
        first, last = self.lines_of(start, end)
        pending: list[ast.AST] = [self.tree]
        while pending:
            for node in ast.iter_child_nodes(pending.pop()):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    if node.lineno <= first and last <= (node.end_lineno or 0):
                        return node.lineno, node.end_lineno or node.lineno
                elif isinstance(node, ast.stmt | ast.excepthandler):
                    pending.append(node)
        return 1, len(self.line_starts)

    def lines_of(self, start: int, end: int) -> tuple[int, int]:
        """First and last line of the bytes `start`..`end`."""
        return self._line_at(start), self._line_at(max(start, end - 1))

    def _line_at(self, offset: int) -> int:
        return max(1, bisect.bisect_right(self.line_starts, offset))

    def edited(self, edits: Iterable[Edit]) -> "Source":
        """The file with those edits made that name its path; the others are passed over.

        Raises StaleFileError when an edit was computed from other content, PatchError when edits overlap or
        lie outside the file.
        """
        content = bytearray(self.content)
        upper = len(content) + 1
        mine = [edit for edit in edits if edit.path == self.path]
        for edit in sorted(mine, key=lambda edit: (edit.start, edit.end), reverse=True):
            if edit.digest != self.digest:
                raise StaleFileError(
                    f"{self.path} has changed since the patch was made", hint="Run pytest --buddy again."
                )
            if not 0 <= edit.start <= edit.end <= len(self.content) or edit.end > upper:
                raise PatchError(f"the patch has edits of {self.path} that overlap or lie outside the file")
            content[edit.start : edit.end] = edit.replacement
            upper = edit.start
        return Source(path=self.path, module=self.module, content=bytes(content))
