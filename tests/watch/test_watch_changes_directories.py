"""Directories that come, go and come back, links, checkouts of whole branches, names that are no text."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor_saves import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "root" / "pkg").mkdir(parents=True)
    (tmp_path / "root" / "pkg" / "x.py").write_text("a = 0\n")
    with Desk(tmp_path / "root") as made:
        yield made


def _heard(desk: Desk, name: str, text: str) -> None:
    """A save in place is told: the directory is watched."""
    desk.batches.clear()
    desk.write(name, text)
    desk.until(lambda: name in desk.told)


def test_files_of_new_directories_are_told_and_watched(desk):
    desk.write("pkg/new/deep/er/t.py", "x = 1\n")
    desk.until(lambda: "pkg/new/deep/er/t.py" in desk.told)
    _heard(desk, "pkg/new/deep/er/t.py", "x = 2\n")


def test_a_directory_moved_in_and_renamed_is_told_file_by_file(desk, tmp_path):
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    (outside / "sub" / "t.py").write_text("x = 1\n")
    outside.rename(desk.root / "in")
    desk.until(lambda: desk.told == {"in/sub/t.py"})
    desk.batches.clear()
    (desk.root / "in").rename(desk.root / "moved")
    desk.until(lambda: desk.told == {"in/sub/t.py", "moved/sub/t.py"})
    _heard(desk, "moved/sub/t.py", "x = 2\n")


@pytest.mark.parametrize("directory", ["pkg", "."])
def test_a_directory_deleted_and_recreated_is_watched_again(desk, directory):
    for text in ("x = 1\n", "x = 2\n"):
        desk.batches.clear()
        shutil.rmtree(desk.root / directory)
        desk.until(lambda: "pkg/x.py" in desk.told)
        _heard(desk, "pkg/x.py", text)
        _heard(desk, "pkg/x.py", f"{text}\n")


@pytest.mark.parametrize("directory", ["pkg", "."])
def test_a_directory_replaced_at_once_is_watched_again(desk, directory):
    old = desk.root / directory
    old.rename(desk.root.parent / "aside")
    desk.write("pkg/x.py", "x = 1\n")
    desk.until(lambda: "pkg/x.py" in desk.told)
    desk.turn(0.5)
    _heard(desk, "pkg/x.py", "x = 2\n")


def test_two_thousand_files_of_another_branch_are_told_in_a_few_batches(tmp_path):
    root = tmp_path / "project"

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)

    def fill(text: str) -> set[str]:
        names = {f"pkg{n % 40}/sub{n % 3}/m{n}.py" for n in range(2000)}
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return names

    root.mkdir()
    git("init", "-q", "-b", "main")
    names = fill("x = 1\n")
    git("add", ".")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "other")
    fill("x = 2\n")
    shutil.rmtree(root / "pkg7")
    (root / "added").mkdir()
    (root / "added" / "n.py").write_text("x = 1\n")
    git("add", ".")
    git("commit", "-qm", "two")
    with Desk(root) as desk:
        git("checkout", "-q", "main")
        desk.until(lambda: names | {"added/n.py"} <= desk.told)
        assert len(desk.batches) <= 6
        _heard(desk, "pkg7/sub1/m7.py", "x = 3\n")
        assert desk.notices == []


def test_what_is_behind_links_is_told_by_every_name(desk, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("q.py", "alone.py"):
        (outside / name).write_text("x = 1\n")
    (desk.root / "out").symlink_to(outside)
    (desk.root / "twin").symlink_to(desk.root / "pkg")
    (desk.root / "loop").symlink_to(desk.root)
    (desk.root / "alone.py").symlink_to(outside / "alone.py")
    desk.until(lambda: {"out/q.py", "twin/x.py", "alone.py"} <= desk.told)
    desk.turn(0.3)
    desk.batches.clear()
    (outside / "q.py").write_text("x = 2\n")
    desk.until(lambda: desk.told == {"out/q.py"})
    desk.batches.clear()
    (desk.root / "pkg" / "x.py").write_text("x = 2\n")
    desk.until(lambda: desk.told == {"pkg/x.py", "twin/x.py"})
    desk.batches.clear()
    (outside / "alone.py").write_text("x = 2\n")
    desk.until(lambda: "alone.py" in desk.told)
    desk.batches.clear()
    (desk.root / "twin").unlink()
    (desk.root / "out").unlink()
    desk.until(lambda: {"twin/x.py", "out/q.py"} <= desk.told)


def test_a_link_out_to_too_much_is_left_alone_and_said(tmp_path):
    for number in range(501):
        (tmp_path / "huge" / f"d{number}").mkdir(parents=True)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "huge").symlink_to(tmp_path / "huge")
    with Desk(tmp_path / "root") as desk:
        assert [notice for notice in desk.notices if "huge" in notice]
        _heard(desk, "x.py", "x = 1\n")


def test_a_name_that_is_no_text_is_said_once_and_disturbs_nothing(desk):
    odd = desk.root / "pkg" / os.fsdecode(b"\xff\xfe.py")
    try:
        odd.write_text("x")
    except OSError:
        pytest.skip("this file system has no such names")
    desk.until(lambda: desk.notices)
    for number in range(3):
        odd.write_text(f"x{number}")
        _heard(desk, "pkg/x.py", f"x = {number}\n")
    assert len(desk.notices) == 1
    assert "\\xff\\xfe.py" in desk.notices[0]


def test_a_directory_that_cannot_be_read_disturbs_nothing(desk):
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    locked = desk.root / "locked"
    locked.mkdir(mode=0)
    try:
        _heard(desk, "pkg/x.py", "x = 1\n")
        assert desk.notices == []
    finally:
        locked.chmod(0o755)
