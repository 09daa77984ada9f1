"""Messages between processes: length-prefixed JSON, over pipes and sockets."""

import json
import os
import struct
from collections.abc import Iterator
from typing import Any

_HEAD = struct.Struct(">I")
LARGEST = 256 * 1024 * 1024
Message = dict[str, Any]


def pack(message: Message) -> bytes:
    """The bytes of one message; surrogate escapes in its texts survive."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return _HEAD.pack(len(body)) + body


def write(descriptor: int, message: Message) -> None:
    """Write one message to a blocking file descriptor; raises OSError."""
    view = memoryview(pack(message))
    while view:
        view = view[os.write(descriptor, view) :]


class Inbox:
    """Reassembles messages from the pieces that arrive on a file descriptor."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes in, give the messages that are complete; raises ValueError on anything else."""
        self._buffer += data
        while len(self._buffer) >= _HEAD.size:
            (size,) = _HEAD.unpack_from(self._buffer)
            if size > LARGEST:
                raise ValueError(f"a message of {size} bytes")
            end = _HEAD.size + size
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_HEAD.size : end])
            del self._buffer[:end]
            message = json.loads(body)
            if not isinstance(message, dict):
                raise TypeError("a message that is not an object")
            yield message


def messages_from(descriptor: int) -> Iterator[Message]:
    """The messages that come over a blocking descriptor, until the other side closes it.

    Whoever stops early and reads on by other means loses what came in one piece with the last message.
    """
    inbox = Inbox()
    while data := os.read(descriptor, 1 << 20):
        yield from inbox.feed(data)


def first_message(descriptor: int) -> Message | None:
    """Wait for the first message on a blocking descriptor; None when the other side closes it instead."""
    return next(messages_from(descriptor), None)
