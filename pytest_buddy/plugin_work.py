"""What `pytest --buddy` does after a run with red tests: work, show, report, ask."""

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_buddy.capture import Recorder
from pytest_buddy.config import Config
from pytest_buddy.domain import Baseline, Diagnosis
from pytest_buddy.errors import BuddyError
from pytest_buddy.offline import kept_offline
from pytest_buddy.patch import Ledger
from pytest_buddy.redact import Redactor
from pytest_buddy.registry import reporters
from pytest_buddy.runner import Launcher, advice, inherited, probe
from pytest_buddy.screen import Screen, draws
from pytest_buddy.session import Session
from pytest_buddy.workspace import Workspace

_UNSAFE = "Candidate fixes are programs that nobody has read, and {why}"
_FLAG = "--buddy-sandbox"


class PluginWork:
    """The work after one run, on pytest's own terminal; `here_first` as in Launcher.

    `why` are places, as typed, of which the person wants to know why they are suspected or not.
    """

    def __init__(
        self,
        config: pytest.Config,
        settings: Config,
        *,
        here_first: bool,
        why: Sequence[tuple[str, int]] = (),
    ) -> None:
        self._config = config
        self._settings = settings
        self._here_first = here_first
        self._why = why
        self._session: Session | None = None
        self._workspace = Workspace(config.rootpath)
        self._terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._redactor = Redactor(environment=os.environ)

    def run(self, recorder: Recorder, *, seconds: float) -> None:
        """Diagnose what is red, keep the proposals, show and report; raises BuddyError."""
        with kept_offline(wanted=self._settings.offline):
            self._run(recorder, seconds=seconds)

    def _run(self, recorder: Recorder, *, seconds: float) -> None:
        if not recorder.red:
            self._report(Diagnosis(failures=(), offline=self._settings.offline))
            self._answer(Diagnosis(failures=()))
            return
        screen = self._screen()
        baseline = recorder.baseline(self._arguments(), seconds=seconds)
        ledger = Ledger(self._workspace, exclude=self._settings.exclude)
        diagnosis = self._diagnose(baseline, screen)
        try:
            for event in ledger.recover():
                screen.event(event)
            ledger.keep(diagnosis)
        except BuddyError as error:
            screen.notice(error.message, error.hint)
        screen.diagnosis(diagnosis, self._workspace)
        self._answer(diagnosis)
        self._report(diagnosis)
        if screen.interactive:
            with self._keyboard():
                if sys.stdin is not None and sys.stdin.isatty():
                    screen.ask(diagnosis, ledger, input)

    def _diagnose(self, baseline: Baseline, screen: Screen) -> Diagnosis:
        launcher = self._launcher(baseline.args, screen)
        repairs = self._allowed(launcher, screen)
        self._session = Session(launcher, self._settings, screen.event, repairs=repairs)
        return self._session.diagnose(baseline)

    def _answer(self, diagnosis: Diagnosis) -> None:
        """Say of each line that was asked about why it is or is not suspected."""
        for path, line in self._why:
            place = self._workspace.relative(Path(self._config.invocation_params.dir, path)) or path
            self.say(f"\nwhy {place}:{line}")
            session = self._session
            known = (
                session.why(place, line, diagnosis) if session else ("No test failed: nothing is suspected.",)
            )
            for sentence in known:
                self.say(f"  {sentence}")

    def _allowed(self, launcher: Launcher, screen: Screen) -> bool:
        """Whether candidates may run: without a sandbox only when the person has said so.

        The project's own settings are not the person's word: anybody may have written them.
        """
        if launcher.level != "none" or (self._settings.sandbox == "none" and self._flagged()):
            return True
        asked_for = self._settings.sandbox == "none"
        why = "the settings ask for no sandbox" if asked_for else "this machine has no sandbox for them"
        unsafe = _UNSAFE.format(why=why)
        if screen.interactive:
            with self._keyboard():
                if sys.stdin is not None and sys.stdin.isatty():
                    return screen.confirm(f"{unsafe}. Run them anyway?")
        way_out = "" if asked_for else advice(launcher.confinement)
        screen.notice(unsafe, way_out or f"Say {_FLAG} none to run them all the same.")
        return False

    def _flagged(self) -> bool:
        """Whether the sandbox level comes from the command line or PYTEST_ADDOPTS, not from a file."""
        words = [*map(str, self._config.invocation_params.args)]
        words += shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
        return any(word.partition("=")[0] == _FLAG for word in words)

    def _arguments(self) -> tuple[str, ...]:
        config = self._config
        added = config.getini("addopts")
        words = list(added) if not isinstance(added, str) else shlex.split(added)
        words += shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
        words += [str(word) for word in config.invocation_params.args]
        positional: Sequence[str] = config.option.file_or_dir or ()
        kept = [*inherited(words, positional)]
        if config.inipath is not None and "-c" not in kept:
            kept += ["-c", str(config.inipath)]
        seed = config.getoption("randomly_seed", None)
        if isinstance(seed, int):
            kept.append(f"--randomly-seed={seed}")
        return tuple(kept)

    @contextmanager
    def _keyboard(self) -> Iterator[None]:
        """Standard input as it is without pytest's capturing."""
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is None:
            yield
            return
        capture.suspend(in_=True)
        try:
            yield
        finally:
            capture.resume()

    def _screen(self) -> Screen:
        terminal = self._terminal
        if terminal is None:
            return Screen(write=lambda _text: None)
        encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
        return Screen(
            write=lambda text: terminal.write(text, flush=True),
            width=self._config.get_terminal_writer().fullwidth,
            color=terminal.hasmarkup,
            interactive=draws(terminal.isatty),
            ascii=not encoding.startswith("utf"),
            verbosity=self._config.get_verbosity(),
        )

    def _launcher(self, args: tuple[str, ...], screen: Screen) -> Launcher:
        cache: Path | None = None
        try:
            cache = self._workspace.prepare_state() / "sandbox.json"
        except BuddyError as error:
            screen.notice(error.message, error.hint)
        return Launcher(
            workspace=self._workspace,
            cwd=Path(self._config.invocation_params.dir),
            confinement=probe(self._workspace, wanted=self._settings.sandbox, cache=cache),
            args=args,
            here_first=self._here_first,
        )

    def _report(self, diagnosis: Diagnosis) -> None:
        if not self._settings.report:
            return
        known = reporters(self._settings)
        diagnosis = self._redactor.cleaned(diagnosis)  # reporters of others know nothing of secrets
        for entry in self._settings.report:
            name, _, target = entry.partition(":")
            text = known[name].render(diagnosis)
            if not target:
                self._print(text)
                continue
            path = Path(self._config.invocation_params.dir, target)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                self.say(f"buddy: the report {target} cannot be written: {error.strerror}")

    def say(self, text: str) -> None:
        """Print a line of ours where pytest prints; silent without pytest's terminal."""
        self._print(self._redactor.redact(text))

    def _print(self, text: str) -> None:
        if self._terminal is not None:
            self._terminal.ensure_newline()
            self._terminal.write_line(text)
