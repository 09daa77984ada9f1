"""Asks cosmic-ray for mutants; run by an interpreter that has it. Request and answer are JSON.

`{"list": [PATH, ...]}` is answered by `{PATH: [[OPERATOR, OCCURRENCE, LINE], ...]}`,
`{"mutate": PATH, "operator": ..., "occurrence": ...}` by `{"text": MUTATED}`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

# The first two want to be told what to replace, and by what; the third writes a name that no program has.
UNSUITABLE = ("core/VariableInserter", "core/VariableReplacer", "core/ExceptionReplacer")


def positions(path: str) -> list[tuple[str, int, int]]:
    """Every place in a file where an operator can act: its name, which occurrence, the line."""
    nodes = list(ast_nodes(get_ast(Path(path).read_text(encoding="utf-8"))))
    found: list[tuple[str, int, int]] = []
    for name in plugins.operator_names():
        if name in UNSUITABLE:
            continue
        operator = plugins.get_operator(name)()
        spans = (span for node in nodes for span in operator.mutation_positions(node))
        found += [(name, occurrence, span[0][0]) for occurrence, span in enumerate(spans)]
    return found


def main() -> None:
    request: dict[str, Any] = json.load(sys.stdin)
    if "list" in request:
        answer: Any = {path: positions(path) for path in request["list"]}
    else:
        operator = plugins.get_operator(request["operator"])()
        code = Path(request["mutate"]).read_text(encoding="utf-8")
        answer = {"text": mutate_code(code, operator, request["occurrence"])}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
