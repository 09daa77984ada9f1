import errno
import json
import os
import stat
import subprocess
import sys
import threading

import pytest

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.errors import BuddyError, PatchError, StaleFileError
from pytest_buddy.patch import Ledger
from pytest_buddy.source import Source

CONTENTS = {
    "lf": (b"a = 1\nb = 2\n", b"a = 1\nb = 3\n"),
    "crlf": (b"a = 1\r\nb = 2\r\n", b"a = 1\r\nb = 3\r\n"),
    "cr": (b"a = 1\rb = 2\r", b"a = 1\rb = 3\r"),
    "bom": (b"\xef\xbb\xbfb = 2\n", b"\xef\xbb\xbfb = 3\n"),
    "latin-1": (b"# coding: latin-1\na = '\xe9'\nb = 2\n", b"# coding: latin-1\na = '\xe9'\nb = 3\n"),
    "no final newline": (b"a = 1\nb = 2", b"a = 1\nb = 3"),
    "form feed and NEL": (b"a = '\xc2\x85'\n\x0cb = 2\n", b"a = '\xc2\x85'\n\x0cb = 3\n"),
}
NAMES = ["a b.py", "caf\u00e9.py", "\u6f22\u5b57/x.py", "new\nline.py", "tab\t.py", "\udcff.py"]


@pytest.mark.parametrize("name", CONTENTS)
def test_only_the_edited_bytes_change_and_undo_brings_all_back(project, name):
    old, new = CONTENTS[name]
    project.write("pkg/x.py", old)
    ledger, patch = project.proposed(("pkg/x.py", b"2", b"3"))
    done = ledger.apply(patch.id)
    assert (done.action, done.patch, done.paths) == ("applied", patch.id, ("pkg/x.py",))
    assert project.files() == {"pkg/x.py": new}
    assert ledger.undo(patch.id).action == "undone"
    assert project.files() == {"pkg/x.py": old}


@pytest.mark.parametrize("name", NAMES)
def test_awkward_names(project, name):
    project.write(name, b"a = 1\n")
    ledger, patch = project.proposed((name, b"1", b"2"))
    assert ledger.apply().paths == (name,)
    assert project.files() == {name: b"a = 2\n"}
    ledger.undo()
    assert project.files() == {name: b"a = 1\n"}
    assert ledger.status(patch.id) == "undone"


@pytest.mark.parametrize("mode", [0o755, 0o640, 0o2664, 0o600])
def test_mode_survives_apply_and_undo(project, mode):
    path = project.write("x.py", b"a = 1\n")
    path.chmod(mode)
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    assert stat.S_IMODE(path.stat().st_mode) == mode
    ledger.undo()
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_extended_attributes_survive(project):
    path = project.write("x.py", b"a = 1\n")
    try:
        os.setxattr(path, "user.note", b"mine")
    except (AttributeError, OSError):
        pytest.skip("no extended attributes here")
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    assert os.getxattr(path, "user.note") == b"mine"


def test_owner_survives(project):
    path = project.write("x.py", b"a = 1\n")
    try:
        os.chown(path, 1234, 2345)
    except PermissionError:
        pytest.skip("only root can give files away")
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_file_that_could_not_keep_its_owner_is_refused(project, monkeypatch):
    path = project.write("x.py", b"a = 1\n")
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    real, other = os.stat, path.stat().st_uid + 1

    def foreign(target, **options):
        status = real(target, **options)
        if target != "x.py":
            return status
        return os.stat_result([*status[:4], other, *status[5:]])

    def forbidden(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "stat", foreign)
    monkeypatch.setattr(os, "fchown", forbidden)
    refused(project, ledger, PatchError, "Operation not permitted")


def test_several_files_and_edits(project):
    project.write("a.py", b"a = 1\nb = 1  # one\n")
    project.write("pkg/b.py", b"c = 3\n")
    old = project.files()
    ledger, _ = project.proposed(
        ("a.py", b"a = 1", b"a = 10"), ("a.py", b"# one", b"# uno"), ("pkg/b.py", b"3", b"4")
    )
    assert ledger.apply().paths == ("a.py", "pkg/b.py")
    assert project.files() == {"a.py": b"a = 10\nb = 1  # uno\n", "pkg/b.py": b"c = 4\n"}
    ledger.undo()
    assert project.files() == old


def refused(project, ledger, error, match):
    """Apply is refused with a hint, and no file differs from before, nor is a new one there."""
    before = project.files()
    with pytest.raises(error, match=match) as caught:
        ledger.apply()
    assert caught.value.hint
    assert project.files() == before
    return caught.value


def test_one_stale_file_keeps_all_files_as_they_are(project):
    project.write("a.py", b"a = 1\n")
    project.write("b.py", b"b = 1\n")
    ledger, patch = project.proposed(("a.py", b"1", b"2"), ("b.py", b"1", b"2"))
    project.write("b.py", b"b = 1  # mine\n")
    refused(project, ledger, StaleFileError, r"b\.py has changed")
    assert ledger.status(patch.id) == "open"


def test_file_that_is_gone_is_stale(project):
    path = project.write("a.py", b"a = 1\n")
    ledger, _ = project.proposed(("a.py", b"1", b"2"))
    path.unlink()
    refused(project, ledger, StaleFileError, r"a\.py is not there")


@pytest.mark.parametrize("inside", [True, False])
def test_symbolic_link_is_refused(project, tmp_path, inside):
    real = project.root / "real.py" if inside else tmp_path / "outside.py"
    real.write_bytes(b"a = 1\n")
    (project.root / "x.py").symlink_to(real)
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    refused(project, ledger, PatchError, "symbolic link")
    assert real.read_bytes() == b"a = 1\n"


def test_linked_directory_is_refused(project, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.py").write_bytes(b"a = 1\n")
    (project.root / "pkg").symlink_to(outside)
    ledger, _ = project.proposed(("pkg/x.py", b"1", b"2"))
    refused(project, ledger, PatchError, "symbolic link")
    assert list(outside.iterdir()) == [outside / "x.py"]
    assert (outside / "x.py").read_bytes() == b"a = 1\n"


def test_directory_swapped_for_a_link_at_the_last_moment_cannot_redirect_the_write(
    project, tmp_path, monkeypatch
):
    project.write("pkg/x.py", b"a = 1\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.py").write_bytes(b"a = 1\n")
    ledger, _ = project.proposed(("pkg/x.py", b"1", b"2"))
    rename = os.rename

    def swapping(source, target, **options):
        if target == "x.py" and not (project.root / "moved").exists():
            rename(project.root / "pkg", project.root / "moved")
            (project.root / "pkg").symlink_to(outside)
        rename(source, target, **options)

    monkeypatch.setattr(os, "rename", swapping)
    ledger.apply()
    assert (outside / "x.py").read_bytes() == b"a = 1\n"
    assert list(outside.iterdir()) == [outside / "x.py"]
    assert project.read("moved/x.py") == b"a = 2\n"


def test_file_saved_while_the_patch_is_prepared_is_kept(project, monkeypatch):
    path = project.write("a.py", b"a = 1\n")
    project.write("b.py", b"b = 1\n")
    ledger, _ = project.proposed(("a.py", b"1", b"2"), ("b.py", b"1", b"2"))
    utime = os.utime

    def saving(*arguments, **options):
        utime(*arguments, **options)
        path.write_bytes(b"a = 1  # saved just now\n")

    monkeypatch.setattr(os, "utime", saving)
    with pytest.raises(StaleFileError, match=r"a\.py was changed by another program"):
        ledger.apply()
    assert project.files() == {"a.py": b"a = 1  # saved just now\n", "b.py": b"b = 1\n"}


def test_hard_link_is_refused(project):
    path = project.write("x.py", b"a = 1\n")
    (project.root / "y.py").hardlink_to(path)
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    refused(project, ledger, PatchError, "hard links")


def test_fifo_is_refused_without_waiting_for_a_writer(project):
    path = project.write("x.py", b"a = 1\n")
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(PatchError, match="not a regular file"):
        ledger.apply()


def test_read_only_file_is_refused(project):
    path = project.write("x.py", b"a = 1\n")
    path.chmod(0o444)
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    assert "chmod u+w" in refused(project, ledger, PatchError, r"x\.py is read-only").hint


def test_read_only_directory_is_refused(project):
    project.write("pkg/x.py", b"a = 1\n")
    ledger, _ = project.proposed(("pkg/x.py", b"1", b"2"))
    (project.root / "pkg").chmod(0o555)
    if os.access(project.root / "pkg", os.W_OK):
        pytest.skip("this user may write anywhere")
    try:
        refused(project, ledger, PatchError, "Permission denied")
    finally:
        (project.root / "pkg").chmod(0o755)


PROTECTED = ["conftest.py", "tests/test_x.py", "x_test.py", "setup.py", ".github/x.py", "pyproject.toml"]


@pytest.mark.parametrize("path", PROTECTED)
def test_protected_file_is_refused(project, path):
    project.write(path, b"a = 1\n")
    ledger, _ = project.proposed((path, b"1", b"2"))
    refused(project, ledger, PatchError, "protected")


def test_excluded_file_is_refused(project):
    project.write("vendor/x.py", b"a = 1\n")
    project.proposed(("vendor/x.py", b"1", b"2"))
    refused(project, Ledger(project.workspace, exclude=("vendor/*",)), PatchError, "protected")


@pytest.mark.parametrize(
    "path", ["../x.py", "/etc/x.py", "a/../../x.py", "./x.py", "a//x.py", "C:\\x.py", "x\0.py"]
)
def test_path_out_of_the_project_is_refused(project, path):
    source = Source(path=path, module="x", content=b"a = 1\n")
    project.write("x.py", source.content)
    project.write("pkg.py", source.content)
    inner = project.edit("x.py", b"1", b"2")
    hostile = Edit(path=path, digest=inner.digest, start=4, end=5, replacement=b"2")
    good, bad = Patch(edits=(inner,), origin="t"), Patch(edits=(hostile,), origin="t")
    ledger = project.keep(good)
    diagnosis = ledger.diagnosis()
    # A kept file that someone has tampered with.
    kept = project.root / ".buddy" / "diagnosis.json"
    kept.write_text(kept.read_text().replace('"path": "x.py"', f'"path": {json.dumps(path)}'))
    assert ledger.diagnosis() != diagnosis
    assert ledger.find()[1].patch == bad
    refused(project, ledger, PatchError, "not a path|protected")


@pytest.mark.parametrize(
    ("new", "match"),
    [
        (b"(", "no longer be Python"),
        (b"\0", "NUL"),
        (b"'\xff'", "no longer be Python"),
        (b"1; return", "no longer be Python"),
        (b"1\n  b = 2", "no longer be Python"),
    ],
)
def test_edit_that_breaks_the_file_is_refused(project, new, match):
    project.write("x.py", b"a = 1\n")
    ledger, _ = project.proposed(("x.py", b"1", new))
    refused(project, ledger, PatchError, match)


def test_edit_that_changes_nothing_is_refused(project):
    project.write("x.py", b"a = 1\n")
    ledger, _ = project.proposed(("x.py", b"1", b"1"))
    refused(project, ledger, PatchError, "changes nothing")


def test_edit_that_only_warns_when_compiled_is_applied(project):
    project.write("x.py", b"a = 1\n")
    ledger, _ = project.proposed(("x.py", b"1", b"1 is 1"))
    ledger.apply()
    assert project.read("x.py") == b"a = 1 is 1\n"


def test_second_apply_says_that_it_is_applied(project):
    project.write("x.py", b"a = 1\n")
    ledger, patch = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    with pytest.raises(PatchError, match="applied already"):
        ledger.apply(patch.id)


def test_undo_keeps_what_the_person_wrote_since(project):
    project.write("a.py", b"a = 1\n")
    project.write("b.py", b"b = 1\n")
    ledger, patch = project.proposed(("a.py", b"1", b"2"), ("b.py", b"1", b"2"))
    ledger.apply()
    project.write("b.py", b"b = 2  # mine\n")
    with pytest.raises(StaleFileError, match=r"b\.py has changed since"):
        ledger.undo()
    assert project.files() == {"a.py": b"a = 2\n", "b.py": b"b = 2  # mine\n"}
    assert ledger.status(patch.id) == "applied"


def test_undo_goes_back_one_apply_at_a_time(project):
    project.write("a.py", b"a = 1\n")
    project.write("b.py", b"b = 1\n")
    first, second = project.patch(("a.py", b"1", b"2")), project.patch(("b.py", b"1", b"2"))
    ledger = project.keep(first, second)
    assert [ledger.apply().patch, ledger.apply().patch] == [first.id, second.id]
    assert [ledger.undo().patch, ledger.undo().patch] == [second.id, first.id]
    assert project.files() == {"a.py": b"a = 1\n", "b.py": b"b = 1\n"}
    with pytest.raises(BuddyError, match="nothing to undo"):
        ledger.undo()


def run_python(root, *arguments, **environment):
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=clean | environment,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()


@pytest.mark.parametrize("prefix", ["", "cache"])
def test_old_bytecode_never_shadows_the_applied_file(project, tmp_path, prefix):
    """Equal size, same second: Python itself cannot tell such files apart."""
    environment = {"PYTHONPYCACHEPREFIX": str(tmp_path / prefix)} if prefix else {}
    project.write("pkg/x.py", b"a = 1 < 2\n")
    ledger, _ = project.proposed(("pkg/x.py", b"<", b">"))
    show = ("-c", "import pkg.x; print(pkg.x.a)")
    assert run_python(project.root, *show, **environment) == "True"
    for _ in range(2):
        ledger.apply()
        assert run_python(project.root, *show, **environment) == "False"
        ledger.undo()
        assert run_python(project.root, *show, **environment) == "True"


def test_bytecode_that_is_never_checked_does_not_shadow_the_applied_file(project):
    project.write("x.py", b"a = 1\n")
    run_python(project.root, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "x.py")
    assert list((project.root / "__pycache__").iterdir())
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    assert run_python(project.root, "-c", "import x; print(x.a)") == "2"


def test_bytecode_of_other_modules_stays(project):
    project.write("x.py", b"a = 1\n")
    project.write("__pycache__/xy.cpython-312.pyc", b"")
    project.write("__pycache__/x.cpython-312.pyc", b"")
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    assert [path.name for path in (project.root / "__pycache__").iterdir()] == ["xy.cpython-312.pyc"]


def test_another_thread_that_reads_sees_old_or_new_never_half(project):
    old = b"a = 1\n" + b"# filler\n" * 5000
    path = project.write("x.py", old)
    ledger, patch = project.proposed(("x.py", b"a = 1", b"a = 2"))
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        ledger.apply(patch.id)
        ledger.undo(patch.id)
    done.set()
    reader.join()
    assert seen <= {old, old.replace(b"a = 1", b"a = 2")}
