"""What the client knows of a server process, and of the jobs it has sent there."""

import os
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_buddy.domain import Patch
from pytest_buddy.messages import Inbox, Message

_TAIL = 4000


@dataclass(slots=True)
class Channel:
    """One server process as seen from the person's."""

    socket: socket.socket
    name: str
    inbox: Inbox = field(default_factory=Inbox)
    ready: Message | None = None
    failed: str = ""


@dataclass(slots=True)
class Ticket:
    """A job that was sent: its answers so far and whether more will come."""

    id: int
    channel: Channel
    units: int
    answers: deque[Message] = field(default_factory=deque)
    received: int = 0
    done: bool = False


def outstanding(pending: Mapping[int, tuple[Ticket, list[Patch]]], channel: Channel) -> int:
    """How many jobs a server still works on."""
    return sum(1 for ticket, _ in pending.values() if ticket.channel is channel)


def last_lines(log: int) -> str:
    """The last two lines that a server printed to its log, where pytest names the error."""
    size = os.fstat(log).st_size
    tail = os.pread(log, _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace")
    lines = [line.removeprefix("INTERNALERROR>").strip() for line in tail.splitlines()]
    return "\n".join([line for line in lines if line.strip("^~ ")][-2:])
