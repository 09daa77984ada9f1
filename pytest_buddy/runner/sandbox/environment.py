"""Which environment variables a confined program gets."""

import re
from collections.abc import Mapping

_SECRET_WORDS = frozenset(
    {"key", "keys", "pass", "passwd", "pwd", "passphrase", "creds", "auth", "cookie", "private", "dsn", "pat"}
    | {"webhook", "cert", "signature", "sig"}
)
_SECRET_PARTS = re.compile(r"(?i)token|secret|passw|credential|apikey|connection_?string")
_SECRET_VALUE = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@|-----BEGIN|\b(gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|sk_live_|rk_live_|AKIA|"
    r"ASIA|AIza|eyJ[\w-]{10})"
)
_DENSE = re.compile(r"(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[A-Za-z0-9+=_-]{32,}\Z")
_DOORS = re.compile(
    r"(DISPLAY|WAYLAND_\w+|XAUTHORITY|XDG_RUNTIME_DIR|DBUS_\w+|SSH_\w+|GPG_\w+|GNOME_\w+|KDE_\w+|DOCKER_\w+|KUBE\w*|"
    r"(?i:\w*_?proxy)|TMUX\w*|STY|PULSE_\w+|NOTIFY_SOCKET|INVOCATION_ID|LISTEN_\w+|LD_PRELOAD|LD_AUDIT|"
    r"PYTHONPYCACHEPREFIX|PYTHONSTARTUP|OLDPWD|HISTFILE)\Z"
)


def permitted(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables without secrets (by name or by value) and without doors to other programs.

    Anything else passes: tests read variables of their own project, and a confined program can take nothing
    outside with it.
    """
    return {name: value for name, value in environment.items() if _passes(name, value)}


def _passes(name: str, value: str) -> bool:
    if _DOORS.match(name):
        return False
    if name == "PWD":  # the shell's word for the current directory
        return True
    named = _SECRET_PARTS.search(name) or _SECRET_WORDS.intersection(name.lower().split("_"))
    return not (named or _SECRET_VALUE.search(value) or _DENSE.match(value))
