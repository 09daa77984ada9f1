"""What the screen's process and a proposer say to each other, as messages."""

from dataclasses import dataclass, fields
from typing import Any, get_args

from pytest_buddy.codec import decode, encode
from pytest_buddy.config import Config
from pytest_buddy.domain import Event
from pytest_buddy.messages import Message

_EVENTS: dict[Any, Any] = {
    field.default: kind for kind in get_args(Event) for field in fields(kind) if field.name == "kind"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Everything that a proposer has to know before tests are red.

    `paths` are a guess at what will have to be collected, `preload` installed modules that tests import,
    `unconfined` the person's own word that candidates may run without a sandbox, `leftovers` directories of
    proposers that were ended, to be removed.
    """

    root: str
    cwd: str
    here_first: bool
    inherited: tuple[str, ...]
    config: Config
    unconfined: bool = False
    paths: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the next proposer can be prepared with: `preload` and `paths` of a Setting."""

    preload: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def event_to_message(event: Event) -> Message:
    """An event on its way to the screen."""
    return {"event": encode(event)}


def event_from_message(message: Message) -> Event:
    """The event of a message; raises CodecError."""
    data = message["event"]
    event: Event = decode(_EVENTS[data["kind"]], data)
    return event
