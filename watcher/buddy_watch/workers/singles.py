"""Processes that are started ahead of time and used once, where forking one is not safe."""

import itertools
from collections.abc import Iterable

from buddy_watch.reactor import Reactor
from buddy_watch.workers.launch import Started, Starter
from buddy_watch.workers.member import Channel, Member, Reports, touches_settings
from pytest_buddy.messages import Message


class Singles:
    """As a `Family`, but every process is pytest started anew."""

    def __init__(self, starter: Starter, reactor: Reactor, reports: Reports) -> None:
        self._starter = starter
        self._reactor = reactor
        self._reports = reports
        self._numbers = itertools.count(1)
        self._started: dict[int, Started] = {}
        self._standby: Member | None = None
        self._loaded: frozenset[str] = frozenset()
        self._preload: dict[str, None] = {}
        self.up = False

    def start(self) -> None:
        """Start the first process."""
        self.close()
        self._standby = self._new()

    def take(self, request: Message) -> Member:
        """A process that waits for a run, or will; it is given away for good."""
        del request
        member = self._standby or self._new()
        self._standby = None
        return member

    def stand_by(self) -> None:
        """Have the next process ready."""
        if self.up and self._standby is None:
            self._standby = self._new()

    def advance(self, request: Message, gate: str) -> None:
        """Nothing can be done ahead of a request by a process that is used once."""

    def imported(self, names: Iterable[str]) -> None:
        """Remember what the next process imports ahead of time."""
        self._preload.update(dict.fromkeys(names))

    def changed(self, paths: Iterable[str]) -> bool:
        """Drop the process that stands by when it has imported one of the files."""
        names = set(paths)
        if touches_settings(names) or names & self._loaded:
            return False
        standby = self._standby
        if standby is not None and (standby.loaded is None or names & standby.loaded):
            self._standby = None
            self.end(standby)
        return True

    def end(self, member: Member) -> int:
        """Kill a process and what it has left behind; its exit status."""
        member.channel.close()
        started = self._started.pop(member.number, None)
        return 0 if started is None else started.end()

    def close(self) -> None:
        """End everything."""
        if self._standby is not None:
            self._standby.channel.close()
            self._standby = None
        for started in self._started.values():
            started.end()
        self._started.clear()
        self.up = False

    def _new(self) -> Member:
        channel = Channel(
            self._reactor, lambda message: self._hear(member, message), lambda: self._lost(member)
        )
        member = Member(number=next(self._numbers), parent=None, channel=channel)
        started = self._started[member.number] = self._starter.start(channel.theirs)
        channel.handed_over()
        channel.accompany(started.pid)
        channel.send(self._starter.setup(beforehand=list(self._preload)))
        return member

    def _hear(self, member: Member, message: Message) -> None:
        if "stopped" in message:
            member.loaded = frozenset(message["stopped"])
            if not self.up:
                self.up = True
                self._reports.ready()
        elif "refused" in message:
            self._refused(member, f"pytest ended with status {message['refused']}")
        elif "hello" in message:
            if not self.up:
                self._loaded = frozenset(message["hello"]["loaded"])
                self._reports.hello(message["hello"])
        else:
            self._reports.said(member, message)

    def _lost(self, member: Member) -> None:
        if member is self._standby or member.loaded is None:
            self._refused(member, "the test process has died")
        else:
            self._reports.died(member)

    def _refused(self, member: Member, reason: str) -> None:
        self._standby = None
        self.end(member)
        self.close()
        self._reports.refused(reason)
