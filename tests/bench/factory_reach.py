"""Which faults the coder has the original program for, when it is told the true statements; runs no test.

Usage: factory_reach.py --trees FOLDER (--faults FILE | --draw N) [--kinds A,B] [--list] [--json FILE]

`--draw N` makes up to N faults of each kind in each fitting package, whether a test notices them or not;
`--faults` takes those of a file of JSON lines. The trees are those that the factory unpacked. What tests
would surely say is told to the coder, too: the name that is not defined, the exception that is not raised.
"""

import argparse
import ast
import builtins
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from statistics import median

from factory_faults import SHAPES, TWO_PLACES, Injected, applied, drawn, hunks, load, read
from factory_ground import Ground
from factory_packages import FITTING
from faults import Span, innermost_function, statement_spans
from mutation import Module

from pytest_buddy.config import Config
from pytest_buddy.domain import Failure, Suspect
from pytest_buddy.ports import Context
from pytest_buddy.registry import coders
from pytest_buddy.source import Source

MOST = 800
_NEIGHBOUR = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """At which place of how many candidates the original text was; 0 when it was not among them."""

    name: str
    kind: str
    place: int
    count: int
    origin: str
    first_ms: float
    seconds: float
    change: str


class Wanted:
    """The original program, in what matters: not the words of what it raises, nor the order of types.

    Texts are compared by the characters that were added and taken away first, as trees when these agree.
    """

    def __init__(self, fault: Injected, pristine: str, faulty: str) -> None:
        self._file, self._content = fault.file, faulty.encode()
        self._tree = _normal(pristine.encode())
        old = "".join(hunk.new for hunk in fault.hunks).encode()
        new = "".join(hunk.old for hunk in fault.hunks).encode()
        self._deltas = tuple(_delta(bare(old), bare(new)) for bare in (_bare, _wordless))

    def met(self, edits: Sequence[tuple[str, int, int, bytes]]) -> bool:
        """Whether the edits give the original program."""
        if any(edit[0] != self._file for edit in edits):
            return False
        old = b"\n".join(self._content[start:end] for _, start, end, _ in edits)
        new = b"\n".join(text for *_, text in edits)
        if b"import" not in new and all(
            _delta(bare(old), bare(new)) != delta for bare, delta in self._likes()
        ):
            return False
        text = self._content
        for _, start, end, replacement in sorted(edits, key=lambda edit: edit[1], reverse=True):
            text = text[:start] + replacement + text[end:]
        return _normal(text) == self._tree

    def _likes(self) -> Iterator[tuple[Callable[[bytes], bytes], dict[int, int]]]:
        return zip((_bare, _wordless), self._deltas, strict=True)


def _delta(old: bytes, new: bytes) -> dict[int, int]:
    """How many more of each character there are."""
    counts = Counter(new)
    counts.subtract(old)
    return {character: count for character, count in counts.items() if count}


def _bare(text: bytes) -> bytes:
    return re.sub(rb"[\s()\\,'\"]+|(?m:#.*$)", b"", text)


def _wordless(text: bytes) -> bytes:
    """Without the texts in it, and without imports' own words."""
    text = re.sub(rb"[rfb]*(\"[^\"\n]*\"|'[^'\n]*')", b"", text)
    return _bare(re.sub(rb"(?m)^(from|import)\b.*$|\b(from \S+ )?import\b.*", b"", text))


class _Normal(ast.NodeTransformer):
    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.type = _in_order(node.type)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass"):
            node.args = [_in_order(item) or item for item in node.args]
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call):
            texts = (ast.JoinedStr, ast.Constant, ast.BinOp)
            node.exc.args = [item for item in node.exc.args if not isinstance(item, texts)]
            if not node.exc.args and not node.exc.keywords:
                node.exc = node.exc.func
        return self.generic_visit(node)


def _in_order(kinds: ast.expr | None) -> ast.expr | None:
    if isinstance(kinds, ast.Tuple):
        kinds.elts.sort(key=ast.dump)
    return kinds


def _normal(text: bytes) -> tuple[frozenset[str], str]:
    """What the file imports, in whatever order, and the rest of its tree."""
    try:
        tree = _Normal().visit(ast.parse(text))
    except (SyntaxError, ValueError):
        return frozenset(), ""
    imports: set[str] = set()
    for node in [*tree.body]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            tree.body.remove(node)
            home = (getattr(node, "level", 0), getattr(node, "module", ""))
            imports.update(f"{home} {alias.name} {alias.asname}" for alias in node.names)
    return frozenset(imports), ast.dump(tree)


def reach(fault: Injected, trees: Path) -> Reach:
    """Ask the coders for their candidates where the fault is."""
    root = _root(trees, fault)
    pristine = read(root / fault.file)
    faulty = fault.faulty(pristine)
    context = context_of(fault, root, faulty)
    wanted = Wanted(fault, pristine, faulty)
    begun, count, spent, first_ms = time.process_time(), 0, 0.0, 0.0
    found, origin = 0, ""
    patches = (patch for coder in coders(Config(coder="templates")) for patch in coder.propose(context))
    for count, patch in enumerate(islice(patches, MOST), 1):
        spent += time.process_time() - begun
        first_ms = first_ms or spent * 1000
        if wanted.met([(edit.path, edit.start, edit.end, edit.replacement) for edit in patch.edits]):
            found, origin = count, patch.origin.removeprefix("template:")
            break
        begun = time.process_time()
    return Reach(
        name=fault.name,
        kind=fault.kind,
        place=found,
        count=count,
        origin=origin,
        first_ms=first_ms,
        seconds=spent,
        change=" ;; ".join(f"{hunk.new!r} -> {hunk.old!r}" for hunk in fault.hunks),
    )


def context_of(fault: Injected, root: Path, faulty: str) -> Context:
    """What a coder is shown: the true statements and a neighbour on each side as its suspects."""
    true = true_statements(fault, faulty)
    spans = statement_spans(faulty)
    if unbound := _unbound(faulty):
        users = [node.lineno for node in ast.walk(ast.parse(faulty)) if getattr(node, "id", "") in unbound]
        true = tuple(span for span in spans if span[0] <= min(users) <= span[1])[-1:] or true
    places = [spans.index(span) for span in true if span in spans]
    near = {spans[place + step] for place in places for step in (-1, 1) if 0 <= place + step < len(spans)}
    home = {innermost_function(faulty, span[0]) for span in true}
    beside = [span for span in near - {*true} if innermost_function(faulty, span[0]) in home]
    suspects = [_suspect(fault.file, span, 1.0, 1) for span in true]
    suspects += [_suspect(fault.file, span, _NEIGHBOUR, len(true) + 1) for span in sorted(beside)]
    sources = dict(_sources(root, str(Path(fault.file).parent)))
    sources[fault.file] = _source(fault.file, faulty.encode())
    return Context(
        failures=(_failure(fault, faulty),),
        suspects=tuple(suspects),
        sources=sources,
        editable=frozenset({fault.file}),
    )


def true_statements(fault: Injected, faulty: str) -> tuple[Span, ...]:
    """The statements at fault; where a decorator is missing, what it stood above."""
    found = fault.true_statements(faulty)
    behind = (span for span in statement_spans(faulty) if span[0] >= fault.hunks[0].line)
    return found or tuple(islice(behind, 1))


def _suspect(file: str, span: Span, score: float, rank: int) -> Suspect:
    return Suspect(path=file, line=span[0], end_line=span[1], function="", score=score, rank=rank)


@lru_cache(maxsize=8)
def _sources(root: Path, folder: str) -> Mapping[str, Source]:
    paths = (path.relative_to(root).as_posix() for path in sorted((root / folder).glob("*.py")))
    return {path: _source(path, (root / path).read_bytes()) for path in paths}


def _source(path: str, content: bytes) -> Source:
    return Source(
        path=path,
        module=path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", "."),
        content=content,
    )


def _failure(fault: Injected, faulty: str) -> Failure:
    error, message = "AssertionError", ""
    unbound = sorted(_unbound(faulty))
    gone = "".join(hunk.old for hunk in fault.hunks)
    raised = re.search(r"^\s+raise (\w+)", gone, re.MULTILINE)
    if unbound:
        error, message = "NameError", f"name '{unbound[0]}' is not defined"
    elif raised and not any("raise" in hunk.new for hunk in fault.hunks):
        error, message = "Failed", f"DID NOT RAISE <class '{raised[1]}'>"
    test = fault.seen[0] if fault.seen else "tests/test_it.py::test_it"
    return Failure(test=test, phase="call", error_type=error, message=message)


def _unbound(text: str) -> set[str]:
    """Names that the file reads and binds nowhere."""
    nodes = [*ast.walk(ast.parse(text))]
    bound = {*dir(builtins), "__file__", "__path__", "__class__"}
    for node in nodes:
        for field in ("name", "asname", "arg", "rest"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                bound.add(value.partition(".")[0])
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return set()
    return {node.id for node in nodes if isinstance(node, ast.Name)} - bound


def _root(trees: Path, fault: Injected) -> Path:
    return trees / f"{fault.package}-{fault.version}" / "pristine"


def made(trees: Path, kinds: Sequence[str], most: int, seed: int) -> Iterator[Injected]:
    """Up to so many faults of each kind in each fitting package."""
    for recipe in FITTING.values():
        package = recipe.package
        root = trees / f"{package.name}-{package.version}" / "pristine"
        folder = root / package.sources
        files = [folder.with_suffix(".py")] if not folder.is_dir() else sorted(folder.rglob("*.py"))
        grounds: list[tuple[str, Ground]] = []
        for path in files:
            module = Module.parse(path.read_bytes())
            if b"\r" in module.content:
                continue
            file = path.relative_to(root).as_posix()
            grounds.append((file, Ground(module=module)))
            grounds += [(file, Ground(module=module, function=node)) for node in module.functions()]
        for kind in kinds:
            random_ = random.Random(f"{seed}:{package.name}:{kind}")
            random_.shuffle(grounds)
            found = ((file, ground, drawn(ground, kind, random_)) for file, ground in grounds)
            for file, ground, edits in islice((item for item in found if item[2] is not None), most):
                assert edits is not None
                text = applied(ground.module.content, edits).decode()
                yield Injected(
                    package=package.name,
                    version=package.version,
                    kind=kind,
                    shape=kind,
                    file=file,
                    hunks=hunks(ground.module.content.decode(), text),
                    seed=seed,
                )


def table(found: Sequence[Reach]) -> str:
    """By kind: how many, the share reached, their median place, candidates and seconds."""
    lines = [f"{'kind':20}{'n':>4}{'reached':>9}{'<=60':>7}{'place':>7}{'of':>6}{'first ms':>10}{'s':>7}"]
    kinds = sorted({item.kind for item in found})
    for kind in (*kinds, ""):
        items = [item for item in found if not kind or item.kind == kind]
        places = [item.place for item in items if item.place]
        share = len(places) / len(items)
        near = sum(place <= 60 for place in places) / len(items)
        middle = f"{median(places):.0f}" if places else "-"
        counts = [item.count for item in items if not item.place]
        of = f"{median(counts):.0f}" if counts else "-"
        first, spent = median(item.first_ms for item in items), median(item.seconds for item in items)
        row = f"{kind or 'all':20}{len(items):4}{share:9.0%}{near:7.0%}{middle:>7}{of:>6}"
        lines.append(f"{row}{first:10.1f}{spent:7.2f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trees", type=Path, required=True, help="the cache folder of the factory")
    parser.add_argument("--faults", type=Path, help="a file of JSON lines")
    parser.add_argument("--draw", type=int, default=0, help="so many of each kind and package, or fewer")
    parser.add_argument("--kinds", default="", help="only these kinds, with commas between them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="a line for each fault, too")
    parser.add_argument("--json", type=Path, help="where to write them")
    given = parser.parse_args(arguments)
    kinds = given.kinds.split(",") if given.kinds else [*SHAPES, TWO_PLACES]
    faults = [*load(given.faults)] if given.faults else [*made(given.trees, kinds, given.draw, given.seed)]
    if given.kinds:
        faults = [fault for fault in faults if fault.kind in kinds]
    with ProcessPoolExecutor(given.jobs) as pool:
        found = [*pool.map(partial(reach, trees=given.trees), faults, chunksize=4)]
    if given.list:
        for item in sorted(found, key=lambda item: (item.kind, item.name)):
            sys.stdout.write(f"{item.place or '-':>5} {item.origin:18} {item.name}  {item.change[:240]}\n")
    if given.json:
        given.json.write_text(json.dumps([asdict(item) for item in found], indent=1) + "\n", "utf-8")
    sys.stdout.write(table(found) + "\n")


if __name__ == "__main__":
    main()
