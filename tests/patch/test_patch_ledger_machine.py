"""Any order of actions, edits by the person and crashes: files, index and ledger are as a model says."""

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pytest_buddy.domain import Diagnosis, Edit, Fault, Patch, Proposal, Verdict
from pytest_buddy.errors import BuddyError, StaleFileError
from pytest_buddy.patch import Ledger, unified_diff
from pytest_buddy.processes import git
from pytest_buddy.source import Source
from pytest_buddy.workspace import Workspace

CALLS = ("open", "write", "fsync", "rename", "replace", "unlink", "mkdir", "fchmod", "utime")
FIRST = {"a.py": b"a = 1\n", "pkg/b.py": b"b = 1\r\n"}


class Crash(BaseException):
    """The process is gone: nothing it would still do has an effect."""


@dataclass(frozen=True)
class Done:
    """An action that stands: the content of its files before and after, in the work tree or in the index."""

    action: str
    patch: str
    before: dict[str, bytes]
    after: dict[str, bytes]


def patch_of(*paths):
    sources = {path: Source(path=path, module="m", content=FIRST[path]) for path in paths}
    patch = Patch(
        edits=tuple(
            Edit(path=path, digest=source.digest, start=4, end=5, replacement=b"%d" % (1 + len(paths)))
            for path, source in sources.items()
        ),
        origin="template:x",
    )
    verdict = Verdict(outcome="fixed", confirmed=True)
    return Proposal(patch=patch, diff=unified_diff(patch, sources), verdict=verdict, changed_lines=len(paths))


PROPOSALS = {
    proposal.patch.id: proposal
    for proposal in (patch_of("a.py"), patch_of("pkg/b.py"), patch_of("a.py", "pkg/b.py"))
}
PATCHES = st.sampled_from(sorted(PROPOSALS))


class LedgerMachine(RuleBasedStateMachine):
    @initialize()
    def start(self):
        self.folder = tempfile.mkdtemp()
        self.root = Path(self.folder).resolve()
        self.files, self.index = dict(FIRST), dict(FIRST)
        self.standing: list[Done] = []
        for path, content in FIRST.items():
            (self.root / path).parent.mkdir(exist_ok=True)
            (self.root / path).write_bytes(content)
        for command in (("init", "-q"), ("add", *FIRST)):
            assert git(self.root, *command) is not None
        faults = tuple(Fault(id=key, tests=("t",), proposals=(item,)) for key, item in PROPOSALS.items())
        self.ledger.keep(Diagnosis(failures=(), faults=faults))

    def teardown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def ledger(self):
        """As a new process has it."""
        return Ledger(Workspace(self.root))

    def on_disk(self):
        return {path: (self.root / path).read_bytes() for path in FIRST}

    def changed(self, patch, files):
        """What a patch makes of files, None when it does not fit them."""
        edits = PROPOSALS[patch].patch.edits
        try:
            return {
                path: Source(path=path, module="m", content=files[path]).edited(edits).content
                for path in PROPOSALS[patch].patch.paths
            }
        except StaleFileError:
            return None

    def last(self):
        return next((done for done in reversed(self.standing) if done.action != "discarded"), None)

    def stands(self, patch, action):
        return any(done.action == action and done.patch == patch for done in self.standing)

    @rule(patch=PATCHES)
    def apply(self, patch):
        after = self.changed(patch, self.files)
        if after is None or self.stands(patch, "applied"):
            with pytest.raises(BuddyError):
                self.ledger.apply(patch)
            return
        assert self.ledger.apply(patch).paths == tuple(sorted(after))
        self.note_applied(patch, after)

    def note_applied(self, patch, after):
        before = {path: self.files[path] for path in after}
        self.standing.append(Done("applied", patch, before, after))
        self.files |= after

    @rule(patch=PATCHES)
    def stage(self, patch):
        try:
            self.ledger.stage(patch)
        except BuddyError:
            return
        after = self.changed(patch, self.index)
        assert after is not None, "what is staged is the index with the edit, nothing else"
        before = {path: self.index[path] for path in after}
        self.standing.append(Done("staged", patch, before, after))
        self.index |= after

    @rule(patch=PATCHES)
    def discard(self, patch):
        refused = self.stands(patch, "applied") or self.ledger.status(patch) == "discarded"
        if refused:
            with pytest.raises(BuddyError):
                self.ledger.discard(patch)
        else:
            self.ledger.discard(patch)
            self.standing.append(Done("discarded", patch, {}, {}))

    def reversible(self, done):
        now = self.index if done.action == "staged" else self.files
        return all(now[path] == content for path, content in done.after.items())

    @rule()
    def undo(self):
        done = self.last()
        if done is None or not self.reversible(done):
            with pytest.raises(BuddyError):
                self.ledger.undo()
            return
        assert self.ledger.undo().patch == done.patch
        self.note_undone(done)

    def note_undone(self, done):
        self.standing.remove(done)
        if done.action == "staged":
            self.index |= done.before
        else:
            self.files |= done.before

    @rule(
        path=st.sampled_from(sorted(FIRST)), content=st.sampled_from([b"a = 7\n", b"b = 9  # mine\r\n", None])
    )
    def person_edits(self, path, content):
        self.files[path] = FIRST[path] if content is None else content
        (self.root / path).write_bytes(self.files[path])

    @rule(patch=PATCHES, call=st.integers(0, 40))
    def crash_in_apply(self, patch, call):
        after = self.changed(patch, self.files)
        if after is None or self.stands(patch, "applied"):
            return
        if self.ends_as(after, call, lambda ledger: ledger.apply(patch)):
            self.note_applied(patch, after)

    @precondition(lambda self: self.last() is not None)
    @rule(call=st.integers(0, 40))
    def crash_in_undo(self, call):
        done = self.last()
        if done.action == "staged" or not self.reversible(done):
            return
        if self.ends_as(done.before, call, lambda ledger: ledger.undo()):
            self.note_undone(done)

    def ends_as(self, after, call, action):
        """Do it and die at a system call, then recover; whether it ended as done rather than not done."""
        before = self.on_disk()
        with pytest.MonkeyPatch.context() as patched:
            made = 0

            def dying(real):
                def wrapper(*arguments, **options):
                    nonlocal made
                    made += 1
                    if made > call:
                        raise Crash
                    return real(*arguments, **options)

                return wrapper

            for name in CALLS:
                patched.setattr(os, name, dying(getattr(os, name)))
            with contextlib.suppress(Crash, BuddyError):
                action(self.ledger)
        self.ledger.recover()
        assert self.ledger.recover() == ()
        now = self.on_disk()
        assert now in (before, before | after), "all files or none"
        return now != before

    @invariant()
    def files_and_index_are_as_the_model_says(self):
        assert self.on_disk() == self.files
        for path, content in self.index.items():
            assert git(self.root, "show", f":{path}") == content
        found = {path.name for path in (self.root, *self.root.glob("pkg")) for path in path.iterdir()}
        assert found <= {"a.py", "b.py", "pkg", ".git", ".buddy"}, found

    @invariant()
    def ledger_knows_what_stands(self):
        for patch in PROPOSALS:
            applied = self.stands(patch, "applied")
            assert (self.ledger.status(patch) == "applied") == applied


LedgerMachine.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLedgerMachine = LedgerMachine.TestCase
