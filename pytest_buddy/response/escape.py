"""Text of the user's program -> text that a terminal shows and never obeys."""

import unicodedata

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_TAB = 4


def visible(text: str, *, ascii: bool = False) -> str:  # noqa: A002
    """The text with control, bidi and invisible characters written as escapes, tabs as spaces.

    With `ascii`, every other character outside ASCII is written as an escape, too.
    """
    text = text.expandtabs(_TAB)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character, ascii=ascii) for character in text)


def one_line(text: str, *, limit: int) -> str:
    """The text on one line, white space collapsed, cut after `limit` characters."""
    flat = " ".join(text[: 4 * limit].split())
    return flat if len(flat) <= limit and len(text) <= 4 * limit else flat[:limit].rstrip() + "..."


def fitted(text: str, columns: int) -> str:
    """As much of the text as has room in that many columns of a terminal."""
    used = 0
    for position, character in enumerate(text):
        if not unicodedata.combining(character):
            used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > columns:
            return text[:position]
    return text


def _shown(character: str, *, ascii: bool) -> str:  # noqa: A002
    if character.isascii() and character.isprintable():
        return character
    if not ascii and unicodedata.category(character) not in _OBEYED:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, kept by surrogateescape
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
