"""The workspace inside: at its own path, with replaced files, and never the real one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_buddy.errors import RunnerError
from pytest_buddy.runner import sandbox
from pytest_buddy.workspace import Workspace


def compiled(root):
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(root)], check=True)
    return {path: path.read_bytes() for path in root.rglob("*.pyc")}


def test_replaced_files_are_what_is_imported_and_the_real_ones_stay(room):
    pycs = compiled(room.workspace.root)
    source = room.workspace.root / "pkg" / "code.py"
    status = source.stat()
    ran = room.run(
        "import pkg.code, os; print(pkg.code.VALUE, pkg.code.__file__, os.listdir('pkg/__pycache__'))",
        files={"pkg/code.py": b"VALUE = 2\n"},
    )
    cached = f"__init__.{sys.implementation.cache_tag}.pyc"
    assert ran.output == f"2 {source} {[cached]}\n"
    assert source.read_bytes() == b"VALUE = 1\n"
    assert (source.stat().st_mtime_ns, source.stat().st_ino) == (status.st_mtime_ns, status.st_ino)
    assert {path: path.read_bytes() for path in pycs} == pycs


def test_replaced_files_keep_their_mode_and_links(room):
    root = room.workspace.root
    (root / "pkg" / "code.py").chmod(0o500)
    (root / "alias").symlink_to("pkg")
    ran = room.run(
        """
        import os
        print(os.stat("pkg/code.py").st_mode, os.path.islink("alias"), open("pkg/code.py").read())
        """,
        files={"alias/code.py": b"VALUE = 3"},
    )
    assert ran.output == f"{0o100500} True VALUE = 3\n"


def test_new_files_can_be_given(room):
    ran = room.run("import deep.new; print(deep.new.x)", files={"deep/new.py": b"x = 4"})
    assert ran.output == "4\n"
    assert not (room.workspace.root / "deep").exists()


@pytest.mark.parametrize("path", ["../beside.py", "out/beside.py"])
def test_a_file_outside_the_workspace_is_refused(room, path):
    (room.workspace.root / "out").symlink_to("..")
    ran = room.run("print('ran')", files={path: b"x"})
    assert (ran.code, ran.output) == (125, "")
    assert "outside the workspace" in ran.complaint


@pytest.mark.parametrize("room", ["partial", "none"], indirect=True)
def test_files_cannot_be_replaced_without_an_overlay(room):
    assert not room.confinement.replaces_files
    with pytest.raises(RunnerError, match="can't replace files"):
        room.start("", files={"pkg/code.py": b""})


def test_without_overlay_files_are_replaced_and_the_workspace_is_read_only(room):
    room.confinement = sandbox.Confinement(level="full", overlay=False)
    ran = room.run(
        """
        import pkg.code
        print(pkg.code.VALUE)
        for path in ("new", "pkg/code.py", "pkg/data.txt"):
            try:
                open(path, "w").close()
            except OSError as error:
                print(error.strerror)
        """,
        files={"pkg/code.py": b"VALUE = 2\n"},
    )
    assert ran.output == "2\n" + "Read-only file system\n" * 3
    assert (room.workspace.root / "pkg" / "code.py").read_bytes() == b"VALUE = 1\n"


@pytest.mark.parametrize("room", ["partial"], indirect=True)
def test_partial_only_reads_the_workspace_and_writes_where_it_is_told(room, tmp_path):
    ran = room.run(
        """
        import os, sys
        open(os.path.join(sys.argv[1], "result"), "w").write("1")
        open(os.path.join(os.environ["TMPDIR"], "x"), "w").write("1")
        print(os.environ["TMPDIR"])
        open("pkg/data.txt", "w")
        """,
        str(tmp_path),
        writable=[tmp_path],
    )
    assert "PermissionError" in ran.complaint
    assert (tmp_path / "result").read_text() == "1"
    assert (room.workspace.root / "pkg" / "data.txt").read_text() == "data"
    assert not Path(ran.output.strip()).exists()


def test_directories_can_be_opened_for_writing_and_reading(room, tmp_path):
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    ran = room.run(
        """
        import sys
        open(sys.argv[1] + "/out/file", "a").write(open(sys.argv[1] + "/in/file").read())
        open(sys.argv[1] + "/in/file", "w")
        """,
        str(tmp_path),
        readable=[tmp_path / "in"],
        writable=[tmp_path / "out"],
    )
    assert "OSError: [Errno 30]" in ran.complaint
    assert ((tmp_path / "in" / "file").read_text(), (tmp_path / "out" / "file").read_text()) == (
        "in",
        "outin",
    )


@pytest.mark.parametrize("room", ["full", "partial", "none"], indirect=True)
def test_awkward_paths_work(room, tmp_path):
    root = tmp_path / "a b" / "é漢字" / "new\nline, comma:colon\\"
    root.mkdir(parents=True)
    (root / "mod.py").write_text("x = 1")
    room.workspace = Workspace(root)
    ran = room.run("import mod, os, json; print(json.dumps([mod.__file__, os.getcwd(), mod.x]))")
    assert json.loads(ran.output) == [str(root / "mod.py"), str(root), 1]


def test_a_workspace_reached_through_a_link_is_there_under_both_names(room, tmp_path, monkeypatch):
    link = tmp_path / "link"
    link.symlink_to(room.workspace.root.parent, target_is_directory=True)
    monkeypatch.syspath_prepend(str(link / "project"))
    room.workspace = Workspace(link / "project")
    ran = room.run("import sys; print(open(sys.argv[1] + '/pkg/data.txt').read())", str(link / "project"))
    assert ran.output == "data\n"


def test_a_workspace_below_the_home_directory_is_all_that_is_seen_of_it(room, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / "other").mkdir()
    (home / "work" / "pkg").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    room.workspace = Workspace(home / "work")
    ran = room.run("""
        import os, pathlib
        print(sorted(os.listdir(pathlib.Path.home())), os.path.expanduser("~"))
        """)
    assert ran.output == f"['work'] {home}\n"


def test_a_workspace_that_is_the_home_directory_hides_its_keys(room, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_rsa").write_text("key")
    (home / ".netrc").write_text("key")
    monkeypatch.setenv("HOME", str(home))
    room.workspace = Workspace(home)
    ran = room.run("import os; print(os.listdir('.ssh'), open('.netrc').read(), os.environ['HOME'])")
    assert ran.output == "[]  /tmp/home\n"


def test_a_virtual_environment_inside_the_workspace_is_visible(room):
    root = room.workspace.root
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    ran = room.run(
        "import subprocess, sys; print(subprocess.run([sys.argv[1], '-c', 'import sys; print(sys.prefix)'], "
        "capture_output=True, text=True).stdout)",
        str(root / ".venv" / "bin" / "python"),
    )
    assert ran.output.strip() == str(root / ".venv")


def test_the_repository_around_the_workspace_can_be_read(room):
    root = room.workspace.root
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (["init", "-q"], [*identity, "commit", "-qm", "m", "--allow-empty"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    room.workspace = Workspace(root / "pkg")
    ran = room.run("import subprocess; subprocess.run(['git', 'log', '--format=%s'])")
    assert (ran.output, ran.complaint) == ("m\n", "")


def test_what_a_strangers_git_file_points_to_stays_unseen_unless_it_is_a_repository(room, tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "id_rsa").write_text("key")
    (room.workspace.root / ".git").write_text(f"gitdir: {tmp_path / 'keys'}\n")
    ran = room.run("import os, sys; print(os.path.exists(sys.argv[1]))", str(tmp_path / "keys"))
    assert ran.output == "False\n"


def test_a_workspace_inside_a_directory_that_is_only_read(room, monkeypatch):
    above = room.workspace.root.parent
    (above / "sibling.py").write_text("x = 1")
    monkeypatch.syspath_prepend(str(above))
    ran = room.run(
        """
        import os, sys
        sys.path.append(os.path.dirname(os.getcwd()))
        import sibling
        open("new", "w").close()
        open("../new", "w").close()
        """
    )
    assert "OSError: [Errno 30] Read-only file system: '../new'" in ran.complaint
    assert sorted(path.name for path in above.iterdir()) == ["project", "sibling.py"]


def test_elsewhere_than_on_linux_programs_only_get_the_filtered_environment(room, monkeypatch):
    monkeypatch.setattr("pytest_buddy.runner.sandbox.confinement.SUPPORTED", False)
    room.confinement = sandbox.Confinement(level="none")
    room.environment = {"API_TOKEN": "x"}
    ran = room.run("import os; print(os.getcwd(), 'API_TOKEN' in os.environ)")
    assert ran.output == f"{room.workspace.root} False\n"


def test_a_starting_directory_outside_exists_and_is_empty(room, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "private").write_text("x")
    ran = room.run("import os; print(os.getcwd(), os.listdir())", directory=tmp_path / "elsewhere")
    assert ran.output == f"{tmp_path / 'elsewhere'} []\n"


@pytest.mark.parametrize("room", ["full", "partial", "none"], indirect=True)
def test_descriptors_are_inherited_and_closed_when_the_program_closes_them(room):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        script = """
            import os, socket, sys
            with socket.socket(fileno=int(sys.argv[1])) as channel:
                channel.send(str(sorted(map(int, os.listdir("/proc/self/fd")))).encode())
            os.read(0, 1); import time; time.sleep(60)
            """
        process = room.start(script, str(theirs.fileno()), pass_fds=[theirs.fileno()])
        theirs.close()
        ours.settimeout(10)
        open_descriptors = json.loads(ours.recv(1000))
        assert len(open_descriptors) == 5  # three standard ones, the channel, the listing itself
        assert ours.recv(10) == b""
        sandbox.stop(process)
        process.communicate()


@pytest.mark.parametrize("room", ["full", "partial"], indirect=True)
def test_a_directory_is_not_inherited(room, tmp_path):
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        ran = room.run("print('ran')", pass_fds=[handle])
    finally:
        os.close(handle)
    assert (ran.code, ran.output) == (125, "")
    assert "is a directory" in ran.complaint


@pytest.mark.parametrize("room", ["full", "partial", "none"], indirect=True)
def test_secrets_and_doors_of_the_environment_stay_outside(room):
    room.environment = {
        "API_TOKEN": "x", "AWS_SECRET_ACCESS_KEY": "x", "DATABASE_URL": "postgres://u:p@host/db",
        "SSH_AUTH_SOCK": "/run/agent", "APP_MODE": "testing", "PYTHONHASHSEED": "7",
    }  # fmt: skip
    ran = room.run("import os, json; print(json.dumps(dict(os.environ)))")
    seen = json.loads(ran.output)
    assert not {"API_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "SSH_AUTH_SOCK"} & set(seen)
    assert (seen["APP_MODE"], seen["PYTHONHASHSEED"], seen["PYTHONDONTWRITEBYTECODE"]) == (
        "testing",
        "7",
        "1",
    )
