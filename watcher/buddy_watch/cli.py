"""The `buddy-watch` command: its own few words, and all of pytest's."""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_buddy import __version__
from pytest_buddy.errors import BuddyError
from pytest_buddy.offline import kept_offline
from pytest_buddy.redact import redact

_USAGE = """\
usage: buddy-watch [--plain | --json] [--poll] [pytest arguments]

Reruns the tests that a save affects, at once, and proposes fixes for red ones by itself.

  --plain        one line an event instead of the screen (the default without a terminal)
  --json         the same events as JSON lines
  --poll         look at the files every now and then, where the system cannot tell of changes
  --buddy-budget SECONDS, --buddy-coder NAME, --buddy-sandbox LEVEL, --[no-]buddy-offline
                 as for `pytest --buddy`
  -h, --help     this text
  --version      the version

Everything else goes to pytest: buddy-watch -k cart -x -- tests/unit
Keys: press h while it runs.
"""
_VALUED = ("budget", "coder", "sandbox")
_REFUSED = {
    "--pdb": "the debugger needs a terminal of its own",
    "--trace": "the debugger needs a terminal of its own",
    "--collect-only": "it runs nothing",
    "--co": "it runs nothing",
}


@dataclass(slots=True)
class Options:
    """What is ours of the command line; the rest, `words`, is pytest's."""

    words: list[str] = field(default_factory=list)
    flags: dict[str, object] = field(default_factory=dict)
    view: str = ""
    poll: bool = False
    show: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Watch until the person quits; 0 then, 1 with a message and a hint when it could not be done."""
    try:
        options = parsed(sys.argv[1:] if argv is None else argv)
        if options.show:
            sys.stdout.write(options.show)
            return 0
        return _watch(options)
    except BuddyError as error:
        _complain(f"buddy-watch: {error.message}")
        if error.hint:
            _complain(f"  {error.hint}")
        return 1
    except KeyboardInterrupt:
        return 0


def parsed(argv: Sequence[str]) -> Options:
    """Our own words apart from pytest's; raises BuddyError for what cannot be watched."""
    options = Options()
    words = list(argv)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            options.words += [word, *words]
            break
        if word in ("-h", "--help"):
            options.show = _USAGE
        elif word == "--version":
            options.show = f"buddy-watch {__version__}\n"
        elif word in ("--plain", "--json"):
            options.view = word[2:]
        elif word == "--poll":
            options.poll = True
        elif name in _REFUSED:
            raise BuddyError(
                f"{name} cannot be watched: {_REFUSED[name]}", hint=f"Run `pytest {name}` beside it."
            )
        elif word == "--buddy":
            continue
        elif word in ("--buddy-offline", "--no-buddy-offline"):
            options.flags["offline"] = word == "--buddy-offline"
        elif name.removeprefix("--buddy-") in _VALUED and name.startswith("--buddy-"):
            if not equals and not words:
                raise BuddyError(f"{name} needs a value", hint="See `buddy-watch --help`.")
            options.flags[name.removeprefix("--buddy-")] = value if equals else words.pop(0)
        else:
            options.words.append(word)
    return options


def _watch(options: Options) -> int:
    from buddy_watch.loop import Loop
    from buddy_watch.places import places

    here = Path.cwd()
    signal.signal(signal.SIGTERM, _interrupt)
    with kept_offline():
        loop = Loop(
            places(options.words, here),
            view=options.view,
            flags=options.flags,
            poll=options.poll,
            here_first=_module_run(),
        )
        return loop.run()


def _module_run() -> bool:
    """Whether we were started with `python -m`, which puts the current directory on the import path."""
    return any(entry in ("", str(Path.cwd())) for entry in sys.path)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _complain(text: str) -> None:
    sys.stderr.write(redact(text, environment=os.environ) + "\n")
