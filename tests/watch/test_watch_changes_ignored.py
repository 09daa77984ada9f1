"""What is none of the person's work: environments, caches, what is built, what git and pytest ignore."""

import subprocess
from pathlib import Path

from editor_saves import Desk


def _write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def test_caches_environments_and_built_things_are_ignored(tmp_path):
    ignored = (
        ".git/HEAD", ".buddy/map", "pkg/__pycache__/x.cpython-312.pyc", ".pytest_cache/v", ".mypy_cache/a",
        ".ruff_cache/a", ".tox/a", ".nox/a", ".venv/a.py", "my env/lib/a.py", "web/node_modules/p/i.js",
        ".hypothesis/a", "htmlcov/i.html", "x.egg-info/PKG-INFO", "build/lib/x.py", "dist/x.whl",
    )  # fmt: skip
    kept = ("src/build/__init__.py", "src/build/x.py", "docs/dist/x.txt", ".github/workflows/ci.yml", "x.py")
    _write(tmp_path, "pyproject.toml", "my env/pyvenv.cfg", *ignored, *kept)
    with Desk(tmp_path) as desk:
        _write(tmp_path, *ignored)
        _write(tmp_path, "web/node_modules/new/i.js", ".git/index", "new/__pycache__/y.pyc")
        _write(tmp_path, *kept)
        desk.until(lambda: set(kept) <= desk.told)
        desk.marked()
        assert desk.told == set(kept)


def test_an_environment_made_meanwhile_is_ignored(tmp_path):
    with Desk(tmp_path) as desk:
        _write(tmp_path, "env/pyvenv.cfg", "env/lib/p/a.py")
        desk.marked()
        _write(tmp_path, "env/lib/p/a.py", "x.py")
        desk.until(lambda: "x.py" in desk.told)
        desk.marked()
        assert not [path for path in desk.told if path.startswith("env/lib")]


def test_the_callers_rules_hold_for_files_and_directories(tmp_path):
    _write(tmp_path, "skip/deep/a.py", "x.py", "y.log")
    with Desk(tmp_path, ignored=lambda path: path == "skip" or path.endswith(".log")) as desk:
        _write(tmp_path, "skip/deep/a.py", "y.log", "x.py")
        desk.until(lambda: desk.told)
        desk.marked()
        assert desk.told == {"x.py"}


def test_what_git_ignores_is_ignored_unless_it_is_tracked(tmp_path):
    _git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("*.log\nout/\n!keep.log\ngen.py\n")
    _write(
        tmp_path, "out/deep/a.py", "pkg/a.log", "pkg/keep.log", "forced/out/t.py", "logs/only.log", "gen.py"
    )
    _git(tmp_path, "add", "-f", "forced/out/t.py")
    with Desk(tmp_path) as desk:
        ignored = ("out/deep/a.py", "pkg/a.log", "pkg/new.log", "gen.py", "sub/out/new.py", "logs/only.log")
        kept = ("pkg/keep.log", "forced/out/t.py", "logs/note.txt", "fresh/x.py")
        _write(tmp_path, *ignored, *kept)
        desk.until(lambda: set(kept) <= desk.told)
        desk.marked()
        assert desk.told == set(kept)


def test_rules_that_change_hold_from_then_on(tmp_path):
    _git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("data/\n")
    _write(tmp_path, "data/a.txt", "b.txt", "gone.txt")
    with Desk(tmp_path) as desk:
        (tmp_path / ".gitignore").write_text("b.txt\ngone.txt\n")
        (tmp_path / "gone.txt").unlink()
        desk.until(lambda: {".gitignore", "data/a.txt", "gone.txt"} <= desk.told)
        desk.turn(0.3)
        desk.batches.clear()
        _write(tmp_path, "b.txt", "data/a.txt")
        desk.until(lambda: desk.told)
        desk.marked()
        assert desk.told == {"data/a.txt"}


def test_a_project_inside_a_repository_has_paths_of_its_own(tmp_path):
    _git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("*.log\n/sub/gen/\n")
    root = tmp_path / "sub"
    _write(root, "a.log", "gen/x.py", "pkg/x.py")
    with Desk(root) as desk:
        _write(root, "a.log", "b.log", "gen/x.py", "pkg/x.py")
        desk.until(lambda: desk.told)
        desk.marked()
        assert desk.told == {"pkg/x.py"}
