"""A program that applies or undoes a patch in copies of a project and dies after each system call.

Usage: python killed_apply.py PROJECT FOLDER ACTION. The child that works in the copy FOLDER/N kills itself
after the N-th call that changes something on disk. Prints the number of copies made.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from pytest_buddy.patch import Ledger
from pytest_buddy.workspace import Workspace

CALLS = ("open", "write", "rename", "replace", "unlink", "mkdir")


def die_at(number: int) -> None:
    made = 0

    def dying(call):
        def wrapper(*arguments, **options):
            nonlocal made
            made += call is not opening or bool(arguments[1] & os.O_CREAT)
            try:
                return call(*arguments, **options)
            finally:
                if made > number:
                    os.kill(os.getpid(), signal.SIGKILL)

        return wrapper

    opening = os.open
    for name in CALLS:
        setattr(os, name, dying(getattr(os, name)))


def main(project: Path, folder: Path, action: str) -> int:
    for number in range(10_000):
        copy = folder / str(number)
        shutil.copytree(project, copy)
        child = os.fork()
        if not child:
            ledger = Ledger(Workspace(copy))
            die_at(number)
            getattr(ledger, action)()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return number + 1
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    raise AssertionError("the action never ends")


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
