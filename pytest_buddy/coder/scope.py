"""The names a function can use, worked out once per function."""

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pytest_buddy.coder.outline import FunctionNode, Outline, Owner, is_short
from pytest_buddy.coder.roles import Role, read_roles

Kind = Literal["parameter", "local", "enclosing", "constant", "callable", "import", "builtin"]
_NESTED = (*FunctionNode.__args__, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NEVER = 1 << 30
BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name in scope, how it came there and the first line that binds it."""

    id: str
    kind: Kind
    line: int = 0


def own_nodes(root: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `root`, those of nested functions, classes and lambdas left out."""
    stack = list(ast.iter_child_nodes(root))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _NESTED):
            stack.extend(ast.iter_child_nodes(node))


def bound_names(target: ast.AST) -> Iterator[ast.Name]:
    """The names that a target binds."""
    return (
        node for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )


def parameters(function: FunctionNode | ast.Lambda) -> tuple[ast.arg, ...]:
    """All parameters, in the order of the signature."""
    arguments = function.args
    extra = [item for item in (arguments.vararg, arguments.kwarg) if item is not None]
    return (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra)


def _bindings(root: ast.AST) -> Iterator[tuple[str, Kind, int]]:
    comprehended = {
        id(name)
        for node in own_nodes(root)
        if isinstance(node, _COMPREHENSIONS)
        for generator in node.generators
        for name in bound_names(generator.target)
    }
    for node in own_nodes(root):
        match node:
            case ast.Name(id=name, ctx=ast.Store(), lineno=line) if id(node) not in comprehended:
                yield name, "local", line
            case ast.FunctionDef(name=name, lineno=line) | ast.AsyncFunctionDef(name=name, lineno=line):
                yield name, "callable", line
            case ast.ClassDef(name=name, lineno=line):
                yield name, "callable", line
            case ast.ExceptHandler(name=str(name), lineno=line):
                yield name, "local", line
            case ast.Import(names=names, lineno=line) | ast.ImportFrom(names=names, lineno=line):
                for alias in names:
                    yield (alias.asname or alias.name).partition(".")[0], "import", line
            case ast.MatchAs(name=str(name), lineno=line) | ast.MatchStar(name=str(name), lineno=line):
                yield name, "local", line


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The names in scope of one owner, and what its class and function hold."""

    outline: Outline
    owner: Owner

    @cached_property
    def names(self) -> dict[str, Name]:
        """Name -> where it comes from; inner scopes hide outer ones, builtins are left out."""
        names: dict[str, Name] = {}
        for name, kind, line in _bindings(self.outline.source.tree):
            outer: Kind = "constant" if kind == "local" else kind
            names.setdefault(name, Name(id=name, kind=outer, line=line))
        for owner in reversed(self.owner.chain):
            if isinstance(owner.node, ast.Module) or (
                isinstance(owner.node, ast.ClassDef) and owner is not self.owner
            ):
                continue
            names.update(self._own(owner, innermost=owner is self.owner))
        names.pop("*", None)
        return names

    @staticmethod
    def _own(owner: Owner, *, innermost: bool) -> dict[str, Name]:
        own: dict[str, Name] = {}
        if owner.function is not None:
            kind: Kind = "parameter" if innermost else "enclosing"
            for argument in parameters(owner.function):
                own[argument.arg] = Name(id=argument.arg, kind=kind, line=owner.function.lineno)
        for name, bound, line in _bindings(owner.node):
            kept: Kind = "enclosing" if bound == "local" and not innermost else bound
            known = own.get(name)
            if known is None or (known.kind != "parameter" and line < known.line):
                own[name] = Name(id=name, kind=kept, line=line)
        return own

    @cached_property
    def instance(self) -> str:
        """What a method calls its object (`self` or `cls`); empty outside methods."""
        for owner in self.owner.chain:
            if owner.function is None or owner.parent is None:
                continue
            if isinstance(owner.parent.node, ast.ClassDef):
                decorators = _decorator_names(owner.function)
                arguments = (*owner.function.args.posonlyargs, *owner.function.args.args)
                return arguments[0].arg if arguments and "staticmethod" not in decorators else ""
        return ""

    @cached_property
    def data_attributes(self) -> dict[str, int]:
        """Attribute -> how often the class reads or sets it on its object, fields included."""
        node = self.owner.enclosing_class
        if node is None:
            return {}
        counts = dict(_fields(node))
        for inner in ast.walk(node):
            match inner:
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute):
                    if attribute not in self.methods:
                        counts[attribute] = counts.get(attribute, 0) + 1
        return counts

    @cached_property
    def methods(self) -> dict[str, FunctionNode]:
        """Method name -> its node, of the class around."""
        node = self.owner.enclosing_class
        body = node.body if node is not None else []
        return {
            item.name: item
            for item in body
            if isinstance(item, FunctionNode) and "property" not in _decorator_names(item)
        }

    @cached_property
    def properties(self) -> tuple[str, ...]:
        """The methods of the class around that are read like attributes."""
        return tuple(
            name
            for name, node in self.methods.items()
            if _decorator_names(node) & {"property", "cached_property"}
        )

    @cached_property
    def reads(self) -> dict[str, int]:
        """Name -> how often the owner, nested functions included, reads it."""
        counts: dict[str, int] = {}
        for node in ast.walk(self.owner.node):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                counts[node.id] = counts.get(node.id, 0) + 1
        return counts

    @cached_property
    def known(self) -> frozenset[str]:
        """The names that code of the owner may read, builtins among them."""
        return frozenset(self.names) | BUILTINS | {self.instance}

    @cached_property
    def unread(self) -> frozenset[str]:
        """Parameters and variables of the function that it never reads: a use of them may be missing."""
        kinds = ("parameter", "local")
        return frozenset(
            name.id
            for name in self.names.values()
            if name.kind in kinds and name.id not in self.reads and not name.id.startswith("_")
            if name.id != self.instance
        )

    @cached_property
    def unset(self) -> dict[str, int]:
        """Name -> the line that reads it first, of those that nothing sets before: a line may be missing."""
        if self.owner.function is None:
            return {}
        first_set, first_read = _uses(self.owner.node)
        return {
            name: line
            for name, line in first_read.items()
            if line < first_set.get(name, _NEVER) and name not in BUILTINS and not name.startswith("__")
            if name not in self.names or self.names[name].kind == "local"
        }

    @cached_property
    def unstored(self) -> frozenset[str]:
        """Attributes that the class reads of its object and sets nowhere: `__init__` may lack a line."""
        node = self.owner.enclosing_class
        if node is None or not self.instance:
            return frozenset()
        updated = {id(item.target) for item in ast.walk(node) if isinstance(item, ast.AugAssign)}
        stored: set[str] = {name for name, _ in _fields(node)} | {*self.methods, *self.properties}
        read: set[str] = set()
        for item in ast.walk(node):
            match item:
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute):
                    is_set = isinstance(item.ctx, ast.Store) and id(item) not in updated
                    (stored if is_set else read).add(attribute)
                case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=attribute)):
                    stored.add(attribute)
        return frozenset(name for name in read - stored if not name.startswith("__"))

    @cached_property
    def annotations(self) -> dict[str, str]:
        """Parameter or local -> the text of its annotation."""
        found: dict[str, str] = {}
        if self.owner.function is not None:
            for argument in parameters(self.owner.function):
                if argument.annotation is not None and is_short(argument.annotation):
                    found[argument.arg] = ast.unparse(argument.annotation)
        for node in own_nodes(self.owner.node):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_short(node):
                found[node.target.id] = ast.unparse(node.annotation)
        return found

    @cached_property
    def is_generator(self) -> bool:
        """Whether the function yields."""
        return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(self.owner.node))

    @cached_property
    def roles(self) -> dict[str, frozenset[Role]]:
        """Variable (or `self.attribute`) -> what the code uses it as."""
        own = (*own_nodes(self.owner.node), *self._own_arguments)
        node = self.owner.enclosing_class
        shared = read_roles(ast.walk(node)) if node is not None and self.instance else {}
        return {key: roles for key, roles in shared.items() if key.startswith("self.")} | read_roles(own)

    @property
    def _own_arguments(self) -> tuple[ast.arg, ...]:
        return parameters(self.owner.function) if self.owner.function is not None else ()

    def suits(self, old: str, new: str) -> float:
        """How well a variable fits where another is, by what the code uses both as."""
        first, second = self.roles.get(old), self.roles.get(new)
        if not first or not second:
            return 1.0
        return 1.2 if first & second else 0.2

    @cached_property
    def container_names(self) -> frozenset[str]:
        """Names that the owner uses as text, collections or objects, and not as numbers."""
        return frozenset(name for name, roles in self.roles.items() if "number" not in roles)


def _uses(root: ast.AST) -> tuple[dict[str, int], dict[str, int]]:
    """Name -> the first line that sets it, and name -> the first that reads or updates it."""
    first_set: dict[str, int] = {}
    first_read: dict[str, int] = {}
    updated: set[int] = set()
    for node in ast.walk(root):
        match node:
            case ast.AugAssign(target=target):
                updated.add(id(target))
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                first_set |= dict.fromkeys(names, 0)
            case (
                ast.arg(arg=name)
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                first_set[name] = 0
            case ast.comprehension(target=target):
                first_set |= dict.fromkeys((bound.id for bound in bound_names(target)), 0)
            case ast.Name(id=name, lineno=line):
                found = (
                    first_set if isinstance(node.ctx, ast.Store) and id(node) not in updated else first_read
                )
                found[name] = min(found.get(name, _NEVER), line)
    return first_set, first_read


def _decorator_names(function: FunctionNode) -> set[str]:
    return {_last_name(item) for item in function.decorator_list}


def _last_name(node: ast.expr) -> str:
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, int]]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            yield item.target.id, 1
        elif isinstance(item, ast.Assign):
            for name in bound_names(item):
                yield name.id, 1
        elif isinstance(item, FunctionNode) and "property" in _decorator_names(item):
            yield item.name, 1
