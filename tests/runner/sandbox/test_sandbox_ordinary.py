"""What honest tests do works inside as it does outside."""

# ruff: noqa: E501

import json

import pytest

EVERYWHERE = {
    "spawn": """
        import multiprocessing, os, sys
        sys.modules["__main__"].__file__ = None
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=os.getpid); process.start(); process.join(); assert process.exitcode == 0
        """,
    "forkserver": """
        import multiprocessing, os
        process = multiprocessing.get_context("forkserver").Process(target=os.getpid)
        process.start(); process.join(); assert process.exitcode == 0
        """,
    "pool": """
        import multiprocessing
        with multiprocessing.get_context("fork").Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
        """,
    "process pool executor": """
        import concurrent.futures, multiprocessing
        with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
            assert pool.submit(pow, 2, 5).result() == 32
        """,
    "queue and lock": """
        import multiprocessing
        lock, queue = multiprocessing.Lock(), multiprocessing.Queue()
        with lock: queue.put(1)
        assert queue.get() == 1
        """,
    "shared memory": """
        from multiprocessing import shared_memory
        block = shared_memory.SharedMemory(create=True, size=10); block.buf[0] = 7; block.close(); block.unlink()
        """,
    "asyncio": """
        import asyncio
        async def main():
            process = await asyncio.create_subprocess_exec("true"); assert await process.wait() == 0
        asyncio.run(main())
        """,
    "threads": """
        import threading
        seen = []; threads = [threading.Thread(target=seen.append, args=(n,)) for n in range(20)]
        [t.start() for t in threads]; [t.join() for t in threads]; assert len(seen) == 20
        """,
    "signals": """
        import os, signal
        seen = []; signal.signal(signal.SIGUSR1, lambda *_: seen.append(1)); os.kill(os.getpid(), signal.SIGUSR1)
        signal.setitimer(signal.ITIMER_REAL, 0.01); signal.signal(signal.SIGALRM, lambda *_: seen.append(2))
        signal.pause(); assert seen == [1, 2]
        child = os.fork()
        if child == 0: signal.pause()
        os.kill(child, signal.SIGKILL); assert os.waitstatus_to_exitcode(os.wait()[1]) == -signal.SIGKILL
        """,
    "sqlite": """
        import sqlite3, tempfile, os
        with tempfile.TemporaryDirectory() as directory:
            database = sqlite3.connect(os.path.join(directory, "d")); database.execute("pragma journal_mode=wal")
            database.execute("create table t (x)"); database.execute("insert into t values (1)"); database.commit()
            assert database.execute("select x from t").fetchall() == [(1,)]; database.close()
        """,
    "subprocess": """
        import subprocess
        assert subprocess.run("echo $((6*7)) | cat", shell=True, capture_output=True).stdout == b"42\\n"
        """,
    "interpreter in a subprocess": """
        import subprocess, sys
        code = "import coverage; print(coverage.__version__)"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        """,
    "unix socket": """
        import os, socket, tempfile
        path = os.path.join(tempfile.mkdtemp(), "s"); server = socket.socket(socket.AF_UNIX); server.bind(path)
        server.listen(); client = socket.socket(socket.AF_UNIX); client.connect(path); client.send(b"x")
        assert server.accept()[0].recv(1) == b"x"
        """,
    "abstract socket": """
        import socket
        server = socket.socket(socket.AF_UNIX); server.bind("\\0inside"); server.listen()
        socket.socket(socket.AF_UNIX).connect("\\0inside")
        """,
    "temporary files": """
        import tempfile, shutil, os
        directory = tempfile.mkdtemp(); path = os.path.join(directory, "a"); open(path, "w").close()
        os.chmod(path, 0o600); os.link(path, path + "2"); os.symlink(path, path + "3"); os.rename(path, path + "4")
        os.mkfifo(path + "5"); os.truncate(path + "2", 100); shutil.copytree(directory, directory + "x", symlinks=True,
        ignore=lambda *_: ["a5"]); shutil.rmtree(directory)
        """,
    "home": """
        import os, pathlib
        path = pathlib.Path.home() / ".cache" / "tool"; path.mkdir(parents=True); (path / "x").write_text("1")
        assert not (pathlib.Path.home() / ".ssh").exists()
        """,
    "git": """
        import os, subprocess, tempfile
        os.chdir(tempfile.mkdtemp())
        git = lambda *a: subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *a], check=True,
            capture_output=True, text=True).stdout
        git("init", "-q"); open("f", "w").write("x"); git("add", "f"); git("commit", "-qm", "m")
        assert git("status", "--porcelain") == "" and git("log", "--format=%s") == "m\\n"
        """,
    "package data": """
        import importlib.resources, pkg
        assert importlib.resources.files("pkg").joinpath("data.txt").read_text() == "data"
        """,
    "locale and time zones": """
        import locale, time, zoneinfo, os
        locale.setlocale(locale.LC_ALL, "C.UTF-8"); os.environ["TZ"] = "UTC"; time.tzset(); time.strftime("%c")
        assert time.localtime(0).tm_hour == 0
        """,
    "users": """
        import getpass, os, pwd, grp
        assert pwd.getpwuid(os.getuid()).pw_name and grp.getgrgid(os.getgid()) and getpass.getuser()
        """,
    "random and devices": """
        import os, secrets
        secrets.token_bytes(8); open("/dev/urandom", "rb").read(4); open("/dev/null", "w").write("x")
        assert open("/dev/zero", "rb").read(2) == b"\\0\\0"
        """,
    "resources": """
        import os, resource, platform
        resource.getrusage(resource.RUSAGE_SELF); os.cpu_count(); os.sched_getaffinity(0); platform.platform()
        assert int(open("/proc/self/stat").read().split()[0]) == os.getpid() and os.getloadavg()
        """,
    "coverage": """
        import coverage, pkg.code
        measured = coverage.Coverage(data_file=None); measured.start(); exec("x = 1"); measured.stop()
        """,
    "mmap": """
        import mmap, tempfile
        with tempfile.TemporaryFile() as f: f.write(b"x" * 4096); f.flush(); mmap.mmap(f.fileno(), 0)[0] = 65
        """,
    "file locks": """
        import fcntl, tempfile
        with tempfile.NamedTemporaryFile() as f: fcntl.flock(f, fcntl.LOCK_EX); fcntl.lockf(f, fcntl.LOCK_EX)
        """,
}
OWN_NETWORK = {
    "pty": """
        import os, pty
        child, master = pty.fork()
        if child == 0: os.execvp("tty", ["tty"])
        assert os.read(master, 100).startswith(b"/dev/pts/"); os.wait()
        """,
    "asyncio server": """
        import asyncio
        async def main():
            async def echo(reader, writer): writer.write(await reader.read(1)); writer.close()
            server = await asyncio.start_server(echo, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(b"x"); assert await reader.read() == b"x"; writer.close(); server.close()
        asyncio.run(main())
        """,
    "http server": """
        import http.server, threading, urllib.request
        http.server.SimpleHTTPRequestHandler.log_message = lambda *_: None
        server = http.server.HTTPServer(("localhost", 0), http.server.SimpleHTTPRequestHandler)
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert urllib.request.urlopen(f"http://localhost:{server.server_port}/pkg/data.txt").read() == b"data"
        """,
    "udp and ipv6": """
        import socket
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            server = socket.socket(family, socket.SOCK_DGRAM); server.bind((host, 0))
            socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", server.getsockname()); assert server.recv(1) == b"x"
        """,
    "names": """
        import socket
        assert socket.gethostbyname("localhost") == "127.0.0.1"; socket.gethostname(); socket.if_nameindex()
        """,
    "multiprocessing manager": """
        import multiprocessing
        with multiprocessing.Manager() as manager: shared = manager.dict(); shared["a"] = 1; assert dict(shared) == {"a": 1}
        """,
    "bytecode and caches": """
        import py_compile, os
        assert os.path.exists(py_compile.compile("pkg/code.py"))
        """,
    "writing beside the code": """
        import os, shutil
        open("pkg/data.txt", "a").write("more"); open("new.txt", "w").write("1"); os.mkdir("build"); os.rmdir("build")
        os.rename("pkg/code.py", "pkg/x.py"); shutil.move("pkg", "moved"); shutil.rmtree("moved"); os.mkdir("pkg")
        assert os.listdir("pkg") == [] and sorted(os.listdir(".")) == ["new.txt", "pkg"]
        """,
}
WORKING = {"full": EVERYWHERE | OWN_NETWORK, "partial": EVERYWHERE}
CASES = [(level, name) for level, programs in WORKING.items() for name in programs]
_PROGRAM = """
import json, os, sys, tempfile, textwrap, traceback
for name, code in json.loads(sys.argv[1]).items():
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            try:
                exec(compile(textwrap.dedent(code), name, "exec"), {"__name__": "__main__"})
            except BaseException:
                traceback.print_exc()
            sys.stderr.flush()
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        said.seek(0)
        print(json.dumps([name, status, said.read().decode()]), flush=True)
"""


@pytest.fixture(scope="module")
def outcomes(make_room):
    """What every program of a level ended with, each run in a fork of one confined program."""
    known: dict[str, dict[str, tuple[int, str]]] = {}

    def find(level: str) -> dict[str, tuple[int, str]]:
        if level not in known:
            room = make_room(level)
            files = {path: path.read_bytes() for path in room.workspace.root.rglob("*") if path.is_file()}
            ran = room.run(_PROGRAM, json.dumps(WORKING[level]))
            assert ran.code == 0, ran
            assert {path: path.read_bytes() for path in files} == files
            known[level] = {
                name: (status, said) for name, status, said in map(json.loads, ran.output.splitlines())
            }
        return known[level]

    return find


@pytest.mark.parametrize(("level", "name"), CASES)
def test_ordinary_program_works(outcomes, level, name):
    assert outcomes(level)[name] == (0, "")
