"""Which files depend on which, through imports of every kind."""

import pytest

from tests.watch.affected_project import Sources

BASE = {
    "pkg/__init__.py": "",
    "pkg/core.py": "X = 1\n",
    "tests/test_core.py": "import pkg.core\ndef test_x(): pass\n",
    "tests/test_other.py": "def test_y(): pass\n",
}


@pytest.mark.parametrize(
    "line",
    [
        "import pkg.core",
        "import pkg.core as core",
        "from pkg import core",
        "from pkg.core import X",
        "from pkg.core import *",
        "from pkg import *",
        "def f():\n    from pkg import core",
        "import importlib; m = importlib.import_module('pkg.core')",
        "from unittest import mock\n@mock.patch('pkg.core.X', 1)\ndef test_x(): pass",
        "pytest_plugins = ['pkg.core']",
    ],
)
def test_every_way_to_import(tmp_path, line):
    sources = Sources(tmp_path, {**BASE, "tests/test_core.py": line + "\n"})
    assert sources.after("pkg/core.py", "X = 2\n").files == {"tests/test_core.py"}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("src/pkg/core.py", "import pkg.core"),
        ("space/inner/core.py", "import space.inner.core"),
        ("tests/sibling.py", "import sibling"),
        ("tests/sibling.py", "from tests.sibling import X"),
        ("tests/sibling.py", "from .sibling import X"),
        ("tests/unit/far.py", "from .unit import far"),
        ("projects/one/lib/pkg/core.py", "from pkg.core import X"),
    ],
)
def test_every_place_of_a_module(tmp_path, module, line):
    sources = Sources(tmp_path, {module: "X = 1\n", "tests/test_it.py": line + "\n"})
    assert sources.after(module, "X = 2\n").files == {"tests/test_it.py"}


def test_imports_are_followed_through_other_files_and_cycles(tmp_path):
    files = {
        "a.py": "import b\n",
        "b.py": "import a, c\n",
        "c.py": "X = 1\n",
        "test_a.py": "import a\n",
        "test_none.py": "import json\n",
    }
    assert Sources(tmp_path, files).after("c.py", "X = 2\n").files == {"test_a.py"}


def test_the_standard_library_is_not_mistaken_for_a_module_of_a_package(tmp_path):
    files = {
        "pkg/__init__.py": "",
        "pkg/json.py": "X = 1\n",
        "test_a.py": "import json\n",
        "test_b.py": "from pkg.json import X\n",
    }
    assert Sources(tmp_path, files).after("pkg/json.py", "X = 2\n").files == {"test_b.py"}


def test_a_package_is_imported_by_everything_below_it(tmp_path):
    sources = Sources(tmp_path, BASE)
    assert sources.after("pkg/__init__.py", "Y = 2\n").files == {"tests/test_core.py"}


def test_conftest_files_concern_all_tests_below_even_when_only_a_body_changed(tmp_path):
    files = {
        **BASE,
        "tests/unit/conftest.py": "import support\ndef fixture(): return 1\n",
        "tests/unit/test_in.py": "",
        "tests/unit/deep/test_in.py": "",
        "support.py": "X = 1\n",
    }
    sources = Sources(tmp_path, files)
    below = {"tests/unit/test_in.py", "tests/unit/deep/test_in.py"}
    conftest = "import support\ndef fixture(): return 2\n"
    assert sources.after("tests/unit/conftest.py", conftest).files == below
    assert sources.after("support.py", "X = 2\n").files == below


def test_a_new_module_gives_old_imports_their_meaning(tmp_path):
    files = {
        "test_a.py": "try:\n    import late\nexcept ImportError:\n    late = None\n",
        "test_b.py": "import fresh.inner\n",
    }
    sources = Sources(tmp_path, files)
    assert sources.after("late.py", "X = 1\n").files == {"test_a.py"}
    assert sources.after("fresh/inner.py", "X = 1\n").files == {"test_b.py"}
    sources.remove("late.py")
    assert sources.affected(sources.knowledge.observe(["late.py"])).files == {"test_a.py"}
    assert not sources.affected(sources.knowledge.observe(["late.py"]))


def test_edges_that_runs_show_count_like_written_ones(tmp_path):
    files = {**BASE, "plugins/found.py": "X = 1\n", "option_plugin.py": "X = 1\n"}
    sources = Sources(tmp_path, files)
    sources.collected("tests/test_core.py::test_x", edges=frozenset({("pkg/core.py", "plugins/found.py")}))
    assert sources.after("plugins/found.py", "X = 2\n").files == {"tests/test_core.py"}
    sources.ran("tests/test_other.py::test_y", edges=frozenset({("", "option_plugin.py")}))
    everyone = {"tests/test_core.py", "tests/test_other.py"}
    assert sources.after("option_plugin.py", "X = 2\n").files == everyone
    sources.knowledge.close()
    again = Sources(tmp_path)
    assert again.after("plugins/found.py", "X = 3\n").files == {"tests/test_core.py"}
    assert again.after("option_plugin.py", "X = 3\n").files == everyone


def test_a_file_that_does_not_parse_keeps_the_imports_it_had(tmp_path):
    sources = Sources(
        tmp_path, {"low.py": "X = 1\n", "high.py": "import low\n", "test_a.py": "import high\n"}
    )
    assert sources.after("high.py", "import low (\n").files == {"test_a.py"}
    assert sources.after("low.py", "X = 2\n").files == {"test_a.py"}
    assert sources.after("high.py", "import low\n").files == {"test_a.py"}
    assert sources.after("high.py", "\n").files == {"test_a.py"}
    assert not sources.after("low.py", "X = 3\n")
