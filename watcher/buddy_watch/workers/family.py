"""The warm processes: a zygote with pytest configured, a layer with libraries, a standby to be used."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from buddy_watch.reactor import Reactor
from buddy_watch.workers.launch import Started, Starter
from buddy_watch.workers.member import Channel, Member, Reports, touches_settings
from pytest_buddy.messages import Message

_PATIENCE = 5.0


@dataclass(slots=True, kw_only=True)
class Head:
    """A process that is ahead: it has collected up to the file that is likely to change, and waits there."""

    member: Member | None = None
    standby: Member | None = None
    gate: str = ""
    files: frozenset[str] = frozenset()
    stops: int = 0

    @property
    def reached(self) -> bool:
        """Whether it is where it was to go."""
        return self.stops >= 2


class Family:
    """Starts the processes and has one of them stand by; ends them, and all that they have started."""

    def __init__(self, starter: Starter, reactor: Reactor, reports: Reports) -> None:
        self._starter = starter
        self._reactor = reactor
        self._reports = reports
        self._numbers = itertools.count(1)
        self._started: Started | None = None
        self._zygote: Member | None = None
        self._layer: Member | None = None
        self._standby: Member | None = None
        self._members: dict[int, Member] = {}
        self._preload: dict[str, None] = {}
        self._preloaded = 0
        self._layered = True
        self._head = Head()
        self._deep = True

    @property
    def up(self) -> bool:
        """Whether the zygote has stopped and can be forked."""
        return self._zygote is not None and self._zygote.loaded is not None

    def start(self) -> None:
        """Start the zygote, after the end of whatever there was."""
        self.close()
        zygote = self._zygote = self._member(None)
        self._started = self._starter.start(zygote.channel.theirs)
        zygote.channel.handed_over()
        zygote.channel.accompany(self._started.pid)
        zygote.channel.send(self._starter.setup(beforehand=None))

    def take(self, request: Message) -> Member:
        """A process that waits for the run, or will; it is given away for good."""
        head = self._head
        needed = _files(request)
        if head.standby is not None and needed and needed <= head.files:
            member, head.standby = head.standby, None
            return member
        member = self._standby or self._forked_standby()
        self._standby = None
        return member

    def stand_by(self) -> None:
        """Have the next process ready, with what earlier runs have imported."""
        if not self.up:
            return
        if self._layered and len(self._preload) > self._preloaded:
            self._drop(self._standby)
            self._drop(self._layer)
            self._preloaded = len(self._preload)
        if self._layered and self._preloaded and self._layer is None:
            assert self._zygote is not None
            self._layer = self._fork(self._zygote, {"preload": list(self._preload)})
        if self._standby is None:
            self._standby = self._forked_standby()

    def advance(self, request: Message, gate: str) -> None:
        """Have a process collect the files of a request up to where the file `gate` is imported."""
        files, head = _files(request), self._head
        if not self.up or not self._deep or not gate.endswith(".py") or not files:
            return
        if head.member is None or head.gate != gate or not files <= head.files:
            self._drop(head.member)
            self._head = Head(member=self._forked_standby(), gate=gate, files=files)
            assert self._head.member is not None
            self._head.member.channel.send({"go": {**request, "first": [], "gate": gate}})
        elif head.reached and head.standby is None:
            head.standby = self._fork(head.member, {})

    def imported(self, names: Iterable[str]) -> None:
        """Remember modules from elsewhere that a run has imported while collecting."""
        self._preload.update(dict.fromkeys(names))

    def changed(self, paths: Iterable[str]) -> bool:
        """Drop what has imported one of the files; false when that is the zygote itself."""
        names = set(paths)
        zygote = self._zygote
        if zygote is None or touches_settings(names) or names & (zygote.loaded or frozenset()):
            return False
        if not self._head.reached or names - {self._head.gate}:
            self._drop(self._head.member)
        for member in (zygote, self._layer, self._standby):
            if member is None:
                continue
            if member.loaded is None:
                member.changed |= names
            elif names & member.loaded:
                self._drop(member)
        return True

    def end(self, member: Member) -> int:
        """Kill a process and what it has left behind; its exit status, negative for a signal."""
        member.channel.close()
        self._members.pop(member.number, None)
        parent = member.parent
        if parent is None or parent.number not in self._members:
            return 0
        parent.channel.send({"end": member.number})
        answer = parent.channel.wait_for("ended", member.number, seconds=_PATIENCE)
        return 0 if answer is None else _exit_status(answer["status"])

    def close(self) -> None:
        """End everything."""
        for member in self._members.values():
            member.channel.close()
        self._members.clear()
        self._zygote = self._layer = self._standby = None
        self._head = Head()
        self._preloaded = 0
        if self._started is not None:
            self._started.end()
            self._started = None

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
        """End a layer, a standby or the head, and what was forked from it."""
        if member is None:
            return
        head = self._head
        if member is head.standby:
            head.standby = None
        if head.member is not None and member in (head.member, head.member.parent):
            self._head = Head()
            for part in (head.standby, head.member):
                if part is not None and part is not member:
                    self.end(part)
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
            self._forked(member, message)
        elif "hello" in message:
            self._reports.hello(message["hello"])
        elif "refused" in message:
            self.close()
            self._reports.refused(f"pytest ended with status {message['refused']}")
        elif "ended" not in message:
            self._reports.said(member, message)

    def _stopped(self, member: Member, message: Message) -> None:
        member.loaded = frozenset(message["stopped"])
        if member is self._head.member:
            self._advanced(message)
        elif member is not self._zygote:
            if member.loaded & member.changed:
                self._drop(member)
        elif member.loaded & member.changed:
            self.start()
        elif not message["safe"]:
            self._reports.unsafe()
        else:
            self.stand_by()
            self._reports.ready()

    def _advanced(self, message: Message) -> None:
        """The head says twice where it stops: where all collection begins, and at the gate."""
        head = self._head
        assert head.member is not None
        head.stops += 1
        if head.reached and not message["safe"]:
            self._deep = False
            self._drop(head.member)
        elif head.reached:
            head.standby = self._fork(head.member, {})

    def _forked(self, parent: Member, message: Message) -> None:
        member = self._members.get(message["forked"])
        if member is not None:
            member.channel.accompany(message["pid"])
        if message["safe"]:
            return
        if parent is self._zygote:
            self._reports.unsafe()
        elif parent is self._head.member:
            self._deep = False
            self._drop(parent)
        elif parent is self._layer:
            self._layered = False  # a library's threads live on here; forks of the zygote have none
            self._drop(parent)

    def _lost(self, member: Member) -> None:
        """A process has died without being told to."""
        if member is self._zygote:
            up = self.up
            waiting = (member, self._layer, self._standby, self._head.member, self._head.standby)
            runs = [run for run in self._members.values() if run not in waiting]
            self.close()
            for run in runs:
                self._reports.died(run)
            if up:
                self._reports.refused("")
            else:
                self._reports.refused("pytest has ended without a word")
        elif member in (self._layer, self._standby, self._head.member, self._head.standby):
            self._drop(member)
        else:
            self._reports.died(member)


def _files(request: Message) -> frozenset[str]:
    """The files that a request looks into; none for one of everything."""
    if request["everything"]:
        return frozenset()
    return frozenset(request["files"]) | {test.partition("::")[0] for test in request["tests"]}


def _exit_status(status: int) -> int:
    """As `os.waitstatus_to_exitcode`, for statuses of processes that were somebody else's children."""
    return -(status & 0x7F) if status & 0x7F else status >> 8
