"""What a server does with its first message: go where pytest was called, and call it the same way."""

import os
import sys
import tempfile

from pytest_buddy.messages import Message


def enter(setup: Message) -> None:
    """Go where pytest was called, with that directory on the import path when it was there."""
    os.chdir(setup["cwd"])
    if setup["here_first"]:
        sys.path.insert(0, setup["cwd"])


def pytest_arguments(setup: Message) -> list[str]:
    """What a server calls pytest with; pytest's cache goes to this process's own temporary directory."""
    cache = os.path.join(tempfile.gettempdir(), "pytest-buddy-cache")  # noqa: PTH118  a plain text
    return [*setup["args"], "-o", f"cache_dir={cache}", *setup["targets"]]
