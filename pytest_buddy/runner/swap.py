"""Replace the code of live functions by that of an edited source, without importing anything again."""

import __future__

import ast
import functools
import gc
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType, MappingProxyType
from typing import Any

from pytest_buddy.domain import Edit
from pytest_buddy.source import Source

_FUTURE = functools.reduce(
    lambda flags, name: flags | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Key = tuple[str, int, str]
_PASSIVE = frozenset({"classmethod", "staticmethod", "property"})


class NotSwappable(Exception):
    """The edit reaches outside function bodies, or no live function runs the code it changes."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """An outermost function of a file: its node and the classes around it, outside in."""

    node: _Function
    classes: tuple[str, ...]
    first_line: int


def _outermost(tree: ast.Module) -> Iterator[_Scope]:
    pending: list[tuple[ast.AST, tuple[str, ...]]] = [(tree, ())]
    while pending:
        node, classes = pending.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([child.lineno, *(item.lineno for item in child.decorator_list)])
                yield _Scope(child, classes, first)
            elif isinstance(child, ast.ClassDef):
                pending.append((child, (*classes, child.name)))
            elif isinstance(child, ast.stmt | ast.excepthandler):
                pending.append((child, classes))


@dataclass(frozen=True, slots=True)
class Swap:
    """A live function, the code it is to run, and the new values of some of its defaults by name."""

    function: FunctionType
    code: CodeType
    defaults: Mapping[str, object]

    def put(self) -> Callable[[], None]:
        """Make the function another one; what is given takes that back."""
        function = self.function
        before = function.__code__, function.__defaults__, function.__kwdefaults__

        def take_back() -> None:
            function.__code__, function.__defaults__, function.__kwdefaults__ = before

        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        function.__code__ = self.code
        if self.defaults:
            positional = function.__defaults__ or ()
            named = names[len(names) - len(positional) :]
            known = zip(named, positional, strict=True)
            function.__defaults__ = tuple(self.defaults.get(name, value) for name, value in known)
            only = function.__kwdefaults__ or {}
            function.__kwdefaults__ = {name: self.defaults.get(name, only[name]) for name in only}
        return take_back


def _signature(node: _Function, new: Mapping[str, object] = MappingProxyType({})) -> str:
    """A text that is the same for equal signatures; defaults that `new` names do not count."""
    kept = [*node.decorator_list, *([node.returns] if node.returns else [])]
    parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    parameters += [item for item in (node.args.vararg, node.args.kwarg) if item]
    shape = [len(part) for part in (node.args.posonlyargs, node.args.args, node.args.kwonlyargs)]
    defaults = [f"{name}={ast.dump(value)}" for name, value in _defaults(node) if name not in new]
    return f"{type(node).__name__} {node.name} {shape} {defaults} " + " ".join(
        ast.dump(part) for part in (*parameters, *kept)
    )


def _defaults(node: _Function) -> list[tuple[str, ast.expr]]:
    """The parameters that have a default, by name, and what it is written as."""
    positional = [*node.args.posonlyargs, *node.args.args]
    last = positional[len(positional) - len(node.args.defaults) :]
    pairs = [
        *zip(last, node.args.defaults, strict=True),
        *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    ]
    return [(parameter.arg, value) for parameter, value in pairs if value is not None]


def _new_defaults(old: _Function, new: _Function) -> dict[str, object]:
    """Other plain values that defaults get; empty where a decorator may have read the old ones."""
    before = dict(_defaults(old))
    found: dict[str, object] = {}
    if any(not isinstance(item, ast.Name) or item.id not in _PASSIVE for item in old.decorator_list):
        return {}
    for name, value in _defaults(new):
        if name in before and ast.dump(before[name]) != ast.dump(value):
            try:
                found[name] = ast.literal_eval(value)
            except ValueError:
                return {}
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


class LiveFunctions:
    """The function objects that exist in this process, by file, first line and qualified name.

    Take it before `gc.freeze()`: frozen objects are invisible to it.
    """

    def __init__(self, prefix: str) -> None:
        self._functions: dict[_Key, list[FunctionType]] = {}
        self.caches: list[Any] = []
        wrapper = type(functools.lru_cache(lambda: None))
        for item in gc.get_objects():
            kind = type(item)
            if kind is FunctionType:
                code = item.__code__
                if code.co_filename.startswith(prefix):
                    key = (code.co_filename, code.co_firstlineno, code.co_qualname)
                    self._functions.setdefault(key, []).append(item)
            elif kind is wrapper:
                inner = getattr(item, "__wrapped__", None)
                if type(inner) is FunctionType and inner.__code__.co_filename.startswith(prefix):
                    self.caches.append(item)

    def running(self, code: CodeType, filename: str) -> list[FunctionType]:
        """The live functions that were compiled from the same place as `code`."""
        found = self._functions.get((filename, code.co_firstlineno, code.co_qualname), [])
        first = {id(function.__code__) for function in found}
        return found if len(first) == 1 else [item for item in found if item.__code__.co_code == code.co_code]

    def clear_caches(self) -> None:
        """Empty every `functools.lru_cache` of the project's functions."""
        for cache in self.caches:
            cache.cache_clear()


class CodeSwap:
    """Swaps candidates of one file in and out; `filename` is what the live code objects call the file.

    Raises SourceError when the file does not parse.
    """

    def __init__(self, source: Source, filename: str, live: LiveFunctions) -> None:
        self._source = source
        self._filename = filename
        self._live = live
        self._scopes = sorted(_outermost(source.tree), key=lambda scope: scope.first_line)
        whole = compile(source.tree, filename, "exec", dont_inherit=True)
        self._flags = whole.co_flags & _FUTURE
        self._base = {(code.co_firstlineno, code.co_qualname): code for code in _codes(whole)}

    def compile(self, edits: Iterable[Edit]) -> list[Swap]:
        """Which live function gets which code for these edits; raises NotSwappable or SyntaxError."""
        by_scope: dict[int, list[Edit]] = {}
        for edit in edits:
            by_scope.setdefault(self._scope_of(edit), []).append(edit)
        pairs = [
            pair for index, group in by_scope.items() for pair in self._pairs(self._scopes[index], group)
        ]
        if not pairs:
            raise NotSwappable("no live function runs this code")
        return pairs

    def _scope_of(self, edit: Edit) -> int:
        for index, scope in enumerate(self._scopes):
            start, end = self._extent(scope)
            if start <= edit.start and edit.end <= end:
                return index
        raise NotSwappable("the edit is outside every function")

    def _extent(self, scope: _Scope) -> tuple[int, int]:
        starts = self._source.line_starts
        last = scope.node.end_lineno or scope.node.lineno
        return starts[scope.first_line - 1], starts[min(last, len(starts) - 1)]

    def _pairs(self, scope: _Scope, edits: list[Edit]) -> list[Swap]:
        old = self._find(scope, self._base)
        new, defaults = self._compiled(scope, edits)
        pairs: list[tuple[FunctionType, CodeType]] = []
        if old is None or not self._match(old, new, pairs):
            raise NotSwappable("the edit changes what the function closes over")
        outer = [function for function, code in pairs if code is new]
        if defaults and not outer:
            raise NotSwappable("no live function has these defaults")
        return [Swap(function, code, defaults if code is new else {}) for function, code in pairs]

    def _find(self, scope: _Scope, codes: dict[tuple[int, str], CodeType]) -> CodeType | None:
        qualified = ".".join([*scope.classes, scope.node.name])
        return codes.get((scope.first_line, qualified))

    def _compiled(self, scope: _Scope, edits: list[Edit]) -> tuple[CodeType, dict[str, object]]:
        """The new code of the outermost function, and its new defaults."""
        start, end = self._extent(scope)
        content = bytearray(self._source.content[start:end])
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
            content[edit.start - start : edit.end - start] = edit.replacement
        segment = content.decode(self._source.encoding.replace("-sig", ""))
        indentation = segment[: len(segment) - len(segment.lstrip(" \t\f"))]
        wrappers = [f"{indentation[:depth]}class {name}:" for depth, name in enumerate(scope.classes)]
        if indentation and not wrappers:
            wrappers = ["if 1:"]
        padding = "\n" * (scope.first_line - 1 - len(wrappers))
        text = padding + "".join(line + "\n" for line in wrappers) + segment
        tree = ast.parse(text, self._filename)
        node = next(iter(_outermost(tree)), None)
        if node is None:
            raise NotSwappable("the edit removes the function")
        defaults = _new_defaults(scope.node, node.node)
        if _signature(node.node, defaults) != _signature(scope.node, defaults):
            raise NotSwappable("the edit changes the signature")
        if sum(1 for _ in itertools.islice(_outermost(tree), 2)) != 1:
            raise NotSwappable("the edit adds a function")
        code = compile(tree, self._filename, "exec", flags=self._flags, dont_inherit=True)
        found = self._find(scope, {(item.co_firstlineno, item.co_qualname): item for item in _codes(code)})
        if found is None:
            raise NotSwappable("the edit moves the function")
        return found, defaults

    def _match(self, old: CodeType, new: CodeType, pairs: list[tuple[FunctionType, CodeType]]) -> bool:
        for function in self._live.running(old, self._filename):
            if old.co_freevars != new.co_freevars:
                return False
            pairs.append((function, new))
        news = [item for item in new.co_consts if isinstance(item, CodeType)]
        for inner in (item for item in old.co_consts if isinstance(item, CodeType)):
            twin = next((item for item in news if item.co_name == inner.co_name), None)
            if twin is None:
                if self._live.running(inner, self._filename):
                    return False
                continue
            news.remove(twin)
            if not self._match(inner, twin, pairs):
                return False
        return True
