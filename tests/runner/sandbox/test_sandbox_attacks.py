"""Programs that try to reach what is outside; what each level stops is the documented table."""

# ruff: noqa: E501

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

_PROGRAM = """
import ctypes, errno, fcntl, json, os, pty, resource, signal, socket, sys, time
T, ATTACKS = json.loads(sys.argv[1]), json.loads(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
ARM = os.uname().machine == "aarch64"
TMP = os.environ["TMPDIR"]
REFUSALS = (
    errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOSYS, errno.ESRCH, errno.EXDEV, errno.EFBIG,
    errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ECONNREFUSED, errno.EAFNOSUPPORT,
)
def call(number, *arguments):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def connect(family, kind, address):
    with socket.socket(family, kind) as client:
        client.settimeout(3)
        client.connect(address)
        client.send(b"x")
def write(path):
    with open(path, "w") as stream:
        stream.write("x")
def outcome(code):
    try:
        exec(code, globals())
    except OSError as error:
        return ("blocked: " if error.errno in REFUSALS else "unclear: ") + repr(error)
    except BaseException as error:
        return "unclear: " + repr(error)
    return "through"
for name, code in ATTACKS.items():
    reading, writing = os.pipe()
    if os.fork() == 0:
        signal.alarm(5)
        os.write(writing, outcome(code).encode())
        os._exit(0)
    os.close(writing)
    said = os.read(reading, 1000).decode()
    os.close(reading)
    os.wait()
    print(json.dumps([name, said]), flush=True)
"""

BOTH = {
    "read": 'open(T["victim"]).read()',
    "list": 'os.listdir(T["folder"])',
    "write": 'write(T["victim"])',
    "append": 'open(T["victim"], "ab", 0).write(b"x")',
    "truncate": 'os.truncate(T["victim"], 0)',
    "create": 'write(T["folder"] + "/new")',
    "unlink": 'os.unlink(T["victim"])',
    "rename away": 'os.rename(T["victim"], T["victim"] + ".2")',
    "rename in": 'write(TMP + "/x"); os.rename(TMP + "/x", T["victim"])',
    "hard link out": 'os.link(T["victim"], TMP + "/l"); write(TMP + "/l")',
    "hard link in": 'write(TMP + "/y"); os.link(TMP + "/y", T["folder"] + "/l")',
    "through a symlink": 'os.symlink(T["victim"], TMP + "/z"); write(TMP + "/z")',
    "symlink": 'os.symlink("x", T["folder"] + "/l")',
    "mkdir": 'os.mkdir(T["folder"] + "/d")',
    "rmdir": 'os.rmdir(T["folder"])',
    "mkfifo": 'os.mkfifo(T["folder"] + "/f")',
    "mknod": 'os.mknod(T["folder"] + "/n", 0o600)',
    "socket file": 's = socket.socket(socket.AF_UNIX); s.bind(T["folder"] + "/s")',
    "by descriptor of a parent": 'd = os.open("..", os.O_RDONLY); os.open("outside/victim", os.O_RDWR, dir_fd=d)',
    "by dot dot": 'open("../outside/victim", "ab", 0).write(b"x")',
    "keys in the home": 'open(T["home"] + "/.ssh/id_rsa").read(); os.listdir(T["home"] + "/.ssh")',
    "tcp": 'connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", T["tcp"]))',
    "tcp far away": 'connect(socket.AF_INET, socket.SOCK_STREAM, ("192.0.2.1", 80))',
    "tcp over ipv6": 'connect(socket.AF_INET6, socket.SOCK_STREAM, ("2001:db8::1", 80))',
    "udp far away": 'connect(socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 53))',
    "abstract socket": 'connect(socket.AF_UNIX, socket.SOCK_STREAM, "\\0" + T["abstract"])',
    "raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "packet socket": "socket.socket(17, socket.SOCK_RAW)",
    "vsock": "socket.socket(40, socket.SOCK_STREAM)",
    "crypto socket": "socket.socket(38, socket.SOCK_SEQPACKET)",
    "signal": 'os.kill(T["pid"], signal.SIGTERM)',
    "pidfd signal": 'signal.pidfd_send_signal(os.pidfd_open(T["pid"]), signal.SIGTERM)',
    "environment of a process": 'open(f"/proc/{T[\'pid\']}/environ").read()',
    "memory of a process": 'open(f"/proc/{T[\'pid\']}/mem", "r+b")',
    "descriptors of a process": 'os.readlink(f"/proc/{T[\'pid\']}/fd/1")',
    "root of a process": 'os.listdir(f"/proc/{T[\'pid\']}/root")',
    "root of the first process": 'os.listdir("/proc/1/root"); open("/proc/1/mem", "r+b")',
    "ptrace attach": 'call(117 if ARM else 101, 16, T["pid"], 0, 0)',
    "ptrace traceme": "call(117 if ARM else 101, 0, 0, 0, 0)",
    "read memory": 'call(270 if ARM else 310, T["pid"], None, 0, None, 0, 0)',
    "write memory": 'call(271 if ARM else 311, T["pid"], None, 0, None, 0, 0)',
    "steal a descriptor": "call(438, os.pidfd_open(os.getpid()), 1, 0)",
    "session keyring": "call(219 if ARM else 250, 0, -3, 0)",
    "add a key": 'call(217 if ARM else 248, b"user", b"k", b"v", 1, -3)',
    "io_uring": "call(425, 4, ctypes.create_string_buffer(120))",
    "bpf": "call(280 if ARM else 321, 5, ctypes.create_string_buffer(120), 120)",
    "perf": "call(241 if ARM else 298, ctypes.create_string_buffer(120), 0, -1, -1, 0)",
    "userfaultfd": "call(282 if ARM else 323, 0)",
    "user namespace": "call(97 if ARM else 272, 0x10000000)",
    "mount namespace": "call(97 if ARM else 272, 0x00020000)",
    "clone a namespace": "call(220 if ARM else 56, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)",
    "clone3": "call(435, ctypes.create_string_buffer(88), 88)",
    "enter a namespace": 'call(268 if ARM else 308, os.open("/proc/self/ns/mnt", os.O_RDONLY), 0)',
    "mount": 'call(40 if ARM else 165, b"tmpfs", os.environb[b"TMPDIR"], b"tmpfs", 0, None)',
    "unmount": 'call(39 if ARM else 166, b"/proc", 2)',
    "chroot": 'os.chroot("/")',
    "new mount interface": "call(428, -100, b'/', 1)",
    "file by handle": "call(265 if ARM else 304, -100, None, 0)",
    "device node": 'os.mknod(TMP + "/sda", 0o600 | 0o060000, os.makedev(8, 0))',
    "groups": "os.setgroups([0])",
    "type into the terminal": 'm, s = pty.openpty(); fcntl.ioctl(s, 0x5412, b"x")',
    "kernel settings": 'open("/proc/sys/kernel/core_pattern", "w").write("|/bin/false")',
    "kernel log": "call(116 if ARM else 103, 3, ctypes.create_string_buffer(100), 100)",
    "host name": 'socket.sethostname("x")',
    "clock": "time.clock_settime(time.CLOCK_REALTIME, time.time())",
    "kernel module": "call(273 if ARM else 313, 0, b'', 0)",
    "reboot": "call(142 if ARM else 169, 0, 0, 0, None)",
    "swap": 'call(224 if ARM else 167, b"/dev/null", 0)',
    "personality": "call(92 if ARM else 135, 0x0400000)",
    "standard library": 'open(os.__file__, "r+b")',
    "installed package": 'open(os.path.dirname(os.__file__) + "/planted.py", "w")',
    "system file": 'open("/etc/planted", "w")',
    "device": 'open("/dev/kmsg", "w").write("x")',
    "raise a limit": 'try: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\nexcept ValueError: raise PermissionError(1, "limit")',
    "file too big": 'f = open(TMP + "/big", "wb"); signal.signal(signal.SIGXFSZ, signal.SIG_IGN); f.truncate(1 << 40)',
}  # fmt: skip
FULL = {
    "chmod": 'os.chmod(T["victim"], 0o777)',
    "chown": 'os.chown(T["victim"], os.getuid(), os.getgid())',
    "utime": 'os.utime(T["victim"], (0, 0))',
    "xattr": 'os.setxattr(T["victim"], "user.x", b"x")',
    "stat": 'os.stat(T["victim"])',
    "unix socket": 'connect(socket.AF_UNIX, socket.SOCK_STREAM, T["unix"])',
    "command line of a process": 'open(f"/proc/{T[\'pid\']}/cmdline").read()',
    "every process": "os.kill(-1, 0) if len([p for p in os.listdir('/proc') if p.isdigit()]) > 3 else os.stat('/proc/0')",
    "writing to /proc": 'open("/proc/self/comm", "w").write("x")',
}  # fmt: skip
STOPPED = {"full": BOTH | FULL, "partial": BOTH}
CASES = [(level, name) for level, attacks in STOPPED.items() for name in attacks]


@dataclass
class Campaign:
    outcomes: dict[str, str]
    touched: list[str]
    left: list[str]


@pytest.fixture(scope="module")
def campaigns(make_room, make_outside, tmp_path_factory):
    """Every attack of a level, one after the other, by one confined program."""
    done: dict[str, Campaign] = {}

    def campaign(level: str) -> Campaign:
        if level not in done:
            room = make_room(level)
            outside = make_outside(room.workspace.root.parent / "outside")
            temporary = tmp_path_factory.mktemp("temporary")
            mounts = Path("/proc/self/mountinfo").read_text()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(tempfile, "tempdir", str(temporary))
                ran = room.run(_PROGRAM, outside.targets(), json.dumps(STOPPED[level]))
            assert ran.code == 0, ran
            outcomes = dict(json.loads(line) for line in ran.output.splitlines())
            left = [path.name for path in temporary.iterdir()]
            if Path("/proc/self/mountinfo").read_text() != mounts:
                left.append("mounts")
            done[level] = Campaign(outcomes, outside.touched(), left)
        return done[level]

    return campaign


@pytest.mark.parametrize(("level", "name"), CASES)
def test_attack_is_stopped(campaigns, level, name):
    assert campaigns(level).outcomes[name].startswith("blocked")


@pytest.mark.parametrize("level", STOPPED)
def test_nothing_outside_was_touched_and_nothing_is_left(campaigns, level):
    campaign = campaigns(level)
    assert (campaign.touched, campaign.left) == ([], [])


def test_the_same_attacks_get_through_without_confinement_where_they_do_no_harm(make_room, make_outside):
    harmless = (
        "read",
        "list",
        "append",
        "tcp",
        "abstract socket",
        "environment of a process",
        "unix socket",
        "chmod",
    )
    room = make_room("none")
    outside = make_outside(room.workspace.root.parent / "outside")
    ran = room.run(_PROGRAM, outside.targets(), json.dumps({name: (BOTH | FULL)[name] for name in harmless}))
    assert dict(json.loads(line) for line in ran.output.splitlines()) == dict.fromkeys(harmless, "through")
    assert outside.touched() == ["tcp", "unix", "abstract", "files"]
