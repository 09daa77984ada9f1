"""The command line of buddy-watch, the projects it means, the editor it opens."""

import pytest

from buddy_watch.cli import main, parsed
from buddy_watch.editing import command, open_editor
from buddy_watch.places import places, scope
from pytest_buddy.errors import BuddyError


def test_everything_of_pytests_goes_to_pytest():
    options = parsed(["-k", "cart", "--json", "-x", "--", "tests/unit", "--json"])
    assert options.words == ["-k", "cart", "-x", "--", "tests/unit", "--json"]
    assert options.view == "json"


def test_buddys_own_settings_are_flags():
    options = parsed(["--buddy-budget=3", "--buddy-sandbox", "full", "--no-buddy-offline", "--buddy"])
    assert options.flags == {"budget": "3", "sandbox": "full", "offline": False}
    assert options.words == []


@pytest.mark.parametrize("word", ["--pdb", "--trace", "--collect-only", "--pdb=x"])
def test_what_cannot_be_watched_is_refused_with_a_way_out(word):
    with pytest.raises(BuddyError, match="cannot be watched") as caught:
        parsed([word])
    assert "pytest" in caught.value.hint


def test_a_flag_without_its_value_is_an_error(capsys):
    assert main(["--buddy-budget"]) == 1
    assert "needs a value" in capsys.readouterr().err


def test_help_names_pytests_arguments(capsys):
    assert main(["--help"]) == 0
    assert "buddy-watch -k cart -x -- tests/unit" in capsys.readouterr().out


@pytest.fixture
def monorepo(tmp_path):
    for name in ("shop", "bank"):
        (tmp_path / name / "tests").mkdir(parents=True)
    (tmp_path / "shop" / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "bank" / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return tmp_path


def test_a_project_is_one_place(monorepo):
    (place,) = places(["-k", "tests"], monorepo / "shop")
    assert place.cwd == monorepo / "shop"
    assert place.words == ("-k", "tests")


def test_paths_below_several_configurations_are_several_projects(monorepo):
    found = places(["-x", "shop/tests", "bank/tests"], monorepo)
    assert [place.words for place in found] == [("-x", "shop/tests"), ("-x", "bank/tests")]


def test_without_paths_the_projects_below_are_found(monorepo):
    found = places(["-q"], monorepo)
    assert [place.cwd.name for place in found] == ["bank", "shop"]


def test_a_configuration_at_the_top_keeps_it_one_project(monorepo):
    (monorepo / "tox.ini").write_text("[pytest]\n")
    assert len(places([], monorepo)) == 1
    assert len(places(["--rootdir=.", "shop", "bank"], monorepo)) == 1


@pytest.mark.parametrize(
    ("editor", "expected"),
    [
        (["vim"], ["vim", "+7", "/p/x.py"]),
        (["/usr/bin/nano", "-l"], ["/usr/bin/nano", "-l", "+7", "/p/x.py"]),
        (["code", "--wait"], ["code", "--wait", "--goto", "/p/x.py:7"]),
        (["hx"], ["hx", "/p/x.py:7"]),
        (["pycharm"], ["pycharm", "--line", "7", "/p/x.py"]),
        (["unheard-of"], ["unheard-of", "/p/x.py"]),
    ],
)
def test_editors_open_at_the_line(editor, expected):
    from pathlib import Path

    assert command(editor, Path("/p/x.py"), 7) == expected


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({}, "no editor"),
        ({"EDITOR": "no-such-editor-anywhere"}, "not there"),
        ({"EDITOR": "'"}, "cannot be read"),
    ],
)
def test_a_missing_editor_is_said_with_a_way_out(tmp_path, environment, problem):
    with pytest.raises(BuddyError, match=problem) as caught:
        open_editor(tmp_path / "x.py", 1, environment)
    assert caught.value.hint


def test_the_scope_is_what_pytest_was_called_for(monorepo):
    root = monorepo / "shop"
    assert scope(root, root, [], []) == ()
    assert scope(root, root, [], ["tests"]) == ("tests",)
    assert scope(root, root / "tests", [], ["tests"]) == ("tests",)
    assert scope(root, root / "tests", [".", "../tests"], []) == ("tests", "tests")
    assert scope(root, root, ["."], []) == ()
    assert scope(root, monorepo, ["shop/tests::x"], []) == ("tests::x",)
    with pytest.raises(BuddyError, match="there is no nowhere"):
        scope(root, root, ["nowhere"], [])
