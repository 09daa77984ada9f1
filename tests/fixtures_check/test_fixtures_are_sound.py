"""Each fixture is red exactly as it says, green once mended, and its unseen tests can tell the two apart."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue import Fixture, load, mend
from outcomes import Runner, runner

pytestmark = pytest.mark.slow

FIXTURES = load()
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


@pytest.fixture(params=FIXTURES, ids=[fixture.name for fixture in FIXTURES])
def fixture(request: pytest.FixtureRequest) -> Fixture:
    chosen: Fixture = request.param
    return chosen


@pytest.fixture(scope="module")
def outcomes_of() -> Iterator[Runner]:
    with runner() as running:
        yield running


def failed(outcomes: dict[str, str]) -> set[str]:
    return {test for test, outcome in outcomes.items() if outcome == "failed"}


def unseen(tests: set[str]) -> set[str]:
    return {test for test in tests if test.startswith("unseen/")}


def changed_places(diff: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """File and old line of each removed line; both neighbours of a place where lines only come in."""
    file, line, removing = "", 0, False
    for text in diff.splitlines():
        if text.startswith("--- a/"):
            file = text.removeprefix("--- a/")
        elif hunk := _HUNK.match(text):
            line, removing = int(hunk.group(1)), False
        elif text.startswith("-"):
            yield file, (line,)
            line, removing = line + 1, True
        elif text.startswith("+") and not text.startswith("+++"):
            if not removing:
                yield file, (line - 1, line)
        else:
            line, removing = line + 1, False


def near(fixture: Fixture, file: str, lines: tuple[int, ...]) -> list[int]:
    """Indices of the faults that a changed place belongs to, blank lines beside a gap passed over."""
    source = (fixture.project / file).read_text(encoding="utf-8").splitlines()
    around = set(lines)
    if len(lines) == 2:
        before, after = lines
        while before > 1 and not source[before - 1].strip():
            before -= 1
        while after < len(source) and not source[after - 1].strip():
            after += 1
        around |= {before, after}
    return [
        index
        for index, fault in enumerate(fixture.faults)
        if any(fault.covers(file, line) for line in around)
    ]


def test_there_are_enough_of_them() -> None:
    assert len(FIXTURES) >= 22
    assert sum(fixture.single_edit for fixture in FIXTURES) >= 16
    assert any(fixture.flaky for fixture in FIXTURES)
    assert any(len(fixture.faults) > 1 for fixture in FIXTURES)


def test_it_is_red_as_it_says_and_green_once_mended(
    fixture: Fixture, tmp_path: Path, outcomes_of: Runner
) -> None:
    broken = fixture.copy(tmp_path / "broken")
    fixture.reveal(broken)
    red = failed(outcomes_of(broken, *own_tests(broken), "unseen"))
    assert red - unseen(red) == set(fixture.failing)
    assert bool(unseen(red)) == bool(fixture.faults)

    mended = fixture.copy(tmp_path / "mended")
    fixture.reveal(mended)
    if fixture.fix:
        mend(mended, fixture.fix)
    results = outcomes_of(mended, *own_tests(mended), "unseen")
    assert failed(results) <= set(fixture.flaky)
    assert len(unseen(set(results))) >= 3


def own_tests(project: Path) -> tuple[str, ...]:
    """The directories that the project's settings name, so that unseen tests can be run beside them."""
    settings = "".join(
        (project / name).read_text(encoding="utf-8")
        for name in ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini")
        if (project / name).exists()
    )
    named = re.search(r"^testpaths\s*=\s*(.+)$", settings, re.MULTILINE)
    return tuple(re.findall(r"[\w./]+", named.group(1))) if named else ()


def test_flaky_tests_pass_when_tried_again(fixture: Fixture, tmp_path: Path, outcomes_of: Runner) -> None:
    if not fixture.flaky:
        return
    project = fixture.copy(tmp_path / "project")
    assert set(fixture.flaky) <= failed(outcomes_of(project))
    for test in fixture.flaky:
        assert outcomes_of(project, test) == {test: "passed"}


def test_its_faults_are_where_the_fix_is(fixture: Fixture) -> None:
    found = [near(fixture, file, lines) for file, lines in changed_places(fixture.fix)]
    assert all(found)
    assert {index for indices in found for index in indices} == set(range(len(fixture.faults)))


def test_its_faults_are_lines_of_the_project(fixture: Fixture) -> None:
    for fault in fixture.faults:
        source = (fixture.project / fault.file).read_text(encoding="utf-8").splitlines()
        for line in (fault.line, fault.end_line, *fault.lines):
            assert source[line - 1].strip()
        assert fault.function.split(".")[-1] in "".join(source) + fault.file


def test_an_entry_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    entry = (FIXTURES[0].directory / "fixture.toml").read_text(encoding="utf-8")
    (tmp_path / "odd" / "fixture.toml").write_text(f"severity = 1\n{entry}", encoding="utf-8")
    with pytest.raises(ValueError, match="odd: missing or unknown keys severity"):
        load(tmp_path)


def test_a_gap_is_covered_by_the_lines_around_it() -> None:
    (bank,) = (fixture for fixture in FIXTURES if fixture.name == "bank_ledger")
    (fault,) = bank.faults
    around = range(fault.line - 2, fault.line + 1)
    assert [fault.covers(fault.file, line) for line in around] == [True, True, True]
    assert not fault.covers(fault.file, fault.line + 1)
    assert not fault.covers("ledger/books.py", fault.line)
