"""Shows scenes on the terminal it runs in, for tests: `python screen_player.py RECORD SCENE...`.

Every intent becomes a line of RECORD. Enter shows the next scene, `A` raises an exception, `o` lends the
terminal for one line, `b` closes and takes it again, `v` never comes back.
"""

import itertools
import signal
import sys
from pathlib import Path

from buddy_watch.reactor import Reactor
from buddy_watch.screen import Terminal
from pytest_buddy.domain import Intent
from tests.watch.screen_scenes import SCENES


def main(record: Path, *names: str) -> None:
    reactor = Reactor()
    order = itertools.cycle(names)

    def act(intent: Intent) -> None:
        with record.open("a") as file:
            file.write(f"{intent.verb} {intent.argument}".rstrip() + "\n")
        if intent.verb == "quit":
            reactor.stop()
        elif intent.verb == "scroll":
            terminal.scroll(intent.argument)
        elif intent.verb == "rerun":
            terminal.show(SCENES[next(order)])
        elif intent.verb == "open":
            with terminal.lent():
                print("> ", flush=True)
                print(f"lent: {sys.stdin.readline()}", flush=True)
        elif intent.verb == "pause":
            terminal.close()
            terminal.__enter__()
        elif intent.verb == "voice":
            signal.pause()
            signal.pause()
        elif intent.verb == "all":
            raise RuntimeError("a fault of ours")

    with Terminal(reactor, act, color=False) as terminal:
        terminal.show(SCENES[next(order)])
        reactor.run()
    reactor.close()
    print("back")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
