"""Runs of tests, one at a time, in the best process there is for them."""

import time
from collections.abc import Callable, Iterable

from buddy_watch.reactor import Reactor, Timer
from buddy_watch.values import Heard, Over, RunRequest, Standing
from buddy_watch.workers import hearing
from buddy_watch.workers.family import Family, Reports
from buddy_watch.workers.launch import Launch, Output, Starter
from buddy_watch.workers.member import Member
from pytest_buddy.messages import Message

_BROKEN = (2, 3, 4)
_AFTERMATH = 2.0
_SOON = 0.1


class Workers:
    """The test processes of one project; what they tell goes to `hear`, in the reactor's thread."""

    def __init__(self, launch: Launch, reactor: Reactor, hear: Callable[[Heard], None]) -> None:
        launch.check()
        self._launch = launch
        self._reactor = reactor
        self._hear = hear
        self._output = Output()
        reports = Reports(
            said=self._said, died=self._died, hello=self._hello, ready=self._ready, refused=self._refused
        )
        self._starter = Starter(launch, self._output)
        self._family = Family(launch, self._starter, reactor, reports)
        self._standing = Standing(state="starting")
        self._request: RunRequest | None = None
        self._runner: Member | None = None
        self._ending: Member | None = None
        self._timer: Timer | None = None
        self._began = 0.0

    @property
    def running(self) -> int | None:
        """The run that is going on or waiting for its process, if any."""
        return None if self._request is None else self._request.run

    def start(self) -> None:
        """Start pytest once; Hello and Standing are heard when it is up."""
        self._output.clear()
        self._stand(Standing(state="starting"))
        self._family.start()

    def restart(self) -> None:
        """Start pytest anew, with everything it has read; a run that was going on is cancelled."""
        self.cancel()
        self.start()

    def run(self, request: RunRequest) -> None:
        """Run tests at once, or as soon as pytest is up."""
        self.cancel()
        self._request = request
        self._began = time.monotonic()
        if self._family.up:
            self._go()
        elif self._standing.state == "broken":
            self.start()

    def cancel(self) -> None:
        """End the run that is going on, with all it has started; nothing of it is heard afterwards."""
        self._request = None
        self._finish_ending()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            self._family.end(runner)
            self._soon()

    def changed(self, paths: Iterable[str], *, likely: str = "") -> None:
        """Drop processes that have imported files which changed."""
        del likely
        if not self._family.changed(paths):
            self.restart()
        else:
            self._soon()

    def close(self) -> None:
        """End every process."""
        self.cancel()
        self._family.close()
        self._output.close()
        if self._timer is not None:
            self._timer.cancel()

    def _go(self) -> None:
        request = self._request
        assert request is not None
        self._output.clear()
        self._runner = self._family.take()
        body: Message = {
            "tests": sorted(request.tests),
            "files": sorted(request.files),
            "everything": request.everything,
            "first": list(request.first),
            "keyword": request.keyword,
            "background": request.background,
        }
        self._runner.channel.send({"go": body})

    def _soon(self) -> None:
        """Have the next process ready in a moment, after whatever is more urgent."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._reactor.later(_SOON, self._family.stand_by)

    def _stand(self, standing: Standing) -> None:
        if standing != self._standing or standing.state == "starting":
            self._standing = standing
            self._hear(standing)

    def _hello(self, body: Message) -> None:
        self._hear(hearing.hello(body, here_first=self._launch.here_first))

    def _ready(self) -> None:
        self._stand(Standing(state="warm"))
        if self._request is not None and self._runner is None:
            self._go()

    def _refused(self, reason: str) -> None:
        printed = self._output.end().strip()
        self._stand(Standing(state="broken", reason=printed or reason))
        if self._request is not None:
            self._over(outcome_broken=True, status=4)

    def _said(self, member: Member, message: Message) -> None:
        if "imported" in message:
            self._family.imported(message["imported"])
        if member is not self._runner or self._request is None:
            return
        run = self._request.run
        if "ran" in message:
            self._hear(hearing.ran(run, message["ran"]))
        elif "collected" in message:
            self._hear(hearing.collected(run, message["collected"]))
        elif "over" in message:
            self._ending, self._runner = self._runner, None
            self._reactor.later(_AFTERMATH, self._finish_ending)
            self._soon()
            self._over(outcome_broken=message["over"] in _BROKEN, status=message["over"])

    def _over(self, *, outcome_broken: bool, status: int) -> None:
        request, self._request = self._request, None
        assert request is not None
        over = Over(
            run=request.run,
            outcome="broken" if outcome_broken else "done",
            exit=status,
            seconds=time.monotonic() - self._began,
            output=self._output.end() if outcome_broken else "",
        )
        self._hear(over)

    def _died(self, member: Member) -> None:
        """A run has ended: with its word before, or without."""
        status = self._family.end(member)
        if member is self._ending:
            self._ending = None
        elif member is self._runner:
            self._runner = None
            self._soon()
            if self._request is not None:
                self._over(outcome_broken=True, status=-(status & 0x7F) or status >> 8)

    def _finish_ending(self) -> None:
        if self._ending is not None:
            ending, self._ending = self._ending, None
            self._family.end(ending)
