"""What `pytest --buddy` does around one pytest session: record, work, show, ask."""

import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_buddy.capture import Recorder
from pytest_buddy.config import load
from pytest_buddy.domain import Baseline, Diagnosis
from pytest_buddy.errors import BuddyError, ConfigError
from pytest_buddy.runner import Confinement, Launcher, inherited, probe
from pytest_buddy.workspace import Workspace

if TYPE_CHECKING:
    from pytest_buddy.screen import Screen

_FLAGS = ("budget", "coder", "sandbox", "offline", "report")
_FINISHED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)


class PluginSession:
    """Everything `--buddy` keeps for one session; raises ConfigError for settings that cannot be used."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._workspace = Workspace(config.rootpath)
        flags = {key: config.getoption(f"buddy_{key}") for key in _FLAGS}
        self._settings = load(config.rootpath, flags=flags)
        self._check_names()
        self._started = time.monotonic()
        self._here_first = any(entry in ("", os.getcwd()) for entry in sys.path)  # noqa: PTH109
        self.recorder = Recorder(self._workspace)
        self._terminal: Any = None

    def _check_names(self) -> None:
        """Refuse coders and reports that nobody has before the run, not after it."""
        if self._settings.coder == "auto" and not self._settings.report:
            return  # so that a green run does not pay for the import
        from pytest_buddy.session import coders, reporters

        coders(self._settings)
        known = reporters(self._settings)
        for entry in self._settings.report:
            name = entry.partition(":")[0]
            if name not in known:
                raise ConfigError(
                    f"there is no report format {name!r}", hint=f"Known formats: {', '.join(sorted(known))}."
                )

    def finish(self, session: pytest.Session) -> None:
        """After pytest has printed all of its own: work on what is red, show it, ask what to do."""
        config = self._config
        if hasattr(config, "workerinput") or config.option.collectonly or self.recorder.broken_off:
            return
        self._terminal = config.pluginmanager.get_plugin("terminalreporter")
        self.recorder.seconds = time.monotonic() - self._started
        baseline = self.recorder.baseline(self._arguments())
        if session.exitstatus not in _FINISHED:
            return
        if self.recorder.problem:
            self.say(f"buddy: some details of failures are missing: {self.recorder.problem}")
        if not self.recorder.red:
            self._report(Diagnosis(failures=(), offline=self._settings.offline))
            return
        try:
            self._work(baseline)
        except BuddyError as error:
            self.say(f"buddy: {error.message}")
            if error.hint:
                self.say(f"  {error.hint}")
        except KeyboardInterrupt:
            self.say("buddy: interrupted")

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

    def _work(self, baseline: Baseline) -> None:
        from pytest_buddy.patch import Ledger
        from pytest_buddy.session import Session

        screen = self._screen()
        ledger = Ledger(self._workspace, exclude=self._settings.exclude)
        confinement = self._confinement(screen)
        launcher = Launcher(
            workspace=self._workspace,
            cwd=Path(self._config.invocation_params.dir),
            confinement=confinement,
            args=baseline.args,
            here_first=self._here_first,
        )
        diagnosis = Session(launcher, self._settings, screen.event).diagnose(baseline)
        try:
            for event in ledger.recover():
                screen.event(event)
            ledger.keep(diagnosis)
        except BuddyError as error:
            screen.notice(error.message, error.hint)
        screen.diagnosis(diagnosis, self._workspace)
        self._report(diagnosis)
        if screen.interactive and sys.stdin is not None and sys.stdin.isatty():
            screen.ask(diagnosis, ledger, input)

    def _screen(self) -> "Screen":
        from pytest_buddy.screen import Screen, draws

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

    def _confinement(self, screen: "Screen") -> Confinement:
        wanted = self._settings.sandbox
        cache: Path | None = None
        try:
            cache = self._workspace.prepare_state() / "sandbox.json"
        except BuddyError as error:
            screen.notice(error.message, error.hint)
        return probe(self._workspace, wanted=wanted, cache=cache)

    def _report(self, diagnosis: Diagnosis) -> None:
        from pytest_buddy.session import reporters

        known = reporters(self._settings) if self._settings.report else {}
        for entry in self._settings.report:
            name, _, target = entry.partition(":")
            text = known[name].render(diagnosis)
            if not target:
                self.say(text)
                continue
            path = Path(self._config.invocation_params.dir, target)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                self.say(f"buddy: the report {target} cannot be written: {error.strerror}")

    def say(self, text: str) -> None:
        """Print a line where pytest prints; silent without pytest's terminal."""
        terminal = self._terminal or self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.ensure_newline()
            terminal.write_line(text)
