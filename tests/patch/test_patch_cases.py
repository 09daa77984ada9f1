"""The table of awkward and hostile inputs, each with its verdict; most are in `data/patch_cases.toml`."""

import hashlib
import importlib.util
import os
import stat
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_buddy.domain import Baseline, Execution, Fault, Outcome, Spectrum, Trial
from pytest_buddy.errors import BuddyError, PatchError
from pytest_buddy.judging import Judge
from pytest_buddy.patch import Reading, Refusal, Terms, read_patch, unified_diff
from pytest_buddy.suite import Suite

HERE = Path(__file__).parent
TABLE = tomllib.loads((HERE / "data" / "patch_cases.toml").read_text("utf-8"))
NUMBERS = {
    "P": (1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17),
    "L": (1, 2, 4, 5, 7, 8, 10, 11),
    "B": (1, 2, 4, 5, 7, 8, 10, 11, 13, 14),
    "H": (1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17),
    "T": (1, 2, 4, 5, 7, 8),
    "G": (2, 3, 5, 6),
}
ROWS = {f"{group}{number:02}" for group, numbers in NUMBERS.items() for number in numbers}


def flat(table, prefix=""):
    """TOML keys with dots in them are tables within tables: file names again."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


@pytest.mark.parametrize("case", TABLE["case"], ids=[case["id"] for case in TABLE["case"]])
def test_text_gets_its_verdict_and_no_other_byte_changes(project, case):
    encoding = case.get("encoding", "utf-8")
    for path, content in flat(case["files"]):
        project.write(path, content.encode(encoding))
    before = project.files() | {
        path: project.read(path) for path, _ in flat(case["files"]) if path.startswith(".buddy")
    }
    seen = {path: hashlib.sha256(before[path]).hexdigest() for path in case.get("seen", ())}
    seen |= {path: hashlib.sha256(text.encode()).hexdigest() for path, text in flat(case.get("saw", {}))}
    terms = Terms(seen=seen, named=case.get("named", ()), tests=case.get("tests", ()))
    complete = case.get("complete", True)
    found = read_patch(project.workspace, case["text"], origin="model:x", terms=terms, complete=complete)
    assert {path: project.read(path) for path in before} == before, "reading writes nothing"
    if case["expect"] != "accept":
        assert isinstance(found, Refusal), found
        assert found.reason == case["expect"], found.detail
        assert found.detail
        return
    assert isinstance(found, Reading), found
    after = {path: text.encode(encoding) for path, text in flat(case["after"])}
    sources = {path: project.workspace.source(path) for path in found.patch.paths}
    assert {path: source.edited(found.patch.edits).content for path, source in sources.items()} == after
    for note in case.get("notes", ()):
        assert any(note in said for said in found.notes), found.notes
    if not case.get("notes"):
        assert found.notes == ()


def test_every_row_of_the_table_has_a_test():
    tried = {case["id"][:3] for case in TABLE["case"]} | set(TABLE["elsewhere"])
    assert tried >= ROWS
    for place in TABLE["elsewhere"].values():
        file, _, name = place.partition("::")
        spec = importlib.util.spec_from_file_location(f"looked_up_{file[:-3]}", HERE / file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert callable(getattr(module, name))


def refusal(project, text, **terms):
    before = project.files()
    found = read_patch(project.workspace, text, origin="model:x", terms=Terms(**terms))
    assert project.files() == before
    return found.reason if isinstance(found, Refusal) else found


def diff_of(path, *, quoted=False):
    label = f'"{path}"' if quoted else path
    return f"--- {label}\n+++ {label}\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"


HOSTILE = [
    "../outside.py", "a/../../x.py", "b/../../outside.py", "pkg/../../outside.py", "/etc/x.py",
    "//server/share/x.py", "C:\\x.py", "C:/x.py", "file:///etc/x.py", "https://example.org/x.py", "~/x.py",
    "~root/x.py", "pkg\\x.py", "x.py\x00.txt", "x.py.", "pkg /x.py", "CON", "aux.py", "pkg/nul.py", "com1.py",
    "a" * 5000 + ".py", "/".join(["a"] * 3000), "pkg//x.py", "pkg/./x.py", "..", "x\x1b[2J.py", "a" * 300,
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_h01_h02_h10_hostile_path_is_refused(project, path):
    project.write("x.py", b"a = 1\n")
    (project.root.parent / "outside.py").write_bytes(b"a = 1\n")
    assert refusal(project, diff_of(path)) == "path"
    block = f"{path}\n<<<<<<< SEARCH\na = 1\n=======\na = 2\n>>>>>>> REPLACE\n"
    assert refusal(project, block) in ("path", "missing")
    assert (project.root.parent / "outside.py").read_bytes() == b"a = 1\n"


@pytest.mark.parametrize("path", ["x\\n.py", "x\\000.py", "\\056\\056/outside.py", "x.py\\"])
def test_hostile_path_in_quotes_is_refused(project, path):
    (project.root.parent / "outside.py").write_bytes(b"a = 1\n")
    assert refusal(project, diff_of(path, quoted=True)) == "path"


@pytest.mark.parametrize("inside", [True, False])
def test_h04_symbolic_link_is_refused(project, tmp_path, inside):
    real = project.root / "real.py" if inside else tmp_path / "outside.py"
    real.write_bytes(b"a = 1\n")
    (project.root / "x.py").symlink_to(real)
    assert refusal(project, diff_of("x.py")) == "symlink"
    (project.root / "pkg").symlink_to(tmp_path)
    (tmp_path / "y.py").write_bytes(b"a = 1\n")
    assert refusal(project, diff_of("pkg/y.py")) == "symlink"


def test_b14_hard_link_is_refused(project):
    (project.root / "y.py").hardlink_to(project.write("x.py", b"a = 1\n"))
    assert refusal(project, diff_of("x.py")) == "link"


@pytest.mark.parametrize("kind", ["fifo", "directory", "read-only"])
def test_what_is_no_ordinary_file_is_refused(project, kind):
    path = project.root / "x.py"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        project.write("x.py", b"a = 1\n").chmod(0o444)
    found = read_patch(project.workspace, diff_of("x.py"), origin="model:x")
    assert isinstance(found, Refusal)
    assert found.reason == "unreadable"


PROTECTED = [
    "conftest.py", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py", "sitecustomize.py",
    "x.pth", "usercustomize.py", "noxfile.py", ".pre-commit-config.yaml", ".github/x.py",
    ".vscode/settings.json", "Makefile", ".env", "pkg/conftest.py",
]  # fmt: skip


@pytest.mark.parametrize("path", PROTECTED)
def test_h07_protected_file_is_refused_unless_named(project, path):
    project.write(path, b"a = 1\n")
    assert refusal(project, diff_of(path)) == "protected"
    assert refusal(project, diff_of(path), named=[path]).patch.paths == (path,)


@pytest.mark.parametrize("code", [0xD800, 0xDF8E])
@pytest.mark.parametrize("text", ["--- a/x.py{}\n+++ b/x.py{}\n@@ -1 +1 @@\n-a = 1\n+a = 2\n", "{}"])
def test_half_a_character_is_refused(project, code, text):
    project.write("x.py", b"a = 1\n")
    assert refusal(project, text.format(chr(code), chr(code))) == "encoding"


def test_excluded_file_is_refused(project):
    project.write("vendor/x.py", b"a = 1\n")
    assert refusal(project, diff_of("vendor/x.py"), exclude=("vendor/*",)) == "protected"


def test_b13_mode_attributes_and_owner_survive_apply_and_undo(project):
    path = project.write("x.py", b"a = 1\n")
    path.chmod(0o2755)
    attributes = hasattr(os, "setxattr")
    try:
        os.setxattr(path, "user.note", b"mine")
    except (AttributeError, OSError):
        attributes = False
    before = path.stat()
    found = read_patch(project.workspace, diff_of("x.py"), origin="model:x")
    ledger = project.keep(found.patch)
    for action in (ledger.apply, ledger.undo):
        action()
        now = path.stat()
        assert (stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid) == (0o2755, before.st_uid, before.st_gid)
        assert not attributes or os.getxattr(path, "user.note") == b"mine"
    assert project.files() == {"x.py": b"a = 1\n"}


def test_t07_temporary_files_lie_beside_their_targets(project, monkeypatch):
    project.write("pkg/x.py", b"a = 1\n")
    ledger, _ = project.proposed(("pkg/x.py", b"1", b"2"))
    moved = []
    rename = os.rename

    def watched(source, target, **options):
        moved.append((options.get("src_dir_fd"), options.get("dst_dir_fd"), Path(source).parent.name))
        rename(source, target, **options)

    monkeypatch.setattr(os, "rename", watched)
    ledger.apply()
    target, entry = moved
    assert target[0] == target[1] is not None
    assert target[2] == ""
    assert entry[2] == "journal"


def repository(project):
    project.write("x.py", b"a = 1\n")
    project.commit()
    return project


def test_g03_states_of_a_repository(project, tmp_path):
    """Detached, mid-rebase, sparse and submodule; no commit yet, merges, work trees, locks and filters are
    tried in test_patch_staging."""
    repository(project)
    project.git("checkout", "-q", "--detach")
    ledger, _ = project.proposed(("x.py", b"1", b"2"))
    ledger.stage()
    assert project.git("show", ":x.py") == b"a = 2\n"
    ledger.undo()
    (project.root / ".git" / "rebase-merge").mkdir()
    (project.root / ".git" / "info").mkdir(exist_ok=True)
    (project.root / ".git" / "info" / "sparse-checkout").write_text("/*\n")
    project.git("config", "core.sparseCheckout", "true")
    ledger.stage(ledger.diagnosis().faults[0].proposals[0].patch.id)
    assert project.git("show", ":x.py") == b"a = 2\n"
    inner = type(project)(project.root / "inner")
    inner.root.mkdir()
    repository(inner)
    project.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "./inner", "inner")
    outer, _ = project.proposed(("inner/x.py", b"1", b"2"))
    with pytest.raises(PatchError, match=r"not tracked|git refuses|not a regular"):
        outer.stage()
    own, _ = inner.proposed(("x.py", b"1", b"2"))
    own.stage()
    assert inner.git("show", ":x.py") == b"a = 2\n"
    bare = type(project)(tmp_path / "bare")
    bare.root.mkdir()
    bare.git("init", "-q", "--bare")
    bare.write("x.py", b"a = 1\n")
    ledger, _ = bare.proposed(("x.py", b"1", b"2"))
    with pytest.raises(BuddyError) as caught:
        ledger.stage()
    assert caught.value.hint


@pytest.mark.parametrize("ignored", [False, True])
def test_g05_untracked_and_ignored_files_are_not_staged(project, ignored):
    repository(project)
    project.write("y.py", b"a = 1\n")
    if ignored:
        project.write(".gitignore", b"y.py\n")
    ledger, _ = project.proposed(("y.py", b"1", b"2"))
    with pytest.raises(PatchError, match="not tracked"):
        ledger.stage()
    assert project.read("y.py") == b"a = 1\n"


def test_h14_patch_that_breaks_another_test_is_no_fix(project):
    project.write("x.py", b"a = 1\n")
    patch = project.patch(("x.py", b"1", b"2"))

    def run(test, failed):
        return Execution(test=test, failed=failed, lines={"x.py": frozenset({1})})

    def judge(after):
        ended = tuple(Outcome(test=test, status=status) for test, status in after.items())
        suite = Suite(
            baseline=Baseline(
                outcomes=(Outcome(test="t::a", status="failed"), Outcome(test="t::b", status="passed")),
                failures=(),
            ),
            failing={"t::a": Outcome(test="t::a", status="failed")},
            direct=frozenset(),
            neighbours=("t::b",),
            spectrum=Spectrum(executions=(run("t::a", True), run("t::b", False))),
            unfit=frozenset(),
        )
        suite.sources["x.py"] = project.workspace.source("x.py")
        return Judge(
            runner=SimpleNamespace(judge=lambda patch, tests, cpu: Trial(patch=patch, outcomes=ended)),
            launcher=SimpleNamespace(level="full"),
            suite=suite,
            fault=Fault(id="f1", tests=("t::a",)),
            tests=["t::a"],
            deadline=0.0,
            heard=lambda judged: None,
        ).verdict(patch)

    assert judge({"t::a": "passed", "t::b": "failed"}).outcome == "breaks"
    assert judge({"t::a": "passed", "t::b": "timeout"}).outcome == "breaks"
    assert judge({"t::a": "passed", "t::b": "passed"}).outcome == "fixed"


def test_git_agrees_with_what_is_accepted(project):
    """What git takes without complaint comes out the same."""
    body = b"def f(a):\n    return a + 1\n\n\ndef g(a):\n    return a - 1\n"
    project.write("pkg/x.py", body)
    patch = project.patch(("pkg/x.py", b"a + 1", b"a * 1"), ("pkg/x.py", b"a - 1", b"(\n        a\n    )"))
    diff = unified_diff(patch, {"pkg/x.py": project.workspace.source("pkg/x.py")})
    found = read_patch(project.workspace, diff, origin="model:x")
    ours = project.workspace.source("pkg/x.py").edited(found.patch.edits).content
    subprocess.run(["git", "apply"], cwd=project.root, input=diff.encode(), check=True)
    assert project.read("pkg/x.py") == ours
