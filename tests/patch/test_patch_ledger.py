import dataclasses
import errno
import os

import pytest

from pytest_buddy.domain import (
    Cause,
    Comparison,
    Diagnosis,
    Explanation,
    Failure,
    Fault,
    Frame,
    Proposal,
    Search,
    Suspect,
    Timing,
    Variable,
    Verdict,
)
from pytest_buddy.errors import BuddyError, PatchError
from pytest_buddy.patch import Ledger
from pytest_buddy.workspace import Workspace


@pytest.fixture
def full(project):
    """A diagnosis in which every field says something, odd characters and bytes included."""
    project.write("x.py", b"# coding: latin-1\na = '\xe9'\r\n")
    frame = Frame(
        path="x.py",
        line=2,
        function="f",
        project=True,
        source="a = '\udce9\u2028'",
        variables=(Variable(name="a", value="'\x00\x1b'", type="str"),),
    )
    return Diagnosis(
        failures=(
            Failure(
                test="test_x.py::test_a[\u6f22]",
                phase="call",
                error_type="AssertionError",
                message="",
                frames=(frame,),
                causes=(Cause(error_type="KeyError", message="'a'", frames=(frame,)),),
                comparison=Comparison(operator="==", left="1", right="2", detail=("1 == 2",)),
                stdout="\x1b[31m",
                subtest="i=1",
                kind="unittest",
            ),
        ),
        faults=(
            Fault(
                id="f1",
                tests=("test_x.py::test_a",),
                suspects=(
                    Suspect(
                        path="x.py",
                        line=2,
                        end_line=2,
                        function="x",
                        score=0.1 + 0.2,
                        rank=1,
                        evidence=("why",),
                        kind="assign",
                    ),
                ),
                explanation=Explanation(bullets=("one", "two", "three", "four"), origin="model:m"),
                proposals=(
                    dataclasses.replace(
                        project.proposal(project.patch(("x.py", b"\xe9", b"\xe8\x80"))),
                        verdict=Verdict(outcome="breaks", fixed=("a",), broken=("b",), ran=3, sandbox="full"),
                    ),
                ),
                search=Search(
                    candidates=1, validated=1, seconds=0.5, stopped="budget", coders=("templates",)
                ),
                note="note",
            ),
            Fault(id="f2", tests=()),
        ),
        flaky=("test_y",),
        failed=3,
        sandbox="partial",
        offline=False,
        timing=Timing(total=2.5),
        notices=("notice",),
    )


def test_kept_diagnosis_comes_back_equal(project, full):
    assert project.ledger.diagnosis() is None
    project.ledger.keep(full)
    assert project.ledger.diagnosis() == full
    assert project.ledger.diagnosis().faults[0].proposals[0].patch.id == full.faults[0].proposals[0].patch.id


def test_kept_diagnosis_is_readable_by_its_owner_only(project, full):
    project.ledger.keep(full)
    assert (project.root / ".buddy" / "diagnosis.json").stat().st_mode & 0o077 == 0


def test_new_run_replaces_the_last_one(project, full):
    project.ledger.keep(full)
    project.ledger.keep(Diagnosis(failures=()))
    assert project.ledger.diagnosis() == Diagnosis(failures=())


@pytest.mark.parametrize("name", ["write", "fsync", "replace", "open"])
def test_failing_to_keep_leaves_the_last_one(project, full, monkeypatch, name):
    project.ledger.keep(full)

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, name, fail)
        with pytest.raises(BuddyError, match="No space left") as caught:
            project.ledger.keep(Diagnosis(failures=()))
    assert caught.value.hint
    assert project.ledger.diagnosis() == full
    assert not [path for path in (project.root / ".buddy").iterdir() if "diagnosis.json." in path.name]


def test_directory_that_cannot_be_written_is_told(project, full, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "mkdir", fail)
    with pytest.raises(BuddyError, match=r"\.buddy cannot be written: Read-only file system") as caught:
        project.ledger.keep(full)
    assert caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-20],
        lambda text: "[" * 100_000,
        lambda text: "[]",
        lambda text: "null",
        lambda text: "\xff\0",
        lambda text: text.replace("state/1", "state/2"),
        lambda text: text.replace('"notices"', '"news"'),
        lambda text: text.replace('"replacement": "', '"replacement": "!'),
        lambda text: text.replace('"line": 2', '"line": "2"'),
        lambda text: text.replace('"line": 2', '"line": true'),
        lambda text: text.replace('"two", ', ""),
        lambda text: text.replace('"outcome": "breaks"', '"outcome": "maybe"'),
        lambda text: text.replace('"id": "f1", ', ""),
    ],
)
def test_kept_file_that_cannot_be_used_is_told_and_replaced_by_the_next_run(project, full, damage):
    project.ledger.keep(full)
    kept = project.root / ".buddy" / "diagnosis.json"
    text = kept.read_text()
    kept.write_text(damage(text), encoding="latin-1")
    assert kept.read_text(encoding="latin-1") != text
    for use in (project.ledger.diagnosis, project.ledger.find, project.ledger.apply):
        with pytest.raises(BuddyError, match=r"diagnosis\.json cannot be used") as caught:
            use()
        assert "pytest --buddy" in caught.value.hint
    project.ledger.keep(full)
    assert project.ledger.diagnosis() == full


def test_older_file_without_newer_keys_is_read(project, full):
    project.ledger.keep(dataclasses.replace(full, notices=()))
    kept = project.root / ".buddy" / "diagnosis.json"
    kept.write_text(kept.read_text().replace(', "notices": []', ""))
    assert project.ledger.diagnosis() == dataclasses.replace(full, notices=())


@pytest.fixture
def choice(project):
    """Two faults: the first with two fixes and one patch that is none, the second with one fix."""
    project.write("x.py", b"a = 1\n")
    project.write("y.py", b"b = 1\n")
    patches = [project.patch(("x.py", b"1", b"%d" % number)) for number in (2, 3, 4)]
    other = project.patch(("y.py", b"1", b"2"))
    wrong, *right = [
        project.proposal(patch, confirmed=number > 0) for number, patch in enumerate([*patches, other])
    ]
    project.ledger.keep(
        Diagnosis(
            failures=(),
            faults=(
                Fault(id="f1", tests=("t1",), proposals=(wrong, *right[:2])),
                Fault(id="f2", tests=("t2",), proposals=(right[2],)),
            ),
        )
    )
    return project, [proposal.patch.id for proposal in (wrong, *right)]


def test_first_offered_proposal_is_found(choice):
    project, (_, first, _, _) = choice
    fault, proposal = project.ledger.find()
    assert (fault.id, proposal.patch.id) == ("f1", first)


def test_discarded_proposal_gives_way_to_the_next_one(choice):
    project, (_, first, second, third) = choice
    ledger = project.ledger
    assert ledger.discard().patch == first
    assert ledger.find()[1].patch.id == second
    ledger.discard()
    assert ledger.find()[1].patch.id == third
    ledger.discard()
    with pytest.raises(BuddyError, match=f"dealt with: {first} discarded"):
        ledger.find()


def test_applied_fix_settles_its_fault(choice):
    project, (_, first, _, third) = choice
    ledger = project.ledger
    assert ledger.apply().patch == first
    assert ledger.apply().patch == third
    with pytest.raises(BuddyError, match="dealt with"):
        ledger.find()
    ledger.undo(first)
    assert ledger.find()[1].patch.id != first, "the fix not yet tried comes before the one taken back"


def test_undone_fix_is_offered_again_when_nothing_else_is_left(project):
    project.write("x.py", b"a = 1\n")
    ledger, patch = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    ledger.undo()
    assert ledger.find()[1].patch == patch
    assert ledger.apply().patch == patch.id


def test_undone_discard_is_open_again(choice):
    project, (_, first, *_) = choice
    project.ledger.discard(first)
    assert project.ledger.status(first) == "discarded"
    project.ledger.undo(first)
    assert project.ledger.status(first) == "open"


def test_undo_without_an_id_passes_over_discards(choice):
    project, (_, first, second, _) = choice
    project.ledger.apply(first)
    project.ledger.discard(second)
    assert project.ledger.undo().patch == first


def test_discard_is_remembered_when_the_same_patch_is_proposed_again(project):
    project.write("x.py", b"a = 1\n")
    ledger, patch = project.proposed(("x.py", b"1", b"2"))
    ledger.discard()
    project.keep(patch)
    assert project.ledger.status(patch.id) == "discarded"
    with pytest.raises(BuddyError, match="dealt with"):
        project.ledger.find()


def test_patch_that_was_taken_back_by_hand_can_be_applied_again_after_a_new_run(project):
    project.write("x.py", b"a = 1\n")
    ledger, patch = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    project.write("x.py", b"a = 1\n")
    project.keep(patch)
    assert ledger.status(patch.id) == "open"
    assert ledger.apply().patch == patch.id
    assert project.read("x.py") == b"a = 2\n"


def test_undo_works_after_a_new_run(project):
    project.write("x.py", b"a = 1\n")
    ledger, patch = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    project.ledger.keep(Diagnosis(failures=()))
    assert ledger.status(patch.id) == "applied"
    ledger.undo(patch.id[:4])
    assert project.read("x.py") == b"a = 1\n"


def test_ids_may_be_shortened_and_typed_in_capitals(choice):
    project, ids = choice
    for patch in ids:
        short = next(
            patch[:size] for size in range(1, 9) if sum(i.startswith(patch[:size]) for i in ids) == 1
        )
        assert project.ledger.find(f" {short.upper()} ")[1].patch.id == patch


def test_unknown_id_lists_the_known_ones(choice):
    project, ids = choice
    with pytest.raises(BuddyError, match="'zz'") as caught:
        project.ledger.find("zz")
    assert all(patch in caught.value.hint for patch in ids)


def test_ambiguous_id_lists_the_candidates(project):
    project.write("x.py", b"a = 1\n")
    by_digit = {}
    for number in range(2, 50):
        patch = project.patch(("x.py", b"1", b"%d" % number))
        by_digit.setdefault(patch.id[0], []).append(patch)
    same = max(by_digit.values(), key=len)[:2]
    ledger = project.keep(*same)
    with pytest.raises(BuddyError, match="Several") as caught:
        ledger.find(same[0].id[0])
    assert all(patch.id in caught.value.hint for patch in same)


def test_patch_that_is_not_offered_is_applied_when_named(choice):
    project, (wrong, *_) = choice
    assert project.ledger.apply(wrong).patch == wrong


def test_no_fix_is_told_as_such(project):
    project.write("x.py", b"a = 1\n")
    proposal = project.proposal(project.patch(("x.py", b"1", b"2")), confirmed=False)
    project.ledger.keep(Diagnosis(failures=(), faults=(Fault(id="f1", tests=(), proposals=(proposal,)),)))
    with pytest.raises(BuddyError, match="no confirmed fix"):
        project.ledger.find()


def test_applied_patch_cannot_be_discarded(project):
    project.write("x.py", b"a = 1\n")
    ledger, patch = project.proposed(("x.py", b"1", b"2"))
    ledger.apply()
    with pytest.raises(PatchError, match="is applied already"):
        ledger.discard(patch.id)


def test_discarding_twice_is_told(choice):
    project, (_, first, *_) = choice
    project.ledger.discard(first)
    with pytest.raises(PatchError, match="is discarded already"):
        project.ledger.discard(first)


def test_undo_of_an_unknown_patch_is_told(project):
    with pytest.raises(BuddyError, match="nothing to undo for 'abcd'"):
        project.ledger.undo("abcd")


def test_ledger_reached_through_a_link_is_the_same_one(project, tmp_path):
    project.write("x.py", b"a = 1\n")
    _, patch = project.proposed(("x.py", b"1", b"2"))
    (tmp_path / "link").symlink_to(project.root)
    assert Ledger(Workspace(tmp_path / "link")).apply().patch == patch.id
    assert project.read("x.py") == b"a = 2\n"


def test_ten_thousand_failures_are_kept_quickly(project):
    many = Diagnosis(
        failures=tuple(
            Failure(test=f"t{number}", phase="call", error_type="E", message="m", stdout="x" * 200)
            for number in range(10_000)
        )
    )
    started = os.times().user
    project.ledger.keep(many)
    assert project.ledger.diagnosis() == many
    assert os.times().user - started < 5


def test_proposals_of_two_faults_with_one_id_are_one(project):
    project.write("x.py", b"a = 1\n")
    patch = project.patch(("x.py", b"1", b"2"))
    ledger = project.keep(patch, patch)
    fault, proposal = ledger.find(patch.id)
    assert (fault.id, type(proposal)) == ("f1", Proposal)
