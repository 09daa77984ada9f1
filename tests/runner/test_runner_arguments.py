import pytest

from pytest_buddy.runner import inherited


@pytest.mark.parametrize(
    ("line", "positional", "kept"),
    [
        ("-q -x -vv -rA --tb=short tests", ["tests"], ""),
        ("-n 4 --dist loadscope", [], ""),
        ("-n4 -k 'x'", [], ""),
        ("--cov=pkg --cov-report term-missing --cov-fail-under 90", [], ""),
        ("-k name -m slow --maxfail 2 --lf --sw", [], ""),
        ("--runslow --db sqlite tests/a.py", ["tests/a.py"], "--runslow --db sqlite"),
        ("-o asyncio_mode=auto -W error", [], "-o asyncio_mode=auto -W error"),
        ("-p no:cacheprovider -pmyplugin -p xdist", [], "-p no:cacheprovider -p myplugin"),
        ("--import-mode=importlib --strict-markers", [], "--import-mode=importlib --strict-markers"),
        (
            "-c other.ini --rootdir . --doctest-modules pkg",
            ["pkg"],
            "-c other.ini --rootdir . --doctest-modules",
        ),
        ("--buddy --buddy-report json:x.json --no-buddy-offline", [], ""),
        ("tests::test_x[a-b] --junitxml out.xml", ["tests::test_x[a-b]"], ""),
        ("--pdb -s --capture=no --color yes", [], ""),
    ],
)
def test_what_a_runner_inherits(line, positional, kept):
    import shlex

    assert inherited(shlex.split(line), positional) == tuple(kept.split())


def test_a_value_that_looks_like_a_path_stays_with_its_option():
    assert inherited(["--db", "tests", "tests"], ["tests"]) == ("--db", "tests")
