"""Where a project lies and how it is laid out must not matter."""

import sys
import venv
from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, Compare, check_same
from tests.end_to_end.projects import CLAMP, CLAMP_TESTS, FIXED, RED

MAKE_READ_ONLY = """
import ctypes, os, runpy, sys
root = os.fsencode(sys.argv[1])
user, group = os.getuid(), os.getgid()
libc = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_MOUNTS, READ_ONLY, REMOUNT, BIND, PRIVATE = 0x10000000, 0x20000, 1, 32, 4096, 0x44000
if libc.unshare(NEW_USER | NEW_MOUNTS):
    sys.exit(77)
for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
    with open(f"/proc/self/{name}", "w") as file:
        file.write(text)
if libc.mount(None, b"/", None, PRIVATE, None):
    sys.exit(77)
if libc.mount(root, root, None, BIND, None) or libc.mount(None, root, None, BIND | REMOUNT | READ_ONLY, None):
    sys.exit(77)
os.chdir(root)
sys.argv[1:2] = []
runpy.run_module("pytest", run_name="__main__", alter_sys=True)
"""


def src_layout(*settings: str) -> dict[str, str]:
    return {
        "pytest.ini": "\n".join(["[pytest]", *settings, ""]),
        "src/shop/__init__.py": "",
        "src/shop/clamp.py": CLAMP,
        "tests/test_clamp.py": CLAMP_TESTS,
    }


def fixed_once(project: Project, fixed: str = "shop/clamp.py") -> None:
    """The fix that was shown can be applied, and then the tests pass."""
    applied = project.buddy("apply")
    assert applied.exit == 0, applied.err
    assert project.read(fixed) == FIXED
    assert project.buddy("undo").exit == 0


@pytest.mark.parametrize("name", ["a b é 漢字 it's %s {0}", "new\nline", "-x $HOME;`id`"])
def test_any_name_will_do_for_the_project(tmp_path: Path, compare: Compare, name: str) -> None:
    files = {**RED, "-n/test_é 漢 b.py": RED["tests/test_clamp.py"]}
    project = Project(tmp_path, files, name=name)
    both = compare(project, "-q")
    assert both.buddy.report["summary"] == {"failed": 2, "flaky": 0, "faults": 1, "fixed": 1}
    fixed_once(project)


def test_an_ascii_terminal_and_a_name_it_cannot_show(tmp_path: Path, compare: Compare) -> None:
    posix = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    project = Project(tmp_path, RED, name="é 漢字")
    both = compare(project, env=posix)
    assert both.buddy.report["summary"]["fixed"] == 1
    assert both.section.isascii()
    assert "\\" not in both.section
    shown = project.buddy("show", env=posix)
    assert shown.exit == 0
    assert shown.out.isascii()
    explained = project.buddy("explain", env=posix)
    assert explained.exit == 0
    assert explained.out.isascii()


def test_without_git_home_or_user(red: Project, compare: Compare) -> None:
    bare = {"HOME": None, "PATH": "/nowhere", "USER": None, "LOGNAME": None, "LANG": None, "TMPDIR": None}
    both = compare(red, "-q", env=bare)
    assert both.buddy.report["summary"]["fixed"] == 1
    assert red.buddy("apply", env=bare).exit == 0


def test_where_nothing_can_be_kept(tmp_path: Path) -> None:
    project = Project(tmp_path, {**RED, ".buddy": "not a directory\n"})
    plain, buddy = project.pytest("-q"), project.pytest("-q", *QUICK)
    check_same(plain, buddy)
    assert buddy.out.count("notice .buddy ") == 1
    assert buddy.report["summary"]["fixed"] == 1
    assert project.read(".buddy") == "not a directory\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs mount namespaces")
def test_a_read_only_checkout(red: Project) -> None:
    before = red.tree()
    words = ("-c", MAKE_READ_ONLY, str(red.root), "-q", "-p", "buddy", "-p", "no:cacheprovider")
    plain = red.python(*words)
    if plain.exit == 77:
        pytest.skip("this user cannot make a mount namespace")
    report = red.root.parent / "report.json"
    buddy = red.python(*words, *QUICK, "--buddy-report", f"json:{report}")
    check_same(plain, buddy)
    assert buddy.report["summary"]["fixed"] == 1
    assert buddy.out.count("notice .buddy cannot be written") == 1
    assert red.tree() == before
    assert not (red.root / ".buddy").exists()
    assert red.processes() == ()


def test_through_a_symbolic_link(tmp_path: Path, compare: Compare) -> None:
    red = Project(tmp_path, {**RED, "pytest.ini": "[pytest]\n"})
    link = red.root.parent / "link"
    link.symlink_to(red.root, target_is_directory=True)
    for arguments in ((str(link / "tests"),), ("--rootdir", str(link), str(link))):
        both = compare(red, "-q", *arguments)
        report = both.buddy.report
        assert report["summary"]["fixed"] == 1
        assert report["faults"][0]["suspects"][0]["file"] == "shop/clamp.py"
    fixed_once(red)


def test_started_by_the_script_and_not_as_a_module(tmp_path: Path) -> None:
    """Then the current directory is not on the import path; a conftest.py at the top puts it there."""
    project = Project(tmp_path, {**RED, "conftest.py": ""})
    words = ("-P", "-m", "pytest", "-p", "buddy", "-q")
    plain, buddy = project.python(*words), project.python(*words, *QUICK)
    check_same(plain, buddy)
    assert plain.counts == {"failed": 1, "passed": 3}
    fixed_once(project)


def test_from_a_directory_inside(tmp_path: Path, compare: Compare) -> None:
    project = Project(tmp_path, {**RED, "pytest.ini": "[pytest]\npythonpath = .\n"})
    both = compare(project, "-q", "test_clamp.py", cwd=project.root / "tests")
    assert both.buddy.report["summary"]["fixed"] == 1
    assert both.buddy.report["failures"][0]["test"] == "tests/test_clamp.py::test_above"


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
def test_a_src_layout_in_every_import_mode(tmp_path: Path, compare: Compare, mode: str) -> None:
    project = Project(tmp_path, src_layout("pythonpath = src"))
    both = compare(project, "-q", f"--import-mode={mode}")
    assert both.buddy.report["summary"]["fixed"] == 1
    assert both.buddy.report["faults"][0]["suspects"][0]["file"] == "src/shop/clamp.py"
    if mode == "importlib":
        fixed_once(project, "src/shop/clamp.py")


def test_an_editable_install_in_an_environment_inside_the_project(tmp_path: Path, compare: Compare) -> None:
    """Pytest and pytest-buddy come from our own environment, the package under test from its sources."""
    project = Project(tmp_path, src_layout())
    environment = project.root / ".venv"
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    lines = [f"import site; site.addsitedir({path!r})" for path in ours]
    (packages / "tools.pth").write_text("\n".join(lines) + "\n")
    (packages / "__editable__.shop.pth").write_text(f"{project.root / 'src'}\n")
    inside = Project(tmp_path, {}, interpreter=str(environment / "bin" / "python"))
    both = compare(inside, "-q")
    assert both.buddy.report["summary"]["fixed"] == 1
    fix = both.buddy.report["faults"][0]["patches"][0]
    assert fix["verdict"]["confirmed"]
    fixed_once(inside, "src/shop/clamp.py")


def test_stale_bytecode_is_never_run(red: Project) -> None:
    """An edit of the same size within the same second: only our own care tells the two apart."""
    assert red.pytest("-q").exit == 1
    assert red.pytest("-q", *QUICK).report["summary"]["fixed"] == 1
    for _ in range(2):
        assert red.buddy("apply").exit == 0
        assert red.pytest("-q").exit == 0
        assert red.buddy("undo").exit == 0
        assert red.pytest("-q").exit == 1
