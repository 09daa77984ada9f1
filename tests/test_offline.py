"""Inside `kept_offline` nothing but this machine is reached, and only there."""

import ftplib
import http.client
import smtplib
import socket
import threading
import urllib.error
import urllib.request

import pytest

from pytest_buddy.offline import is_loopback, kept_offline

_FAR = "192.0.2.1"  # an address for documentation: nobody has it


def _send(kind, address, data=b"x"):
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(0.2)
        if kind == socket.SOCK_DGRAM:
            client.sendto(data, address)
        else:
            client.connect(address)


WAYS = {
    "tcp": lambda: _send(socket.SOCK_STREAM, (_FAR, 9)),
    "udp": lambda: _send(socket.SOCK_DGRAM, (_FAR, 9)),
    "create_connection": lambda: socket.create_connection((_FAR, 9), timeout=0.2),
    "getaddrinfo": lambda: socket.getaddrinfo("somewhere.invalid", 80),
    "gethostbyname": lambda: socket.gethostbyname("somewhere.invalid"),
    "gethostbyaddr": lambda: socket.gethostbyaddr(_FAR),
    "http": lambda: http.client.HTTPConnection(_FAR, timeout=0.2).connect(),
    "smtp": lambda: smtplib.SMTP(_FAR, timeout=0.2),
    "ftp": lambda: ftplib.FTP(_FAR, timeout=0.2),
    "urllib": lambda: urllib.request.urlopen(f"http://{_FAR}/", timeout=0.2),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_out_is_closed(way):
    with kept_offline(), pytest.raises(OSError, match="works offline"):
        WAYS[way]()


def test_this_machine_is_reached():
    with kept_offline(), socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname(), timeout=5), server.accept()[0]:
            pass
        assert socket.getaddrinfo("localhost", 80)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.send(b"x")
            assert theirs.recv(1) == b"x"


def test_outside_the_context_and_in_other_threads_nothing_is_refused():
    def said() -> str:
        try:
            _send(socket.SOCK_DGRAM, (_FAR, 9), b"")
        except OSError as error:
            return str(error)
        return ""

    heard: list[str] = []
    with kept_offline():
        other = threading.Thread(target=lambda: heard.append(said()))
        other.start()
        other.join()
        with kept_offline(wanted=False):
            assert "offline" in said()
    heard.append(said())
    with kept_offline(wanted=False):
        heard.append(said())
    assert not any("offline" in text for text in heard)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("", True),
        ("0.0.0.0", False),
        ("localhost.evil.example", False),
        ("fe80::1%eth0", False),
        ("10.0.0.1", False),
    ],
)
def test_what_counts_as_this_machine(host, here):
    assert is_loopback(host) is here
