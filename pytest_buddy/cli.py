"""The `buddy` command: acts on the proposals of the last run, and shows what the machine can do."""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_buddy import __version__
from pytest_buddy.errors import BuddyError
from pytest_buddy.offline import kept_offline

_ROOT_MARKS = (".buddy", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py", ".git")
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 1 with a message and a hint when it could not."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        with kept_offline():
            return int(arguments.run(arguments))
    except BuddyError as error:
        _say(f"buddy: {error.message}", error=True)
        if error.hint:
            _say(f"  {error.hint}", error=True)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="buddy",
        description="Where a red test's fault is, why it fails, and the smallest diff that fixes it.",
        epilog="Start with `buddy demo`, or run `pytest --buddy` in your project.",
    )
    parser.add_argument("--version", action="version", version=f"pytest-buddy {__version__}")
    parser.add_argument("-C", "--directory", default=".", metavar="DIR", help="work as if started in DIR")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, run: object, text: str, *, id_help: str = "") -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=run)
        if id_help:
            added.add_argument("id", nargs="?", default="", metavar="ID", help=id_help)
        return added

    first = "the proposal; a unique beginning will do (default: the first fix still open)"
    show = command(
        "show", _show, "show the proposals of the last run, or one in full", id_help="which proposal"
    )
    show.add_argument("--diff", action="store_true", help="print only the diff, as `git apply` takes it")
    command("apply", _act, "write a fix to your files", id_help=first)
    command("stage", _act, "put a fix into git's index and leave your files as they are", id_help=first)
    command("discard", _act, "drop a proposal for good", id_help=first)
    command(
        "undo",
        _act,
        "take back what was applied, staged or discarded",
        id_help="default: the last apply or stage; a discard has to be named",
    )
    command(
        "explain", _explain, "say where the fault is and why the tests fail", id_help="a fault or proposal"
    )
    demo = command("demo", _demo, "copy a small broken project to a temporary folder and fix it there")
    demo.add_argument("--apply", action="store_true", help="also apply the fix and run the tests again")
    command("doctor", _doctor, "show what works on this machine, and what to do about what does not")
    completion = command("completion", _completion, "print a completion script for your shell")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return parser


def _say(text: str, *, error: bool = False) -> None:
    """Print a sentence of ours, which may quote names and values of the project."""
    from pytest_buddy.redact import redact

    _print(redact(text, environment=os.environ), error=error)


def _print(text: str, *, error: bool = False) -> None:
    stream = sys.stderr if error else sys.stdout
    encoding = stream.encoding or "ascii"
    safe = text.encode(encoding, "backslashreplace").decode(encoding)
    print(safe, file=stream)


def _root(directory: str) -> Path:
    """The project around a directory: the nearest one above with a mark of pytest's or of ours."""
    start = Path(directory).resolve()
    if not start.is_dir():
        raise BuddyError(f"{directory} is not a directory", hint="Give the project's directory to -C.")
    for mark in (_ROOT_MARKS[:1], _ROOT_MARKS[1:]):
        for folder in (start, *start.parents):
            if any((folder / name).exists() for name in mark):
                return folder
    return start


def _look() -> tuple[int, bool, bool]:
    """Width, whether to colour, and whether only ASCII can be shown."""
    width = shutil.get_terminal_size().columns
    dumb = os.environ.get("TERM", "dumb") == "dumb" or bool(os.environ.get("NO_COLOR"))
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return width, sys.stdout.isatty() and not dumb, not encoding.startswith("utf")


def _show(arguments: argparse.Namespace) -> int:
    from pytest_buddy.patch import Ledger
    from pytest_buddy.redact import Redactor
    from pytest_buddy.response import render_list, render_proposal
    from pytest_buddy.workspace import Workspace

    ledger = Ledger(Workspace(_root(arguments.directory)))
    redactor = Redactor(environment=os.environ)
    width, color, ascii_only = _look()
    if arguments.id or arguments.diff:
        fault, proposal = ledger.find(arguments.id)
        if arguments.diff:
            if redactor.redact_credentials(proposal.diff) != proposal.diff:
                raise BuddyError(
                    f"the diff of {proposal.patch.id} holds what looks like a secret",
                    hint=f"`buddy apply {proposal.patch.id}` and `buddy stage` use it without showing it.",
                )
            sys.stdout.flush()
            sys.stdout.buffer.write(proposal.diff.encode("utf-8", "surrogateescape"))
            return 0
        status = ledger.status(proposal.patch.id)
        _print(
            render_proposal(
                proposal,
                fault=fault,
                status=status,
                width=width,
                color=color,
                ascii=ascii_only,
                redact=redactor.redact,
            ).rstrip("\n")
        )
        return 0
    diagnosis = ledger.diagnosis()
    if diagnosis is None:
        raise BuddyError("nothing is known of this project yet", hint="Run `pytest --buddy` first.")
    statuses = {
        proposal.patch.id: ledger.status(proposal.patch.id)
        for fault in diagnosis.faults
        for proposal in fault.proposals
    }
    text = render_list(
        diagnosis.faults,
        statuses,
        width=width,
        color=color,
        ascii=ascii_only,
        redact=redactor.redact,
    )
    _print(text.rstrip("\n"))
    return 0


def _act(arguments: argparse.Namespace) -> int:
    from pytest_buddy.config import load
    from pytest_buddy.patch import Ledger
    from pytest_buddy.response import render_event
    from pytest_buddy.workspace import Workspace

    root = _root(arguments.directory)
    ledger = Ledger(Workspace(root), exclude=load(root).exclude)
    for event in ledger.recover():
        _say(render_event(event), error=True)
    act = {
        "apply": ledger.apply,
        "stage": ledger.stage,
        "discard": ledger.discard,
        "undo": ledger.undo,
    }[arguments.command]
    _say(render_event(act(arguments.id)))
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from pytest_buddy.patch import Ledger
    from pytest_buddy.redact import Redactor
    from pytest_buddy.response import render_diagnosis
    from pytest_buddy.screen import sources_of
    from pytest_buddy.workspace import Workspace

    workspace = Workspace(_root(arguments.directory))
    ledger = Ledger(workspace)
    diagnosis = ledger.diagnosis()
    if diagnosis is None or not diagnosis.faults:
        raise BuddyError("there is nothing to explain", hint="Run `pytest --buddy` on red tests first.")
    wanted = arguments.id
    if wanted:
        known = {fault.id for fault in diagnosis.faults}
        name = wanted if wanted in known else ledger.find(wanted)[0].id
        chosen = tuple(fault for fault in diagnosis.faults if fault.id == name)
        diagnosis = replace(diagnosis, faults=chosen)
    width, color, ascii_only = _look()
    sources = sources_of(diagnosis, workspace)
    text = render_diagnosis(
        diagnosis,
        sources,
        width=width,
        color=color,
        verbosity=1,
        ascii=ascii_only,
        redact=Redactor(environment=os.environ).redact,
    )
    _print(text.rstrip("\n"))
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from pytest_buddy.demo import show_demo

    return show_demo(_say, apply=arguments.apply)


def _doctor(arguments: argparse.Namespace) -> int:
    from pytest_buddy.doctor import findings

    worst = 0
    for finding in findings(_root(arguments.directory)):
        _say(f"{'ok     ' if finding.good else 'missing'}  {finding.subject}: {finding.state}")
        if finding.advice:
            _say(f"         {finding.advice}")
        worst = max(worst, 1 if finding.needed and not finding.good else 0)
    return worst


def _completion(arguments: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError as error:
        raise BuddyError("shell completion needs shtab", hint="pip install shtab") from error
    _print(shtab.complete(_parser(), shell=arguments.shell).rstrip("\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
