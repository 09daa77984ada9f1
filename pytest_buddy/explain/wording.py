"""How bullets are worded: code in backticks, places, lists, and a length that is kept."""

from collections.abc import Iterable
from itertools import islice

from pytest_buddy.domain import Variable

LIMIT = 200


def code(text: str, limit: int = 60) -> str:
    """A piece of code or a value in backticks, on one line and safe to print, its middle left out if long."""
    line = printable(" ".join(text.split()) if "\n" in text else text.strip())
    if len(line) > limit:
        tail = (limit - 3) // 3
        line = f"{line[: limit - 3 - tail]}...{line[-tail:]}"
    return f"`` {line} ``" if "`" in line else f"`{line}`"


def printable(text: str) -> str:
    """The text with what a terminal might act on written as escapes."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def place(path: str, line: int) -> str:
    """A position as editors and terminals understand it."""
    return code(f"{path}:{line}" if line else path, 100)


def qualified(name: str) -> str:
    """The qualified name of a code object as people call it, in backticks."""
    parts = [part for part in name.split(".") if not part.startswith("<")]
    return code(".".join(parts) or name)


def number(count: int, noun: str, plural: str = "") -> str:
    """A count and its noun."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def listed(items: Iterable[str], *, last: str = "and", most: int = 3) -> str:
    """The items as an enumeration; what is beyond `most` is counted only."""
    texts = list(items)
    if len(texts) > most:
        texts = [*texts[:most], f"{len(texts) - most} more"]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}" if texts else ""


def valued(variables: Iterable[Variable], *, most: int = 3) -> str:
    """Variables with their values as an enumeration; empty when there are none."""
    return listed([code(f"{one.name} = {one.value}", 48) for one in islice(variables, most)], most=most)


def compose(*parts: str, limit: int = LIMIT) -> str:
    """The first part and those of the others, in order, that still fit; ends with a full stop."""
    text = printable(parts[0])
    for part in map(printable, parts[1:]):
        if part and len(text) + len(part) < limit:
            text += part
    if len(text) >= limit:
        cut = text[: limit - 4].rsplit(" ", 1)[0]
        text = f"{cut}{'`' if cut.count('`') % 2 else ''}..."
    return text if text.endswith((".", "?", "!")) else f"{text}."
