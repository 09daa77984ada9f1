"""Red tests given to the proposer beside the watch loop: what comes back, and on whose word."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from buddy_watch.fixing import Machine, Room
from pytest_buddy.config import Config
from pytest_buddy.domain import (
    Diagnosis,
    FaultLocated,
    FixConfirmed,
    NoticeGiven,
    StepStarted,
    WorkEnded,
    WorkStarted,
)
from pytest_buddy.patch import Ledger
from pytest_buddy.testing import Project
from tests.watch.red_projects import FILES, RED, Watch

Open = Callable[..., Watch]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """FILES, where bytecode is written as everywhere else."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Project(tmp_path, FILES)


@pytest.fixture
def open_watch(project: Project) -> Iterator[Open]:
    """Makes a watch on the project; ends it afterwards."""
    opened: list[Watch] = []

    def make(**settings: object) -> Watch:
        opened.append(Watch(project.root, **settings))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for watch in opened:
        watch.close()


def diagnosis_of(watch: Watch) -> Diagnosis:
    """Wait for the end of the work."""
    watch.until(lambda: watch.has(WorkEnded))
    return next(event.diagnosis for event in watch.events if isinstance(event, WorkEnded))


def test_a_confirmed_fix_comes_back_and_can_be_kept_and_applied(project: Project, open_watch: Open) -> None:
    watch = open_watch()
    watch.fixing.start()
    watch.fixing.diagnose(RED)
    assert watch.fixing.busy
    diagnosis = diagnosis_of(watch)
    assert not watch.fixing.busy
    kinds = [type(event) for event in watch.events]
    assert kinds[0] is WorkStarted
    assert kinds.index(FaultLocated) < kinds.index(FixConfirmed) < kinds.index(WorkEnded)
    [fault] = diagnosis.faults
    assert fault.fix is not None
    assert "result += price" in fault.fix.diff
    ledger = Ledger(watch.workspace)
    ledger.keep(diagnosis)
    ledger.apply(fault.fix.patch.id)
    assert "result += price" in project.read("shop.py")


def test_secrets_of_the_environment_do_not_reach_the_screen(
    open_watch: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "zq81-hunter2-kkx9")
    watch = open_watch()
    [failure] = RED.failures
    red = replace(RED, failures=(replace(failure, stdout="token zq81-hunter2-kkx9 sent"),))
    watch.fixing.diagnose(red)
    diagnosis = diagnosis_of(watch)
    assert "hunter2" not in repr(watch.events)
    assert "<SECRET:environment:1> sent" in diagnosis.failures[0].stdout


def test_what_changed_while_all_was_green_is_what_is_worked_on(project: Project, open_watch: Open) -> None:
    wrong = FILES["shop.py"].replace("return result", "return 0 - 3 - 4")
    project.write({"conftest.py": "import shop\n", "shop.py": wrong})
    watch = open_watch()
    watch.fixing.start()
    watch.until_ready()
    for operator in "*-":
        replaced = project.root / "shop.py.tmp"
        replaced.write_text(FILES["shop.py"].replace("-", operator))
        replaced.rename(project.root / "shop.py")
        watch.fixing.changed()
    watch.fixing.diagnose(RED)
    [fault] = diagnosis_of(watch).faults
    assert fault.fix is not None
    assert "-        result -= price\n+        result += price\n" in fault.fix.diff


def test_without_a_sandbox_the_person_is_asked(open_watch: Open) -> None:
    watch = open_watch(config=Config(sandbox="none", budget=60.0))
    watch.fixing.diagnose(RED)
    [fault] = diagnosis_of(watch).faults
    assert fault.suspects
    assert not fault.proposals
    [notice] = [event for event in watch.events if isinstance(event, NoticeGiven)]
    assert "no fix is looked for" in notice.text
    assert "--buddy-sandbox none" in notice.hint


def test_without_a_sandbox_on_the_persons_word(open_watch: Open) -> None:
    watch = open_watch(config=Config(sandbox="none", budget=60.0), unconfined=True)
    watch.fixing.diagnose(RED)
    [fault] = diagnosis_of(watch).faults
    assert fault.fix is not None
    assert fault.fix.verdict.sandbox == "none"


class Moody(Machine):
    """A machine whose room is set from outside."""

    jobs = 0

    def room(self) -> Room:
        return Room(jobs=Moody.jobs, reason="" if Moody.jobs else "the battery is at 4 %")


def test_a_search_waits_for_room(open_watch: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Moody, "jobs", 0)
    monkeypatch.setattr("buddy_watch.fixing.fixing._LOOK_AGAIN", 0.05)
    watch = open_watch(machine=Moody())
    watch.fixing.diagnose(RED)
    [fault] = diagnosis_of(watch).faults
    assert fault.explanation is not None
    assert not fault.proposals
    assert (
        NoticeGiven(
            text="no fix is looked for while the battery is at 4 %",
            hint="It starts by itself when there is room for it.",
        )
        in watch.events
    )
    assert watch.fixing.busy
    monkeypatch.setattr(Moody, "jobs", 1)
    watch.until(lambda: watch.has(FixConfirmed))


def test_what_was_imported_is_imported_beforehand_next_time(project: Project, open_watch: Open) -> None:
    project.write({"test_shop.py": "import wave\n" + FILES["test_shop.py"]})
    watch = open_watch()
    watch.fixing.diagnose(RED)
    diagnosis_of(watch)
    watch.until(lambda: "wave" in watch.fixing.learned.preload)
    assert watch.fixing.learned.paths == ("test_shop.py",)


def test_a_coder_that_nobody_has_is_told_once(open_watch: Open) -> None:
    watch = open_watch(config=Config(coder="nobody-has-this"))
    for _ in range(2):
        watch.fixing.diagnose(RED)
        watch.until(lambda: not watch.fixing.busy)
    notices = [event for event in watch.events if isinstance(event, NoticeGiven)]
    assert len(notices) == 1, notices
    assert not any(isinstance(event, StepStarted) for event in watch.events)
