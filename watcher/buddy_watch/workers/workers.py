"""Runs of tests, one at a time, in the best process there is for them."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial

from buddy_watch.reactor import Reactor, Timer
from buddy_watch.values import Heard, Over, RunRequest, Standing
from buddy_watch.workers import hearing
from buddy_watch.workers.colds import Colds
from buddy_watch.workers.family import Family
from buddy_watch.workers.launch import Launch, Output, Starter
from buddy_watch.workers.member import Member, Reports
from buddy_watch.workers.singles import Singles
from pytest_buddy.messages import Message

_BROKEN = (2, 3, 4)
_AFTERMATH = 2.0
_SOON = 0.1


class Workers:
    """The test processes of one project; what they tell goes to `hear`, in the reactor's thread.

    When files change: `cancel`, then `changed`, then delete stale bytecode, then `run`.
    """

    def __init__(self, launch: Launch, reactor: Reactor, hear: Callable[[Heard], None]) -> None:
        launch.check()
        self._launch = launch
        self._reactor = reactor
        self._hear = hear
        self._output = Output()
        self._reports = Reports(
            said=self._said,
            died=self._died,
            hello=self._hello,
            ready=self._ready,
            refused=self._refused,
            unsafe=self._use_singles,
        )
        self._starter = Starter(launch, self._output)
        self._warm: Family | Singles = Family(self._starter, reactor, self._reports)
        self._cold = Colds(self._starter, reactor, self._reports)
        self._standing = Standing(state="starting")
        self._request: RunRequest | None = None
        self._runner: Member | None = None
        self._ending: Member | None = None
        self._timer: Timer | None = None
        self._last: Message | None = None
        self._likely = ""
        self._began = 0.0
        self._wholesale = False
        self._installed: dict[str, int] = {}

    @property
    def running(self) -> int | None:
        """The run that is going on or waiting for its process, if any."""
        return None if self._request is None else self._request.run

    def start(self) -> None:
        """Start pytest once; Hello and Standing are heard when it is up."""
        self._output.clear()
        self._stand(Standing(state="starting"))
        self._warm.start()

    def restart(self) -> None:
        """Start pytest anew, with everything it has read; a run that was going on is cancelled."""
        self.cancel()
        if isinstance(self._warm, Singles):  # what forbade forks may be gone
            self._warm.close()
            self._warm = Family(self._starter, self._reactor, self._reports)
        self.start()

    def run(self, request: RunRequest) -> None:
        """Run tests at once, or as soon as pytest is up."""
        self.cancel()
        self._request = request
        self._began = time.monotonic()
        if self._warm.up and self._installed == _times(self._installed):
            self._go()
        elif self._warm.up or self._standing.state == "broken":
            self.start()

    def cancel(self) -> None:
        """End the run that is going on, with all it has started; nothing of it is heard afterwards."""
        self._request = None
        self._finish_ending()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            self._end(runner)
            self._soon()

    def changed(self, paths: Iterable[str], *, likely: str = "") -> None:
        """Drop processes that have imported files which changed."""
        self._likely = likely
        if not self._warm.changed(paths):
            self.restart()
        else:
            self._soon()

    def close(self) -> None:
        """End every process."""
        self.cancel()
        self._warm.close()
        self._output.close()
        if self._timer is not None:
            self._timer.cancel()

    def _go(self) -> None:
        request = self._request
        assert request is not None
        self._output.clear()
        body: Message = {
            "tests": sorted(request.tests),
            "files": sorted(request.files),
            "everything": request.everything,
            "first": list(request.first),
            "keyword": request.keyword,
            "background": request.background,
        }
        if not request.everything:
            self._last = body
        if request.everything and self._wholesale:
            self._runner = self._cold.start(body)
        else:
            self._runner = self._warm.take(body)
            self._runner.channel.send({"go": body})

    def _soon(self) -> None:
        """Have the next process ready in a moment, after whatever is more urgent."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._reactor.later(_SOON, self._get_ready)

    def _get_ready(self) -> None:
        self._warm.stand_by()
        if self._request is None and self._last is not None and self._likely:
            self._warm.advance(self._last, self._likely)

    def _stand(self, standing: Standing) -> None:
        if standing != self._standing or standing.state == "starting":
            self._standing = standing
            self._hear(standing)

    def _use_singles(self) -> None:
        """Forking is not safe here: start processes ahead of time instead."""
        self._warm.close()
        self._warm = Singles(self._starter, self._reactor, self._reports)
        self._warm.start()

    def _hello(self, body: Message) -> None:
        self._wholesale = body["wholesale"]
        self._installed = _times(body["installed"])
        self._hear(hearing.hello(body, here_first=self._launch.here_first))

    def _ready(self) -> None:
        self._stand(Standing(state="warm"))
        if self._request is not None and self._runner is None:
            self._go()

    def _refused(self, reason: str) -> None:
        """Pytest cannot start, for a reason; without one, its process has died and is started again."""
        if not reason:
            self.start()
            return
        printed = self._output.end().strip()
        self._stand(Standing(state="broken", reason=printed or reason))
        if self._request is not None:
            self._over(4, broken=True)

    def _said(self, member: Member, message: Message) -> None:
        if "imported" in message:
            self._warm.imported(message["imported"])
        if member is not self._runner or self._request is None:
            return
        run = self._request.run
        if "ran" in message:
            self._hear(hearing.ran(run, message["ran"]))
        elif "collected" in message:
            self._hear(hearing.collected(run, message["collected"]))
        elif "over" in message:
            self._ending, self._runner = self._runner, None
            self._reactor.later(_AFTERMATH, partial(self._finish, member))
            self._soon()
            self._over(message["over"], broken=message["over"] in _BROKEN)

    def _over(self, status: int, *, broken: bool, why: str = "") -> None:
        request, self._request = self._request, None
        assert request is not None
        over = Over(
            run=request.run,
            outcome="broken" if broken else "done",
            exit=status,
            seconds=time.monotonic() - self._began,
            output=self._output.end() + why if broken else "",
        )
        self._hear(over)

    def _died(self, member: Member) -> None:
        """A run has ended: with its word before, or without."""
        status = self._end(member)
        if member is self._ending:
            self._ending = None
        elif member is self._runner:
            self._runner = None
            self._soon()
            if self._request is not None:
                self._over(status, broken=True, why=_why(status))

    def _finish(self, member: Member) -> None:
        if member is self._ending:
            self._finish_ending()

    def _finish_ending(self) -> None:
        if self._ending is not None:
            ending, self._ending = self._ending, None
            self._end(ending)

    def _end(self, member: Member) -> int:
        return self._cold.end(member) if self._cold.has(member) else self._warm.end(member)


def _times(folders: Iterable[str]) -> dict[str, int]:
    """When something was last installed into each folder."""
    found: dict[str, int] = {}
    for folder in folders:
        try:
            found[folder] = os.stat(folder).st_mtime_ns  # noqa: PTH116  at every save
        except OSError:
            found[folder] = 0
    return found


def _why(status: int) -> str:
    if status >= 0:
        return f"\nThe test process ended in the middle of the run, with status {status}."
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"\nThe test process was ended by {name}."
