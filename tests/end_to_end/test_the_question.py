"""On a terminal, each fix is asked about once; what is typed there reaches us past pytest's capturing."""

from pytest_buddy.testing import Project
from tests.end_to_end.projects import CLAMP, FIXED


def test_a_fix_is_applied_by_one_key(red: Project) -> None:
    with red.terminal("--buddy") as terminal:
        terminal.until("[q]uit > ")
        terminal.type("e\n")
        terminal.until("[q]uit > ")
        terminal.type("a\n")
        run = terminal.finish()
    assert run.exit == 1
    assert "applied" in run.out
    assert red.read("shop/clamp.py") == FIXED


def test_leaving_the_question_leaves_everything_as_it_is(red: Project) -> None:
    with red.terminal("--buddy") as terminal:
        terminal.until("[q]uit > ")
        terminal.interrupt()
        run = terminal.finish()
    assert run.exit == 1
    assert "internal error" not in run.out
    assert red.read("shop/clamp.py") == CLAMP


def test_nobody_is_asked_in_a_build(red: Project) -> None:
    with red.terminal("--buddy", env={"CI": "true"}) as terminal:
        run = terminal.finish()
    assert run.exit == 1
    assert "buddy apply" in run.out
    assert "[q]uit" not in run.out
