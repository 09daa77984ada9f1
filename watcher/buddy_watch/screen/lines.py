"""Events -> one line each, for pipes, dumb terminals and other programs."""

import json
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, TextIO

from pytest_buddy.codec import encode
from pytest_buddy.domain import Event, Intent, Patch
from pytest_buddy.redact import Redactor
from pytest_buddy.response import render_event


class EventLines:
    """Writes an event on a plain line, or as a JSON object on a line, and flushes.

    When nobody reads any more, `intent` is told once to quit and nothing more is written.
    """

    def __init__(
        self,
        stream: TextIO,
        intent: Callable[[Intent], None],
        *,
        json: bool = False,
        redactor: Redactor | None = None,
    ) -> None:
        self._stream = stream
        self._intent = intent
        self._line = self._as_json if json else self._as_text
        self._redactor = redactor or Redactor(environment=os.environ)
        self._closed = False

    def event(self, event: Event) -> None:
        """Write the event's line, unless the event says nothing by itself."""
        line = "" if self._closed else self._line(event)
        if not line:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # a pipe, a full disk or a closed stream: nobody can read on
            self._closed = True
            _quieten(self._stream)
            self._intent(Intent(verb="quit"))

    def _as_text(self, event: Event) -> str:
        text = render_event(self._redactor.cleaned(event))
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def _as_json(self, event: Event) -> str:
        data = self._data(self._redactor.cleaned(event))
        return json.dumps({"kind": event.kind, **data}, ensure_ascii=True)

    def _data(self, value: Any) -> Any:
        """What `encode` gives, with patches by their id instead of their bytes, and diffs without secrets."""
        if isinstance(value, Patch):
            return {
                "id": value.id,
                "paths": list(value.paths),
                "origin": value.origin,
                "rationale": list(value.rationale),
                "function": value.function,
            }
        if isinstance(value, tuple):
            return [self._data(item) for item in value]
        if not is_dataclass(value):
            return encode(value)
        data = {field.name: self._data(getattr(value, field.name)) for field in fields(value)}
        if "diff" in data:
            data["diff"] = self._redactor.redact_credentials(data["diff"])
        return data


def _quieten(stream: TextIO) -> None:
    """Let what is still buffered go nowhere: the interpreter flushes once more when it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
