"""What a candidate leaves behind in the process, and what unittest does."""

import importlib.util
import sys
import unittest

import pytest

from pytest_buddy.runner.state_guard import StateGuard

TEXT = """\
import unittest

SEEN = []


class Shelf:
    size = 1


class ShelfTest(unittest.TestCase):
    def test_size(self):
        self.assertEqual(Shelf.size, 1)
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    path = tmp_path / "shelf_module.py"
    path.write_text(TEXT, encoding="utf-8")
    specification = importlib.util.spec_from_file_location("shelf_module", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "shelf_module", module)
    return module


def test_traces_of_a_candidate_are_seen(shelf, tmp_path, monkeypatch):
    guard = StateGuard(str(tmp_path))
    assert not guard.changed()
    shelf.SEEN.append(1)
    assert guard.changed()
    shelf.SEEN.clear()
    assert not guard.changed()
    shelf.Shelf.size = [1]
    assert guard.changed()
    shelf.Shelf.size = 1
    monkeypatch.setenv("SHELF", "1")
    assert guard.changed()


def test_what_unittest_notes_at_its_own_classes_is_none(shelf, tmp_path):
    guard = StateGuard(str(tmp_path))
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(shelf.ShelfTest)
    assert suite.run(unittest.TestResult()).wasSuccessful()
    shelf.ShelfTest.doClassCleanups()
    assert "tearDown_exceptions" in vars(shelf.ShelfTest)
    assert not guard.changed()
