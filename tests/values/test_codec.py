import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_buddy.codec import CodecError, decode, encode
from pytest_buddy.domain import Edit, Execution, Explanation, Failure, Patch, Spectrum


def there_and_back(kind, value):
    return decode(kind, json.loads(json.dumps(encode(value))))


TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(["\udc80", "\0", "\u2028"])
EDIT = st.builds(
    Edit, path=TEXT, digest=TEXT, start=st.integers(0), end=st.integers(0), replacement=st.binary()
)
PATCH = st.builds(Patch, edits=st.lists(EDIT, max_size=2).map(tuple), origin=TEXT, prior=st.floats(0, 1))
LINES = st.dictionaries(TEXT, st.frozensets(st.integers(1)))
SPECTRUM = st.builds(
    Spectrum,
    executions=st.lists(st.builds(Execution, test=TEXT, failed=st.booleans(), lines=LINES), max_size=2).map(
        tuple
    ),
    complete=st.booleans(),
)


@given(PATCH | SPECTRUM)
@settings(max_examples=100, deadline=None)
def test_any_value_comes_back_equal(value):
    assert there_and_back(type(value), value) == value


def test_patch_that_came_back_has_the_same_id():
    patch = Patch(edits=(Edit(path="x", digest="d", start=0, end=1, replacement=b"\xff"),), origin="t")
    assert patch.id
    assert there_and_back(Patch, patch).id == patch.id


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (Edit, [], "Edit: list instead of an object"),
        (Edit, {"path": "x"}, "Edit: the key 'digest' is missing"),
        (Spectrum, {"executions": [], "speed": 1}, "Spectrum: unknown key 'speed'"),
        (Spectrum, {"executions": {}}, "Spectrum.executions: dict instead of list"),
        (Spectrum, {"executions": [], "complete": 1}, "Spectrum.complete: int instead of bool"),
        (Patch, {"edits": [], "origin": None}, "Patch.origin: NoneType instead of str"),
        (Patch, {"edits": [], "origin": "t", "prior": "1"}, "Patch.prior: str instead of float"),
        (Failure, {"test": "t", "phase": "lunch", "error_type": "", "message": ""}, "Failure.phase: 'lunch'"),
        (Explanation, {"bullets": ["one"]}, "Explanation: an explanation has 4 to 6 bullets"),
    ],
)
def test_what_does_not_fit_is_named(kind, data, told):
    with pytest.raises(CodecError) as caught:
        decode(kind, data)
    assert str(caught.value).startswith(told)


def test_whole_number_is_taken_for_a_float_but_not_the_other_way_round():
    assert decode(Patch, {"edits": [], "origin": "t", "prior": 1}).prior == 1.0
    with pytest.raises(CodecError, match="start: float instead of int"):
        decode(Edit, {"path": "", "digest": "", "start": 1.0, "end": 1, "replacement": ""})


@dataclass(frozen=True, kw_only=True)
class Odd:
    either: int | str = 0
    wide: Mapping[str, tuple[Literal["a"], ...]] | None = None


def test_types_without_a_json_form_are_refused():
    with pytest.raises(CodecError, match="only unions with None"):
        decode(Odd, {"either": 1})
    with pytest.raises(CodecError, match="a complex has no JSON form"):
        encode(1j)
    assert decode(Odd, {"wide": {"k": ["a"]}}) == Odd(wide={"k": ("a",)})
    assert decode(Odd, {"wide": None}) == Odd()
