import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_buddy.domain import Edit
from pytest_buddy.errors import BuddyError, PatchError, StaleFileError
from pytest_buddy.patch.staging import carried
from pytest_buddy.source import Source

BODY = b"def f(a):\n    return a + 1\n\n\ndef g(a):\n    return a - 1\n"


def staged(project, path="x.py"):
    return project.git("show", f":{path}")


def committed(project, content=BODY, path="x.py"):
    project.write(path, content)
    project.commit()
    return project


def refused(project, ledger, error, match, patch=""):
    """Staging is refused with a hint; neither the index nor a file differs from before."""
    index, files = project.git("ls-files", "-s"), project.files()
    with pytest.raises(error, match=match) as caught:
        ledger.stage(patch)
    assert caught.value.hint
    assert (project.git("ls-files", "-s"), project.files()) == (index, files)


def test_only_the_index_changes(project):
    committed(project)
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    done = ledger.stage(patch.id)
    assert (done.action, done.paths) == ("staged", ("x.py",))
    assert staged(project) == BODY.replace(b"a + 1", b"a * 1")
    assert project.read("x.py") == BODY
    assert ledger.status(patch.id) == "staged"


def test_apply_after_stage_makes_both_equal_and_undo_goes_back_step_by_step(project):
    committed(project)
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage(patch.id)
    ledger.apply(patch.id)
    assert project.git("status", "--porcelain") == b"M  x.py\n"
    assert ledger.status(patch.id) == "applied"
    ledger.undo()
    assert (project.read("x.py"), ledger.status(patch.id)) == (BODY, "staged")
    ledger.undo()
    assert (staged(project), ledger.status(patch.id)) == (BODY, "undone")
    assert project.git("status", "--porcelain") == b""


def test_stage_after_apply(project):
    committed(project)
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.apply()
    ledger.stage(patch.id)
    assert project.git("status", "--porcelain") == b"M  x.py\n"


def test_unstaged_work_of_the_person_stays_unstaged(project):
    committed(project)
    mine = b"import os\n\n\n" + BODY + b"\n\nprint(f(2))\n"
    project.write("x.py", mine)
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage()
    assert staged(project) == BODY.replace(b"a + 1", b"a * 1")
    assert project.read("x.py") == mine


def test_edit_within_work_that_is_not_staged_is_refused(project):
    committed(project)
    project.write("x.py", BODY + b"\n\ndef h(a):\n    return a\n")
    ledger, _ = project.proposed(("x.py", b"return a\n", b"return -a\n"))
    refused(project, ledger, PatchError, "index differs where the patch would go")


def test_place_that_the_index_has_twice_is_refused(project):
    committed(project, BODY + b"\n\ndef f(a):\n    return a + 1\n\n\ndef g(a):\n    return a - 1\n")
    project.write("x.py", BODY)
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    refused(project, ledger, PatchError, "index differs where the patch would go")


def test_stale_file_is_refused(project):
    committed(project)
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    project.write("x.py", BODY + b"# mine\n")
    refused(project, ledger, StaleFileError, "has changed since")


def test_second_stage_is_refused(project):
    committed(project)
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage()
    refused(project, ledger, PatchError, "index", patch.id)


def test_several_files_are_staged_all_or_none(project):
    committed(project)
    project.write("pkg/y.py", b"y = 1\n")
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"), ("pkg/y.py", b"1", b"2"))
    refused(project, ledger, PatchError, r"pkg/y\.py is not tracked")
    project.git("add", "pkg")
    assert ledger.stage(patch.id).paths == ("pkg/y.py", "x.py")
    assert staged(project, "pkg/y.py") == b"y = 2\n"
    assert b"a * 1" in staged(project)


@pytest.mark.parametrize(
    "name", ["a b.py", "caf\u00e9.py", "\u6f22\u5b57/x.py", "new\nline.py", "[x]*.py", "\udcff.py"]
)
def test_awkward_names(project, name):
    committed(project, b"a = 1\n", name)
    ledger, _ = project.proposed((name, b"1", b"2"))
    ledger.stage()
    assert staged(project, name) == b"a = 2\n"


def test_rootdir_below_the_top_of_the_repository(project):
    committed(project, b"a = 1\n", "sub/pkg/x.py")
    inner = type(project)(project.root / "sub")
    ledger, _ = inner.proposed(("pkg/x.py", b"1", b"2"))
    ledger.stage()
    assert staged(project, "sub/pkg/x.py") == b"a = 2\n"
    ledger.undo()
    assert project.git("diff", "--cached") == b""


def test_mode_in_the_index_stays(project):
    project.write("x.py", BODY).chmod(0o755)
    project.commit()
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage()
    assert project.git("ls-files", "-s").startswith(b"100755 ")


def test_repository_without_a_commit(project):
    project.write("x.py", BODY)
    project.git("init", "-q")
    project.git("add", "x.py")
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage()
    assert b"a * 1" in staged(project)


def test_linked_work_tree(project):
    committed(project)
    project.git("worktree", "add", "-q", "other")
    inner = type(project)(project.root / "other")
    ledger, _ = inner.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage()
    assert b"a * 1" in staged(inner)
    assert staged(project) == BODY


def test_line_endings_of_the_index_are_kept(project):
    project.write("x.py", BODY.replace(b"\n", b"\r\n"))
    project.git("init", "-q")
    project.git("config", "core.autocrlf", "true")
    project.git("add", "x.py")
    assert staged(project) == BODY
    ledger, _ = project.proposed(("x.py", b"a + 1\r\n", b"a * 1\r\n    # end\r\n"))
    ledger.stage()
    assert staged(project) == BODY.replace(b"a + 1\n", b"a * 1\n    # end\n")


def test_undo_leaves_what_was_staged_since(project):
    committed(project)
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage()
    project.write("x.py", BODY + b"# mine\n")
    project.git("add", "x.py")
    with pytest.raises(StaleFileError, match="staged anew"):
        ledger.undo()
    assert staged(project) == BODY + b"# mine\n"


def test_no_repository(project):
    project.write("x.py", BODY)
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    with pytest.raises(PatchError, match="not a git repository") as caught:
        ledger.stage()
    assert "buddy apply" in caught.value.hint


def test_no_git(project, monkeypatch):
    committed(project)
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BuddyError, match="git cannot be run"):
        ledger.stage()
    assert ledger.apply().action == "applied"
    assert ledger.undo(patch.id).action == "undone"


def test_index_that_another_git_holds(project):
    committed(project)
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    lock = project.root / ".git" / "index.lock"
    lock.touch()
    refused(project, ledger, PatchError, r"index\.lock")
    assert ledger.status(patch.id) == "open"
    lock.unlink()
    ledger.stage()
    assert ledger.status(patch.id) == "staged"


def test_file_in_the_middle_of_a_merge(project):
    committed(project, b"a = 1\n")
    project.git("checkout", "-q", "-b", "side")
    project.write("x.py", b"a = 2\n")
    project.git("commit", "-qam", "side")
    project.git("checkout", "-q", "-")
    project.write("x.py", b"a = 3\n")
    project.git("commit", "-qam", "main")
    with pytest.raises(subprocess.CalledProcessError):
        project.git("merge", "-q", "side")
    assert b"UU x.py" in project.git("status", "--porcelain")
    project.write("x.py", b"a = 4\n")
    ledger, _ = project.proposed(("x.py", b"4", b"5"))
    refused(project, ledger, PatchError, "middle of a merge")


@pytest.mark.parametrize("mark", ["--skip-worktree", "--assume-unchanged"])
def test_file_that_git_looks_past(project, mark):
    committed(project)
    project.git("update-index", mark, "x.py")
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    refused(project, ledger, PatchError, "look past")


def test_file_that_was_only_announced(project):
    project.write("x.py", BODY)
    project.git("init", "-q")
    project.git("add", "-N", "x.py")
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    refused(project, ledger, PatchError, "index differs")


@pytest.mark.parametrize("attribute", ["filter=x", "ident", "working-tree-encoding=latin-1"])
def test_converted_file_is_refused(project, attribute):
    committed(project)
    project.write(".gitattributes", f"*.py {attribute}\n".encode())
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    refused(project, ledger, PatchError, "another form")


@pytest.mark.parametrize("attribute", ["text=auto", "text", "-text", "-filter", "diff=python"])
def test_harmless_attributes_are_not_refused(project, attribute):
    committed(project)
    project.write(".gitattributes", f"*.py {attribute}\n".encode())
    ledger, _ = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage()
    assert b"a * 1" in staged(project)


def test_hostile_repository_runs_nothing(project, tmp_path):
    committed(project)
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho \"$0 $@\" >> '{ran}'\ncat\n")
    program.chmod(0o755)
    hooks = project.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-commit"):
        (hooks / hook).write_bytes(program.read_bytes())
        (hooks / hook).chmod(0o755)
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    for key in (
        "core.fsmonitor",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "diff.external",
        "diff.python.textconv",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "core.alternateRefsCommand",
        "gpg.program",
        "credential.helper",
        "remote.origin.uploadpack",
    ):
        project.git("config", key, str(program))
    project.git("config", "alias.ls-files", f"!{program}")
    ran.unlink(missing_ok=True)
    ledger.stage()
    ledger.undo()
    ledger.apply()
    ledger.undo()
    assert not ran.exists()
    (project.root / ".gitattributes").write_text("*.py filter=x diff=python\n")
    with pytest.raises(PatchError, match="another form"):
        ledger.stage(patch.id)
    assert not ran.exists()
    project.git("status")
    assert ran.exists(), "the trap does not work"


def test_missing_object_of_a_hostile_partial_clone_fetches_nothing(project, tmp_path):
    committed(project)
    ran = tmp_path / "ran"
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    for key, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::sh -c touch% {ran}",
        "protocol.ext.allow": "always",
    }.items():
        project.git("config", key, value)
    oid = project.git("rev-parse", ":x.py").decode().strip()
    (project.root / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(PatchError, match="git refuses"):
        ledger.stage(patch.id)
    assert not ran.exists()
    subprocess.run(["git", "cat-file", "blob", oid], cwd=project.root, check=False, capture_output=True)
    assert ran.exists(), "the trap does not work"


def test_staging_cut_off_before_git_wrote_is_forgotten_and_after_it_is_kept(project, monkeypatch):
    committed(project)
    ledger, patch = project.proposed(("x.py", b"a + 1", b"a * 1"))
    ledger.stage()
    (entry,) = (project.root / ".buddy" / "journal").glob("*.json")
    entry.rename(entry.with_suffix(".prepared"))
    (notice,) = ledger.recover()
    assert "complete" in notice.text
    assert ledger.status(patch.id) == "staged"
    entry.rename(entry.with_suffix(".prepared"))
    project.git("reset", "-q")
    (notice,) = ledger.recover()
    assert "taken back" in notice.text
    assert ledger.status(patch.id) == "open"


LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b""]), min_size=1, max_size=12)


@given(LINES, st.data())
@settings(max_examples=300, deadline=None)
def test_carried_edit_lands_on_the_same_words_or_is_refused(lines, data):
    """In a copy with lines added elsewhere, the edit replaces the marked line and nothing else."""
    place = data.draw(st.integers(0, len(lines)))
    ours = [*lines[:place], b"MARK", *lines[place:]]
    extra = data.draw(LINES)
    above = data.draw(st.booleans())
    theirs = [*extra, *ours] if above else [*ours, *extra]
    old = Source(path="x.py", module="x", content=b"\n".join(ours))
    new = Source(path="x.py", module="x", content=b"\r\n".join(theirs))
    start = old.content.index(b"MARK")
    edit = Edit(path="x.py", digest=old.digest, start=start, end=start + 4, replacement=b"1\n2")
    try:
        result = new.edited(carried([edit], old, new)).content
    except PatchError:
        assert place in (0, len(lines)), "context on both sides places it"
    else:
        assert result in (
            new.content.replace(b"MARK", b"1\r\n2"),
            new.content.replace(b"MARK", b"1\n2"),
        )


@given(LINES, LINES, st.data())
@settings(max_examples=300, deadline=None)
def test_edit_is_never_carried_to_a_line_that_reads_otherwise(ours, theirs, data):
    old = Source(path="x.py", module="x", content=b"\n".join(ours))
    new = Source(path="x.py", module="x", content=b"\n".join(theirs))
    start = data.draw(st.integers(0, len(old.content)))
    end = data.draw(st.integers(start, len(old.content)))
    edit = Edit(path="x.py", digest=old.digest, start=start, end=end, replacement=b"z")
    try:
        (there,) = carried([edit], old, new)
    except PatchError:
        return
    assert new.content[there.start : there.end] == old.content[start:end]
