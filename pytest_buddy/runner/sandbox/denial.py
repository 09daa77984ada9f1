"""What a test needs that a confinement denies, told from how it fails inside."""

import re
from collections.abc import Mapping

from pytest_buddy.runner.sandbox.environment import permitted
from pytest_buddy.runner.sandbox.visible import below

_NETWORK = re.compile(
    r"Network is unreachable|Name or service not known|[Nn]ame resolution|Connection refused|"
    r"No route to host|Cannot assign requested address|Address family not supported|"
    r"establish a new connection"
)
_REFUSED = re.compile(
    r"Read-only file system|Permission denied|No such file or directory|Operation not permitted"
)
_PATH = re.compile(r"'(/[^']*)'")
_NAME = re.compile(r"\W*([A-Za-z_]\w*)\W*")


def denied(error_type: str, message: str, *, environment: Mapping[str, str], root: str) -> str:
    """What an exception from inside says is missing; empty when it may have other reasons.

    `environment` is that of the person's run, `root` the workspace.
    """
    if _NETWORK.search(message) or error_type in ("gaierror", "ConnectionRefusedError"):
        return "the network"
    variable = _NAME.fullmatch(message)
    if error_type == "KeyError" and variable and variable[1] in environment:
        name = variable[1]
        return "" if name in permitted(environment) else f"the environment variable {name}"
    if _REFUSED.search(message):
        path = _PATH.search(message)
        if path is None:
            return "something of the system" if "not permitted" in message else ""
        return "" if below(path[1], root) and "No such file" in message else f"the file {path[1]}"
    return ""
