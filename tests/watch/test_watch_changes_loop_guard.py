"""Files that tests write are told apart from files that a person saves."""

from buddy_watch.changes import LoopGuard


def test_a_file_written_by_three_runs_in_a_row_is_found_out():
    guard = LoopGuard()
    assert guard.changed(("out.txt",), run=1) == ()
    assert guard.changed(("out.txt",), run=1) == ()
    assert guard.changed(("out.txt",), run=2) == ()
    assert guard.changed(("out.txt",), run=3) == ("out.txt",)
    assert guard.written == {"out.txt"}
    assert guard.changed(("out.txt",), run=4) == ()


def test_several_files_are_found_out_together():
    guard = LoopGuard()
    for run in (4, 5):
        assert guard.changed(("a.json", "b.json"), run=run) == ()
    assert guard.changed(("b.json", "a.json"), run=6) == ("a.json", "b.json")


def test_a_save_between_the_runs_begins_the_count_anew():
    for between in (("mod.py",), ("other.txt",)):
        guard = LoopGuard()
        guard.changed(("out.txt",), run=1)
        guard.changed(("out.txt",), run=2)
        guard.changed(between, run=2 if between == ("mod.py",) else None)
        assert guard.changed(("out.txt",), run=3) == ()


def test_a_run_that_does_not_write_begins_the_count_anew():
    guard = LoopGuard()
    guard.changed(("out.txt",), run=1)
    guard.changed(("out.txt",), run=2)
    assert guard.changed(("out.txt",), run=4) == ()


def test_python_files_are_never_found_out():
    guard = LoopGuard()
    assert not any(guard.changed(("gen.py",), run=run) for run in range(9))


def test_a_file_that_a_person_saves_counts_again():
    guard = LoopGuard()
    for run in (1, 2, 3):
        guard.changed(("out.txt",), run=run)
    guard.changed(("out.txt",), run=None)
    assert guard.written == frozenset()
    assert guard.changed(("out.txt",), run=4) == ()
