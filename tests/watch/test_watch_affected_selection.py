"""Which tests a change affects, given what they touched when they last ran."""

from pathlib import Path

import pytest

from tests.watch.affected_project import Sources

CORE = """\
LIMIT = 10

def clamp(value):
    return min(value, LIMIT)

def double(value):
    return 2 * value

def make():
    def made():
        return 1
    return made
"""
TESTS = """\
import pkg.core

def check(value):
    assert value

def test_clamp():
    check(pkg.core.clamp(3))

def test_double():
    check(pkg.core.double(3))
"""
FILES = {
    "pkg/__init__.py": "",
    "pkg/core.py": CORE,
    "tests/test_core.py": TESTS,
    "tests/test_more.py": "import pkg.core\ndef test_more(): pass\n",
    "tests/test_far.py": "def test_far(): pass\n",
}
CLAMP, DOUBLE = "tests/test_core.py::test_clamp", "tests/test_core.py::test_double"
MORE, FAR = "tests/test_more.py::test_more", "tests/test_far.py::test_far"


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    found = Sources(tmp_path, FILES)
    own = ("tests/test_core.py", "check")
    found.ran(CLAMP, ("pkg/core.py", "clamp"), ("tests/test_core.py", "test_clamp"), own)
    found.ran(DOUBLE, ("pkg/core.py", "double"), ("tests/test_core.py", "test_double"), own)
    found.ran(MORE, ("tests/test_more.py", "test_more"))
    found.ran(FAR, ("tests/test_far.py", "test_far"))
    return found


def test_a_body_concerns_the_tests_that_ran_it(sources):
    selection = sources.after("pkg/core.py", CORE.replace("2 * value", "3 * value"))
    assert selection.tests == {DOUBLE}
    assert not selection.files
    assert selection.why == "changed:pkg/core.py"


def test_a_body_nobody_ran_concerns_nobody(sources):
    assert not sources.after("pkg/core.py", CORE.replace("return made", "return None"))


def test_the_module_level_concerns_every_importer(sources):
    selection = sources.after("pkg/core.py", CORE.replace("LIMIT = 10", "LIMIT = 11"))
    assert selection.files == {"tests/test_core.py", "tests/test_more.py"}
    assert not selection.tests


def test_a_comment_concerns_nobody_and_the_same_bytes_are_no_change(sources):
    assert not sources.after("pkg/core.py", CORE + "# the end\n")
    assert sources.knowledge.observe(["pkg/core.py"]) == ()


def test_a_body_that_ran_at_import_time_concerns_every_importer(sources):
    sources.ran(FAR, early=frozenset({("pkg/core.py", "make.<locals>.made")}))
    selection = sources.after("pkg/core.py", CORE.replace("return made", "return None"))
    assert selection.files == {"tests/test_core.py", "tests/test_more.py"}


def test_who_runs_an_inner_function_depends_on_the_outer_one_too(sources):
    sources.ran(FAR, ("pkg/core.py", "make.<locals>.made"))
    assert sources.after("pkg/core.py", CORE.replace("return made", "return None")).tests == {FAR}
    assert sources.after("pkg/core.py", CORE.replace("return 1", "return 2")).tests == {FAR}


def test_tests_of_which_nothing_is_known_run_when_they_import_the_file(sources):
    sources.ran(MORE, mapped=False)
    selection = sources.after("pkg/core.py", CORE.replace("2 * value", "3 * value"))
    assert (selection.tests, selection.files) == ({DOUBLE}, {"tests/test_more.py"})
    sources.ran(CLAMP, status="crashed")
    assert sources.after("pkg/core.py", CORE.replace("2 * value", "4 * value")).tests == {CLAMP, DOUBLE}


def test_one_test_function_concerns_itself_in_all_its_variants(sources):
    variants = {f"{CLAMP}[{number}]" for number in range(3)}
    for variant in variants:
        sources.ran(variant, ("tests/test_core.py", "test_clamp"))
    text = TESTS.replace("clamp(3)", "clamp(4)")
    assert sources.after("tests/test_core.py", text).tests == {CLAMP, *variants}


def test_a_helper_in_a_test_file_concerns_the_tests_that_ran_it(sources):
    selection = sources.after("tests/test_core.py", TESTS.replace("assert value", "assert not value"))
    assert selection.tests == {CLAMP, DOUBLE}


def test_without_a_map_names_tell_tests_from_helpers(tmp_path):
    sources = Sources(tmp_path, FILES)
    for test in (CLAMP, f"{DOUBLE}[a]", f"{DOUBLE}[b]", MORE):
        sources.ran(test, mapped=False)
    text = TESTS.replace("double(3)", "double(4)")
    assert sources.after("tests/test_core.py", text).tests == {f"{DOUBLE}[a]", f"{DOUBLE}[b]"}
    helper = text.replace("assert value", "assert not value")
    assert sources.after("tests/test_core.py", helper).files == {"tests/test_core.py"}


def test_a_new_test_file_runs_and_says_that_it_is_new(sources):
    selection = sources.after("tests/test_new.py", "def test_new(): pass\n")
    assert selection.files == {"tests/test_new.py"}
    assert selection.why == "new:tests/test_new.py"


def test_a_deleted_test_file_takes_its_tests_along(sources):
    sources.remove("tests/test_core.py")
    changes = sources.knowledge.observe(["tests/test_core.py"])
    assert [change.kind for change in changes] == ["deleted"]
    assert not sources.affected(changes)
    assert set(sources.knowledge.tests) == {MORE, FAR}


def test_a_deleted_module_concerns_its_importers(sources):
    sources.remove("pkg/core.py")
    selection = sources.affected(sources.knowledge.observe(["pkg/core.py"]))
    assert selection.files == {"tests/test_core.py", "tests/test_more.py"}


def test_a_directory_stands_for_the_files_below_it(sources):
    for path in ("pkg/core.py", "pkg/__init__.py"):
        sources.remove(path)
    (sources.root / "pkg").rmdir()
    changes = sources.knowledge.observe(["pkg"])
    assert {change.path for change in changes} == {"pkg/core.py", "pkg/__init__.py"}
    sources.write({"pkg/core.py": CORE, "pkg/__init__.py": ""})
    assert {change.kind for change in sources.knowledge.observe(["pkg"])} == {"added"}


@pytest.mark.parametrize("path", ["pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini", "pkg/fast.so"])
def test_configuration_and_compiled_modules_concern_everything(sources, path):
    selection = sources.after(path, "x")
    assert selection.everything
    assert selection.why == f"changed:{path}"


def test_other_files_concern_the_tests_that_read_them(sources):
    sources.write({"data/a.txt": "1", "data/b.txt": "1"})
    sources.ran(FAR, files=frozenset({"data/a.txt"}))
    sources.ran(MORE, directories=frozenset({"data"}))
    sources.knowledge.save()
    assert sources.after("data/a.txt", "2").tests == {FAR, MORE}
    assert not sources.after("data/a.txt", "2")
    assert sources.after("data/new.txt", "1").tests == {MORE}
    assert not sources.after("README.md", "words")


def test_files_read_at_import_time_concern_the_importer_of_their_reader(sources):
    sources.write({"data/a.txt": "1"})
    sources.ran(FAR, early_files=frozenset({("pkg/core.py", "data/a.txt"), ("pkg/core.py", "data")}))
    assert sources.after("data/a.txt", "2").files == {"tests/test_core.py", "tests/test_more.py"}
    assert sources.after("data/b.txt", "2").files == {"tests/test_core.py", "tests/test_more.py"}


def test_a_source_read_as_data_concerns_its_reader_even_when_a_comment_changed(sources):
    sources.ran(FAR, files=frozenset({"pkg/core.py"}))
    assert FAR in sources.after("pkg/core.py", CORE + "# more\n").tests


def test_tests_that_start_programs_run_at_every_change_of_code_but_of_other_tests(sources):
    sources.ran(FAR, beyond=True)
    assert sources.after("pkg/core.py", CORE.replace("2 * value", "3 * value")).tests == {DOUBLE, FAR}
    text = TESTS.replace("clamp(3)", "clamp(4)")
    assert sources.after("tests/test_core.py", text).tests == {CLAMP}


def test_a_file_that_could_not_be_collected_runs_at_every_change_it_can_see(sources):
    for test in (CLAMP, DOUBLE):
        sources.knowledge.forget(test)
    sources.ran("tests/test_core.py", status="error", mapped=False)
    selection = sources.after("pkg/core.py", CORE.replace("2 * value", "3 * value"))
    assert selection.files == {"tests/test_core.py"}
    sources.ran(CLAMP, ("pkg/core.py", "clamp"))
    assert "tests/test_core.py" not in sources.knowledge.tests


def test_several_changes_are_counted(sources):
    sources.write({"pkg/core.py": CORE.replace("2 *", "3 *"), "tests/test_far.py": "X = 1\n"})
    selection = sources.affected(
        sources.knowledge.observe(["pkg/core.py", "tests/test_far.py", "nothing.py"])
    )
    assert selection.why == "changed:pkg/core.py+1"
    assert selection.tests == {DOUBLE}
    assert selection.files == {"tests/test_far.py"}


def test_collecting_tells_which_tests_are_gone_and_which_are_new(sources):
    new = "tests/test_core.py::test_new"
    sources.collected(CLAMP, new)
    assert DOUBLE not in sources.knowledge.tests
    selection = sources.after("pkg/core.py", CORE.replace("min(", "max("))
    assert selection.tests == {CLAMP, new}


def test_ignored_and_hidden_files_are_not_looked_at(sources):
    for path in ("build/core.py", ".hidden/core.py", "x/node_modules/core.py", "pkg/core.py~"):
        assert not sources.after(path, "X = 1\n")


def test_doctests_of_a_module_belong_to_it(sources):
    doctest = "pkg/core.py::pkg.core.clamp"
    sources.ran(doctest, ("pkg/core.py", "clamp"))
    text = CORE.replace("def clamp(value):\n", 'def clamp(value):\n    """>>> clamp(3)"""\n')
    assert "pkg/core.py" in sources.after("pkg/core.py", text).files
