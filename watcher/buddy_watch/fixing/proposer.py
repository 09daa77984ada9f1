"""The process that works on red tests: `python -m buddy_watch.fixing.proposer DESCRIPTOR PARENT DIRECTORY`.

It prepares itself while all is green, works on one set of red tests, and ends. It never reads while it works:
whoever wants it to stop kills it, and everything below it ends with it.
"""

import contextlib
import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from buddy_watch.fixing.wire import Learned, Setting, event_to_message
from pytest_buddy.codec import decode, encode
from pytest_buddy.domain import Baseline, Event, NoticeGiven
from pytest_buddy.errors import BuddyError
from pytest_buddy.messages import Message, messages_from, write
from pytest_buddy.offline import kept_offline
from pytest_buddy.processes import cores
from pytest_buddy.redact import Redactor
from pytest_buddy.runner import Launcher, Runner, Standby, advice, probe
from pytest_buddy.session import Session
from pytest_buddy.workspace import Workspace

_NICENESS = 5  # a quarter of a core that others want, all of one that nobody does
_PR_SET_PDEATHSIG = 1
_UNSAFE = "no fix is looked for: candidate fixes are programs that nobody has read, and {why}"
_WAY_OUT = "Start with --buddy-sandbox none to run them all the same."


class Proposer:
    """Holds a parked runner until there are red tests to work on."""

    def __init__(self, descriptor: int, setting: Setting) -> None:
        self._descriptor = descriptor
        self._setting = setting
        self._redactor = Redactor(environment=os.environ)
        self._workspace = Workspace(Path(setting.root))
        self._launcher = self._make_launcher()
        self._runner: Runner | None = None
        self._standby: Standby | None = None

    def _make_launcher(self) -> Launcher:
        cache: Path | None = None
        try:
            cache = self._workspace.prepare_state() / "sandbox.json"
        except BuddyError as error:
            self._tell(NoticeGiven(text=error.message, hint=error.hint))
        wanted = self._setting.config.sandbox
        return Launcher(
            workspace=self._workspace,
            cwd=Path(self._setting.cwd),
            confinement=probe(self._workspace, wanted=wanted, cache=cache),
            args=self._setting.inherited,
            here_first=self._setting.here_first,
        )

    def _tell(self, event: Event) -> None:
        write(self._descriptor, event_to_message(self._redactor.cleaned(event)))

    @property
    def level(self) -> str:
        """The level of the sandbox that everything is started in."""
        return self._launcher.level

    def prepare(self) -> None:
        """Start all processes that the work will need first, up to where they wait to be told."""
        runner = self._park()
        if self._launcher.overlays and self._may_repair:
            runner.still_fits()  # one after the other: the kernel lets few sessions become nice at a time
            self._standby = Standby(self._launcher)

    def _park(self) -> Runner:
        paths = [
            path for path in self._setting.paths if (self._workspace.root / path.split("::")[0]).exists()
        ]
        self._runner = Runner(self._launcher, paths, jobs=cores(), parked=True, preload=self._setting.preload)
        return self._runner

    def check(self) -> None:
        """Start the runner again when it may have seen what has changed since."""
        if self._runner is not None and not self._runner.still_fits():
            self._runner.close()
            self._park()

    def work(self, message: Message) -> None:
        """Work on the red tests of a message, and say what the next proposer may use."""
        repairs = message["repairs"] and self._allowed()
        runner, standby = self._runner, self._standby
        self._runner = self._standby = None
        session = Session(
            self._launcher,
            self._setting.config,
            self._tell,
            repairs=repairs,
            runner=runner,
            standby=standby,
            jobs=message["jobs"],
        )
        session.diagnose(decode(Baseline, message["baseline"]))
        learned = Learned(preload=session.imported, paths=session.collected)
        write(self._descriptor, {"learned": encode(learned)})

    @property
    def _may_repair(self) -> bool:
        return self._launcher.level != "none" or self._setting.unconfined

    def _allowed(self) -> bool:
        """Whether candidates may run: without a sandbox only on the person's own word."""
        if self._may_repair:
            return True
        asked_for = self._setting.config.sandbox == "none"
        why = "the settings ask for no sandbox" if asked_for else "this machine has no sandbox for them"
        way_out = "" if asked_for else advice(self._launcher.confinement)
        self._tell(NoticeGiven(text=_UNSAFE.format(why=why), hint=way_out or _WAY_OUT))
        return False

    def close(self) -> None:
        """End what waits."""
        for waiting in (self._runner, self._standby):
            if waiting is not None:
                waiting.close()


def _die_with_parent(parent: int) -> None:
    """Be ended, with the chance to clean up, when the screen's process is gone, however it went."""
    signal.signal(signal.SIGTERM, _end)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)


def _step_back() -> None:
    """Let whatever the person does go first, also where niceness counts inside a session only."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(_NICENESS))


def _end(_number: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _serve(descriptor: int, messages: Iterator[Message]) -> None:
    setting = decode(Setting, next(messages)["setting"])
    with kept_offline(wanted=setting.config.offline):
        proposer = Proposer(descriptor, setting)
        try:
            proposer.prepare()
            write(descriptor, {"ready": proposer.level})
            for leftover in setting.leftovers:
                shutil.rmtree(leftover, ignore_errors=True)
            gc.freeze()
            for message in messages:
                if message["operation"] == "check":
                    proposer.check()
                else:
                    proposer.work(message)
                    return
        finally:
            proposer.close()


def main() -> int:
    """Take the setting from the descriptor, prepare, and work when there is work; removes DIRECTORY."""
    descriptor, parent, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    tempfile.tempdir = os.environ["TMPDIR"] = directory
    try:
        _die_with_parent(parent)
        _step_back()
        _serve(descriptor, messages_from(descriptor))
    except BuddyError as error:
        redact = Redactor(environment=os.environ).redact
        write(descriptor, {"failed": [redact(error.message), redact(error.hint)]})
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
