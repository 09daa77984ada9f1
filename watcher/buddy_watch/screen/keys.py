"""Bytes of a terminal -> keys, however the bytes arrive."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ESC = "\x1b"
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])")
_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
_PASTE, _PASTED = "\x1b[200~", "\x1b[201~"
_LONGEST = 64  # no sequence that we know is longer: what is would hold back all keys after it
_LONGEST_PASTE = 4096
_NAMES = {
    "\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace", " ": "space",
    "\x03": "ctrl-c", "\x04": "ctrl-d", "\x0c": "ctrl-l", "\x15": "ctrl-u", "\x17": "ctrl-w",
    "\x1a": "ctrl-z", "\x1c": "ctrl-c",
}  # fmt: skip
_SEQUENCES = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left", "OA": "up", "OB": "down", "OC": "right",
    "OD": "left", "OM": "enter", "[H": "home", "[F": "end", "OH": "home", "OF": "end", "[1~": "home",
    "[7~": "home", "[4~": "end", "[8~": "end", "[5~": "pageup", "[6~": "pagedown", "[3~": "delete",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """A key by name (`a`, `A`, `enter`, `up`, `escape`, `paste`, `unknown`) and the text that it types."""

    name: str
    text: str = ""


@dataclass(slots=True)
class Keyboard:
    """Puts keys together; what has only begun waits for more, or for `settle` when nothing more comes."""

    _text: str = ""
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )

    @property
    def waiting(self) -> bool:
        """Whether what has begun may be a lone Escape."""
        return bool(self._text) and not self._text.startswith(_PASTE)

    def feed(self, data: bytes) -> tuple[Key, ...]:
        """The keys that these bytes complete."""
        self._text += self._decoder.decode(data)
        return tuple(self._taken())

    def settle(self) -> tuple[Key, ...]:
        """Take what has begun for what it is: Escape, and keys after it."""
        if not self.waiting:
            return ()
        text, self._text = self._text, ""
        return (Key("escape"), *(_plain(character) for character in text[1:]))

    def _taken(self) -> Iterator[Key]:
        while self._text:
            if self._text.startswith(_PASTE):
                body, end, rest = self._text[len(_PASTE) :].partition(_PASTED)
                if not end:
                    self._text = _PASTE + body[-_LONGEST_PASTE:]
                    return
                self._text = rest
                yield Key("paste", body[-_LONGEST_PASTE:])
            elif not self._text.startswith(_ESC):
                first, self._text = self._text[0], self._text[1:]
                yield _plain(first)
            elif match := _SEQUENCE.match(self._text):
                self._text = self._text[match.end() :]
                yield Key(_SEQUENCES.get(match[0][1:], "unknown"))
            elif _BEGUN.match(self._text) and len(self._text) <= _LONGEST:
                return
            else:  # Escape and a key at once, which is what Alt sends
                second, self._text = self._text[1:2], self._text[2:]
                yield Key("escape") if second == _ESC else Key("unknown")


def _plain(character: str) -> Key:
    if name := _NAMES.get(character):
        return Key(name, " " if name == "space" else "")
    return Key(character, character) if character.isprintable() else Key("unknown")
