"""What is known survives restarts, kills at any byte and a second watcher."""

import json
import os

import pytest

from tests.watch.affected_project import Sources

FILES = {
    "pkg.py": "def f():\n    return 1\n\ndef g():\n    return 1\n",
    "test_pkg.py": "import pkg\ndef test_f(): pkg.f()\ndef test_g(): pkg.g()\n",
    "data.txt": "1",
}
F, G = "test_pkg.py::test_f", "test_pkg.py::test_g"


def first_session(tmp_path) -> Sources:
    sources = Sources(tmp_path, FILES)
    sources.ran(F, ("pkg.py", "f"), status="failed")
    sources.ran(G, ("pkg.py", "g"), files=frozenset({"data.txt"}), beyond=True)
    sources.knowledge.save()
    return sources


def notes(tmp_path):
    return sorted((tmp_path / ".buddy" / "watch").glob("*.notes"))


def test_verdicts_maps_and_shapes_survive_a_restart(tmp_path):
    first_session(tmp_path).knowledge.close()
    again = Sources(tmp_path)
    assert again.knowledge.tests == {F: "failed", G: "passed"}
    assert again.knowledge.seconds == {F: 0.01, G: 0.01}
    assert again.knowledge.since_last_time() == ()
    assert again.after("pkg.py", FILES["pkg.py"].replace("return 1", "return 2", 1)).tests == {F, G}
    assert not again.knowledge.due.files


def test_what_changed_meanwhile_is_told_after_the_scan(tmp_path):
    first_session(tmp_path).knowledge.close()
    changed = FILES["pkg.py"].replace("return 1", "return 2", 1)
    new = {"test_new.py": "def test_n(): pass\n", "data.txt": "2", "pkg.py": changed}
    sources = Sources(tmp_path, new)
    changes = {change.path: change for change in sources.knowledge.since_last_time()}
    assert changes.keys() == {"pkg.py", "test_new.py", "data.txt"}
    assert changes["pkg.py"].functions == {"f"}
    assert changes["test_new.py"].kind == "added"
    sources.remove("test_new.py")
    (tmp_path / "test_pkg.py").touch()
    sources.knowledge.close()
    assert [change.kind for change in Sources(tmp_path).knowledge.since_last_time()] == ["deleted"]


def test_a_first_session_has_no_last_time(tmp_path):
    assert Sources(tmp_path, FILES).knowledge.since_last_time() == ()


def test_a_branch_and_back_is_no_change(tmp_path):
    first_session(tmp_path).knowledge.close()
    (tmp_path / "pkg.py").write_text("x = (", encoding="utf-8")
    (tmp_path / "pkg.py").write_text(FILES["pkg.py"], encoding="utf-8")
    os.utime(tmp_path / "pkg.py", ns=(1, 1))
    assert Sources(tmp_path).knowledge.since_last_time() == ()


def test_a_branch_that_comes_back_is_not_compiled_again(tmp_path, monkeypatch):
    sources = first_session(tmp_path)
    other = FILES["pkg.py"].replace("return 1", "return 2")
    sources.after("pkg.py", other)
    monkeypatch.setattr("buddy_watch.affected.inventory.shape_of", None)
    assert sources.after("pkg.py", FILES["pkg.py"]).tests == {F, G}
    assert sources.after("pkg.py", other).tests == {F, G}


def test_what_was_selected_stays_due_until_it_ran(tmp_path):
    sources = first_session(tmp_path)
    assert sources.after("pkg.py", FILES["pkg.py"].replace("return 1", "return 2")).tests == {F, G}
    sources.knowledge.save()
    again = Sources(tmp_path)
    assert again.knowledge.due.tests == {F, G}
    again.ran(F, ("pkg.py", "f"))
    again.knowledge.save()
    assert Sources(tmp_path).knowledge.due.tests == {G}


def test_a_file_that_is_due_is_paid_by_its_tests(tmp_path):
    sources = first_session(tmp_path)
    assert sources.after("test_pkg.py", FILES["test_pkg.py"] + "X = 1\n").files == {"test_pkg.py"}
    assert sources.knowledge.due.files == {"test_pkg.py"}
    sources.collected(F, G)
    assert sources.knowledge.due.tests == {F, G}
    assert not sources.knowledge.due.files
    for test in (F, G):
        sources.ran(test)
    assert not sources.knowledge.due
    sources.after("pytest.ini", "[pytest]\n")
    assert sources.knowledge.due.everything
    sources.collected(F, G)
    assert sources.knowledge.due.tests == {F, G}
    sources.knowledge.settle([F, G])
    assert not sources.knowledge.due


def test_two_watchers_at_once_both_keep_what_they_learn(tmp_path):
    one = first_session(tmp_path)
    two = Sources(tmp_path)
    one.ran("test_pkg.py::test_one")
    two.ran("test_pkg.py::test_two")
    for each in (one, two):
        each.knowledge.save()
    third = Sources(tmp_path)
    assert {"test_pkg.py::test_one", "test_pkg.py::test_two", F, G} == set(third.knowledge.tests)
    one.ran("test_pkg.py::test_later")
    for each in (one, two, third):
        each.knowledge.close()
    last = Sources(tmp_path)
    assert "test_pkg.py::test_later" in last.knowledge.tests
    assert [path.name for path in notes(tmp_path)] == ["base.notes"]


def test_a_kill_at_any_byte_leaves_something_that_can_be_read(tmp_path):
    first_session(tmp_path).knowledge.close()
    [log] = notes(tmp_path)
    content = log.read_bytes()
    lengths = {*range(0, len(content), 97), len(content) - 1}
    for length in lengths:
        log.write_bytes(content[:length])
        again = Sources(tmp_path)
        assert set(again.knowledge.tests) <= {F, G}
        again.knowledge.close()
        for path in notes(tmp_path):
            path.unlink()
    log.write_bytes(content)
    assert set(Sources(tmp_path).knowledge.tests) == {F, G}


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"[]\n", b'[1,"cpython-27"]\n["v","a::b","passed",1]\n', b"{" * 9999],
)
def test_a_file_of_nonsense_is_as_good_as_none(tmp_path, content):
    first_session(tmp_path).knowledge.close()
    for path in notes(tmp_path):
        path.write_bytes(content)
    assert Sources(tmp_path).knowledge.tests == {}


@pytest.mark.parametrize(
    "record",
    [["v"], ["t", [999], ["a::b"], []], ["?"], [], 5, ["f", "x.py", "a", "b", "c", 1], ["a", "run", []]],
)
def test_a_line_of_nonsense_ends_its_file_and_nothing_else(tmp_path, record):
    first_session(tmp_path).knowledge.close()
    [log] = notes(tmp_path)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    assert set(Sources(tmp_path).knowledge.tests) == {F, G}


def test_a_project_that_cannot_be_written_is_watched_all_the_same(tmp_path):
    (tmp_path / ".buddy").write_text("in the way", encoding="utf-8")
    sources = first_session(tmp_path)
    assert sources.after("pkg.py", FILES["pkg.py"].replace("return 1", "return 2")).tests == {F, G}
    sources.knowledge.close()


def test_a_long_session_rewrites_its_file_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr("buddy_watch.affected.journal._ENOUGH_TO_REWRITE", 20_000)
    sources = first_session(tmp_path)
    for number in range(400):
        sources.after("pkg.py", FILES["pkg.py"].replace("return 1", f"return {number + 2}"))
        sources.ran(F, ("pkg.py", "f"), status=("passed", "failed")[number % 2])
        sources.knowledge.save()
    assert sum(path.stat().st_size for path in notes(tmp_path)) < 40_000
    other = Sources(tmp_path)
    assert other.knowledge.tests == sources.knowledge.tests
    assert other.knowledge.since_last_time() == ()
    sources.knowledge.close()


def test_names_of_every_kind_survive(tmp_path):
    strange = 'test_pkg.py::test_f[\u2028 \ud800 \x85 \n "quoted"]'
    sources = first_session(tmp_path)
    sources.ran(strange, ("pkg.py", "f"))
    sources.knowledge.close()
    assert strange in Sources(tmp_path).knowledge.tests


def test_many_different_maps_do_not_pile_up(tmp_path):
    sources = first_session(tmp_path)
    for number in range(5000):
        sources.ran(F, ("pkg.py", "f"), ("pkg.py", f"made{number % 1500}"))
        if number % 100 == 0:
            sources.knowledge.save()
    sources.knowledge.save()
    assert len(list(sources.knowledge._notes.dependencies.shared_sets())) == 2
    assert len(sources.knowledge._notes.dependencies._contents) < 2200
    assert sources.after("pkg.py", FILES["pkg.py"].replace("return 1", "return 2", 1)).tests == {F, G}
