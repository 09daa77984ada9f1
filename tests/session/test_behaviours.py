"""What is asked about patches that pass, and which of them please the failing test alone."""

from pytest_buddy.behaviours import Behaviours
from pytest_buddy.domain import Edit, Patch, Reaction
from pytest_buddy.source import Source
from pytest_buddy.survivors import narrowed

TEXT = b"def price(net):\n    return net + 1\n"
SOURCE = Source(path="shop.py", module="shop", content=TEXT)
SOURCES = {"shop.py": SOURCE}


def seen(**results):
    """Reactions by argument; what starts with `n` is a variant."""
    return {
        name: Reaction(
            key=name,
            call=f"price({name})",
            result=result,
            mark=result,
            raised=not result.startswith("returns"),
            varied=name.startswith("n"),
        )
        for name, result in results.items()
    }


def patch(old, new, **more):
    start = TEXT.index(old)
    edit = Edit(path="shop.py", digest=SOURCE.digest, start=start, end=start + len(old), replacement=new)
    return Patch(edits=(edit,), origin="template:x", function="shop.price", **more)


def test_the_question_is_the_simplest_case_that_shows_a_difference():
    behaviours = Behaviours(
        {},
        {
            "a": seen(long="returns 1234567", n0="returns 0", nNone="returns 0", n5="returns 5"),
            "b": seen(long="returns 7654321", n0="returns 1", nNone="raises TypeError", n5="returns 5"),
        },
    )
    question = behaviours.question(["a", "b"])
    assert question is not None
    assert question.call == "price(n0)"
    assert [(answer.patch, answer.result) for answer in question.answers] == [
        ("a", "returns 0"),
        ("b", "returns 1"),
    ]
    assert question.compared == 4


def test_two_errors_and_equal_patches_are_not_asked_about():
    behaviours = Behaviours(
        {},
        {
            "a": seen(n0="raises KeyError", n1="returns 1"),
            "b": seen(n0="raises ValueError", n1="returns 1"),
            "c": seen(n0="raises KeyError", n1="returns 2"),
        },
    )
    assert behaviours.question(["a", "b"]) is None
    question = behaviours.question(["a", "b", "c"])
    assert question is not None
    assert question.answers[1].patch == "c"


def test_what_was_not_seen_is_not_asked_about():
    assert Behaviours().question(["a", "b"]) is None
    assert Behaviours({}, {"a": seen(n0="returns 1")}).question(["a", "b"]) is None


def test_a_patch_for_the_failing_input_alone_is_marked():
    special = patch(b"net + 1", b"110 if net == 7919 else net + 1")
    general = patch(b"net + 1", b"net + 7919")
    own = {"7919": "returns 110"}
    before = {f"n{n}": f"returns {n + 1}" for n in range(5)}
    behaviours = Behaviours(
        seen(**before, **{"7919": "returns 7920"}),
        {
            special.id: seen(**before, **own),
            general.id: seen(**{name: f"{text}0" for name, text in before.items()}, **own),
        },
    )
    marked = narrowed(special, behaviours, SOURCES)
    assert marked.suspicion >= 0.5
    assert marked.id == special.id
    assert "`price(7919)`" in marked.rationale[-1]
    assert narrowed(general, behaviours, SOURCES) == general


def test_a_guard_for_an_edge_is_not_taken_for_one():
    guard = patch(b"net + 1", b"0 if not net else net + 1")
    before = {f"n{n}": f"returns {n + 1}" for n in range(1, 5)}
    behaviours = Behaviours(
        seen(**before, **{"0": "returns 1"}), {guard.id: seen(**before, **{"0": "returns 0"})}
    )
    assert narrowed(guard, behaviours, SOURCES) == guard
