"""Everything that pytest calls a test, and everywhere a fault can hide."""

from pathlib import Path

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.comparison import QUICK, Compare, check_same
from tests.end_to_end.projects import CLAMP, RED

UNITTEST = """\
import unittest

from shop.clamp import clamp


class ClampTest(unittest.TestCase):
    def setUp(self):
        self.low, self.high = 0, 10

    def test_above(self):
        self.assertEqual(clamp(50, self.low, self.high), 10)

    def test_below(self):
        self.assertEqual(clamp(-50, self.low, self.high), 0)

    def test_many(self):
        for value in (5, 60, 70):
            with self.subTest(value=value):
                self.assertEqual(clamp(value, self.low, self.high), min(value, 10))
"""
SUBTESTS = """\
from shop.clamp import clamp


def test_many(subtests):
    for value in (5, 60, 70):
        with subtests.test(value=value):
            assert clamp(value, 0, 10) == min(value, 10)
"""
PARAMETRISED = """\
import pytest
from shop.clamp import clamp


@pytest.fixture(params=[10, 20])
def high(request):
    return request.param


@pytest.mark.parametrize("value", [5, 60, 70], ids=["in/side", "a b", "é"])
def test_values(value, high):
    assert clamp(value, 0, high) == min(value, high)


class TestInClass:
    @pytest.mark.parametrize(("value", "wanted"), [(99, 10), (-1, 0)])
    def test_pairs(self, value, wanted):
        assert clamp(value, 0, 10) == wanted
"""
IN_FIXTURE = """\
import pytest
from shop.clamp import clamp


@pytest.fixture
def limited():
    value = clamp(50, 0, 10)
    if value != 10:
        raise ValueError(f"not limited: {value}")
    return value


@pytest.fixture
def closing():
    yield
    assert clamp(60, 0, 10) == 10


def test_with_set_up(limited):
    assert limited == 10


def test_with_tear_down(closing):
    assert clamp(5, 0, 10) == 5
"""
STRICT = """\
import pytest
from shop.clamp import clamp


@pytest.mark.xfail(strict=True)
def test_expected_to_fail_but_passes():
    assert clamp(5, 0, 10) == 5


@pytest.mark.xfail
def test_expected_to_fail():
    assert clamp(50, 0, 10) == 10
"""
RAISES = """\
import pytest
from shop.checks import checked


def test_negative_is_refused():
    with pytest.raises(ValueError, match="negative"):
        checked(-1)


def test_zero_is_fine():
    assert checked(0) == 0


def test_positive_is_fine():
    assert checked(3) == 3
"""


def with_tests(**texts: str) -> dict[str, str]:
    kept = {name: text for name, text in RED.items() if not name.startswith("tests/")}
    return {**kept, **{f"tests/test_{name}.py": text for name, text in texts.items()}}


@pytest.mark.slow
def test_many_kinds_of_tests_with_one_fault(tmp_path: Path, compare: Compare) -> None:
    files = with_tests(unit=UNITTEST, subs=SUBTESTS, param=PARAMETRISED, fixture=IN_FIXTURE, strict=STRICT)
    project = Project(tmp_path, files)
    both = compare(project, "-q", "--tb=short", buddy=("--buddy", "--buddy-budget", "15"))
    report = both.buddy.report
    by_test = {failure["test"]: failure for failure in report["failures"]}
    assert by_test["tests/test_fixture.py::test_with_set_up"]["phase"] == "setup"
    assert by_test["tests/test_fixture.py::test_with_tear_down"]["phase"] == "teardown"
    main = next(fault for fault in report["faults"] if fault["patches"])
    assert main["patches"][0]["verdict"]["confirmed"]
    assert main["patches"][0]["diff"].count("\n+        return high") == 1
    assert {
        "tests/test_unit.py::ClampTest::test_above",
        "tests/test_fixture.py::test_with_set_up",
        "tests/test_fixture.py::test_with_tear_down",
        "tests/test_param.py::TestInClass::test_pairs[99-10]",
    } <= set(main["tests"])
    strict = by_test["tests/test_strict.py::test_expected_to_fail_but_passes"]
    assert strict["fault"] != main["id"]
    assert report["summary"]["flaky"] == 0
    assert report["summary"]["fixed"] == 1


def test_a_doctest(tmp_path: Path, compare: Compare) -> None:
    text = '''"""A shop."""


def total(prices):
    """The sum of prices.

    >>> total([1, 2, 3])
    6
    >>> total([])
    0
    """
    result = 1
    for price in prices:
        result += price
    return result
'''
    project = Project(tmp_path, {"shop.py": text, "readme.txt": "Nothing.\n"})
    both = compare(project, "-q", "--doctest-modules", "shop.py")
    assert both.plain.counts == {"failed": 1}
    assert both.buddy.report["summary"] == {"failed": 1, "flaky": 0, "faults": 1, "fixed": 1}
    assert "+    result = 0" in both.buddy.report["faults"][0]["patches"][0]["diff"]


def test_a_doctest_beside_what_is_only_known_at_import(tmp_path: Path, compare: Compare) -> None:
    """A file that is collected for its examples is imported by pytest's own loader; its edits count too."""
    text = '''"""A shop."""

RATES = {"de": 0.91, "fr": 0.2}


def tax(net, country):
    """The tax.

    >>> tax(100, "de")
    19.0
    >>> tax(100, "fr")
    20.0
    """
    return round(net * RATES[country], 2)
'''
    project = Project(tmp_path, {"shop.py": text, "readme.txt": "Nothing.\n"})
    both = compare(project, "-q", "--doctest-modules", "shop.py")
    assert both.plain.counts == {"failed": 1}
    assert both.buddy.report["summary"] == {"failed": 1, "flaky": 0, "faults": 1, "fixed": 1}


def test_an_exception_that_should_have_been_raised(tmp_path: Path, compare: Compare) -> None:
    source = """\
def checked(value):
    if value < -1:
        raise ValueError("negative")
    return value
"""
    project = Project(
        tmp_path, {"shop/__init__.py": "", "shop/checks.py": source, "tests/test_checks.py": RAISES}
    )
    both = compare(project, "-q")
    assert both.buddy.report["summary"]["fixed"] == 1


def test_two_faults_are_told_apart(tmp_path: Path, compare: Compare) -> None:
    files = {
        **RED,
        "shop/total.py": """\
def total(prices):
    result = 1
    for price in prices:
        result += price
    return result
""",
        "tests/test_total.py": """\
from shop.total import total


def test_nothing():
    assert total([]) == 0


def test_some():
    assert total([1, 2]) == 3
""",
    }
    project = Project(tmp_path, files)
    both = compare(project, "-q", buddy=("--buddy", "--buddy-budget", "15"))
    report = both.buddy.report
    assert report["summary"] == {"failed": 3, "flaky": 0, "faults": 2, "fixed": 2}
    assert {fault["suspects"][0]["file"] for fault in report["faults"]} == {"shop/clamp.py", "shop/total.py"}
    while project.buddy("apply").exit == 0:
        pass
    assert project.pytest("-q").counts == {"passed": 6}
    assert project.buddy("undo").exit == 0
    assert project.pytest("-q").exit == 1
    assert project.buddy("undo").exit == 0
    assert project.tree() == {name: text.encode() for name, text in files.items()}


def test_a_fault_in_a_conftest_is_shown_but_never_edited(tmp_path: Path, compare: Compare) -> None:
    project = Project(
        tmp_path,
        {
            "shop.py": "def double(value):\n    return value * 2\n",
            "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef four():\n    return 2 + 3\n",
            "tests/test_shop.py": "from shop import double\n\n\ndef test_double(four):\n"
            "    assert double(2) == four\n\n\ndef test_two():\n    assert double(1) == 2\n",
        },
    )
    both = compare(project, "-q", buddy=("--buddy", "--buddy-budget", "3"))
    edited = {
        line.removeprefix("+++ b/")
        for fault in both.buddy.report["faults"]
        for patch in fault["patches"]
        for line in patch["diff"].splitlines()
        if line.startswith("+++ b/")
    }
    assert edited <= {"shop.py"}


def test_flaky_tests_are_named_and_left_alone(tmp_path: Path) -> None:
    """One fails the first time only, the other only after its neighbour has run."""
    marker = tmp_path / "was_run"
    files = {
        **RED,
        "tests/test_flaky.py": f"""\
from pathlib import Path

SEEN = []


def test_first_time_only():
    marker = Path({str(marker)!r})
    before = marker.exists()
    marker.write_text("")
    assert before


def test_neighbour():
    SEEN.append(1)
    assert SEEN


def test_only_after_its_neighbour():
    assert not SEEN
""",
    }
    project = Project(tmp_path, files)
    plain = project.pytest("-q")
    marker.unlink()
    buddy = project.pytest("-q", *QUICK)
    check_same(plain, buddy)
    report = buddy.report
    assert report["summary"] == {"failed": 3, "flaky": 2, "faults": 1, "fixed": 1}
    flaky = {failure["test"] for failure in report["failures"] if failure["flaky"]}
    assert flaky == {
        "tests/test_flaky.py::test_first_time_only",
        "tests/test_flaky.py::test_only_after_its_neighbour",
    }
    assert "flaky" in buddy.out


def test_the_keys_of_the_report(red: Project) -> None:
    """Other programs read it: it changes only by adding, and adding is done on purpose."""
    report = red.pytest("-q", *QUICK).report
    (fault,) = report["faults"]
    patch = fault["patches"][0]
    assert report["schema"] == "pytest-buddy/1"
    assert set(report) == {
        *("schema", "version", "sandbox", "offline", "summary", "failures", "faults", "timing"),
        "notices",
    }
    assert set(report["summary"]) == {"failed", "flaky", "faults", "fixed"}
    assert set(report["failures"][0]) == {"test", "error_type", "message", "flaky", "fault", "phase"}
    assert set(fault) == {
        *("id", "tests", "suspects", "explanation", "patches", "search", "note"),
        "question",
    }
    assert set(fault["suspects"][0]) == {
        *("file", "line", "end_line", "function", "score", "rank", "tied_with", "evidence")
    }
    assert set(fault["explanation"]) == {"bullets", "origin"}
    assert 4 <= len(fault["explanation"]["bullets"]) <= 6
    assert set(patch) == {
        *("id", "rank", "diff", "origin", "changed_lines", "rationale", "verdict"),
        "redacted",
    }
    assert set(patch["verdict"]) == {"outcome", "fixed", "broken", "ran", "confirmed", "sandbox", "seconds"}
    assert set(fault["search"]) == {
        *("candidates", "validated", "seconds", "stopped", "coders"),
        *("also_passing", "kept_out", "refuted"),
    }
    assert set(report["timing"]) == {"collect", "localize", "propose", "total", "first_fix"}
    assert report["failures"][0]["fault"] == fault["id"]


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_endings_survive(tmp_path: Path, ending: str) -> None:
    source = CLAMP.replace("\n", ending).encode()
    project = Project(tmp_path, {**RED, "shop/clamp.py": source})
    assert project.pytest("-q", *QUICK).report["summary"]["fixed"] == 1
    assert project.buddy("apply").exit == 0
    changed = (project.root / "shop/clamp.py").read_bytes()
    assert changed == source.replace(
        f"high:{ending}        return low".encode(), f"high:{ending}        return high".encode()
    )
