"""The person's editor, at a line."""

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_buddy.errors import BuddyError
from pytest_buddy.processes import attached_editor

_COLON = frozenset({"subl", "sublime_text", "hx", "helix", "zed", "atom", "micro"})
_GOTO = frozenset({"code", "code-insiders", "codium", "cursor", "windsurf"})
_LINE = frozenset({"pycharm", "charm", "idea", "kate", "gedit"})
_PLUS = frozenset(
    {"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "kak", "joe", "mg", "ne", "gvim", "mcedit"}
)


def command(words: Sequence[str], path: Path, line: int) -> list[str]:
    """The editor's own words followed by what makes it open the file at the line, when that is known."""
    name = Path(words[0]).name.removesuffix(".exe") if words else ""
    if name in _PLUS:
        return [*words, f"+{line}", str(path)]
    if name in _GOTO:
        return [*words, "--goto", f"{path}:{line}"]
    if name in _COLON:
        return [*words, f"{path}:{line}"]
    if name in _LINE:
        return [*words, "--line", str(line), str(path)]
    return [*words, str(path)]


def open_editor(path: Path, line: int, environment: Mapping[str, str]) -> None:
    """Open $VISUAL or $EDITOR on this terminal and wait for it; raises BuddyError when there is none."""
    text = environment.get("VISUAL") or environment.get("EDITOR") or ""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BuddyError(f"$EDITOR cannot be read: {error}", hint="Quote it as in a shell.") from error
    if not words:
        raise BuddyError("no editor is named", hint="Set $EDITOR, for example to vim or `code --wait`.")
    if shutil.which(words[0], path=environment.get("PATH", os.defpath)) is None:
        raise BuddyError(f"the editor {words[0]} is not there", hint="Set $EDITOR to a program that is.")
    attached_editor(command(words, path, line), cwd=path.parent)
