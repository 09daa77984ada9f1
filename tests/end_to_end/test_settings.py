"""Settings that cannot be used are said before the run, as pytest says its own."""

import pytest

from pytest_buddy.testing import Project

GREEN = {"pytest.ini": "[pytest]\n", "test_it.py": "def test_it():\n    assert True\n"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--buddy-coder", "temlates"), "Known coders: auto, templates."),
        (("--buddy-report", "jason"), "Known formats: json, markdown."),
        (("--buddy-sandbox", "fool"), "must be one of auto, full, partial, none"),
        (("--buddy-budget", "-1"), "must be a number of seconds above 0"),
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
