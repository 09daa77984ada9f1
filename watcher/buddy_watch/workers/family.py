"""The warm processes: a zygote with pytest configured, a layer with libraries, a standby to be used."""

import itertools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from buddy_watch.reactor import Reactor
from buddy_watch.workers.launch import Launch, Starter
from buddy_watch.workers.member import Channel, Member
from pytest_buddy.messages import Message

if TYPE_CHECKING:
    import subprocess

_PATIENCE = 5.0
_SETTINGS = frozenset({"conftest.py", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"})
_COMPILED = (".so", ".pyd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Whom a family tells what: a message of a run, its death, pytest's hello, readiness and refusal."""

    said: Callable[[Member, Message], None]
    died: Callable[[Member], None]
    hello: Callable[[Message], None]
    ready: Callable[[], None]
    refused: Callable[[str], None]


class Family:
    """Starts the processes and has one of them stand by; ends them, and all that they have started."""

    def __init__(self, launch: Launch, starter: Starter, reactor: Reactor, reports: Reports) -> None:
        self._launch = launch
        self._starter = starter
        self._reactor = reactor
        self._reports = reports
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._zygote: Member | None = None
        self._layer: Member | None = None
        self._standby: Member | None = None
        self._members: dict[int, Member] = {}
        self._preload: dict[str, None] = {}
        self._preloaded = 0
        self._unsafe = ""

    @property
    def up(self) -> bool:
        """Whether the zygote has stopped and can be forked."""
        return self._zygote is not None and self._zygote.loaded is not None

    def start(self) -> None:
        """Start the zygote, after the end of whatever there was."""
        self.close()
        zygote = self._zygote = self._member(None)
        self._process = self._starter.start(zygote.channel.theirs)
        zygote.channel.handed_over()
        zygote.pid = self._process.pid
        setup = {
            "parent": os.getpid(),
            "cwd": str(self._launch.cwd),
            "here_first": self._launch.here_first,
            "arguments": list(self._launch.arguments),
        }
        zygote.channel.send(setup)

    def take(self) -> Member:
        """A process that waits for a run; it is given away for good."""
        member = self._standby or self._forked_standby()
        self._standby = None
        return member

    def stand_by(self) -> None:
        """Have the next process ready, with what earlier runs have imported."""
        if not self.up:
            return
        if len(self._preload) > self._preloaded and not self._unsafe:
            self._drop(self._standby)
            self._drop(self._layer)
            self._preloaded = len(self._preload)
            assert self._zygote is not None
            self._layer = self._fork(self._zygote, {"preload": list(self._preload)})
            self._standby = None
        if self._standby is None:
            self._standby = self._forked_standby()

    def imported(self, names: Iterable[str]) -> None:
        """Remember modules from elsewhere that a run has imported while collecting."""
        self._preload.update(dict.fromkeys(names))

    def changed(self, paths: Iterable[str]) -> bool:
        """Drop what has imported one of the files; false when that is the zygote itself."""
        names = set(paths)
        settings = any(PurePosixPath(path).name in _SETTINGS or path.endswith(_COMPILED) for path in names)
        if settings or self._zygote is None or names & (self._zygote.loaded or frozenset()):
            return False
        for member in (self._zygote, self._layer, self._standby):
            if member is None:
                continue
            if member.loaded is None:
                member.changed |= names
            elif names & member.loaded:
                self._drop(member)
        return True

    def end(self, member: Member) -> int:
        """Kill a process and what it has left behind; its wait status."""
        member.channel.close()
        self._members.pop(member.number, None)
        parent = member.parent
        if parent is None or parent.pid == 0:
            return 0
        parent.channel.send({"end": member.number})
        answer = parent.channel.wait_for("ended", member.number, seconds=_PATIENCE)
        if answer is None:
            self._starter.end_leftovers()
            return 0
        status: int = answer["status"]
        return status

    def close(self) -> None:
        """End everything."""
        for member in self._members.values():
            member.channel.close()
        self._members.clear()
        self._zygote = self._layer = self._standby = None
        self._preloaded = 0
        if self._process is not None:
            self._starter.end_leftovers()
            self._process.wait()
            self._process = None

    def _forked_standby(self) -> Member:
        parent = self._layer or self._zygote
        assert parent is not None
        return self._fork(parent, {})

    def _fork(self, parent: Member, what: Message) -> Member:
        member = self._member(parent)
        parent.channel.send({"fork": member.number, **what}, along=member.channel.theirs)
        member.channel.handed_over()
        return member

    def _member(self, parent: Member | None) -> Member:
        channel = Channel(
            self._reactor, lambda message: self._hear(member, message), lambda: self._lost(member)
        )
        member = Member(number=next(self._numbers), parent=parent, channel=channel)
        self._members[member.number] = member
        return member

    def _drop(self, member: Member | None) -> None:
        """End a layer or a standby, and what was forked from it."""
        if member is None:
            return
        if member is self._layer:
            if self._standby is not None and self._standby.parent is member:
                self._drop(self._standby)
            self._layer = None
        if member is self._standby:
            self._standby = None
        self.end(member)

    def _hear(self, member: Member, message: Message) -> None:
        if "stopped" in message:
            self._stopped(member, message)
        elif "forked" in message:
            self._forked(message)
        elif "hello" in message:
            self._reports.hello(message["hello"])
        elif "refused" in message:
            self._reports.refused(f"pytest ended with status {message['refused']}")
        elif "ended" not in message:
            self._reports.said(member, message)

    def _stopped(self, member: Member, message: Message) -> None:
        member.loaded = frozenset(message["stopped"])
        if member is self._zygote:
            if member.loaded & member.changed:
                self.start()
                return
            if not message["safe"]:
                self._unsafe = "threads run in pytest before it collects"
            self.stand_by()
            self._reports.ready()
        elif member.loaded & member.changed:
            self._drop(member)

    def _forked(self, message: Message) -> None:
        member = self._members.get(message["forked"])
        if member is not None:
            member.pid = message["pid"]
            member.channel.accompany(member.pid)

    def _lost(self, member: Member) -> None:
        """A process has died without being told to."""
        if member is self._zygote:
            self.close()
            self._reports.refused("the test process has died")
        elif member in (self._layer, self._standby):
            self._drop(member)
        else:
            self._reports.died(member)
