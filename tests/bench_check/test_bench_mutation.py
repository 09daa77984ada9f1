"""What is put into programs compiles, is what it says, and can be told from the original."""

import ast
import collections
import json
import random
from pathlib import Path

import faults
import mutation
import pytest

PROGRAM = b'''\
class Shop:
    def __init__(self, rate=3, name="corner"):
        self.rate = rate
        self.stock = {}
        self.name = name

    def price(self, goods, count, limit=None):
        """What so many cost."""
        if count < 0:
            raise ValueError("negative")
        if goods and count > 1:
            count = min(count, limit or count)
        total = self.stock[goods] * count * self.rate
        parts = list(goods)[1:]
        return total, parts


def odd(left, right):
    """Only this."""
    return left % 2 == 1 and right
'''


@pytest.fixture
def module() -> mutation.Module:
    return mutation.Module.parse(PROGRAM)


def test_every_operator_finds_something_and_every_mutant_compiles(module: mutation.Module) -> None:
    counts: collections.Counter[str] = collections.Counter()
    for function in module.functions():
        for name, mutants in mutation.mutants_of(module, function).items():
            for mutant in mutants:
                text = mutant.applied_to(PROGRAM)
                compile(text, "mutant", "exec")
                assert ast.dump(ast.parse(text)) != ast.dump(module.tree)
                assert mutant.operator == name
                counts[name] += 1
    assert counts.keys() == mutation.OPERATORS.keys()


def test_a_seed_draws_the_same_mutant_again(module: mutation.Module) -> None:
    function = next(function for function in module.functions() if function.name == "price")
    mutants = mutation.mutants_of(module, function)
    drawn = [mutation.pick(random.Random(seed), mutants) for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1


def test_the_only_statement_of_a_block_becomes_pass(module: mutation.Module) -> None:
    price = next(function for function in module.functions() if function.name == "price")
    texts = [mutant.applied_to(PROGRAM) for mutant in mutation.statement_deletion(module, price)]
    assert any(b"if count < 0:\n            pass\n" in text for text in texts)
    assert any(b"total = " not in text for text in texts)


def made(old: str, new: str) -> faults.Fault:
    return faults.difference("toy", "1", "toy.py", (old, new), "by hand", 0)


def test_a_fault_is_the_lines_that_differ_and_can_be_put_into_a_tree(tmp_path: Path) -> None:
    old = "def f(a):\n    b = a\n    return b\n"
    new = "def f(a):\n    b = a + 1\n    return b\n"
    fault = made(old, new)
    assert (fault.line, fault.old, fault.new) == (2, "    b = a\n", "    b = a + 1\n")
    (tmp_path / "toy.py").write_text(old)
    fault.put_into(tmp_path)
    assert (tmp_path / "toy.py").read_text() == new
    with pytest.raises(ValueError, match=r"toy\.py:2"):
        fault.put_into(tmp_path)


def test_the_true_statement_of_a_changed_line_is_the_innermost() -> None:
    old = "def f(a):\n    if (a and\n            True):\n        return a\n    return 0\n"
    new = old.replace("True", "False")
    assert made(old, new).true_statements(new) == ((2, 3),)


def test_the_true_statements_of_deleted_lines_are_their_neighbours_in_the_function() -> None:
    old = "def f(a):\n    b = a\n    b += 1\n    return b\n\n\ndef g():\n    return 1\n"
    middle, last = old.replace("    b += 1\n", ""), old.replace("    return b\n", "")
    assert made(old, middle).true_statements(middle) == ((2, 2), (3, 3))
    assert made(old, last).true_statements(last) == ((3, 3),)


def test_headers_of_compound_statements_end_before_their_bodies() -> None:
    text = "for i in (1,\n          2):\n    with i:\n        pass\ntry:\n    pass\nexcept E:\n    pass\n"
    assert faults.statement_spans(text) == ((1, 2), (3, 3), (4, 4), (5, 5), (6, 6), (8, 8))


def test_ten_faults_of_each_real_package_are_kept() -> None:
    path = Path(faults.__file__).parent / "data" / "real_faults.json"
    kept = faults.load(path)
    assert sorted(collections.Counter(fault.package for fault in kept).values()) == [10, 10, 10]
    assert all(fault.old != fault.new for fault in kept)
    assert len({fault.name for fault in kept}) == len(kept)
    assert all(len(fault.old) < 400 for fault in kept)
    assert json.loads(path.read_text(encoding="utf-8"))[0].keys() == set(faults.Fault.__slots__)
