"""Whether a changed statement still compiles, judged on as little text as possible."""

import ast
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pytest_buddy.coder.change import Splice
from pytest_buddy.coder.outline import FunctionNode, Statement
from pytest_buddy.source import Source


class _Frame(NamedTuple):
    """A piece of the file (byte offsets) and the text around it that makes it a program."""

    start: int
    end: int
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Judges changes at one statement."""

    source: Source
    statement: Statement

    def accepts(self, splices: tuple[Splice, ...], *, structural: bool) -> bool:
        """Whether the file would compile, with no more warnings than before.

        An expression is compiled with its statement, a structural change with the outermost function.
        """
        frame = None if structural or self._declares else self._narrow
        if frame is None or not all(
            frame.start <= splice.start and splice.end <= frame.end for splice in splices
        ):
            frame = self._wide
            if not all(frame.start <= splice.start and splice.end <= frame.end for splice in splices):
                frame = self._file
        found = self._compile(frame, splices)
        return found is not None and (found == 0 or found <= self._allowed(frame))

    @cached_property
    def _warnings(self) -> dict[_Frame, int]:
        return {}

    def _allowed(self, frame: _Frame) -> int:
        if frame not in self._warnings:
            self._warnings[frame] = self._compile(frame, ()) or 0
        return self._warnings[frame]

    @cached_property
    def _file(self) -> _Frame:
        start = self.source.line_starts[0]
        return _Frame(start, len(self.source.content), "", "")

    @cached_property
    def _wide(self) -> _Frame:
        function = self.statement.owner.outermost_function
        if function is None and isinstance(self.statement.node, FunctionNode):
            function = self.statement.node
        if function is None:
            return self._file
        first = min([function.lineno, *(item.lineno for item in function.decorator_list)])
        start = self.source.line_starts[first - 1]
        end = self.source.span(function)[1]
        after = self.source.content.find(b"\n", end)
        indented = self.source.content[start : start + 1] in (b" ", b"\t")
        frame = _Frame(
            start, after if after >= 0 else len(self.source.content), "if 1:\n" if indented else "", ""
        )
        return frame if self._compile(frame, ()) is not None else self._file

    @cached_property
    def _declares(self) -> bool:
        """Whether the function has `global` or `nonlocal`, which names may not be read before."""
        function = self.statement.owner.outermost_function
        nodes = ast.walk(function) if function is not None else ()
        return any(isinstance(node, ast.Global | ast.Nonlocal) for node in nodes)

    @cached_property
    def _narrow(self) -> _Frame | None:
        node = self.statement.node
        if isinstance(node, ast.Match | ast.ExceptHandler | ast.Nonlocal | ast.Global):
            return None
        start, end = self.source.span(node)
        body: list[ast.stmt] = getattr(node, "body", [])
        after = ""
        if body:
            end = self.source.content.rfind(b":", start, self.source.span(body[0])[0])
            after = ": pass"
            if isinstance(node, ast.Try):
                return None
        before = self._wrapper()
        if self.source.content.startswith(b"elif", start) and isinstance(node, ast.If):
            start += 2
        frame = _Frame(start, end, before, after)
        return frame if end >= 0 and self._compile(frame, ()) is not None else None

    def _wrapper(self) -> str:
        owner = self.statement.owner
        if isinstance(owner.node, ast.AsyncFunctionDef):
            return "async def _():\n "
        if owner.function is not None:
            return "def _():\n "
        return "class _:\n " if isinstance(owner.node, ast.ClassDef) else ""

    def _compile(self, frame: _Frame, splices: tuple[Splice, ...]) -> int | None:
        content, encoding = self.source.content, self.source.encoding
        pieces = []
        position = frame.start
        for splice in sorted(splices):
            pieces.append(content[position : splice.start].decode(encoding, "replace"))
            pieces.append(splice.text)
            position = splice.end
        pieces.append(content[position : frame.end].decode(encoding, "replace"))
        text = f"{frame.before}{''.join(pieces)}{frame.after}\n"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                compile(text, "<candidate>", "exec", dont_inherit=True)
            except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError):
                return None
        return len(caught)
