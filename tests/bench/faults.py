"""A fault that was put into a package: lines of one file, as they were and as they are."""

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Span = tuple[int, int]
_COMPOUND_BODY = ("body", "orelse", "handlers", "finalbody", "cases")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """From line `line` of `file`, the text `old` was replaced by `new`; empty when lines were deleted."""

    package: str
    version: str
    file: str
    line: int
    old: str
    new: str
    operator: str
    seed: int

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"{self.package}:{Path(self.file).name}:{self.line}"

    def put_into(self, root: Path) -> None:
        """Write the fault into a tree; refuses when the tree holds something else there."""
        path = root / self.file
        content = path.read_text(encoding="utf-8")
        lines = content.splitlines(keepends=True)
        before = "".join(lines[: self.line - 1])
        rest = "".join(lines[self.line - 1 :])
        if not rest.startswith(self.old):
            raise ValueError(f"{self.file}:{self.line} is not what the fault was made from")
        path.write_text(before + self.new + rest.removeprefix(self.old), encoding="utf-8")

    def true_statements(self, faulty: str) -> tuple[Span, ...]:
        """First and last lines of the statements at fault; for deleted lines, the statements around them."""
        count = len(self.new.splitlines())
        statements = statement_spans(faulty)
        if count:
            changed = range(self.line, self.line + count)
            return _innermost(statements, changed)
        before = [span for span in statements if span[1] < self.line][-1:]
        after = [span for span in statements if span[0] >= self.line][:1]
        home = {innermost_function(faulty, first) for first, _ in before}
        return (*before, *(span for span in after if innermost_function(faulty, span[0]) in home))


def difference(
    package: str, version: str, file: str, texts: tuple[str, str], operator: str, seed: int
) -> Fault:
    """The fault between the two texts of a file, as whole lines."""
    old, new = (text.splitlines(keepends=True) for text in texts)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Fault(
        package=package,
        version=version,
        file=file,
        line=head + 1,
        old="".join(old[head : len(old) - tail]),
        new="".join(new[head : len(new) - tail]),
        operator=operator,
        seed=seed,
    )


def load(path: Path) -> tuple[Fault, ...]:
    """The faults kept in a file."""
    return tuple(Fault(**entry) for entry in json.loads(path.read_text(encoding="utf-8")))


def save(path: Path, faults: Sequence[Fault]) -> None:
    """Keep faults in a file."""
    text = json.dumps([asdict(fault) for fault in faults], indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def statement_spans(text: str) -> tuple[Span, ...]:
    """The lines of every statement in order; of a compound statement, of its header only."""
    return tuple(sorted({_header(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)}))


def function_spans(text: str) -> tuple[Span, ...]:
    """The lines of every function, decorators included."""
    return tuple(_function_spans(ast.parse(text)))


def innermost_function(text: str, line: int) -> Span:
    """The smallest function that contains a line; (0, 0) for the module."""
    holding = [span for span in function_spans(text) if span[0] <= line <= span[1]]
    return min(holding, key=lambda span: span[1] - span[0], default=(0, 0))


def _function_spans(tree: ast.AST) -> Iterator[Span]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield first, node.end_lineno or node.lineno


def _header(statement: ast.stmt) -> Span:
    if not any(getattr(statement, field, None) for field in _COMPOUND_BODY):
        return statement.lineno, statement.end_lineno or statement.lineno
    ends = [node.end_lineno or 0 for node in _header_nodes(statement)]
    return statement.lineno, max([statement.lineno, *ends])


def _header_nodes(statement: ast.stmt) -> Iterator[ast.expr | ast.arg]:
    for field, value in ast.iter_fields(statement):
        if field in _COMPOUND_BODY or field == "decorator_list":
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                for node in ast.walk(part):
                    if isinstance(node, ast.expr | ast.arg):
                        yield node


def _innermost(statements: Sequence[Span], lines: range) -> tuple[Span, ...]:
    found: set[Span] = set()
    for line in lines:
        holding = [span for span in statements if span[0] <= line <= span[1]]
        if holding:
            found.add(min(holding, key=lambda span: span[1] - span[0]))
    return tuple(sorted(found))
