"""Our corpus of secrets, kind by kind and place by place; tests/bench/redaction.py measures more of it."""

from collections import Counter

import pytest
from secret_corpus import NAMED, PLACED, SHAPED, samples

from pytest_buddy.redact import redact

SAMPLES = tuple(samples(3))
KINDS = (*SHAPED, *NAMED, *PLACED)
PLACES = ("code", "log", "header", "url", ".env", "traceback", "data")


def _caught(some):
    missed = [sample.text for sample in some if sample.leaks(redact(sample.text))]
    return 1 - len(missed) / len(some), missed


def test_the_corpus_is_what_it_says():
    assert len(KINDS) >= 30
    assert Counter(sample.place for sample in SAMPLES).keys() == set(PLACES)
    assert all(sample.secret in sample.text and sample.leaks(sample.text) for sample in SAMPLES)


def test_at_least_97_of_100_secrets_are_caught():
    share, missed = _caught(SAMPLES)
    assert share >= 0.97, missed


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind_at_least_80_of_100_are_caught(kind):
    share, missed = _caught([sample for sample in SAMPLES if sample.kind == kind])
    assert share >= 0.8, missed


@pytest.mark.parametrize("place", PLACES)
def test_in_every_place_at_least_90_of_100_are_caught(place):
    share, missed = _caught([sample for sample in SAMPLES if sample.place == place])
    assert share >= 0.9, missed
