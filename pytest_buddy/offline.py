"""Offline, enforced: what runs inside `kept_offline` reaches nothing but this machine."""

import errno
import functools
import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_KEPT: ContextVar[bool] = ContextVar("pytest_buddy_offline", default=False)
_ADDRESSED = ("socket.connect", "socket.sendto", "socket.sendmsg")
_ASKED = (
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "ftplib.connect",
    "http.client.connect",
    "imaplib.open",
    "nntplib.connect",
    "poplib.connect",
    "smtplib.connect",
    "telnetlib.Telnet.open",
)
_WATCHED = frozenset({*_ADDRESSED, *_ASKED})


@contextmanager
def kept_offline(*, wanted: bool = True) -> Iterator[None]:
    """Refuse every connection and name look-up but loopback's, in this thread and context alone.

    Whoever tries gets the OSError of a machine without a network. Other threads, which may be the person's,
    are left as they are.
    """
    if not wanted:
        yield
        return
    _watch()
    token = _KEPT.set(True)
    try:
        yield
    finally:
        _KEPT.reset(token)


@functools.cache
def _watch() -> None:
    """Once a process, as an audit hook cannot be taken back; outside the context it does nothing."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _WATCHED or not _KEPT.get():
        return
    host = reached(event, arguments)
    if host is not None and not is_loopback(host):
        raise OSError(errno.ENETUNREACH, f"pytest-buddy works offline and does not connect to {host!r}")


def reached(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The host that an audit event is about to speak to or ask for; None when it speaks to none."""
    if event in _ADDRESSED:
        family = getattr(getattr(arguments[0], "family", None), "name", "")
        address = arguments[-1]
        if family in ("AF_UNIX", "AF_NETLINK") or address is None:  # connected already, and seen then
            return None
        return _text(address[0]) if isinstance(address, tuple) and address else _text(address)
    if event in _ASKED:
        return _text(arguments[0] if event.startswith("socket.") else arguments[1])
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine; no name but localhost is, as looking it up would be a way out."""
    if host in ("", "None", "localhost", "localhost.localdomain", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _text(host: Any) -> str:
    return host.decode("latin-1") if isinstance(host, bytes) else str(host)
