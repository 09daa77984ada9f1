"""Runs in a pytest of their own from beginning to end, as the person would start it."""

import itertools

from buddy_watch.reactor import Reactor
from buddy_watch.workers.launch import Started, Starter
from buddy_watch.workers.member import Channel, Member, Reports
from pytest_buddy.messages import Message


class Colds:
    """Starts cold runs; what they say comes as from any other process."""

    def __init__(self, starter: Starter, reactor: Reactor, reports: Reports) -> None:
        self._starter = starter
        self._reactor = reactor
        self._reports = reports
        self._numbers = itertools.count(1)
        self._started: dict[Member, Started] = {}

    def has(self, member: Member) -> bool:
        """Whether the process is one of these."""
        return member in self._started

    def start(self, request: Message) -> Member:
        """Run with the person's full arguments."""
        channel = Channel(
            self._reactor,
            lambda message: self._reports.said(member, message),
            lambda: self._reports.died(member),
        )
        member = Member(number=next(self._numbers), parent=None, channel=channel)
        started = self._started[member] = self._starter.start(channel.theirs)
        channel.handed_over()
        channel.accompany(started.pid)
        channel.send(self._starter.setup(cold=request))
        return member

    def end(self, member: Member) -> int:
        """Kill the process and what it has left behind; its exit status."""
        member.channel.close()
        return self._started.pop(member).end()
