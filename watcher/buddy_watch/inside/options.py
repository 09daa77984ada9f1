"""What the person's own arguments mean in a process that runs parts of the suite again and again."""

import os
import shlex
from typing import Any

import pytest

_OFF: dict[str, Any] = {
    # pytest-xdist
    "numprocesses": None, "dist": "no", "distload": False, "tx": [], "px": [], "looponfail": False,
    # pytest-cov: measuring a part of the suite says nothing
    "cov_source": [],
    # a part of the suite is picked by us
    "lf": False, "failedfirst": False, "newfirst": False, "stepwise": False, "stepwise_skip": False,
    "cacheclear": False, "collectonly": False,
    # a report of a part would take the place of one of the whole
    "xmlpath": None,
    "buddy": False,
}  # fmt: skip


class Settled:
    """A plugin that switches off what makes no sense in a warm process, before anybody acts on it.

    `wholesale` says afterwards whether the person distributes tests or measures coverage.
    """

    def __init__(self) -> None:
        self.wholesale = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> Any:
        """Some plugins start as soon as they know that they are wanted."""
        self._settle(early_config.known_args_namespace)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_parse(self) -> Any:
        """Most read the options when they are configured."""
        config: pytest.Config = yield
        option = config.option
        refuse_debuggers(option)
        self._settle(option)
        option.continue_on_collection_errors = True
        return config

    def _settle(self, option: Any) -> None:
        distributes = getattr(option, "numprocesses", None) or getattr(option, "tx", None)
        distributes = distributes or getattr(option, "dist", "no") != "no"
        self.wholesale = bool(self.wholesale or distributes or getattr(option, "cov_source", None))
        for name, value in _OFF.items():
            if hasattr(option, name):
                setattr(option, name, value)


def refuse_debuggers(option: Any) -> None:
    """Nobody could talk to a debugger in a process without a terminal."""
    if getattr(option, "usepdb", False) or getattr(option, "trace", False):
        raise pytest.UsageError(
            "--pdb and --trace cannot be used while watching: run pytest with them beside it"
        )


def words(config: pytest.Config) -> list[str]:
    """The person's arguments after those of `addopts` and of the environment."""
    added = config.getini("addopts")
    found = list(added) if not isinstance(added, str) else shlex.split(added)
    found += shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    return found + [str(word) for word in config.invocation_params.args]
