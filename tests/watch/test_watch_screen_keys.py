"""Bytes -> keys -> intents."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_watch.screen.commands import Commands
from buddy_watch.screen.keys import Key, Keyboard
from pytest_buddy.domain import Answer, Intent, Question
from tests.watch.screen_scenes import DISCOUNT_FIX, SCENES

PIECES = {
    b"a": ["a"], b"A": ["A"], b"?": ["?"], b" ": ["space"], b"\r": ["enter"], b"\n": ["enter"],
    b"\x7f": ["backspace"], b"\x03": ["ctrl-c"], b"\x1b[A": ["up"], b"\x1bOA": ["up"],
    b"\x1b[1;5A": ["unknown"], b"\x1b[5~": ["pageup"], b"\x1b[6~": ["pagedown"], b"\x1b[H": ["home"],
    b"\x1b[4~": ["end"], b"\x1b[<64;10;12M": ["unknown"], b"\x1b[?1;2c": ["unknown"],
    b"\x1b[200~a\x1b[Bq\r\x1b[201~": ["paste"], "é".encode(): ["é"], "漢".encode(): ["漢"],
    b"\x1ba": ["unknown"], b"\x00": ["unknown"],
}  # fmt: skip


def _names(keys: tuple[Key, ...]) -> list[str]:
    return [key.name for key in keys]


@pytest.mark.parametrize("data", PIECES)
def test_a_key_is_known_by_its_bytes(data):
    keyboard = Keyboard()
    assert _names(keyboard.feed(data)) == PIECES[data]
    assert not keyboard.waiting


@given(pieces=st.lists(st.sampled_from(sorted(PIECES)), max_size=8), cuts=st.lists(st.integers(0, 80)))
def test_keys_are_the_same_however_their_bytes_arrive(pieces, cuts):
    data = b"".join(pieces)
    keyboard = Keyboard()
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    heard = [
        name for start, end in itertools.pairwise(edges) for name in _names(keyboard.feed(data[start:end]))
    ]
    assert heard == [name for piece in pieces for name in PIECES[piece]]


@given(data=st.binary(max_size=200))
def test_any_bytes_are_survived_and_nothing_stays_behind_for_ever(data):
    keyboard = Keyboard()
    keyboard.feed(data)
    keyboard.settle()
    assert not keyboard.waiting
    keyboard.feed(b"\x1b[201~")
    assert "q" in _names(keyboard.feed(b"q") + keyboard.feed(b"q"))


def test_a_lone_escape_is_one_when_nothing_follows():
    keyboard = Keyboard()
    assert keyboard.feed(b"\x1b") == ()
    assert keyboard.waiting
    assert _names(keyboard.settle()) == ["escape"]
    assert keyboard.settle() == ()
    assert keyboard.feed(b"\x1b") == ()
    assert _names(keyboard.feed(b"[A")) == ["up"]


def test_an_endless_sequence_does_not_hold_keys_back():
    keyboard = Keyboard()
    heard = _names(keyboard.feed(b"\x1b[" + b"1;" * 100 + b"A"))
    assert _names(keyboard.feed(b"q"))[-1] == "q"
    assert heard


class Desk:
    """Keys pressed on one scene, and what was heard of them."""

    def __init__(self, scene: str) -> None:
        self.scene = SCENES[scene]
        self.heard: list[Intent] = []
        self.commands = Commands(self.heard.append)

    def press(self, *keys: str) -> "Desk":
        for key in keys:
            text = key if len(key) == 1 else " " if key == "space" else ""
            self.commands.press(Key(key, text), self.scene)
        return self

    @property
    def verbs(self) -> list[tuple[str, str]]:
        return [(intent.verb, intent.argument) for intent in self.heard]


@pytest.mark.parametrize(
    ("key", "verb", "argument"),
    [
        ("e", "explain", ""), ("t", "test", ""), ("n", "next", ""), ("f", "failed", ""),
        ("u", "undo", ""), ("A", "all", ""), ("enter", "rerun", ""), ("o", "open", ""), ("v", "voice", ""),
        ("b", "pause", ""), ("h", "help", ""), ("?", "help", ""), ("q", "quit", ""), ("ctrl-c", "quit", ""),
        ("up", "scroll", "-1"), ("down", "scroll", "+1"), ("j", "scroll", "+1"),
        ("pageup", "scroll", "-page"), ("pagedown", "scroll", "+page"), ("space", "scroll", "+page"),
        ("g", "scroll", "start"), ("G", "scroll", "end"),
        ("home", "scroll", "start"), ("end", "scroll", "end"),
    ],
)  # fmt: skip
def test_a_key_is_an_intent(key, verb, argument):
    assert Desk("two_faults").press(key).verbs == [(verb, argument)]


@pytest.mark.parametrize(("key", "verb"), [("a", "apply"), ("s", "stage"), ("d", "discard")])
def test_what_is_done_to_a_fix_names_the_fix_that_was_seen(key, verb):
    assert Desk("fixed").press(key).verbs == [(verb, DISCOUNT_FIX.patch.id)]


@pytest.mark.parametrize(
    ("scene", "key", "hint"),
    [
        ("green", "a", "there is no fix to apply"),
        ("no_fix", "s", "there is no fix to stage"),
        ("red", "e", "there is no fault to explain"),
        ("red", "x", "x does nothing here"),
        ("red", "paste", "pasted text"),
    ],
)
def test_a_key_without_sense_is_answered(scene, key, hint):
    desk = Desk(scene).press(key)
    assert desk.verbs == []
    assert hint in desk.commands.over(desk.scene).message
    assert desk.press("up").commands.over(desk.scene).message == desk.scene.message


@pytest.mark.parametrize(("key", "verb"), [("p", "paths"), ("k", "keyword")])
def test_a_filter_is_typed_and_given_at_enter(key, verb):
    desk = Desk("red").press(key, *"caq", "backspace", "space", "r", "?")
    assert desk.verbs == []
    assert desk.commands.over(desk.scene).asking == (verb, "ca r?")
    assert desk.press("enter").verbs == [(verb, "ca r?")]
    assert desk.commands.over(desk.scene).asking is None


def test_escape_leaves_the_filter_as_it_is_and_an_empty_line_clears_it():
    desk = Desk("filtered").press("k", "x")
    assert desk.commands.over(desk.scene).asking == ("keyword", desk.scene.keyword + "x")
    assert desk.press("escape").verbs == []
    assert desk.press("k", "ctrl-w").commands.over(desk.scene).asking == ("keyword", "discount and not ")
    assert desk.press("ctrl-u", "enter").verbs == [("keyword", "")]


def test_ctrl_c_quits_from_anywhere():
    assert Desk("filtered").press("p", "ctrl-c").verbs == [("quit", "")]


def test_a_paste_is_typed_into_a_filter_on_one_line():
    desk = Desk("red").press("k")
    desk.commands.press(Key("paste", "cart \t and\nrm"), desk.scene)
    assert desk.press("enter").verbs == [("keyword", "cart and")]


def test_escape_closes_the_help_only():
    assert Desk("help").press("escape").verbs == [("help", "")]
    assert Desk("red").press("escape").verbs == []


def test_every_key_of_the_rows_is_an_intent_or_asks():
    for scene in SCENES.values():
        for key in "asdunetofApkbvhq":
            heard: list[Intent] = []
            commands = Commands(heard.append)
            commands.press(Key(key, key), replace(scene, asking=None))
            over = commands.over(replace(scene, message="", asking=None))
            assert bool(heard) + bool(over.message) + (over.asking is not None) == 1


def test_a_number_answers_the_question():
    scene = SCENES["fixed"]
    (fault, *others) = scene.diagnosis.faults
    answers = (
        Answer(patch=DISCOUNT_FIX.patch.id, result="returns 0"),
        Answer(patch="0a0b0c0d", result="raises X"),
    )
    asking = replace(fault, question=Question(call="total([])", answers=answers))
    heard: list[Intent] = []
    commands = Commands(heard.append)
    commands.press(Key("2", "2"), scene)
    assert heard == []
    shown = replace(scene, focus=0, diagnosis=replace(scene.diagnosis, faults=(asking, *others)))
    for name in "123":
        commands.press(Key(name, name), shown)
    assert heard == [Intent(verb="apply", argument=answer.patch) for answer in answers]
