"""An exception of a test -> a Failure, and its way from the worker to the controller."""

import doctest
import json
import linecache
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any, Literal, cast

import pytest

from pytest_buddy.codec import decode, encode
from pytest_buddy.domain import Cause, Comparison, Failure, Frame, Phase
from pytest_buddy.values import describe, variables
from pytest_buddy.workspace import Workspace

_DEEPEST = 40
_WITH_VARIABLES = 6
_LONGEST_TEXT = 4000
_UNITTEST_SIDES = (("first", "second"), ("seq1", "seq2"), ("d1", "d2"), ("member", "container"), ("expr", ""))
Kind = Literal["function", "unittest", "doctest", "other"]


class FailureMaker:
    """Turns exceptions into Failures; remembers which files are the project's."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._paths: dict[str, str | None] = {}

    def make(
        self,
        test: str,
        phase: Phase,
        error: BaseException,
        *,
        comparison: Comparison | None = None,
        sections: Sequence[tuple[str, str]] = (),
        subtest: str = "",
    ) -> Failure:
        """The Failure of one test in one phase."""
        if isinstance(error, pytest.Collector.CollectError) and error.__cause__ is not None:
            error = error.__cause__
        kind: Kind = "function"
        found = _doctest(error)
        if found is not None:
            kind = "doctest"
            error = error if isinstance(found, doctest.DocTestFailure) else found
        frames = self._frames(error)
        if isinstance(found, doctest.DocTestFailure):
            comparison, frame = self._example(found)
            frames = (frame,)
        elif comparison is None:
            comparison = _unittest_comparison(error)
            kind = "unittest" if comparison is not None else kind
        return Failure(
            test=test,
            phase=phase,
            error_type=_type_name(error),
            message=_message(error),
            frames=frames,
            causes=tuple(self._causes(error)),
            comparison=comparison,
            stdout=_section(sections, "stdout"),
            stderr=_section(sections, "stderr"),
            log=_section(sections, "log"),
            subtest=subtest,
            kind=kind,
        )

    def _frames(self, error: BaseException) -> tuple[Frame, ...]:
        entries = [entry for entry in _walk(error.__traceback__) if not _hidden(entry[0])]
        first = next((i for i, (frame, _) in enumerate(entries) if self._relative(frame)), len(entries))
        entries = entries[first:]
        if len(entries) > _DEEPEST:
            entries = entries[: _DEEPEST // 4] + entries[-_DEEPEST * 3 // 4 :]
        rich = {index for index, (frame, _) in enumerate(entries) if self._relative(frame)}
        rich = set(sorted(rich)[-_WITH_VARIABLES:])
        frames = [self._frame(frame, line, index in rich) for index, (frame, line) in enumerate(entries)]
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            frames.append(self._syntax_frame(error))
        return tuple(frames)

    def _frame(self, frame: FrameType, line: int, rich: bool) -> Frame:  # noqa: FBT001
        filename = frame.f_code.co_filename
        relative = self._relative(frame)
        source = linecache.getline(filename, line).strip()
        return Frame(
            path=relative or filename,
            line=line,
            function=frame.f_code.co_qualname,
            project=relative is not None,
            source=source[:400],
            variables=variables(frame.f_locals) if rich else (),
        )

    def _syntax_frame(self, error: SyntaxError) -> Frame:
        filename, line = error.filename or "", error.lineno or 1
        relative = self._place(filename)
        return Frame(
            path=relative or filename,
            line=line,
            function="<module>",
            project=relative is not None,
            source=(error.text or "").strip()[:400],
        )

    def _relative(self, frame: FrameType) -> str | None:
        return self._place(frame.f_code.co_filename)

    def _place(self, filename: str) -> str | None:
        if filename not in self._paths:
            known = not filename.startswith("<")
            self._paths[filename] = self._workspace.relative(filename) if known else None
        return self._paths[filename]

    def _causes(self, error: BaseException) -> Iterator[Cause]:
        seen = {id(error)}
        current = _cause(error)
        while current is not None and id(current) not in seen and len(seen) < 6:
            seen.add(id(current))
            frames = tuple(frame for frame in self._frames(current) if frame.project)
            yield Cause(error_type=_type_name(current), message=_message(current), frames=frames)
            current = _cause(current)

    def _example(self, failure: doctest.DocTestFailure) -> tuple[Comparison, Frame]:
        example = failure.example
        line = (failure.test.lineno or 0) + example.lineno + 1
        filename = failure.test.filename or ""
        relative = self._place(filename)
        comparison = Comparison(operator="==", left=failure.got.rstrip("\n"), right=example.want.rstrip("\n"))
        frame = Frame(
            path=relative or filename,
            line=line,
            function=failure.test.name,
            project=relative is not None,
            source=example.source.strip(),
        )
        return comparison, frame


def compared(operator: str, left: object, right: object) -> Comparison:
    """A Comparison of two live values."""
    return Comparison(
        operator=operator,
        left=describe(left, limit=_LONGEST_TEXT),
        right=describe(right, limit=_LONGEST_TEXT),
        left_type=type(left).__name__,
        right_type=type(right).__name__,
    )


def _walk(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _hidden(frame: FrameType) -> bool:
    if frame.f_code.co_filename.startswith("<frozen importlib"):
        return True
    hide = frame.f_locals.get("__tracebackhide__", False)
    return hide is True


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _type_name(error: BaseException) -> str:
    kind = type(error)
    module = getattr(kind, "__module__", "builtins")
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException as problem:  # noqa: BLE001  the user's __str__ may raise anything
        return f"<{type(problem).__name__} while writing the message>"
    if isinstance(error, NameError | AttributeError | ImportError) and sys.exc_info()[0] is None:
        text += _suggestion(error)
    return text[:_LONGEST_TEXT]


def _suggestion(error: BaseException) -> str:
    """The interpreter's own `Did you mean`, which is not part of the exception's text."""
    import traceback

    last = traceback.TracebackException.from_exception(error, limit=0, compact=True)
    text = "".join(last.format_exception_only()).strip()
    marker = ". Did you mean"
    at = text.rfind(marker)
    return text[at:] if at >= 0 and marker not in str(error) else ""


def _section(sections: Sequence[tuple[str, str]], name: str) -> str:
    text = "".join(content for title, content in sections if name in title)
    return text if len(text) <= _LONGEST_TEXT else "...\n" + text[-_LONGEST_TEXT:]


def _doctest(error: BaseException) -> doctest.DocTestFailure | BaseException | None:
    failures: Any = getattr(error, "failures", None)
    if isinstance(error, doctest.DocTestFailure | doctest.UnexpectedException):
        failures = [error]
    if not isinstance(failures, list) or not failures:
        return None
    first = failures[0]
    if isinstance(first, doctest.UnexpectedException):
        return first.exc_info[1]
    return first if isinstance(first, doctest.DocTestFailure) else None


def _unittest_comparison(error: BaseException) -> Comparison | None:
    for frame, _ in _walk(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if module != "unittest.case" or not frame.f_code.co_name.startswith("assert"):
            continue
        for left, right in _UNITTEST_SIDES:
            if left in frame.f_locals and right in frame.f_locals:
                operator = {"assertEqual": "==", "assertIn": "in", "assertNotEqual": "!="}
                sign = operator.get(frame.f_code.co_name, frame.f_code.co_name)
                return compared(sign, frame.f_locals[left], frame.f_locals[right])
    return None


def text_of(failure: Failure) -> str:
    """A Failure as text that travels on a report between processes."""
    return json.dumps(encode(failure))


def kept(
    test: str, phase: str, report: pytest.TestReport | pytest.CollectReport, text: str | None
) -> Failure:
    """The Failure of a report: from the text it carries, or from what the report itself tells."""
    failure = decode(Failure, json.loads(text)) if text is not None else _bare(test, phase, report)
    context = getattr(report, "context", None)
    if context is None:
        return failure
    return replace(failure, subtest=str(context.msg or dict(context.kwargs)))


def _bare(test: str, phase: str, report: pytest.TestReport | pytest.CollectReport) -> Failure:
    """What a report without details tells: a crashed worker, a plugin's own report."""
    text = report.longreprtext.strip()
    crashed = "crashed" in text and "worker" in text
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    return Failure(
        test=test,
        phase=cast(Phase, phase),
        error_type="Crash" if crashed else "Error",
        message=(last[2:] if last.startswith("E ") else last).strip()[:1000],
        kind="other",
    )
