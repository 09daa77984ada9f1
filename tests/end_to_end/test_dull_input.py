"""Nothing to do, nothing to find, or far too much of it: pytest's results are untouched, ours are short."""

from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, Compare, check_clean, check_same
from tests.end_to_end.projects import CLAMP, RED

SHORT = ("--buddy", "--buddy-budget", "2")
GREEN = {"test_green.py": "def test_green():\n    assert True\n"}


@pytest.mark.parametrize(
    ("files", "arguments", "exit_code"),
    [
        pytest.param({"readme.txt": ""}, (), 5, id="no_tests"),
        pytest.param(GREEN, (), 0, id="all_green"),
        pytest.param(GREEN, ("-k", "nothing"), 5, id="all_deselected"),
        pytest.param(GREEN, ("--collect-only",), 0, id="collect_only"),
        pytest.param(RED, ("--co", "-q"), 0, id="collect_only_of_red"),
        pytest.param(RED, ("absent.py",), 4, id="no_such_file"),
        pytest.param(RED, ("--absent-option",), 4, id="no_such_option"),
        pytest.param(RED, ("--version",), 0, id="version"),
        pytest.param(RED, ("-k", "inside or below"), 0, id="red_deselected"),
    ],
)
def test_there_is_nothing_to_do(
    tmp_path: Path, compare: Compare, files: dict[str, str], arguments: tuple[str, ...], exit_code: int
) -> None:
    both = compare(Project(tmp_path, files), *arguments)
    assert both.plain.exit == exit_code
    assert both.section == ""


@pytest.mark.parametrize(
    ("files", "named"),
    [
        pytest.param({"test_it.py": "def test_it(:\n    pass\n"}, "SyntaxError", id="syntax_error_in_test"),
        pytest.param(
            {"test_it.py": "import absent_module\n\ndef test_it():\n    pass\n"},
            "absent_module",
            id="import_error_in_test",
        ),
        pytest.param(
            {
                "shop.py": "def price(:\n    return 1\n",
                "test_it.py": "import shop\n\ndef test_it():\n    assert shop.price() == 1\n",
            },
            "shop.py:1",
            id="syntax_error_in_source",
        ),
        pytest.param(
            {"conftest.py": "import absent_module\n", "test_it.py": "def test_it():\n    pass\n"},
            "",
            id="import_error_in_conftest",
        ),
        pytest.param(
            {"test_it.py": "import pytest\n\npytest.exit('enough')\n"}, "", id="exit_while_collecting"
        ),
        pytest.param({"test_it.py": b"\xff\xfe\x00not python\n"}, "test_it.py", id="not_text"),
    ],
)
def test_what_cannot_be_collected_is_named(
    tmp_path: Path, compare: Compare, files: dict[str, str], named: str
) -> None:
    both = compare(Project(tmp_path, files), buddy=SHORT)
    assert both.plain.exit != 0
    assert named in both.section


def test_an_error_in_collection_is_fixed_when_the_fault_is_in_the_source(
    tmp_path: Path, compare: Compare
) -> None:
    project = Project(
        tmp_path,
        {
            "shop.py": "RATES = {'full': 20, 'reduced': 5}\nDEFAULT = RATES['ful']\n",
            "test_shop.py": "import shop\n\n\ndef test_default():\n    assert shop.DEFAULT == 20\n",
        },
    )
    both = compare(project, "--continue-on-collection-errors")
    assert "shop.py:2" in both.section
    (fault,) = both.buddy.report["faults"]
    assert fault["suspects"][0]["file"] == "shop.py"


@pytest.mark.slow
def test_two_thousand_failures_take_little_time_and_few_lines(tmp_path: Path) -> None:
    cases = "import pytest\nfrom shop.clamp import clamp\n\n\n@pytest.mark.parametrize('n', range(2000))\n"
    cases += "def test_above(n):\n    assert clamp(100 + n, 0, 10) == 10\n"
    project = Project(tmp_path, {"shop/__init__.py": "", "shop/clamp.py": CLAMP, "tests/test_many.py": cases})
    before = project.tree()
    plain = project.pytest("-q", "--tb=no", timeout=120)
    buddy = project.pytest("-q", "--tb=no", *QUICK, timeout=120)
    check_same(plain, buddy)
    check_clean(project, before)
    assert plain.counts == {"failed": 2000}
    ours = buddy.out.splitlines()[len(plain.out.rstrip().splitlines()) :]
    assert 0 < len(ours) <= 200
    assert buddy.report["summary"] == {"failed": 2000, "flaky": 0, "faults": 1, "fixed": 1}
    assert buddy.seconds < plain.seconds * 4 + 10


@pytest.mark.parametrize(
    ("arguments", "failed"),
    [
        pytest.param(("-x", "-k", "above or double"), 1, id="first_only"),
        pytest.param(("tests/test_clamp.py::test_above", "--tb=short"), 1, id="chosen_by_node"),
        pytest.param(("-q", "--no-header", "--tb=line"), 1, id="other_looks"),
        pytest.param(("-v", "-rA", "-s"), 1, id="verbose_uncaptured"),
    ],
)
def test_options_that_choose_and_print_work_as_ever(
    red: Project, compare: Compare, arguments: tuple[str, ...], failed: int
) -> None:
    both = compare(red, *arguments)
    assert both.plain.counts["failed"] == failed
    assert both.buddy.report["summary"]["fixed"] == 1


def test_only_what_failed_last_time(red: Project) -> None:
    red.pytest("-q")
    plain = red.pytest("-q", "--lf")
    buddy = red.pytest("-q", "--lf", *QUICK)
    check_same(plain, buddy)
    assert plain.counts["failed"] == 1
    assert buddy.report["summary"]["fixed"] == 1
    check_same(plain, red.pytest("-q", "--lf", "--buddy", "--buddy-budget", "1"))


def test_quieter_and_quieter(red: Project) -> None:
    sections = {}
    for flags in ((), ("-qq",)):
        plain, buddy = red.pytest(*flags), red.pytest(*flags, *QUICK)
        check_same(plain, buddy)
        sections[flags] = buddy.out.splitlines()[len(plain.out.rstrip().splitlines()) :]
    assert len(sections[()]) > 20
    assert len([line for line in sections["-qq",] if line]) == 1
    assert not any("\x1b" in line for lines in sections.values() for line in lines)
    silent = red.pytest("-p", "no:terminal", *QUICK)
    assert (silent.exit, silent.out, silent.err) == (1, "", "")
    assert silent.report["summary"]["fixed"] == 1
