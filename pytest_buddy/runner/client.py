"""The person's side of the runner: starts the warm server, sends it jobs, gives back plain values."""

import secrets
import selectors
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pytest_buddy.domain import Execution, Observation, Outcome, Patch, Reaction, Suspect, Trial
from pytest_buddy.errors import RunnerError
from pytest_buddy.messages import Message, pack
from pytest_buddy.runner.answers import (
    edits_of,
    execution_of,
    lost,
    observations_of,
    outcome_of,
    reactions_of,
)
from pytest_buddy.runner.launch import Launcher
from pytest_buddy.runner.snapshot import FRESH, Snapshot
from pytest_buddy.runner.tickets import Channel, Ticket, last_lines, outstanding

BATCH = 25
_WALL_SLACK = 5.0
Stop = Callable[[], bool]


def never() -> bool:
    """A stop condition that is never met."""
    return False


class Runner:
    """A warm runner for one run's tests; a context manager that leaves no process behind.

    `files` are the test files (or node ids) to collect, `jobs` how many children run at a time. Every method
    raises RunnerError when the server is gone.

    With `parked` it stops before collecting, with the installed modules of `preload` imported, until
    `collect` names the files; those given now are a guess then, that pytest starts with.
    """

    def __init__(
        self,
        launcher: Launcher,
        files: Sequence[str],
        *,
        jobs: int = 2,
        parked: bool = False,
        preload: Sequence[str] = (),
    ) -> None:
        self._launcher = launcher
        self._files = tuple(files)
        self._jobs = max(1, jobs)
        self._preload = tuple(preload)
        self._parked = Snapshot.of(launcher.workspace) if parked else None
        self._outdated: str | None = None
        self._nonce = secrets.token_hex(16)
        self._selector = selectors.DefaultSelector()
        self._tickets: dict[int, Ticket] = {}
        self._next = 0
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed in close()
        self._routes: dict[str, Channel] = {}
        self._start()

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        pairs = [socket.socketpair() for _ in range(2)]
        theirs = [pair[1].fileno() for pair in pairs]
        arguments = ["-m", "pytest_buddy.runner.server", *map(str, theirs)]
        try:
            self._process = self._launcher.start(arguments, pass_fds=theirs, output=self._log.fileno())
        finally:
            for _, their in pairs:
                their.close()
        self._zygote, self._collected = (
            Channel(ours, name) for (ours, _), name in zip(pairs, ("zygote", "collected"), strict=True)
        )
        for channel in (self._zygote, self._collected):
            channel.socket.setblocking(False)
            self._selector.register(channel.socket, selectors.EVENT_READ, channel)
        setup = self._launcher.setup(self._files)
        parked = {"parked": self._parked is not None, "preload": self._preload}
        self._send(self._zygote, {**setup, **parked, "nonce": self._nonce, "size": self._jobs})

    def collect(self, files: Sequence[str], *, timeout: float = 10.0) -> bool:
        """Let a parked server collect these files; false when it is of no use for them, as it then ends.

        That is when it may have seen anything of the project that has changed since it was started.
        """
        return self._fits("collect", timeout, files=list(dict.fromkeys(files)))

    def still_fits(self, *, timeout: float = 10.0) -> bool:
        """Whether a parked server may be used after the changes since its start, as far as it can tell."""
        return self._fits("check", timeout)

    @property
    def imported(self) -> tuple[str, ...]:
        """The installed modules that collecting imported: what is worth a `preload`."""
        return tuple((self._collected.ready or {}).get("imported", ()))

    def _fits(self, operation: str, timeout: float, **more: Any) -> bool:
        assert self._parked is not None, "only a parked server waits to be told what to collect"
        now = Snapshot.of(self._launcher.workspace)
        changed = self._parked.changes_until(now)
        if any(item.configures for item in changed):
            return False
        self._outdated = None
        message = {
            "operation": operation,
            "changed": [[item.path, item.kind, item.digest] for item in changed],
            "recent": now.since(time.time() - FRESH),
            "overlay": self._launcher.overlays,
            **more,
        }
        deadline = time.monotonic() + timeout
        self._await(lambda: self._zygote.ready is not None, deadline)
        try:
            self._send(self._zygote, message)
        except RunnerError:
            return False
        self._await(lambda: self._outdated is not None, deadline)
        return self._outdated == ""

    def _await(self, said: Stop, deadline: float) -> None:
        while not said() and not self._zygote.failed and time.monotonic() < deadline:
            self._pump(deadline - time.monotonic())

    def wait_ready(self, timeout: float) -> tuple[str, ...]:
        """Wait until the tests are collected; their node ids. Raises RunnerError with what pytest said."""
        deadline = time.monotonic() + timeout
        while self._collected.ready is None:
            if self._collected.failed or time.monotonic() > deadline:
                raise RunnerError(
                    self._collected.failed or "collecting the tests took too long",
                    hint=self._output() or "Run the failing tests with plain pytest to see why.",
                )
            self._pump(deadline - time.monotonic())
        return tuple(self._collected.ready["tests"])

    @property
    def collection_errors(self) -> tuple[str, ...]:
        """Node ids of the collectors that failed in the server."""
        ready = self._collected.ready or {}
        return tuple(ready.get("errors", ()))

    def run(
        self,
        tests: Sequence[str],
        *,
        cpu: float,
        direct: bool = False,
        fresh: bool = True,
        stop: Stop = never,
    ) -> dict[str, Outcome]:
        """Run tests on the unpatched code, untraced, each in its own child unless `fresh` is false."""
        units = [{"test": test} for test in tests]
        extra = {"direct": direct}
        answers = self._collect("run", units, cpu=cpu, fresh=fresh, stop=stop, extra=extra)
        return {
            tests[index]: lost(tests[index], answer) if "lost" in answer else outcome_of(answer)
            for index, answer in answers
        }

    def trace(
        self, tests: Sequence[str], *, cpu: float, direct: frozenset[str] = frozenset(), stop: Stop = never
    ) -> Iterator[Execution]:
        """The lines each test runs, in the order they come in; tests that were lost are left out."""
        units = [{"test": test, "direct": test in direct} for test in tests]
        for index, answer in self._stream("trace", units, cpu=cpu, stop=stop):
            if "lost" not in answer and answer["status"] != "missing":
                yield execution_of(tests[index], answer)

    def observe(
        self, tests: Sequence[str], suspects: Sequence[Suspect], *, cpu: float, stop: Stop = never
    ) -> tuple[Observation, ...]:
        """The values that tests had at the suspects' statements."""
        units = [{"test": test} for test in tests]
        places = [[suspect.path, suspect.line, suspect.end_line] for suspect in suspects]
        answers = self._collect("observe", units, cpu=cpu, fresh=True, stop=stop, extra={"places": places})
        return tuple(item for index, answer in answers for item in observations_of(tests[index], answer))

    def trials(
        self,
        patches: Iterable[Patch],
        tests: Sequence[str],
        *,
        cpu: float,
        direct: frozenset[str] = frozenset(),
        wall: float | None = None,
        batch: int = BATCH,
        every: bool = False,
        stop: Stop = never,
    ) -> Iterator[Trial]:
        """Try candidates on tests, each until its first red test unless `every`; trials come in as they end.

        Candidates that do not compile give a trial without outcomes. Candidates outside function bodies are
        tried in processes that import the edited file anew.
        """
        candidates = iter(patches)
        request = {"tests": list(tests), "direct": sorted(direct), "all": every}
        anew = any("::" not in test for test in tests)
        pending: dict[int, tuple[Ticket, list[Patch]]] = {}
        again: deque[Patch] = deque()
        exhausted = False
        try:
            while not stop():
                while not exhausted and (
                    len(again) < batch if anew else outstanding(pending, self._collected) <= self._jobs
                ):
                    group = list(islice(candidates, batch))
                    exhausted = not group
                    if anew:
                        again.extend(group)
                    elif group:
                        ticket = self._submit(
                            self._collected, "trials", map(edits_of, group), cpu, extra=request, wall=wall
                        )
                        pending[ticket.id] = (ticket, group)
                while again and outstanding(pending, self._zygote) < self._jobs:
                    patch = again.popleft()
                    self._routes[patch.id] = self._zygote
                    ticket = self._submit(
                        self._zygote, "trials", [edits_of(patch)], cpu, fresh=True, extra=request
                    )
                    pending[ticket.id] = (ticket, [patch])
                if not pending:
                    return
                self._pump(0.05)
                for ticket, group in list(pending.values()):
                    yield from self._trials_of(ticket, group, again, tests)
                    if ticket.done and not ticket.answers:
                        del pending[ticket.id]
        finally:
            for ticket, _ in pending.values():
                self._cancel(ticket)

    def _trials_of(
        self, ticket: Ticket, group: list[Patch], again: deque[Patch], tests: Sequence[str]
    ) -> Iterator[Trial]:
        while ticket.answers:
            answer = ticket.answers.popleft()
            patch = group[answer["unit"]]
            if "refused" in answer and ticket.channel is self._collected:
                again.append(patch)
            elif "outcomes" in answer:
                yield Trial(patch=patch, outcomes=tuple(map(outcome_of, answer["outcomes"])))
            elif "lost" in answer:
                yield Trial(patch=patch, outcomes=(lost(tests[0], answer),))
            else:
                yield Trial(patch=patch, outcomes=())

    def judge(self, patch: Patch, tests: Sequence[str], *, cpu: float, wall: float | None = None) -> Trial:
        """All given tests with a patch, in one fresh child and through pytest's whole protocol."""
        channel = self._routes.get(patch.id, self._collected)
        request = {"tests": list(tests), "all": True}
        limit = wall if wall is not None else cpu * len(tests) + _WALL_SLACK
        ticket = self._submit(
            channel, "trials", [edits_of(patch)], cpu, fresh=True, extra=request, wall=limit
        )
        while not ticket.done:
            self._pump(1.0)
        answers = [answer for answer in ticket.answers if "outcomes" in answer]
        del self._tickets[ticket.id]
        if answers:
            return Trial(patch=patch, outcomes=tuple(map(outcome_of, answers[0]["outcomes"])))
        answer = next((answer for answer in ticket.answers if "lost" in answer), {"lost": "crashed"})
        return Trial(patch=patch, outcomes=tuple(lost(test, answer) for test in tests))

    def behave(
        self,
        patches: Sequence[Patch | None],
        tests: Sequence[tuple[str, bool]],
        places: Mapping[str, Sequence[int]],
        *,
        cpu: float,
        wall: float,
        stop: Stop = never,
    ) -> Iterator[tuple[Patch | None, tuple[Reaction, ...]]]:
        """What functions at these lines do, with each patch or none, given the inputs of tests (green?)."""
        extra = {"tests": list(tests), "places": dict(places)}
        for channel in (self._collected, self._zygote):
            mine = [p for p in patches if self._routes.get(p.id if p else "", self._collected) is channel]
            units = [edits_of(item) if item else {"edits": []} for item in mine]
            answers = self._stream(
                "behave", units, channel=channel, cpu=cpu, wall=wall, stop=stop, extra=extra
            )
            for index, answer in answers if units else ():
                yield mine[index], reactions_of(answer)

    def close(self) -> None:
        """End the server and everything it started."""
        for channel in (self._zygote, self._collected):
            if channel.socket.fileno() >= 0:
                self._forget(channel, "the runner was closed")
        self._launcher.end(self._process)
        self._log.close()
        self._selector.close()

    # Jobs on the wire.

    def _stream(
        self,
        operation: str,
        units: Sequence[Message],
        *,
        cpu: float,
        stop: Stop,
        channel: Channel | None = None,
        **more: Any,
    ) -> Iterator[tuple[int, Message]]:
        """Send units in as many jobs as there are places; give (index of the unit, answer) as they come."""
        share = max(1, -(-len(units) // self._jobs))
        starts = range(0, len(units), share)
        tickets = {
            self._submit(
                channel or self._collected, operation, units[start : start + share], cpu, **more
            ).id: start
            for start in starts
        }
        try:
            while tickets and not stop():
                for identifier, start in list(tickets.items()):
                    ticket = self._tickets[identifier]
                    while ticket.answers:
                        answer = ticket.answers.popleft()
                        yield start + answer["unit"], answer
                    if ticket.done:
                        del tickets[identifier], self._tickets[identifier]
                if tickets:
                    self._pump(0.05)
        finally:
            for identifier in tickets:
                self._cancel(self._tickets[identifier])

    def _collect(
        self,
        operation: str,
        units: Sequence[Message],
        *,
        cpu: float,
        fresh: bool,
        stop: Stop,
        extra: Message,
    ) -> list[tuple[int, Message]]:
        answers = self._stream(operation, units, cpu=cpu, stop=stop, fresh=fresh, extra=extra)
        return sorted(answers, key=lambda pair: pair[0])

    def _submit(
        self,
        channel: Channel,
        operation: str,
        units: Iterable[Message],
        cpu: float,
        *,
        fresh: bool = False,
        extra: Message | None = None,
        wall: float | None = None,
    ) -> Ticket:
        self._next += 1
        listed = list(units)
        ticket = Ticket(self._next, channel, len(listed))
        self._tickets[ticket.id] = ticket
        message = {
            "operation": operation,
            "id": ticket.id,
            "units": listed,
            "cpu": cpu,
            "wall": wall if wall is not None else 4 * cpu + _WALL_SLACK,
            "fresh": fresh,
            **(extra or {}),
        }
        self._send(channel, message)
        return ticket

    def _cancel(self, ticket: Ticket) -> None:
        self._tickets.pop(ticket.id, None)
        if not ticket.done and not ticket.channel.failed:
            self._send(ticket.channel, {"operation": "cancel", "id": ticket.id})

    def _send(self, channel: Channel, message: Message) -> None:
        view = memoryview(pack(message))
        while view:
            if channel.failed:
                raise RunnerError(channel.failed, hint=self._output())
            try:
                view = view[channel.socket.send(view) :]
            except BlockingIOError:
                self._pump(0.01)
            except OSError:
                self._forget(channel, "the runner has ended")

    def _pump(self, timeout: float) -> None:
        """Take in what the servers say, waiting at most `timeout` seconds for the first word."""
        for key, _ in self._selector.select(max(0.0, timeout)):
            channel: Channel = key.data
            try:
                data = channel.socket.recv(1 << 20)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self._forget(channel, "the runner has ended")
                continue
            for message in channel.inbox.feed(data):
                self._hear(channel, message)

    def _hear(self, channel: Channel, message: Message) -> None:
        if message.pop("nonce", None) != self._nonce:
            return
        if "outdated" in message:
            self._outdated = message["outdated"]
        elif "ready" in message:
            channel.ready = message
        elif "failed" in message:
            channel.failed = f"pytest could not start in the runner (status {message['failed']})"
        elif message["job"] in self._tickets:
            ticket = self._tickets[message["job"]]
            if message.get("done"):
                ticket.done = True
            else:
                ticket.answers.append(message)
                ticket.received += 1

    def _forget(self, channel: Channel, reason: str) -> None:
        self._selector.unregister(channel.socket)
        channel.socket.close()
        channel.failed = channel.failed or reason
        for ticket in self._tickets.values():
            if ticket.channel is channel and not ticket.done:
                lost = range(ticket.received, ticket.units)
                ticket.answers.extend({"unit": index, "lost": "crashed"} for index in lost)
                ticket.done = True

    def _output(self) -> str:
        """The last lines that the server printed, where pytest names the error."""
        return last_lines(self._log.fileno())
