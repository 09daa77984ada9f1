"""What the environment says is secret stands nowhere in a redacted text, however it is written there."""

import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_buddy.domain import (
    Comparison,
    Diagnosis,
    Edit,
    Explanation,
    Failure,
    Fault,
    Frame,
    NoticeGiven,
    Patch,
    PatchHandled,
    Proposal,
    StepStarted,
    Suspect,
    Variable,
    Verdict,
)
from pytest_buddy.errors import SourceError
from pytest_buddy.redact import Redactor
from pytest_buddy.screen import Screen
from pytest_buddy.workspace import Workspace

NAMES = (
    "DB_PASSWORD",
    "PGPASSWORD",
    "MYSQL_PWD",
    "GITHUB_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "SERVICE_KEY",
    "APIKEY",
    "SENTRY_DSN",
    "SESSION_COOKIE",
    "CONNECTION_STRING",
    "client_secret",
    "TOKEN_2",
    "DEPLOY_KEY_BASE64",
)
SECRET = "plain words of no shape"

# Longer than what a bounded match leaves alone inside words, and no word that is innocent everywhere.
values = st.text(
    string.ascii_letters + string.digits + "!#$%&*+,-./:;=?@^_ \"'\\\n\téß", min_size=16, max_size=60
).filter(lambda value: value.strip() == value and not value.startswith(("/", "~/", "C:\\")))


@given(value=values, name=st.sampled_from(NAMES), before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_secret_of_the_environment_is_masked_in_every_spelling(value, name, before, after):
    redactor = Redactor(environment={name: value, "HOME": "/home/x"})
    for written in (value, repr(value), json.dumps(value), repr({"a": value}), json.dumps([value])):
        clean = redactor.redact(before + written + after)
        assert value not in clean
        assert repr(value)[1:-1] not in clean
        assert redactor.redact(clean) == clean


@given(
    texts=st.lists(st.text(string.ascii_lowercase + " =:'\"\n", max_size=30), min_size=1, max_size=8),
    value=st.text(string.ascii_lowercase, min_size=6, max_size=12),
)
def test_short_secrets_are_masked_where_they_are_words(texts, value):
    redactor = Redactor(secrets=[value])
    clean = redactor.redact(f" {value} ".join(["", *texts]))
    assert f" {value} " not in clean
    assert redactor.redact(f"x{value}x") == f"x{value}x"


@pytest.mark.parametrize(
    "name", ["PATH", "KEYBOARD", "GIT_AUTHOR", "TOKENIZERS_PARALLELISM", "PWD", "OLDPWD", "MONKEY"]
)
def test_other_variables_are_no_secrets(name):
    assert Redactor(environment={name: "ordinary-value"}).redact("an ordinary-value") == "an ordinary-value"


def _diagnosis() -> Diagnosis:
    text = f"got {SECRET}"
    edit = Edit(path="a.py", digest="0" * 64, start=0, end=1, replacement=SECRET.encode())
    patch = Patch(edits=(edit,), origin="template:x", rationale=(text,))
    verdict = Verdict(outcome="fixed", fixed=(f"t.py::test[{SECRET}]",), confirmed=True)
    failure = Failure(
        test=f"t.py::test[{SECRET}]",
        phase="call",
        error_type="ValueError",
        message=text,
        frames=(
            Frame(
                path="a.py",
                line=1,
                function="f",
                project=True,
                source=text,
                variables=(Variable(name="x", value=text, type="str"),),
            ),
        ),
        comparison=Comparison(operator="==", left=text, right=text, detail=(text,)),
        stdout=text,
        stderr=text,
        log=text,
    )
    fault = Fault(
        id="f1",
        tests=(failure.test,),
        suspects=(
            Suspect(path="a.py", line=1, end_line=1, function="f", score=1.0, rank=1, evidence=(text,)),
        ),
        explanation=Explanation(bullets=(text,) * 4),
        proposals=(Proposal(patch=patch, diff=f"+{SECRET}\n", verdict=verdict, changed_lines=1),),
        note=text,
    )
    return Diagnosis(failures=(failure,), faults=(fault,), flaky=(failure.test,), notices=(text,))


def test_a_cleaned_diagnosis_holds_secrets_only_where_files_and_edits_are_found_by_them():
    diagnosis = _diagnosis()
    cleaned = Redactor(environment={"A_TOKEN": SECRET}).cleaned(diagnosis)
    proposal = cleaned.faults[0].proposals[0]
    assert proposal.patch.edits == diagnosis.faults[0].proposals[0].patch.edits
    assert proposal.patch.id == diagnosis.faults[0].proposals[0].patch.id
    assert proposal.diff == diagnosis.faults[0].proposals[0].diff
    assert repr(cleaned).count(SECRET) == 2
    assert cleaned.faults[0].tests == (cleaned.failures[0].test,)


def test_a_diagnosis_without_secrets_is_not_even_copied():
    diagnosis = _diagnosis()
    assert Redactor().cleaned(diagnosis) is diagnosis


def test_everything_a_screen_writes_or_asks_is_redacted(monkeypatch):
    monkeypatch.setenv("A_TOKEN", SECRET)
    written: list[str] = []
    screen = Screen(write=written.append, interactive=True, width=200)
    screen.event(StepStarted(step="confirm", detail=SECRET))
    screen.notice(f"no {SECRET}", f"try {SECRET}")
    screen.confirm(f"use {SECRET}?", lambda question: written.append(question) or "n")

    class Ledger:
        def apply(self, _patch: str) -> PatchHandled:
            return PatchHandled(action="applied", patch="00000000", paths=(f"{SECRET}.py",))

        stage = discard = apply

    answers = iter(["e", "a"])
    screen.ask(_diagnosis(), Ledger(), lambda question: written.append(question) or next(answers))
    assert len(written) >= 6
    assert SECRET not in "".join(written)
    assert "<SECRET:environment:1>" in "".join(written)


def test_rendering_an_event_that_was_cleaned_says_what_it_said():
    notice = NoticeGiven(text="tests/test_a.py took long", hint="see the docs")
    assert Redactor(environment=dict(os.environ)).cleaned(notice) == notice


@pytest.mark.parametrize("name", [".env", "key.pem", "id_rsa", "settings.toml", "notes.txt", "a.pyc"])
def test_only_python_files_are_read_as_source(tmp_path: Path, name: str):
    (tmp_path / name).write_text("PASSWORD=1\n")
    (tmp_path / "link.py").symlink_to(name)
    (tmp_path / "good.py").write_text("x = 1\n")
    workspace = Workspace(tmp_path)
    assert workspace.source("good.py").content == b"x = 1\n"
    for path in (name, "link.py", f"./{name}"):
        with pytest.raises(SourceError, match="not a Python file"):
            workspace.source(path)
