"""The parts that decide: which variables pass, what is visible, what the system-call filter says."""

import errno
import os

import pytest

from pytest_buddy.runner.sandbox import seccomp, visible
from pytest_buddy.runner.sandbox.environment import permitted
from pytest_buddy.runner.sandbox.plan import Plan

PASS = {
    "PATH": "/usr/bin:/bin", "LANG": "de_DE.UTF-8", "LC_ALL": "C", "TZ": "UTC", "PYTHONPATH": "/x",
    "CI": "true",
    "PYTHONHASHSEED": "0", "VIRTUAL_ENV": "/v", "TERM": "xterm", "DJANGO_SETTINGS_MODULE": "app.settings",
    "APP_URL": "http://localhost:8000/x", "COLUMNS": "80",
    "HYPOTHESIS_PROFILE": "ci",
    "DATABASE_URL": "sqlite:///db",
    "GIT_AUTHOR_NAME": "Ann", "KEYBOARD": "us", "PWD": "/x", "COMPASS": "n", "DESKTOP_SESSION": "x",
    "GITHUB_SHA": "0123456789abcdef", "LD_LIBRARY_PATH": "/opt/lib", "EMPTY": "", "USER": "ann",
}  # fmt: skip
STAY = {
    "API_KEY": "x", "GITHUB_TOKEN": "x", "client_secret": "x", "DB_PASSWORD": "x", "PGPASSWORD": "x",
    "AWS_ACCESS_KEY_ID": "x", "GOOGLE_APPLICATION_CREDENTIALS": "/f", "NPM_AUTH": "x", "SESSION_COOKIE": "x",
    "MYAPIKEY": "x", "GPG_PASSPHRASE": "x",
    "DATABASE_URL": "postgres://ann:pw@host/db", "REDIS": "redis://:pw@host", "HARMLESS": "ghp_" + "a" * 36,
    "OTHER": "AKIAABCDEFGHIJKLMNOP", "BEARER": "eyJhbGciOiJIUzI1NiJ9.e30.x", "DENSE": "a1b2c3d4" * 5,
    "PEM": "-----BEGIN RSA PRIVATE KEY-----", "SSH_AUTH_SOCK": "/s", "DBUS_SESSION_BUS_ADDRESS": "unix:x",
    "DISPLAY": ":0", "XDG_RUNTIME_DIR": "/run/user/1", "DOCKER_HOST": "unix:///x", "HTTPS_PROXY": "http://p",
    "http_proxy": "http://p", "LD_PRELOAD": "/x.so", "PYTHONPYCACHEPREFIX": "/p", "KUBECONFIG": "/k",
    "SENTRY_DSN": "x", "GH_PAT": "x",
}  # fmt: skip


@pytest.mark.parametrize("name", PASS)
def test_variable_passes(name):
    assert permitted(PASS)[name] == PASS[name]


@pytest.mark.parametrize("name", STAY)
def test_variable_stays_outside(name):
    assert name not in permitted(STAY)


class Machine:
    """The few instructions of the kernel's filter machine, to ask a filter what it answers."""

    def __init__(self, machine, families, **options):
        self.code = seccomp.program(machine, families, **options)

    def answer(self, number, *arguments, architecture=0xC000003E):
        words = {0: number, 4: architecture}
        words |= {16 + 8 * index: value & 0xFFFFFFFF for index, value in enumerate((*arguments, 0, 0, 0)[:3])}
        place = accumulator = 0
        while True:
            operation, hit, miss, value = self.code[place]
            place += 1
            if operation == 0x20:
                accumulator = words[value]
            elif operation == 0x06:
                return value
            else:
                true = {
                    0x15: accumulator == value,
                    0x35: accumulator >= value,
                    0x45: bool(accumulator & value),
                }
                place += hit if true[operation] else miss


ALLOWED, KILLED = 0x7FFF0000, 0x80000000


def refused(number):
    return 0x50000 | number


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ((0,), ALLOWED),
        ((101, 0), refused(errno.EPERM)),
        ((435,), refused(errno.ENOSYS)),
        ((56, 0x11), ALLOWED),
        ((56, 0x003D0F00), ALLOWED),
        ((56, 0x10000011), refused(errno.EPERM)),
        ((16, 1, 0x5412), refused(errno.EPERM)),
        ((16, 1, 0x5412 | 1 << 32), refused(errno.EPERM)),
        ((16, 1, 0x541C), refused(errno.EPERM)),
        ((16, 1, 0x5413), ALLOWED),
        ((41, 1, 1), ALLOWED),
        ((41, 2, 1), ALLOWED),
        ((41, 2, 1, 6), ALLOWED),
        ((41, 2, 1, 132), refused(errno.EPROTONOSUPPORT)),
        ((41, 40, 1), refused(errno.EAFNOSUPPORT)),
        ((53, 1, 1), ALLOWED),
        ((135, 0), ALLOWED),
        ((135, 0xFFFFFFFF), ALLOWED),
        ((135, 0x40000), refused(errno.EPERM)),
        ((0x40000000 | 101,), KILLED),
    ],
)
def test_filter_answers(call, answer):
    assert Machine("x86_64", seccomp.FAMILIES_OWN_NETWORK).answer(*call) == answer


def test_filter_refuses_other_architectures_and_knows_its_own():
    assert Machine("x86_64", (1,)).answer(0, architecture=0x40000003) == KILLED
    arm = Machine("aarch64", (1,))
    assert arm.answer(101, architecture=0xC000003E) == KILLED
    assert arm.answer(117, architecture=0xC00000B7) == refused(errno.EPERM)
    assert arm.answer(220, 0x10000011, architecture=0xC00000B7) == refused(errno.EPERM)
    assert arm.answer(198, 2, architecture=0xC00000B7) == refused(errno.EAFNOSUPPORT)
    assert arm.answer(198, 1, architecture=0xC00000B7) == ALLOWED


@pytest.mark.parametrize(
    ("machine", "architecture", "openat"), [("x86_64", 0xC000003E, 257), ("aarch64", 0xC00000B7, 56)]
)
def test_filter_can_refuse_to_shorten_files_by_name(machine, architecture, openat):
    strict, usual = Machine(machine, (1,), truncation=False), Machine(machine, (1,))
    truncate = {"x86_64": 76, "aarch64": 45}[machine]
    for call, answer in (
        ((truncate, 0, 0), refused(errno.EACCES)),
        ((437,), refused(errno.ENOSYS)),
        ((openat, 0, 0, os.O_RDONLY), ALLOWED),
        ((openat, 0, 0, os.O_RDONLY | os.O_TRUNC), refused(errno.EACCES)),
        ((openat, 0, 0, os.O_WRONLY | os.O_TRUNC), ALLOWED),
    ):
        assert strict.answer(*call, architecture=architecture) == answer
        assert usual.answer(*call, architecture=architecture) == ALLOWED


def test_links_on_the_way_are_traced(tmp_path):
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "one").symlink_to("real")
    (tmp_path / "real" / "two").symlink_to(tmp_path / "real" / "deep")
    real, links = visible.trace(str(tmp_path / "one" / "two" / ".." / "deep"))
    assert real == str(tmp_path / "real" / "deep")
    assert links == (
        (str(tmp_path / "one"), "real"),
        (str(tmp_path / "real" / "two"), str(tmp_path / "real" / "deep")),
    )


def test_endless_links_are_left(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    real, links = visible.trace(str(tmp_path / "a" / "c"))
    assert real.endswith("/c")
    assert len(links) <= 40


def test_wide_directories_on_the_search_path_are_not_shown(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "lib").mkdir(parents=True)
    root = tmp_path / "home" / "project"
    root.mkdir()
    for entry in (home, tmp_path, home / "lib"):
        monkeypatch.syspath_prepend(str(entry))
    shown = visible.view(str(root), home=str(home), environment={}).readable
    assert str(home / "lib") in shown
    assert not {str(home), str(tmp_path), str(root)} & set(shown)


def test_the_interpreter_and_this_package_are_visible(tmp_path):
    shown = visible.view(str(tmp_path), home="/nonexistent", environment={}).readable
    for needed in (os.__file__, pytest.__file__, seccomp.__file__):
        assert any(visible.below(os.path.realpath(needed), tree) for tree in shown)


def test_a_plan_survives_the_way():
    plan = Plan(
        level="full", parent=1, arguments=(b"x",), environment={b"A": b"\xff"}, directory=b"/", root=b"/r",
        home=b"/h", temporary=b"/t", overlay=True, links=((b"a", b"b"),), readable=(), writable=(), hidden=(),
        files=((b"f", b"\0"),), keep=(3,), memory=0,
    )  # fmt: skip
    assert vars(Plan.load(plan.dump())) == vars(plan)
