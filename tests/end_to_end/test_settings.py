"""Settings that cannot be used are said before the run, as pytest says its own."""

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.projects import RED

GREEN = {"pytest.ini": "[pytest]\n", "test_it.py": "def test_it():\n    assert True\n"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--buddy-coder", "temlates"), "Known coders: auto, templates."),
        (("--buddy-report", "jason"), "Known formats: json, markdown."),
        (("--buddy-sandbox", "fool"), "must be one of auto, full, partial, none"),
        (("--buddy-budget", "-1"), "must be a number of seconds above 0"),
        (("--buddy-why", "shop.py"), "must be PATH:LINE"),
    ],
)
def test_a_value_nobody_knows_is_a_usage_error(tmp_path, words, said):
    run = Project(tmp_path, GREEN).pytest("--buddy", *words)
    assert run.exit == pytest.ExitCode.USAGE_ERROR
    assert said in run.out + run.err


def test_an_unknown_key_names_its_neighbour(tmp_path):
    project = Project(tmp_path, {**GREEN, "pyproject.toml": "[tool.pytest-buddy]\nbugdet = 3\n"})
    run = project.pytest("--buddy")
    assert run.exit == pytest.ExitCode.USAGE_ERROR
    assert "Did you mean 'budget'?" in run.out + run.err


def test_a_line_that_is_asked_about_is_answered_for(tmp_path):
    places = ("shop/clamp.py:5", "shop/clamp.py:10", "tests/test_clamp.py:5", "shop/nowhere.py:1")
    run = Project(tmp_path, RED).pytest(
        "--buddy", *(word for place in places for word in ("--buddy-why", place))
    )
    assert run.exit == pytest.ExitCode.TESTS_FAILED
    answers = {place: run.out.partition(f"why {place}\n")[2].partition("\nwhy")[0] for place in places}
    assert "It is number 1 of the" in answers["shop/clamp.py:5"]
    assert "suspects" not in answers["shop/clamp.py:10"]
    assert "tests are never suspected" in answers["tests/test_clamp.py:5"]
    assert "No failing test runs a line" in answers["shop/nowhere.py:1"]


def test_where_all_is_green_no_line_is_suspected(tmp_path):
    run = Project(tmp_path, GREEN).pytest("--buddy", "--buddy-why", "test_it.py:1")
    assert run.exit == 0
    assert "No test failed: nothing is suspected." in run.out
