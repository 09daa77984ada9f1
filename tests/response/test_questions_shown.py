"""The question that tells two patches apart, wherever a fault is shown."""

import json
from dataclasses import replace

import pytest

from pytest_buddy.config import Config
from pytest_buddy.domain import Answer, Question
from pytest_buddy.redact import Redactor
from pytest_buddy.response import (
    FaultView,
    Page,
    buddy_reporters,
    render_diagnosis,
    render_list,
    render_proposal,
)

WANTED = "For clamp([]): the first patch returns 0, the other raises ValueError. Which do you want?"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2


@pytest.fixture
def asked(samples):
    """A fault with two confirmed patches that differ for an empty list."""
    sample = samples["fixed"]
    (fault,) = sample.diagnosis.faults
    first = fault.proposals[0]
    edit = replace(first.patch.edits[0], replacement=b"higher")
    other = replace(first, patch=replace(first.patch, edits=(edit,)), rank=2)
    answers = (
        Answer(patch=first.patch.id, result="returns 0"),
        Answer(patch=other.patch.id, result="raises ValueError"),
    )
    question = Question(call="clamp([])", answers=answers, compared=9)
    search = replace(fault.search, kept_out=(fault.tests[0],), refuted=2) if fault.search else None
    return replace(fault, proposals=(first, other), question=question, search=search)


@pytest.fixture
def diagnosis(samples, asked):
    return replace(samples["fixed"].diagnosis, faults=(asked,))


def words(text):
    return " ".join(text.replace("`", "").replace("\\", "").replace("**", "").split())


@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_at_the_terminal(samples, diagnosis, asked, verbosity):
    text = render_diagnosis(diagnosis, samples["fixed"].sources, verbosity=verbosity)
    assert WANTED in words(text)
    for number, answer in enumerate(asked.question.answers, start=1):
        assert f"buddy apply {answer.patch} {number} {answer.result}" in words(text)


def test_on_a_screen(samples, asked):
    page = Page(width=80)
    FaultView(fault=asked).add(page, {}, samples["fixed"].sources, rows=60)
    assert WANTED in words(page.render())
    page = Page(width=80)
    FaultView(fault=asked, status="applied").add(page, {}, samples["fixed"].sources, rows=60)
    assert "Which do you want" not in page.render()


def test_in_the_list_and_for_one_proposal(asked):
    assert WANTED in words(render_list((asked,), {}))
    assert "for clamp([]) it raises ValueError" in words(render_proposal(asked.proposals[1], fault=asked))


def test_in_reports(diagnosis, asked):
    made = {item.format: item for item in buddy_reporters(Config())}
    (fault,) = json.loads(made["json"].render(diagnosis))["faults"]
    assert fault["question"] == {
        "call": "clamp([])",
        "answers": [{"patch": item.patch, "result": item.result} for item in asked.question.answers],
        "compared": 9,
    }
    assert WANTED in words(made["markdown"].render(diagnosis))


def test_secrets_and_control_characters_stay_in(samples, diagnosis, asked):
    question = replace(asked.question, call=f"login('{TOKEN}\x1b[2J')")
    shown = replace(diagnosis, faults=(replace(asked, question=question),))
    redactor = Redactor(environment={})
    texts = [
        render_diagnosis(shown, samples["fixed"].sources, redact=redactor.redact),
        *(item.render(redactor.cleaned(shown)) for item in buddy_reporters(Config())),
    ]
    for text in texts:
        assert TOKEN not in text
        assert "\x1b" not in text
