"""Templates on regular expressions: small edits of a pattern, held to the texts of the failing tests."""

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from pytest_buddy.coder.change import Change, Splice, Template, on_expressions, on_statement
from pytest_buddy.coder.site import Site

_FUNCTIONS: Final = frozenset(
    {"compile", "match", "search", "fullmatch", "findall", "finditer", "sub", "subn", "split"}
)
_PIECE: Final = re.compile(r"(?s)^([rR]?)('''|\"\"\"|'|\")(.*)\2$")
_TOKEN: Final = re.compile(
    r"(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<quantifier>[*+?][?+]?|\{\d*,?\d*\}[?+]?)"
    r"|(?P<anchor>\^|\$|\\[AbBZ])"
    r"|(?P<open>\((?:\?(?:P<\w+>|P=\w+|[:=!>#]|<[=!]|[aiLmsux-]+[:)]))?)"
    r"|(?P<close>\))|(?P<bar>\|)|(?P<dot>\.)|(?P<escape>\\.)|(?P<char>[^\\])",
    re.DOTALL,
)
_QUANTIFIERS: Final = ("", "+", "*", "?")
_CLASSES: Final = {
    r"\d": (r"\w", r"[\d.]", r"\d+", "[0-9a-fA-F]"), r"\w": (r"[\w-]", r"[\w.]", r"\d", r"\S", "."),
    r"\s": (r"\S", r"\s+", r"\s*", "[ \\t]"), r"\S": (r"\s", r"\w", "."), r"\D": (r"\d",),
    r"\W": (r"\w", r"\s"),
}  # fmt: skip
_MEMBERS: Final = ("_", "-", ".", r"\d", r"\w", r"\s", "a-z", "A-Z", "0-9", "'")
_FLAGS: Final = ("IGNORECASE", "MULTILINE", "DOTALL", "VERBOSE")
_RANGES: Final = {"a-": "a-z", "A-": "A-Z", "0-": "0-9", "1-": "1-9"}
_MOST: Final = 200
_MOST_WORDS: Final = 6
_MOST_SIGNS: Final = 8
_SHORT: Final = 60
_PATTERN_ROOM: Final = 400


class _Token(NamedTuple):
    kind: str
    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class _Rewrite(NamedTuple):
    """Replace `start`..`end` of a pattern by `text`; `prior` compares the rewrites of one pattern."""

    start: int
    end: int
    text: str
    prior: float


def _tokens(pattern: str) -> tuple[_Token, ...]:
    return tuple(
        _Token(match.lastgroup or "char", match.start(), match[0]) for match in _TOKEN.finditer(pattern)
    )


def rewrites(pattern: str, subjects: tuple[str, ...] = ()) -> Iterator[_Rewrite]:
    """Small edits of a pattern: repetitions, anchors, classes, escapes, alternatives, greed."""
    tokens = _tokens(pattern)
    yield from _as_elsewhere(tokens)
    for token, after in zip(tokens, (*tokens[1:], None), strict=True):
        yield from _by_kind(token, after, subjects)
    for anchor, place in (("^", 0), ("$", len(pattern)), (r"\b", 0), (r"\b", len(pattern))):
        if not pattern.startswith(anchor, place) and not pattern[:place].endswith(anchor):
            yield _Rewrite(place, place, anchor, 1.0 if anchor != r"\b" else 0.6)
    yield from _alternatives(tokens, subjects)
    yield from _lost_pieces(tokens, subjects)


def _by_kind(token: _Token, after: _Token | None, subjects: tuple[str, ...]) -> Iterator[_Rewrite]:
    repeated = after is not None and after.kind == "quantifier"
    match token.kind:
        case "quantifier":
            yield from _repetition(token)
        case "anchor":
            yield _Rewrite(token.start, token.end, "", 0.8)
        case "dot":
            yield _Rewrite(token.start, token.end, r"\.", 1.0)
        case "escape":
            for other in _CLASSES.get(token.text, ()):
                yield _Rewrite(token.start, token.end, other, 0.5)
            if not token.text[1].isalnum():
                yield _Rewrite(token.start, token.end, token.text[1], 0.4)
        case "set":
            yield from _class_edits(token, subjects)
        case "open" if token.text == "(":
            yield _Rewrite(token.end, token.end, "?:", 0.5)
        case "open" if token.text == "(?:":
            yield _Rewrite(token.start + 1, token.end, "", 0.5)
    if token.kind in ("dot", "escape", "set", "close", "char") and not repeated:
        for quantifier in _QUANTIFIERS[1:]:
            yield _Rewrite(token.end, token.end, quantifier, 0.3 if token.kind == "char" else 0.8)


def _repetition(token: _Token) -> Iterator[_Rewrite]:
    lazy = token.text.endswith("?") and len(token.text) > 1
    greedy = token.text.endswith("+") and len(token.text) > 1
    core = token.text[:-1] if lazy or greedy else token.text
    if greedy:
        yield _Rewrite(token.start, token.end, core, 1.0)
    elif not lazy:
        yield _Rewrite(token.end, token.end, "?", 0.7 if core != "?" else 0.1)
    else:
        yield _Rewrite(token.start, token.end, core, 0.7)
    for other in _QUANTIFIERS:
        if other != core:
            yield _Rewrite(token.start, token.end, other + ("?" if lazy and other else ""), 1.0)
    counts = [int(number) for number in re.findall(r"\d+", core)]
    if not counts:
        return
    low, high = counts[0], counts[-1]
    bounds = ((low + 1, high + 1), (low - 1, high - 1), (low, high + 1), (low - 1, high), (1, high))
    for first, last in bounds:
        if 0 <= first <= last:
            text = f"{{{first}}}" if first == last else f"{{{first},{last}}}"
            yield _Rewrite(token.start, token.end, text, 0.8)
    yield _Rewrite(token.start, token.end, f"{{{low},}}", 0.6)


def _as_elsewhere(tokens: tuple[_Token, ...]) -> Iterator[_Rewrite]:
    """The repetitions that the pattern has in other places, first of all."""
    used = dict.fromkeys(token.text for token in tokens if token.kind == "quantifier")
    for token in tokens:
        for other in used if token.kind == "quantifier" else ():
            if other != token.text:
                yield _Rewrite(token.start, token.end, other, 2.0)


def _class_edits(token: _Token, subjects: tuple[str, ...]) -> Iterator[_Rewrite]:
    inner = token.start + 1
    negated = token.text.startswith("[^")
    yield _Rewrite(inner, inner + negated, "" if negated else "^", 0.6)
    held = dict.fromkeys(re.escape(sign) for text in subjects for sign in text if _is_sign(sign))
    for member in dict.fromkeys((*_MEMBERS, *[*held][:_MOST_SIGNS])):
        if member not in token.text[2 if negated else 1 :]:
            yield _Rewrite(token.end - 1, token.end - 1, member, 0.6)
    for match in re.finditer(r"([aA01]-)(\w)", token.text):
        whole = _RANGES[match[1]]
        if match[0] != whole:
            yield _Rewrite(token.start + match.start(), token.start + match.end(), whole, 1.5)
    for match in re.finditer(r"\\.|\w-\w|[^\\\[\]^]", token.text[1:-1]):
        start = inner + match.start()
        if len(token.text) > 3 and match[0] not in token.text[1 : 1 + match.start()]:
            yield _Rewrite(start, start + len(match[0]), "", 0.3)


def _is_sign(sign: str) -> bool:
    return not sign.isalnum() and not sign.isspace() and sign.isprintable()


def _alternatives(tokens: tuple[_Token, ...], subjects: tuple[str, ...]) -> Iterator[_Rewrite]:
    """A word of the texts as a further alternative, where there are some already."""
    bars = [index for index, token in enumerate(tokens) if token.kind == "bar"]
    if not bars:
        return
    whole = "".join(token.text for token in tokens)
    words = dict.fromkeys(word for text in subjects for word in re.findall(r"[A-Za-z]{2,12}|[^\w\s]", text))
    fresh = [word for word in words if re.escape(word) not in whole][:_MOST_WORDS]
    last = bars[-1]
    depth, end = 0, tokens[-1].end
    for token in tokens[last:]:
        depth += (token.kind == "open") - (token.kind == "close")
        if depth < 0:
            end = token.start
            break
    for word in fresh:
        yield _Rewrite(end, end, f"|{re.escape(word)}", 0.4)


def _lost_pieces(tokens: tuple[_Token, ...], subjects: tuple[str, ...]) -> Iterator[_Rewrite]:
    """A sign or an optional one between two atoms: those that the texts hold."""
    signs = dict.fromkeys(
        sign for text in subjects for sign in text if not sign.isalnum() and sign.isprintable()
    )
    for sign in [*signs][:4]:
        for token, after in zip(tokens, (*tokens[1:], None), strict=True):
            repeated = after is not None and after.kind == "quantifier"
            if token.kind in ("quantifier", "set", "escape", "close") and not repeated:
                text = r"\s*" if sign.isspace() else f"{re.escape(sign)}?"
                yield _Rewrite(token.end, token.end, text, 0.15)


@lru_cache(maxsize=512)
def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(pattern, flags)
        except (re.error, RecursionError, OverflowError, Warning):
            return None


def _is_slow(pattern: str) -> bool:
    """Whether a repetition holds another: matching may then take for ever."""
    depths: list[bool] = [False]
    last_closed = False
    for token in _tokens(pattern):
        if token.kind == "open":
            depths.append(False)
        elif token.kind == "close" and len(depths) > 1:
            last_closed = depths.pop()
            depths[-1] = depths[-1] or last_closed
            continue
        elif token.kind == "quantifier" and not token.text.startswith("?"):
            if last_closed:
                return True
            depths[-1] = True
        last_closed = False
    return False


def behaviour(pattern: str, subjects: tuple[str, ...], flags: int = 0) -> tuple[object, ...] | None:
    """What the pattern finds in each text; None when it may take too long to say."""
    compiled = _compiled(pattern, flags)
    if compiled is None or _is_slow(pattern):
        return None
    found: list[object] = []
    for text in subjects:
        for match in (compiled.search(text), compiled.match(text), compiled.fullmatch(text)):
            found.append(match and (match.span(), match.groups()))
        found.append(len(compiled.findall(text)))
    return tuple(found)


def looks_like_pattern(node: ast.Constant, parent: ast.AST) -> bool:
    """Whether a string is used as a regular expression, or can hardly be anything else."""
    text = node.value
    if not isinstance(text, str) or not 0 < len(text) <= _PATTERN_ROOM:
        return False
    if isinstance(parent, ast.Call) and parent.args and parent.args[0] is node:
        function = parent.func
        if isinstance(function, ast.Attribute) and function.attr in _FUNCTIONS:
            return isinstance(function.value, ast.Name) and function.value.id in ("re", "regex")
    telling = re.search(r"\\[dwsSDWbB.]|\[[^\]]+\][+*?{]|\(\?[:P=!<]|\.\*|\.\+", text)
    return telling is not None and _compiled(text) is not None


def _flags(call: ast.AST) -> int:
    """The flags that a call names."""
    found = 0
    for node in ast.walk(call) if isinstance(call, ast.Call) else ():
        if isinstance(node, ast.Attribute) and node.attr in re.RegexFlag.__members__:
            found |= re.RegexFlag[node.attr]
    return found & ~re.DEBUG


@on_expressions("pattern", 0.3, ast.Constant)
def pattern_edit(site: Site, node: ast.Constant) -> Iterator[Change]:
    """A regular expression that differs a little, and finds something else in the texts that were tested."""
    pattern = node.value
    if not isinstance(pattern, str) or not looks_like_pattern(node, site.parent(node)):
        return
    subjects = tuple(text for text in site.hints.subjects if len(text) <= _SHORT)
    made: set[str] = set()
    flags = _flags(site.parent(node))
    # What a piece of a pattern finds says nothing of the whole.
    alone = not isinstance(site.parent(node), ast.Tuple | ast.List | ast.BinOp)
    before = behaviour(pattern, subjects, flags) if alone else None
    for offset, written in _pieces(site, node):
        for rewrite in rewrites(written, subjects):
            piece = written[: rewrite.start] + rewrite.text + written[rewrite.end :]
            whole = pattern.replace(written, piece, 1) if pattern.count(written) == 1 else piece
            if whole in made or whole == pattern or len(made) >= _MOST or _compiled(whole, flags) is None:
                continue
            if subjects and before is not None and behaviour(whole, subjects, flags) in (before, None):
                continue
            made.add(whole)
            start = offset + rewrite.start
            yield Change(
                splices=(Splice(start, offset + rewrite.end, rewrite.text),),
                rationale=f"the pattern {whole!r} instead of {pattern!r}",
                prior=rewrite.prior,
                structural=False,
            )


def _pieces(site: Site, node: ast.Constant) -> Iterator[tuple[int, str]]:
    """Where in the file the text of a pattern stands as it is: the offset, and that text."""
    text = site.text(node)
    start, end = site.source.span(node)
    if end - start != len(text):
        return
    if (match := _PIECE.match(text)) and (match[1] or "\\" not in match[3]) and match[3] == node.value:
        yield start + match.start(3), match[3]
        return
    for match in re.finditer(r"[rR](['\"])((?:\\.|(?!\1)[^\\\n])*)\1", text):
        if match[2] and isinstance(node.value, str) and node.value.count(match[2]) == 1:
            yield start + match.start(2), match[2]


@on_statement("pattern-flag", 0.04)
def pattern_flag(site: Site) -> Iterator[Change]:
    """A flag for a regular expression that has none."""
    for node in site.nodes_of(ast.Call):
        match node.func:
            case ast.Attribute(value=ast.Name(id="re" as module), attr=name) if name in _FUNCTIONS:
                room = {"sub": 4, "subn": 4, "split": 3, "compile": 1}.get(name, 2)
                if len(node.args) >= room + 1 or any(item.arg == "flags" for item in node.keywords):
                    continue
                last = [*node.args, *(item.value for item in node.keywords)]
                if not last:
                    continue
                end = max(site.source.span(item)[1] for item in last)
                keyword = "" if len(node.args) == room and not node.keywords and room < 3 else "flags="
                for flag in _FLAGS:
                    yield Change(
                        splices=(Splice(end, end, f", {keyword}{module}.{flag}"),),
                        rationale=f"matches with the flag {flag}",
                        prior=1.0 if flag != "VERBOSE" else 0.3,
                    )


TEMPLATES: Final[tuple[Template, ...]] = (pattern_edit, pattern_flag)
