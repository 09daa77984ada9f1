"""Two written values -> what exactly is different about them, as far as the texts show it."""

import ast
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_buddy.explain.wording import code, listed, number

_LONGEST = 20_000
_APPROXIMATE = re.compile(r"(?:approx\()?(\S+) ± (\S+?)\)?$")
_INDEX = re.compile(r"At index (\d+) diff: (.+) != (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is different: its `kind` for rules to go by, and a phrase that follows the two values."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """An object as its repr shows it: a type's name and named values."""

    name: str
    fields: Mapping[str, Any]


class Unreadable(Exception):
    """The text does not show the whole value."""


def difference(came: str, wanted: str, detail: tuple[str, ...] = ()) -> Difference | None:
    """How the value that came differs from the one that was wanted; None when the texts do not tell."""
    approximate = _APPROXIMATE.search(wanted)
    try:
        if approximate:
            return _near(read(came), read(approximate[1]), approximate[2])
        return _between(read(came), read(wanted))
    except Unreadable:
        return _from_detail(detail)


def read(text: str) -> Any:
    """The value that a text denotes; raises Unreadable for one that is shortened or shows an address."""
    if len(text) > _LONGEST or "..." in text:
        raise Unreadable
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise Unreadable from error


def is_readable(text: str) -> bool:
    """Whether the text shows the whole value."""
    try:
        read(text)
    except Unreadable:
        return False
    return True


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Name):
        return -_value(node.operand)
    if isinstance(node, ast.UnaryOp | ast.BinOp):
        return ast.literal_eval(node)
    if isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item) for item in node.elts)
    if isinstance(node, ast.Set):
        return _hashable([_value(item) for item in node.elts])
    if isinstance(node, ast.Dict):
        return {_key(key): _value(item) for key, item in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.Name) and node.id in ("nan", "inf"):
        return float(node.id)
    if isinstance(node, ast.Call):
        return _record(node)
    if isinstance(node, ast.Attribute | ast.Name):
        return Record(ast.unparse(node), {})
    raise Unreadable


def _key(node: ast.expr | None) -> Any:
    if node is None:
        raise Unreadable
    value = _value(node)
    hash(value)
    return value


def _hashable(items: list[Any]) -> frozenset[Any]:
    return frozenset(items)


def _record(node: ast.Call) -> Any:
    name = ast.unparse(node.func)
    if name in ("set", "frozenset", "list", "tuple", "dict") and len(node.args) <= 1 and not node.keywords:
        inner = _value(node.args[0]) if node.args else []
        makers: Mapping[str, Callable[[Any], Any]] = {
            "set": frozenset, "frozenset": frozenset, "list": list, "tuple": tuple, "dict": dict,
        }  # fmt: skip
        return makers[name](inner)
    fields = {f"argument {at}": _value(item) for at, item in enumerate(node.args, 1)}
    return Record(name, fields | {one.arg or "": _value(one.value) for one in node.keywords})


def _from_detail(detail: tuple[str, ...]) -> Difference | None:
    """What pytest says about values too long to be shown."""
    for line in detail:
        match = _INDEX.match(line.strip())
        if match:
            inner = difference(match[2], match[3])
            return Difference(
                kind=inner.kind if inner else "element",
                text=f"first at `[{match[1]}]`: {code(match[2], 40)} instead of {code(match[3], 40)}",
            )
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _between(came: Any, wanted: Any) -> Difference | None:
    if came is None and wanted is not None:
        return Difference(kind="none", text="")
    if type(came) is not type(wanted) and not (_is_number(came) and _is_number(wanted)):
        return _types(came, wanted)
    if came == wanted:
        return None
    if isinstance(came, bool):
        return Difference(kind="inverted", text="")
    if _is_number(came):
        return _numbers(came, wanted)
    if isinstance(came, str | bytes):
        return _texts(came, wanted)
    if isinstance(came, list | tuple):
        return _sequences(came, wanted)
    if isinstance(came, frozenset):
        return _members(came, wanted)
    if isinstance(came, dict):
        return _mappings(came, wanted)
    return _records(came, wanted) if isinstance(came, Record) else None


def _types(came: Any, wanted: Any) -> Difference | None:
    if isinstance(came, str) and _is_number(wanted) and came.strip() == repr(wanted):
        return Difference(kind="type", text="a text where a number was expected")
    if isinstance(wanted, str) and _is_number(came) and wanted.strip() == repr(came):
        return Difference(kind="type", text="a number where a text was expected")
    plain = (list, tuple)
    if isinstance(came, plain) and isinstance(wanted, plain) and list(came) == list(wanted):
        return Difference(
            kind="type", text=f"a {type(came).__name__} where a {type(wanted).__name__} was expected"
        )
    names = [_type_word(value) for value in (came, wanted)]
    return Difference(kind="type", text=f"{names[0]} instead of {names[1]}") if len(set(names)) == 2 else None


def _type_word(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, Record):
        return f"a {code(value.name)}"
    words = {"str": "a text", "frozenset": "a set", "int": "an int", "bool": "a truth value"}
    return words.get(type(value).__name__, f"a {type(value).__name__}")


def _numbers(came: Any, wanted: Any) -> Difference | None:
    if isinstance(came, complex) or isinstance(wanted, complex) or came == wanted:
        return None
    if not (math.isfinite(came) and math.isfinite(wanted)):
        return None
    if came == -wanted:
        return Difference(kind="sign", text="the sign is flipped")
    if isinstance(came, float) or isinstance(wanted, float):
        found = _floats(came, wanted)
        if found:
            return found
    gap = came - wanted
    way = "high" if gap > 0 else "low"
    if abs(gap) == 1:
        return Difference(kind="off-by-one", text=f"off by one, 1 too {way}")
    ratio = _ratio(came, wanted)
    if ratio:
        return ratio
    size = str(abs(gap)) if isinstance(gap, int) else f"{abs(gap):.6g}"
    return Difference(kind="amount", text=f"{size} too {way}")


def _floats(came: float, wanted: float) -> Difference | None:
    if math.isclose(came, wanted, rel_tol=1e-9, abs_tol=1e-12):
        return Difference(kind="rounding", text="they differ only by floating-point rounding")
    if came == math.trunc(wanted):
        return Difference(kind="truncated", text="the fraction is cut off")
    if abs(wanted) < 1e15 and came == round(wanted):
        return Difference(kind="rounded", text="rounded to a whole number")
    return None


def _ratio(came: float, wanted: float) -> Difference | None:
    if not came or not wanted:
        return None
    for factor in (2, 10, 100, 1000, 60, 3600, 1024):
        if came == wanted * factor:
            return Difference(kind="factor", text=f"exactly {factor} times too much")
        if came * factor == wanted:
            return Difference(kind="factor", text=f"{'half' if factor == 2 else f'1/{factor}'} of it")
    return None


def _near(came: Any, wanted: Any, tolerance: str) -> Difference | None:
    found = _between(came, wanted)
    if found and found.kind == "amount":
        return Difference(kind="amount", text=f"{found.text}, allowed is ±{tolerance}")
    return found


def _texts(came: Any, wanted: Any) -> Difference | None:
    if not came:
        return Difference(kind="empty", text="")
    if came.strip() == wanted.strip():
        return _blanks(came, wanted)
    if came.lower() == wanted.lower():
        return Difference(kind="case", text="only upper and lower case differ")
    if came == wanted[::-1]:
        return Difference(kind="order", text="it is reversed")
    if isinstance(came, str) and unicodedata.normalize("NFKC", came) == unicodedata.normalize("NFKC", wanted):
        return Difference(kind="unicode", text="they look alike, but are written with other code points")
    if wanted and wanted.startswith(came):
        return Difference(kind="prefix", text=f"{code(repr(wanted[len(came) :]), 40)} is missing at the end")
    if wanted and came.startswith(wanted):
        return Difference(kind="extra", text=f"{code(repr(came[len(wanted) :]), 40)} is too much at the end")
    return _replaced(came, wanted)


def _blanks(came: Any, wanted: Any) -> Difference:
    side = "end" if came.lstrip() != wanted.lstrip() else "start"
    more = "too much" if len(came) > len(wanted) else "missing"
    return Difference(kind="whitespace", text=f"only white space at the {side} is {more}")


def _replaced(came: Any, wanted: Any) -> Difference | None:
    head = _common(came, wanted)
    tail = min(_common(came[::-1], wanted[::-1]), min(len(came), len(wanted)) - head)
    have, want = came[head : len(came) - tail], wanted[head : len(wanted) - tail]
    if 2 * (head + tail) < max(len(came), len(wanted)):
        return None
    where = f"at character {head + 1}"
    newline = "\n" if isinstance(came, str) else b"\n"
    if newline in came[:head]:
        where = f"in line {came[:head].count(newline) + 1}"
    if not want:
        return Difference(kind="extra", text=f"{code(repr(have), 30)} is too much {where}")
    if not have:
        return Difference(kind="missing", text=f"{code(repr(want), 30)} is missing {where}")
    if len(have) > 30 or len(want) > 30:
        return Difference(kind="text", text=f"they first differ {where}")
    return Difference(
        kind="text", text=f"{where} it has {code(repr(have), 40)} instead of {code(repr(want), 40)}"
    )


def _common(left: Sequence[Any], right: Sequence[Any]) -> int:
    shortest = min(len(left), len(right))
    return next((at for at in range(shortest) if left[at] != right[at]), shortest)


def _sequences(came: Sequence[Any], wanted: Sequence[Any]) -> Difference | None:
    if not came:
        return Difference(kind="empty", text="")
    if len(came) == len(wanted):
        return _same_length(came, wanted)
    head = _common(came, wanted)
    tail = min(_common(came[::-1], wanted[::-1]), min(len(came), len(wanted)) - head)
    have, want = came[head : len(came) - tail], wanted[head : len(wanted) - tail]
    at = "at the end" if tail == 0 else "at the start" if head == 0 else f"at `[{head}]`"
    if not have:
        return Difference(kind="missing", text=f"{_shown(want)} missing {at}")
    if not want:
        return Difference(kind="extra", text=f"{_shown(have)} too much {at}")
    gap = len(came) - len(wanted)
    return Difference(
        kind="length", text=f"{number(abs(gap), 'element')} {'too many' if gap > 0 else 'too few'}"
    )


def _same_length(came: Sequence[Any], wanted: Sequence[Any]) -> Difference | None:
    different = [at for at, pair in enumerate(zip(came, wanted, strict=True)) if pair[0] != pair[1]]
    if not different:
        return None
    if Counter(map(repr, came)) == Counter(map(repr, wanted)):
        how = "in reverse order" if list(came) == list(wanted)[::-1] else "in another order"
        return Difference(kind="order", text=f"the same elements {how}")
    first = different[0]
    inner = _within(f"[{first}]", came[first], wanted[first])
    if len(different) == 1:
        return Difference(kind=inner.kind, text=f"only {inner.text}")
    if len(different) == len(came):
        return Difference(kind=inner.kind, text=f"every element differs, the first: {inner.text}")
    return Difference(kind=inner.kind, text=f"{len(different)} of {len(came)} differ, first {inner.text}")


def _within(where: str, came: Any, wanted: Any) -> Difference:
    inner = _between(came, wanted)
    text = f"`{where}` differs, {code(written(came), 40)} instead of {code(written(wanted), 40)}"
    if inner and inner.text and inner.kind not in ("text", "type"):
        text += f" ({inner.text})"
    return Difference(kind=inner.kind if inner else "element", text=text)


def written(value: Any) -> str:
    """A read value as text again; what an object holds is left out."""
    if isinstance(value, Record):
        return f"{value.name}(...)" if value.fields else value.name
    return repr(value) if not isinstance(value, frozenset) else repr(set(value))


def _shown(items: Sequence[Any]) -> str:
    verb = "is" if len(items) == 1 else "are"
    return f"{listed([code(written(item), 40) for item in items], most=2)} {verb}"


def _members(came: frozenset[Any], wanted: frozenset[Any]) -> Difference | None:
    lacks, surplus = sorted(wanted - came, key=repr), sorted(came - wanted, key=repr)
    texts = [f"{_shown(lacks)} missing"] if lacks else []
    texts += [f"{_shown(surplus)} too much"] if surplus else []
    kind = "missing" if lacks and not surplus else "extra" if surplus and not lacks else "element"
    return Difference(kind=kind, text=", ".join(texts)) if texts else None


def _mappings(came: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> Difference | None:
    lacks = [key for key in wanted if key not in came]
    surplus = [key for key in came if key not in wanted]
    if lacks or surplus:
        texts = [f"the key {_shown(lacks)} missing"] if lacks else []
        texts += [f"the key {_shown(surplus)} too much"] if surplus else []
        kind = "missing" if lacks and not surplus else "extra" if surplus and not lacks else "element"
        return Difference(
            kind=kind,
            text=", ".join(texts).replace("the key", "the keys") if len(lacks) > 1 else ", ".join(texts),
        )
    different = [key for key in wanted if came[key] != wanted[key]]
    if not different:
        return None
    inner = _within(f"[{different[0]!r}]", came[different[0]], wanted[different[0]])
    head = "only" if len(different) == 1 else f"{len(different)} of {len(wanted)} values differ, first"
    return Difference(kind=inner.kind, text=f"{head} {inner.text}")


def _records(came: Record, wanted: Record) -> Difference | None:
    if came.name != wanted.name:
        both_plain = not came.fields and not wanted.fields
        return (
            None
            if both_plain
            else Difference(kind="type", text=f"{code(came.name)}, not {code(wanted.name)}")
        )
    different = [
        name for name in wanted.fields if name in came.fields and came.fields[name] != wanted.fields[name]
    ]
    if not different:
        return None
    inner = _within(different[0], came.fields[different[0]], wanted.fields[different[0]])
    head = "only" if len(different) == 1 else f"{len(different)} fields differ, first"
    return Difference(kind=inner.kind, text=f"{head} {inner.text}")
