"""What the code of one function offers to a fix of it, worked out once per function."""

import ast
from dataclasses import dataclass
from functools import cached_property

from pytest_buddy.coder.outline import FunctionNode, is_short
from pytest_buddy.coder.scope import Scope, own_nodes

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_MOST = 40
_EMPTY_OF = {
    ast.List: "[]", ast.ListComp: "[]", ast.Dict: "{}", ast.DictComp: "{}", ast.BinOp: "0",
    ast.JoinedStr: '""', ast.Compare: "False", ast.BoolOp: "False", ast.Tuple: "()",
}  # fmt: skip
_USUAL_EMPTY = {"None": 0.8, "0": 0.5, "[]": 0.4, "False": 0.4, '""': 0.3, "True": 0.3, "0.0": 0.2, "{}": 0.2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """An expression that the function holds, and the names it reads."""

    node: ast.expr
    names: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """The expressions, words and short lines of one owner."""

    scope: Scope

    @cached_property
    def _nodes(self) -> tuple[ast.AST, ...]:
        return tuple(own_nodes(self.scope.owner.node))

    @cached_property
    def expressions(self) -> dict[str, Ingredient]:
        """Text -> expression, of the short attributes, calls, subscripts and computations."""
        found: dict[str, Ingredient] = {}
        for node in self._nodes:
            if not isinstance(node, ast.Attribute | ast.Call | ast.Subscript | ast.BinOp):
                continue
            if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del) or len(found) >= _MOST:
                continue
            if not is_short(node, 16):
                continue
            inner = tuple(ast.walk(node))
            if any(isinstance(item, _COMPREHENSIONS) for item in inner):
                continue
            text = ast.unparse(node)
            names = frozenset(item.id for item in inner if isinstance(item, ast.Name))
            if names and len(text) <= 30:
                found.setdefault(text, Ingredient(node=node, names=names))
        return found

    @cached_property
    def comparisons(self) -> tuple[str, ...]:
        """The comparisons that it makes."""
        nodes = (node for node in self._nodes if isinstance(node, ast.Compare) and is_short(node, 24))
        texts = (ast.unparse(node) for node in nodes)
        return tuple(dict.fromkeys(text for text in texts if len(text) <= 40))[:12]

    @cached_property
    def numbers(self) -> tuple[int | float, ...]:
        """The numbers that it mentions."""
        values = (node.value for node in self._nodes if isinstance(node, ast.Constant))
        numbers = (
            value for value in values if isinstance(value, int | float) and not isinstance(value, bool)
        )
        return tuple(dict.fromkeys(numbers))[:20]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The strings without white space that it mentions."""
        values = (node.value for node in self._nodes if isinstance(node, ast.Constant))
        known = self.scope.outline.strings
        return tuple(dict.fromkeys(value for value in values if isinstance(value, str) and value in known))[
            :15
        ]

    @cached_property
    def collections(self) -> dict[str, str]:
        """Variable -> the method that adds to it, of the lists and sets that it makes."""
        found: dict[str, str] = {}
        for node in self._nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    match value:
                        case ast.List() | ast.Call(func=ast.Name(id="list" | "deque")):
                            found[name] = "append"
                        case ast.Set() | ast.Call(func=ast.Name(id="set")):
                            found[name] = "add"
        return found

    @cached_property
    def attributes_of(self) -> dict[str, dict[str, None]]:
        """Variable -> the attributes of it that the code reads."""
        found: dict[str, dict[str, None]] = {}
        for node in self._nodes:
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                    found.setdefault(name, {})[attribute] = None
        return found

    @cached_property
    def empty_values(self) -> dict[str, float]:
        """What the function could return when there is nothing to work on -> how likely."""
        values: dict[str, float] = {}
        for node in self._nodes:
            value = node.value if isinstance(node, ast.Return) else None
            if value is None or not is_short(value):
                continue
            known = self.scope.names.get(value.id) if isinstance(value, ast.Name) else None
            text = (
                ast.unparse(value) if isinstance(value, ast.Constant | ast.List | ast.Dict | ast.Call) else ""
            )
            if isinstance(value, ast.Constant) or text in ("[]", "{}", "set()"):
                values[text] = 1.0
            elif known is not None and known.kind == "parameter":
                values[known.id] = 1.0
            if type(value) in _EMPTY_OF:
                values.setdefault(_EMPTY_OF[type(value)], 1.5)
        return values | {text: prior for text, prior in _USUAL_EMPTY.items() if text not in values}

    @cached_property
    def lines(self) -> dict[str, ast.AST]:
        """Text -> statement, of the short calls and assignments."""
        found: dict[str, ast.AST] = {}
        for statement in self.scope.outline.by_owner.get(self.scope.owner, ()):
            node = statement.node
            simple = isinstance(node, ast.Expr | ast.Assign | ast.AugAssign) and not statement.is_docstring
            if simple and node.lineno == node.end_lineno and len(found) < _MOST:
                text = self.scope.outline.source.line(node.lineno).strip()
                if len(text) <= 60 and "#" not in text and ";" not in text:
                    found.setdefault(text, node)
        return found

    @cached_property
    def helpers(self) -> tuple[str, ...]:
        """The functions in scope that can be called with one argument."""
        found = []
        for name, functions in self.scope.outline.functions.items():
            if name in self.scope.names and functions[0] is not self.scope.owner.node:
                least, most = arity(functions[0], bound=False)
                if least <= 1 <= most:
                    found.append(name)
        return tuple(found[:15])


def arity(function: FunctionNode, *, bound: bool) -> tuple[int, int]:
    """The fewest and the most positional arguments it takes; `bound` leaves out `self`."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    count = len(arguments) - (1 if bound and arguments else 0)
    most = 99 if function.args.vararg is not None else count
    return count - len(function.args.defaults), most
