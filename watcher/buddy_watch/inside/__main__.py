"""`python -P -m buddy_watch.inside FD`: pytest as the watcher needs it, told what to do over a socket."""

import atexit
import os
import socket
import sys
import traceback

import pytest

from buddy_watch.inside import kin
from buddy_watch.inside.cold import Cold
from buddy_watch.inside.options import Settled
from buddy_watch.inside.parking import Line
from buddy_watch.inside.warm import Warm
from pytest_buddy.messages import Message

_OURS = ("buddy_watch.inside.recording", "buddy_watch.inside.touching")


def main() -> None:
    """Be what the first message says; never return to the interpreter, which would tear down for long."""
    status = 3
    try:
        line = Line(socket.socket(fileno=int(sys.argv[1])))
        setup = line.next()
        if setup is not None:
            status = _serve(line, setup)
    except BaseException:  # noqa: BLE001  the watcher shows what has been printed
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _serve(line: Line, setup: Message) -> int:
    """Run pytest as a process to be forked, or once for all."""
    kin.die_with(setup["parent"])
    os.chdir(setup["cwd"])
    if setup["here_first"]:
        sys.path.insert(0, setup["cwd"])
    arguments: list[str] = setup["arguments"]
    sys.argv[:] = ["pytest", *arguments]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a crash must not take it away
    if "cold" in setup:
        return _once(line, arguments, setup["cold"])
    settled = Settled()
    warm = Warm(line, settled, beforehand=setup["beforehand"])
    status = int(pytest.main(arguments, plugins=[*_OURS, settled, warm]))
    warm.over(status)
    if warm.running:
        _leave()
    return status


def _once(line: Line, arguments: list[str], request: Message) -> int:
    if request["background"]:
        kin.stand_back()
    cold = Cold(line.say, request)
    ours = [word for name in _OURS for word in ("-p", name)]  # as words, so that distributed workers get them
    status = int(pytest.main([*ours, *arguments], plugins=[cold]))
    cold.over(status)
    _leave()
    return status


def _leave() -> None:
    """Do what the program has registered for its end; to take it apart would only take time."""
    atexit._run_exitfuncs()  # noqa: SLF001  there is no other way to ask for it


if __name__ == "__main__":
    main()
