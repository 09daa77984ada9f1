import os
import subprocess
import time

import pytest

from pytest_buddy.capture import history
from pytest_buddy.capture.history import changes
from pytest_buddy.domain import Change
from pytest_buddy.workspace import Workspace


class Repository:
    """A git repository in a temporary directory."""

    def __init__(self, root):
        self.root = root
        root.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments):
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{
                f"GIT_{who}_{what}": "someone"
                for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")
            },
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())

    def commit(self, subject, **files):
        for path, text in files.items():
            self.write(path.replace("__", "/") + ".py", text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "--short", "HEAD")

    def changes(self, *paths, **options):
        return changes(Workspace(self.root), paths, **{"budget": 20.0, **options})


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "project")


def test_shows_what_is_not_committed_at_the_lines_of_now(repository):
    repository.commit("First", x="a\nb\nc\nd\ne\n")
    repository.write("x.py", "new\na\nB\nc\ne\n")
    assert repository.changes("x.py") == (
        Change(path="x.py", lines=(1,), removed=(), label="not committed", start=1, end=2),
        Change(path="x.py", lines=(3,), removed=("b",), label="not committed", start=3, end=4),
        Change(path="x.py", lines=(4, 5), removed=("d",), label="not committed", start=5, end=5),
    )


def test_staged_changes_are_not_committed_either(repository):
    repository.commit("First", x="a\n")
    repository.write("x.py", "b\n")
    repository.git("add", "-A")
    assert [change.label for change in repository.changes("x.py")] == ["not committed"]


def test_falls_back_to_the_last_commit_of_each_file(repository):
    repository.commit("First", x="a\nb\n", y="1\n2\n")
    second = repository.commit("Change x", x="a\nB\n")
    third = repository.commit("Change y", y="1\n2\n3\n")
    assert repository.changes("y.py", "x.py") == (
        Change(path="y.py", lines=(3,), removed=(), label=f"{third} Change y", start=3, end=4),
        Change(path="x.py", lines=(2,), removed=("b",), label=f"{second} Change x", start=2, end=3),
    )


def test_since_leaves_older_commits_out(repository):
    old = repository.commit("First", x="a\n", y="1\n")
    new = repository.commit("Second", x="b\n")
    found = repository.changes("x.py", "y.py", since=old)
    assert [(change.path, change.label) for change in found] == [("x.py", f"{new} Second")]
    assert repository.changes("x.py", since="--output=/tmp/x") == ()


def test_a_root_commit_adds_every_line(repository):
    first = repository.commit("First", x="a\nb\n")
    assert repository.changes("x.py") == (
        Change(path="x.py", lines=(1, 2), removed=(), label=f"{first} First", start=1, end=3),
    )


def test_renaming_is_no_change_of_the_text(repository):
    repository.commit("First", old="a\nb\nc\nd\n")
    second = repository.commit("Second", old="a\nB\nc\nd\n")
    repository.git("mv", "old.py", "new.py")
    repository.commit("Move it")
    assert repository.changes("new.py") == (
        Change(path="new.py", lines=(2,), removed=("b",), label=f"{second} Second", start=2, end=3),
    )


def test_finds_the_lines_again_after_a_merge(repository):
    lines = [f"line {number}" for number in range(20)]
    repository.commit("First", x="\n".join(lines) + "\n")
    repository.git("checkout", "-q", "-b", "side")
    side = repository.commit("Side", x="\n".join([*lines[:19], "changed"]) + "\n")
    repository.git("checkout", "-q", "main")
    repository.commit("Main", x="\n".join(["top", "more", *lines]) + "\n")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    labels = {change.label: change.lines for change in repository.changes("x.py")}
    assert labels.get(f"{side} Side", (22,)) == (22,)
    assert labels
    assert "Merge" not in str(labels)


def test_works_below_the_top_of_the_repository(repository):
    second = repository.commit("First", pkg__x="a\n")
    workspace = Workspace(repository.root / "pkg")
    (change,) = changes(workspace, ["x.py"], budget=20.0)
    assert (change.path, change.label) == ("x.py", f"{second} First")


@pytest.mark.parametrize(
    "name",
    ["with space.py", "é漢字.py", "*.py", ":(top)x.py", "-dash.py", 'quo"te.py', "tab\t.py", "a b blob 1.py"],
)
def test_takes_any_name(repository, name):
    repository.write(name, "a\n")
    repository.write("x.py", "other\n")
    short = repository.commit("First")
    assert [(change.path, change.label) for change in repository.changes(name)] == [(name, f"{short} First")]
    repository.write(name, "b\n")
    assert [change.label for change in repository.changes("missing.py", name)] == ["not committed"]


def test_knows_nothing_of_untracked_binary_submodule_and_odd_files(repository):
    repository.commit("First", x="a\n")
    repository.write("untracked.py", "a\n")
    repository.write("binary.py", "a\0b")
    repository.git("add", "binary.py")
    repository.write("new\nline.py", "a\n")
    inner = Repository(repository.root / "inner")
    inner.commit("Inner", y="1\n")
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "./inner", "inner")
    repository.commit("With a submodule")
    paths = ("untracked.py", "binary.py", "new\nline.py", "inner/y.py", "inner", "missing.py", "../x.py")
    repository.write("untracked2.py", "a\n")
    assert repository.changes(*paths[1:], "untracked2.py") == ()


def test_no_repository_no_commit_no_git(tmp_path, repository, monkeypatch):
    (tmp_path / "x.py").write_text("a\n")
    repository.write("x.py", "a\n")
    assert changes(Workspace(tmp_path), ["x.py"]) == ()
    assert repository.changes("x.py") == ()
    repository.commit("First")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repository.changes("x.py") == ()


def test_the_edge_of_a_shallow_clone_is_not_a_change(tmp_path, repository):
    repository.commit("First", x="a\n", y="1\n")
    repository.commit("Second", x="b\n")
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--depth", "1", repository.root.as_uri(), str(clone))
    assert changes(Workspace(clone), ["x.py", "y.py"], budget=20.0) == ()


def test_line_endings_alone_are_no_change(repository):
    short = repository.commit("First", x="a\nb\n")
    repository.write("x.py", "a\r\nb\r\n")
    assert {change.label for change in repository.changes("x.py")} == {f"{short} First"}


def test_runs_no_program_of_a_hostile_configuration(tmp_path, repository):
    mark = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n")
    program.chmod(0o755)
    repository.commit("First", x="a\n")
    repository.commit("Second", x="b\n", y="1\n")
    repository.write(".gitattributes", "*.py filter=evil diff=evil merge=evil\n")
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "gpg.program",
        "pager.log",
        "core.editor",
        "alias.log",
    ):
        repository.git("config", key, f"!{program}" if key.startswith("alias") else str(program))
    repository.git("config", "log.showSignature", "true")
    hooks = repository.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        (hooks / hook).symlink_to(program)
    os.utime(repository.root / "x.py", (1, 1))
    assert len(repository.changes("x.py", "y.py")) == 2
    repository.write("x.py", "c\n")
    assert len(repository.changes("x.py")) == 1
    assert not mark.exists()
    repository.git("diff", "HEAD")
    assert mark.exists(), "the traps are not armed"


def test_a_subject_cannot_write_to_the_terminal(repository):
    repository.commit("Red \x1b[31malert\x07", x="a\n")
    (change,) = repository.changes("x.py")
    assert change.label.isprintable()
    assert "alert" in change.label


def test_keeps_its_budget(repository):
    repository.commit("First", **{f"f{number}": "a\n" for number in range(300)})
    started = time.monotonic()
    found = repository.changes(*(f"f{number}.py" for number in range(300)), budget=0.05)
    assert time.monotonic() - started < 2.0
    assert len(found) < 300
    assert repository.changes("f0.py", budget=0.0) == ()


def test_compares_large_rewrites_in_bounded_time(repository):
    repository.commit("First", x="".join(f"{number}\n" for number in range(20_000)))
    repository.write("x.py", "".join(f"{number} changed\n" for number in range(20_000)))
    started = time.process_time()
    (change,) = repository.changes("x.py")
    assert time.process_time() - started < 1.0
    assert len(change.lines) == 20_000
    assert len(change.removed) <= history._MOST_REMOVED
