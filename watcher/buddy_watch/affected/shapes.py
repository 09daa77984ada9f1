"""What Python makes of a source file, cut into function bodies and the rest: equal shapes behave equally.

Fingerprints are taken of compiled code without positions, so comments, blank space and line numbers do not
count, and names of functions are those that a running process knows.
"""

import ast
import hashlib
import inspect
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from buddy_watch.affected.references import literals, references, statements
from buddy_watch.values import FileChange

_FUNCTION = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS
_HAS_DOCSTRING = 0x4000000 if sys.version_info >= (3, 14) else 0
_NAMED = re.compile(r"[^<]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One content of a file: digest of its bytes, fingerprints of its functions' bodies and of the rest.

    `references` are the modules that it names: dotted, relative ones with leading dots. A file that does not
    compile is `broken`: its rest is its digest.
    """

    digest: str
    rest: str
    functions: Mapping[str, str]
    references: tuple[str, ...] = ()
    broken: bool = False


def digest_of(content: bytes) -> str:
    """A short name for exactly these bytes."""
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def shape_of(content: bytes) -> Shape:
    """The shape of a source file, whatever is in it."""
    digest = digest_of(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
            _forget_lines_of_classes(tree)
            code = compile(tree, "", "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Shape(digest=digest, rest=digest, functions={}, broken=True)
    bodies: dict[str, Any] = {"": hashlib.blake2b(digest_size=8)}
    _fingerprint(code, "", bodies)
    prints = {name: body.hexdigest() for name, body in bodies.items()}
    rest = prints.pop("")
    named = {*references(tree), *literals(_strings(code))}
    return Shape(digest=digest, rest=rest, functions=prints, references=tuple(sorted(named)))


def difference(path: str, before: Shape | None, after: Shape | None) -> FileChange | None:
    """What became of a file; None when its bytes are the same, or when it never was and is not."""
    if before is None and after is None:
        return None
    if before is None or after is None:
        return FileChange(path=path, kind="added" if before is None else "deleted", whole=True)
    if before.digest == after.digest:
        return None
    if before.rest != after.rest or before.functions.keys() != after.functions.keys():
        return FileChange(path=path, whole=True)
    changed = (name for name, body in after.functions.items() if before.functions[name] != body)
    return FileChange(path=path, functions=frozenset(changed))


def _forget_lines_of_classes(tree: ast.Module) -> None:
    """From Python 3.13 on classes know the line they begin at, as a constant in their bodies."""
    for statement in statements(tree):
        if isinstance(statement, ast.ClassDef):
            statement.lineno = 1
            for decorator in statement.decorator_list:
                decorator.lineno = 1


def _fingerprint(code: CodeType, owner: str, bodies: dict[str, Any]) -> None:
    """Add a code object to its owner's fingerprint; functions inside it are owners of their own."""
    body = bodies[owner]
    constants: list[str] = []
    inner: list[tuple[CodeType, str]] = []
    for constant in code.co_consts:
        if not isinstance(constant, CodeType):
            constants.append(_constant(constant))
        elif (name := _name(constant)) is None:
            inner.append((constant, owner))
        else:
            constants.append(_signature(constant))
            inner.append((constant, name))
    parts = (code.co_code, code.co_exceptiontable, code.co_names, code.co_varnames, code.co_freevars)
    described = f"{code.co_name}{parts}{code.co_cellvars}{code.co_flags}{constants}"
    body.update(described.encode("utf-8", "surrogatepass"))
    for nested, name in inner:
        if name not in bodies:
            bodies[name] = hashlib.blake2b(digest_size=8)
        _fingerprint(nested, name, bodies)


def _name(code: CodeType) -> str | None:
    """The name under which a function stands for itself; lambdas, comprehensions and classes don't."""
    if code.co_flags & _FUNCTION != _FUNCTION or code.co_name == "__annotate__":
        return None
    return code.co_qualname if _NAMED.match(code.co_name) else None


def _signature(code: CodeType) -> str:
    """What others see of a function without running it: parameters, kind and docstring."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    documented = not _HAS_DOCSTRING or code.co_flags & _HAS_DOCSTRING
    docstring = code.co_consts[:1] if documented else ()
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return f"{code.co_name}{counts}{code.co_varnames[:count]}{[_constant(one) for one in docstring]}"


def _constant(value: object) -> str:
    """A constant as text that is the same in every process."""
    if isinstance(value, frozenset):
        return f"frozenset{sorted(map(_constant, value))}"
    if isinstance(value, tuple):
        return f"({','.join(map(_constant, value))},)"
    if isinstance(value, CodeType):
        return value.co_name
    return repr(value)


def _strings(code: CodeType) -> Iterator[str]:
    pending: list[tuple[Any, ...]] = [code.co_consts]
    while pending:
        for constant in pending.pop():
            if isinstance(constant, str):
                yield constant
            elif isinstance(constant, tuple):
                pending.append(constant)
            elif isinstance(constant, CodeType):
                pending.append(constant.co_consts)
