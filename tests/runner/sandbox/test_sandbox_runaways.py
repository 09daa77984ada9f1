"""Programs that take all they can get, or stay: they are held, and everything goes with the program."""

# ruff: noqa: E501

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pytest_buddy.runner import sandbox

LEVELS = ("full", "partial", "none")
every_level = pytest.mark.parametrize("room", LEVELS, indirect=True)
closed_levels = pytest.mark.parametrize("room", ["full", "partial"], indirect=True)

# Standard output stays open for as long as a process lives: end of file is proof that none is left.
_DAEMON = """
    import os, signal, sys, time
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            os.write(writing, b"x")
            time.sleep(60)
        os._exit(0)
    os.read(reading, 1)
    print("ready", flush=True)
"""


def reads_to_the_end(process, seconds=10.0):
    try:
        return process.communicate(timeout=seconds)[0].decode()
    except subprocess.TimeoutExpired:
        pytest.fail("a process was left behind")


@every_level
def test_daemons_end_with_the_program(room):
    process = room.start(_DAEMON)
    assert reads_to_the_end(process) == "ready\n"
    assert process.wait() == 0


@every_level
def test_stop_ends_a_program_that_ignores_signals(room):
    process = room.start(_DAEMON + "    time.sleep(60)")
    assert process.stdout.readline() == b"ready\n"
    started = time.monotonic()
    assert sandbox.stop(process) == -signal.SIGKILL
    assert time.monotonic() - started < 5
    assert reads_to_the_end(process, 2) == ""


def test_killing_the_launcher_ends_everything_in_full(room):
    process = room.start(_DAEMON + "    time.sleep(60)")
    assert process.stdout.readline() == b"ready\n"
    process.kill()
    assert reads_to_the_end(process) == ""


@every_level
def test_everything_ends_with_the_process_that_asked_for_it(room):
    script = f"""
        import os, sys, time
        from pathlib import Path
        from pytest_buddy.runner.sandbox import Confinement, start
        from pytest_buddy.workspace import Workspace
        confinement = Confinement(level={room.confinement.level!r}, overlay={room.confinement.overlay!r})
        start(confinement, ["-c", sys.argv[1]], workspace=Workspace(Path(sys.argv[2])), environment={{}}, stdout=None)
        time.sleep(60)
        """
    code = textwrap.dedent(_DAEMON + "    time.sleep(60)")
    command = [sys.executable, "-c", textwrap.dedent(script), code, str(room.workspace.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as asking:
        assert asking.stdout.readline() == b"ready\n"
        asking.kill()
        assert reads_to_the_end(asking) == ""


@every_level
def test_exit_status_is_the_programs_own(room):
    assert room.run("raise SystemExit(7)").code == 7
    assert room.run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)").code == -signal.SIGSEGV
    assert room.run("import os; os._exit(0)").code == 0


@every_level
def test_output_floods_end_when_stopped(room):
    process = room.start("import os\nwhile True: os.write(1, b'x' * 65536)")
    assert len(process.stdout.read(1 << 22)) == 1 << 22
    started = time.monotonic()
    assert sandbox.stop(process) == -signal.SIGKILL
    assert time.monotonic() - started < 5
    process.stdout.close()
    process.stderr.close()


def _processes_are_limited(confinement):
    if confinement.level != "full" and os.geteuid() == 0:
        pytest.skip("the limit of processes does not bind the root user outside a pid namespace")
    if os.geteuid() == 0 and tuple(map(int, os.uname().release.split(".")[:2])) < (6, 14):
        pytest.skip("before Linux 6.14 nothing unprivileged limits the processes of the root user")


@closed_levels
def test_processes_are_limited(room):
    _processes_are_limited(room.confinement)
    ran = room.run("""
        import os, signal, time
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for count in range(3000):
            try:
                if os.fork() == 0:
                    time.sleep(60)
                    os._exit(0)
            except BlockingIOError:
                break
        print(count, flush=True)
        os._exit(0)
        """)
    assert 100 < int(ran.output) < 1100


@closed_levels
def test_fork_bombs_are_held_and_ended(room):
    _processes_are_limited(room.confinement)
    process = room.start("""
        import os
        print("ready", flush=True)
        while True:
            try:
                os.fork()
            except OSError:
                os.write(1, b"full\\n")
        """)
    assert [process.stdout.readline() for _ in range(2)] == [b"ready\n", b"full\n"]
    assert sandbox.stop(process) == -signal.SIGKILL
    assert "Traceback" not in reads_to_the_end(process)


@closed_levels
def test_thread_bombs_are_limited(room):
    _processes_are_limited(room.confinement)
    ran = room.run("""
        import os, threading
        stop = threading.Event()
        threading.stack_size(32768)
        try:
            for count in range(3000):
                threading.Thread(target=stop.wait, daemon=True).start()
        except RuntimeError:
            print(count, flush=True)
        os._exit(0)
        """)
    assert 100 < int(ran.output) < 1100


@every_level
def test_memory_is_limited(room):
    ran = room.run(
        """
        hoard = []
        try:
            while len(hoard) < 2000:
                hoard.append(bytearray(1 << 20))
        except MemoryError:
            print(len(hoard))
        """,
        memory=200 << 20,
    )
    assert 50 < int(ran.output) < 200


def test_disk_bombs_are_limited(room):
    ran = room.run("""
        import os
        def fill(place):
            written = 0
            for number in range(100):
                with open(f"{place}/bomb{number}", "wb", buffering=0) as stream:
                    try:
                        while True:
                            written += stream.write(bytes(1 << 24))
                    except OSError as error:
                        if error.errno == 28:
                            return written
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        print(sum(map(fill, (".", os.environ["TMPDIR"], os.path.expanduser("~"), "/dev/shm"))) >> 20)
        """)
    assert 256 <= int(ran.output) <= 512, ran


def test_inode_bombs_are_limited(room):
    ran = room.run("""
        import os
        try:
            for number in range(300_000):
                os.mkdir(f"{os.environ['TMPDIR']}/{number}")
        except OSError as error:
            print(error.strerror)
        """)
    assert ran.output == "No space left on device\n"


def test_nothing_is_left_of_many(room):
    mounts = Path("/proc/self/mountinfo").read_text()
    for _ in range(10):
        process = room.start(_DAEMON)
        assert reads_to_the_end(process) == "ready\n"
        assert process.wait() == 0
    assert Path("/proc/self/mountinfo").read_text() == mounts


@every_level
def test_what_is_stopped_at_once_leaves_nothing(room, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for _ in range(5):
        process = room.start("print('ran')")
        sandbox.stop(process)
        process.communicate()
    assert list(tmp_path.iterdir()) == []
