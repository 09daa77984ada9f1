import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_buddy.errors import BuddyError, PatchError
from pytest_buddy.patch import Ledger, journal
from pytest_buddy.workspace import Workspace

CALLS = ("open", "write", "fsync", "rename", "replace", "unlink", "mkdir", "fchmod", "utime", "fchown")
OLD = {"a.py": b"a = 1\n", "pkg/b.py": b"b = 1\r\n", "pkg/c.py": b"c = 1"}
NEW = {"a.py": b"a = 2\n", "pkg/b.py": b"b = 2\r\n", "pkg/c.py": b"c = 2"}


@pytest.fixture
def three(project):
    """A project and a ledger that offers one patch of three files."""
    for path, content in OLD.items():
        project.write(path, content)
    project.proposed(*((path, b"1", b"2") for path in OLD))
    return project


class Broken:
    """Makes system call number `number`, and with `lasting` every later one, fail with `code`."""

    def __init__(self, monkeypatch, number, *, lasting, code=errno.ENOSPC):
        self.made = 0
        self.code = code
        for name in CALLS:
            monkeypatch.setattr(os, name, self.failing(getattr(os, name), number, lasting))

    def failing(self, call, number, lasting):
        writing = call is os.write

        def wrapper(*arguments, **options):
            if writing and stat.S_ISFIFO(os.fstat(arguments[0]).st_mode):
                return call(*arguments, **options)  # to a git, which reads on
            self.made += 1
            if self.made == number or (lasting and self.made > number):
                raise OSError(self.code, os.strerror(self.code))
            return call(*arguments, **options)

        return wrapper


@pytest.mark.parametrize("action", ["apply", "undo"])
@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "EACCES", "EMFILE"])
def test_fault_at_any_system_call_leaves_all_old_or_all_new(three, action, lasting, fault):
    if action == "undo":
        three.ledger.apply()
    before, after = (OLD, NEW) if action == "apply" else (NEW, OLD)
    failures = 0
    for number in range(1, 1000):
        with pytest.MonkeyPatch.context() as monkeypatch:
            broken = Broken(monkeypatch, number, lasting=lasting, code=getattr(errno, fault))
            try:
                getattr(three.ledger, action)()
            except BuddyError as error:
                failures += 1
                told = error
            else:
                told = None
        if broken.made < number:
            break
        if told:
            assert told.hint
            assert lasting or three.files() == before, number
            three.ledger.recover()
            assert three.files() in (before, after), number
        else:
            assert three.files() == after, number
        if three.files() == after:  # a fault that did not matter, or a recovery forward
            assert three.ledger.recover() == ()
            back = three.ledger.undo if action == "apply" else three.ledger.apply
            back(three.ledger.diagnosis().faults[0].proposals[0].patch.id)
        assert three.files() == before, number
    assert failures > 30
    assert three.files() == after


@pytest.mark.parametrize("fault", ["ENOSPC", "EMFILE"])
def test_fault_at_any_system_call_leaves_the_index_old_or_new(three, fault):
    three.commit()
    ledger = three.ledger
    before = three.git("ls-files", "-s")
    ledger.stage()
    after = three.git("ls-files", "-s")
    ledger.undo()
    patch = ledger.diagnosis().faults[0].proposals[0].patch.id
    failures = 0
    for number in range(1, 100):
        with pytest.MonkeyPatch.context() as monkeypatch:
            broken = Broken(monkeypatch, number, lasting=False, code=getattr(errno, fault))
            try:
                three.ledger.stage(patch)
                ended = None
            except BuddyError as error:
                failures += 1
                ended = error
        if broken.made < number:
            assert ended is None, ended
            break
        three.ledger.recover()
        now = three.git("ls-files", "-s")
        assert now in (before, after), number
        assert three.files() == OLD
        if now == after:
            assert three.ledger.undo(patch).action == "undone"
    assert failures > 4
    assert three.git("ls-files", "-s") == after


def test_fault_that_passes_is_taken_back_at_once(three, monkeypatch):
    rename, names = os.rename, []

    def failing(source, target, **options):
        names.append(target)
        if len(names) == 3:
            raise OSError(errno.EIO, "Input/output error")
        rename(source, target, **options)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(PatchError, match=r"c\.py cannot be replaced: Input/output error"):
        three.ledger.apply()
    assert three.files() == OLD
    assert three.ledger.recover() == ()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_interruption_between_two_files_takes_the_first_back(three, monkeypatch, interruption):
    rename, names = os.rename, []

    def interrupted(source, target, **options):
        names.append(target)
        if len(names) == 2:
            raise interruption
        rename(source, target, **options)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(interruption):
        three.ledger.apply()
    assert three.files() == OLD


def test_interruption_after_the_last_step_leaves_the_patch_applied(three, monkeypatch):
    rename = os.rename

    def interrupted(source, target, **options):
        rename(source, target, **options)
        if str(source).endswith(".prepared"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            three.ledger.apply()
    assert three.files() == NEW
    assert three.ledger.recover() == ()
    three.ledger.undo()
    assert three.files() == OLD


@pytest.mark.parametrize("action", ["apply", "undo"])
def test_kill_at_any_system_call_leaves_all_old_or_all_new_after_recovery(three, tmp_path, action):
    if action == "undo":
        three.ledger.apply()
    before, after = (OLD, NEW) if action == "apply" else (NEW, OLD)
    copies = tmp_path / "copies"
    copies.mkdir()
    program = Path(__file__).with_name("killed_apply.py")
    count = int(
        subprocess.run(
            [sys.executable, str(program), str(three.root), str(copies), action],
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        ).stdout
    )
    assert count > 15
    ends, mixed = [], 0
    for number in range(count):
        copy = type(three)(copies / str(number))
        mixed += any(copy.files().get(path) not in (None, content) for path, content in before.items()) and (
            {path: copy.read(path) for path in after} != after
        )
        copy.ledger.recover()
        assert copy.files() in (before, after), number
        assert copy.ledger.recover() == ()
        assert not list(copy.root.glob(".buddy/journal/*.prepared"))
        ends.append(copy.files() == after)
    assert mixed > 0, "no kill hit the moment between two files"
    assert ends == sorted(ends), "once complete, a change stays complete"
    assert not ends[0]
    assert ends[-1]


def prepared(project):
    """Stop an apply after its first file, as a loss of power would."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        rename, names = os.rename, []

        def cut(source, target, **options):
            names.append(target)
            if len(names) > 1:
                raise OSError(errno.EIO, "power is gone")
            rename(source, target, **options)

        monkeypatch.setattr(os, "rename", cut)
        with pytest.raises(PatchError, match="nor could it be taken back"):
            project.ledger.apply()
    assert project.files() not in (OLD, NEW)


def test_recovery_says_what_it_did(three):
    prepared(three)
    (notice,) = three.ledger.recover()
    assert "taken back" in notice.text
    assert three.files() == OLD


def test_every_action_recovers_first(three):
    prepared(three)
    assert three.ledger.apply().action == "applied"
    assert three.files() == NEW


def test_recovery_keeps_what_the_person_wrote_since(three):
    prepared(three)
    three.write("a.py", b"a = 5  # mine\n")
    (notice,) = three.ledger.recover()
    assert "a.py" in notice.hint
    assert three.files() == OLD | {"a.py": b"a = 5  # mine\n"}
    assert three.ledger.recover() == ()


def test_recovery_goes_on_when_a_file_or_its_directory_is_gone(three):
    prepared(three)
    (three.root / "a.py").unlink()
    (three.root / "pkg").rename(three.root / "elsewhere")
    (notice,) = three.ledger.recover()
    assert notice.hint.count(".py") == 3


def entries(project):
    return sorted((project.root / ".buddy" / "journal").iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[" * 100_000,
        lambda text: "\0\xff",
        lambda text: text.replace("journal/1", "journal/2"),
        lambda text: text.replace('"undoes"', '"unheard"'),
        lambda text: text.replace('"number": 1', '"number": 7'),
        lambda text: json.dumps(json.loads(text) | {"files": [{"path": 1}]}),
    ],
)
@pytest.mark.parametrize("suffix", ["json", "prepared"])
def test_journal_that_cannot_be_read_stops_writing(three, damage, suffix):
    three.ledger.apply()
    (entry,) = entries(three)
    entry.write_text(damage(entry.read_text()), encoding="latin-1")
    entry.rename(entry.with_suffix(f".{suffix}"))
    patch = three.ledger.diagnosis().faults[0].proposals[0].patch.id
    for action in (three.ledger.undo, three.ledger.apply, three.ledger.discard):
        with pytest.raises(BuddyError, match=r"\.buddy/journal/000001-") as caught:
            action(patch)
        assert "Nothing was written" in caught.value.hint
    assert three.files() == NEW


def test_tampered_journal_writes_no_file_that_patches_may_not_touch(three):
    three.write("conftest.py", b"safe = 1\n")
    three.ledger.apply()
    (entry,) = entries(three)
    text = entry.read_text().replace('"a.py"', '"conftest.py"')
    entry.with_suffix(".prepared").write_text(text)
    entry.unlink()
    with pytest.raises(PatchError, match="protected"):
        three.ledger.recover()
    assert three.read("conftest.py") == b"safe = 1\n"


def test_foreign_files_in_the_journal_are_passed_over(three):
    three.ledger.apply()
    (three.root / ".buddy" / "journal" / "notes.txt").write_text("mine")
    three.ledger.undo()
    assert three.files() == OLD


def test_torn_journal_entries_are_cleared_away(three):
    three.ledger.apply()
    (entry,) = entries(three)
    entry.with_name(f".{entry.name}.0123abcd").write_text("{")
    three.ledger.undo()
    assert [path.name[:6] for path in entries(three)] == ["000001", "000002"]


def test_journal_keeps_a_limited_number_of_entries(three, monkeypatch):
    monkeypatch.setattr(journal, "KEPT", 6)
    ledger = three.ledger
    patch = ledger.diagnosis().faults[0].proposals[0].patch.id
    for _ in range(5):
        ledger.discard(patch)
        ledger.undo(patch)
    assert [path.name[:6] for path in entries(three)] == [f"{number:06}" for number in range(5, 11)]


def test_second_process_is_told_to_wait(three):
    (three.root / ".buddy" / "lock").touch()
    with (three.root / ".buddy" / "lock").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BuddyError, match="Another pytest-buddy") as caught:
            three.ledger.apply()
        assert "Try again" in caught.value.hint
        assert three.files() == OLD
    three.ledger.apply()
    assert three.files() == NEW


def test_two_processes_that_apply_at_once_apply_once(three):
    program = (
        "import sys; from pathlib import Path; from pytest_buddy.patch import Ledger;"
        "from pytest_buddy.workspace import Workspace; from pytest_buddy.errors import BuddyError\n"
        "sys.stdin.read(1)\n"
        "try: print(Ledger(Workspace(Path(sys.argv[1]))).apply().action)\n"
        "except BuddyError as error: print(error.message)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(three.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for _ in range(3)
    ]
    for process in started:
        process.stdin.write("g")
        process.stdin.flush()
    said = [process.communicate()[0].strip() for process in started]
    assert said.count("applied") == 1
    assert all(
        text == "applied" or "Another pytest-buddy" in text or "dealt with" in text for text in said
    ), said
    assert three.files() == NEW


def test_file_system_without_locks_does_not_stop_the_work(three, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    three.ledger.apply()
    assert three.files() == NEW


@pytest.mark.parametrize("part", [".buddy", ".buddy/journal", ".buddy/lock"])
def test_state_that_is_a_link_is_refused(project, tmp_path, part):
    project.write("x.py", b"a = 1\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    ledger, patch = project.proposed(("x.py", b"1", b"2"))
    state = project.root / ".buddy"
    if part == ".buddy":
        state.rename(tmp_path / "kept")
        for item in (tmp_path / "kept").iterdir():
            item.rename(outside / item.name)
    (project.root / part).symlink_to(outside)
    before = sorted(outside.iterdir())
    with pytest.raises(BuddyError) as caught:
        ledger.apply(patch.id)
    assert caught.value.hint
    assert sorted(outside.iterdir()) == before
    assert project.read("x.py") == b"a = 1\n"


def test_state_ignores_itself_in_git_and_is_marked_as_a_cache(three):
    three.git("init", "-q")
    assert b".buddy" not in three.git("status", "--porcelain", "--untracked-files=all")
    tag = three.root / ".buddy" / "CACHEDIR.TAG"
    assert tag.read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")


def test_ledger_of_an_empty_project_writes_nothing(tmp_path):
    ledger = Ledger(Workspace(tmp_path))
    assert ledger.diagnosis() is None
    assert ledger.recover() == ()
    assert ledger.status("00000000") == "open"
    with pytest.raises(BuddyError, match="no proposals"):
        ledger.find()
    assert list(tmp_path.iterdir()) == []
