"""What a candidate must not do whatever the tests say: the promise of a minimal diff.

A person who has read a diff may apply it all the same; this is about what is searched and offered.
"""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.errors import BuddyError, SourceError
from pytest_buddy.source import Source
from pytest_buddy.workspace import is_protected

_MODULES = frozenset(
    [
        # processes
        *("subprocess", "multiprocessing", "pty", "concurrent", "signal", "posix", "nt", "_posixsubprocess"),
        # the network
        *("socket", "_socket", "socketserver", "ssl", "asyncio", "websockets", "webbrowser", "xmlrpc"),
        *("urllib", "urllib3", "http", "httpx", "requests", "aiohttp"),
        *("ftplib", "smtplib", "poplib", "imaplib", "telnetlib"),
        # code that is not in the diff
        *("ctypes", "_ctypes", "cffi", "importlib", "imp", "runpy", "pkgutil", "zipimport", "code", "codeop"),
        *("builtins", "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle"),
        # who is running the program
        *("pytest", "_pytest", "unittest", "faulthandler", "gc"),
    ]
)
_NAMES = frozenset({"exec", "eval", "compile", "__import__", "breakpoint", "__builtins__", "__loader__"})
_ATTRIBUTES = frozenset(
    [
        *("system", "popen", "fork", "forkpty", "startfile", "kill", "killpg", "_exit"),
        *("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe"),
        *("spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe"),
        *("posix_spawn", "posix_spawnp", "rmtree", "unlink", "removedirs"),
        *("settrace", "setprofile", "_getframe", "modules", "gethostname"),
        *("__globals__", "__subclasses__", "__code__", "__builtins__"),
    ]
)
_STRINGS = frozenset({"PYTEST_CURRENT_TEST", "PYTEST_VERSION", "__import__", "__builtins__"})
# What may hide a word: letters that Python folds into others; a comment or a continued line after a dot.
_HIDING = r"[^\x00-\x7f]|\.\s*[#\\]"
_WORD = re.compile(
    r"(?<![\w.])(?:{})(?!\w)|\.\s*(?:{})(?!\w)|{}|{}".format(
        "|".join(sorted(_NAMES)), "|".join(sorted(_ATTRIBUTES)), "|".join(sorted(_STRINGS)), _HIDING
    ).encode()
)
_IMPORTED = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(_MODULES | _ATTRIBUTES))})(?!\w)".encode())
_TOKEN = re.compile(rb"\w+")
_WATCHED = frozenset(word.encode() for word in _MODULES | _NAMES | _ATTRIBUTES | _STRINGS)
_REACH = 24
_STATEMENT = 300


def objections(
    patch: Patch,
    sources: Mapping[str, Source],
    *,
    suspected: Collection[str],
    named: Collection[str] = (),
    exclude: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Why a candidate is not to be tried, in plain words; nothing when it may be.

    It may edit files in `suspected` and those the person `named`, no protected file unless named, empty no
    file, and bring in no module or call for processes, the network or code from elsewhere, nor ask who runs
    it, unless the file does so already. `sources` holds the files as they were when the patch was made.
    """
    said: list[str] = []
    for path in patch.paths:
        if path in named:
            pass
        elif is_protected(path, exclude=exclude):
            said.append(f"{path} is protected")
        elif path not in suspected:
            said.append(f"{path} is under no suspicion")
        source = sources.get(path)
        if source is None:
            said.append(f"{path} is not known")
        else:
            said += _brought_in(source, [edit for edit in patch.edits if edit.path == path])
    return tuple(said)


def _brought_in(source: Source, edits: list[Edit]) -> Iterator[str]:
    """What is wrong with the edits of one file; it is parsed only when a word in them calls for that."""
    emptied = sum(edit.end - edit.start for edit in edits) * 2 > len(source.content)
    words = {word for edit in edits for word in _new_words(source.content, edit)}
    if not emptied and not words:
        return
    try:
        if not emptied and words <= _words(source):
            return
        after = source.edited(edits)
        before = _powers(source)
        new = sorted(_powers(after) - before)
    except SourceError:
        yield f"{source.path} is or becomes something that is not Python"
        return
    except BuddyError as error:
        yield error.message
        return
    if emptied and source.tree.body and not _substance(after):
        yield f"nothing is left of {source.path}"
    for power in new:
        yield f"{source.path} would newly use {power}"


def _new_words(content: bytes, edit: Edit) -> set[bytes]:
    """The words of the new text, with what touches it, that only the file's syntax explains."""
    near = content[max(0, edit.start - _REACH) : edit.start]
    beyond = content[edit.end : edit.end + _REACH]
    replaced = content[edit.start : edit.end]
    new, old = near + edit.replacement + beyond, near + replaced + beyond
    if new.isascii() and _WATCHED.isdisjoint(_TOKEN.findall(new)):
        return set()
    found = set(_WORD.findall(new)).difference(_WORD.findall(old))
    if b"import" in edit.replacement and b"import" not in replaced:
        found.update(_IMPORTED.findall(new))
    elif b"import" in edit.replacement or b"import" in content[max(0, edit.start - _STATEMENT) : edit.start]:
        found.update(set(_IMPORTED.findall(new)).difference(_IMPORTED.findall(old)))
    return {word.lstrip(b". \t\r\n") for word in found}


@lru_cache(maxsize=16)
def _words(source: Source) -> frozenset[bytes]:
    """The words that stand for what a file does already."""
    return frozenset(power.removeprefix("the module ").strip("'").encode() for power in _powers(source))


def _substance(source: Source) -> bool:
    """Whether the file still does something."""
    return any(
        not isinstance(node, ast.Pass)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in source.tree.body
    )


@lru_cache(maxsize=16)
def _powers(source: Source) -> frozenset[str]:
    """The modules, names and attributes of the watched kinds that a file uses."""
    return frozenset(power for node in ast.walk(source.tree) for power in _of(node))


def _of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield from _module(alias.name)
        case ast.ImportFrom(module=module, names=names, level=level):
            yield from () if level else _module(module or "")
            yield from (alias.name for alias in names if alias.name in _ATTRIBUTES | _NAMES)
        case ast.Name(id=name) if name in _NAMES:
            yield name
        case ast.Attribute(attr=name) if name in _ATTRIBUTES:
            yield name
        case ast.Constant(value=str(text)) if text in _STRINGS:
            yield repr(text)


def _module(name: str) -> Iterator[str]:
    top = name.partition(".")[0]
    if top in _MODULES:
        yield f"the module {top}"
