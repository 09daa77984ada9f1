"""`python -P -m buddy_watch.inside FD`: pytest as the watcher needs it, told what to do over a socket."""

import atexit
import os
import socket
import sys
import traceback

import pytest

from buddy_watch.inside import kin
from buddy_watch.inside.options import Settled
from buddy_watch.inside.warm import Warm
from pytest_buddy.messages import Message, first_message


def main() -> None:
    """Be what the first message says; never return to the interpreter, which would tear down for long."""
    status = 3
    try:
        channel = socket.socket(fileno=int(sys.argv[1]))
        setup = first_message(channel.fileno())
        if setup is not None:
            status = _serve(channel, setup)
    except BaseException:  # noqa: BLE001  the watcher shows what has been printed
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _serve(channel: socket.socket, setup: Message) -> int:
    kin.die_with(setup["parent"])
    os.chdir(setup["cwd"])
    if setup["here_first"]:
        sys.path.insert(0, setup["cwd"])
    sys.argv[:] = ["pytest", *setup["arguments"]]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a crash must not take it away
    settled = Settled()
    warm = Warm(channel, settled)
    status = int(pytest.main(setup["arguments"], plugins=[settled, warm]))
    warm.over(status)
    if warm.running:
        atexit._run_exitfuncs()  # noqa: SLF001  leaving as Python does would take the program apart first
    return status


if __name__ == "__main__":
    main()
