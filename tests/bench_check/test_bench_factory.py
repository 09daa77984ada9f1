"""The fault factory: each kind of fault makes the fault it is named for, and ranks are counted rightly."""

import random
from pathlib import Path

import factory_faults
import pytest
from factory_faults import SHAPES, Hunk, Injected, applied, hunks, is_fault, shared_out
from factory_ground import Ground
from factory_standing import Placed, Standing, Truth, by_score, plain_ochiai
from mutation import Module


def results(kind: str, text: str, *, outside: bool = False) -> set[str]:
    module = Module.parse(text.encode())
    function = None if outside else next(module.functions())
    found = SHAPES[kind](Ground(module=module, function=function))
    return {applied(module.content, edits).decode() for edits in found if is_fault(module, edits)}


CASES = [
    ("swapped-lines", "    a = 1\n    b = a\n    return b\n", "    b = a\n    a = 1\n    return b\n"),
    (
        "dedented-line",
        "    for x in y:\n        a(x)\n        b()\n",
        "    for x in y:\n        a(x)\n    b()\n",
    ),
    ("dropped-branch", "    if a:\n        b()\n    else:\n        c()\n", "    if a:\n        b()\n"),
    (
        "dropped-branch",
        "    if a:\n        b()\n    elif x:\n        c()\n    else:\n        d()\n",
        "    if a:\n        b()\n    else:\n        d()\n",
    ),
    ("missing-return", "    return g(1)\n", "    g(1)\n"),
    ("wrong-exception", "    raise KeyError(a)\n", "    raise ValueError(a)\n"),
    (
        "dropped-except",
        "    try:\n        g()\n    except (KeyError, OSError):\n        pass\n",
        "    try:\n        g()\n    except OSError:\n        pass\n",
    ),
    ("dropped-argument", "    return g(1, key=2)\n", "    return g(1)\n"),
    ("none-as-false", "    return a is None\n", "    return (not a)\n"),
    ("dropped-default", "    b = a or 1\n", "    b = a\n"),
    ("dropped-default", "    b = a.get('k', 1)\n", "    b = a.get('k')\n"),
    ("narrowed-isinstance", "    return isinstance(a, (int, str))\n", "    return isinstance(a, str)\n"),
    ("off-by-one", "    return a[1:]\n", "    return a[2:]\n"),
    ("off-by-one", "    return range(n + 1)\n", "    return range(n)\n"),
    ("missing-copy", "    b = a[:]\n", "    b = a\n"),
    ("missing-copy", "    b = list(a)\n", "    b = a\n"),
    ("missing-call", "    b = a.strip()\n", "    b = a\n"),
    ("missing-self", "    b = self.c\n", "    b = c\n"),
    ("wrong-key", "    b = a['one'] + a['once']\n", "    b = a['once'] + a['once']\n"),
    ("changed-string", "    b = 'abcd'\n", "    b = 'abc'\n"),
    ("changed-regex", "    b = re.match(r'^a+$', c)\n", "    b = re.match(r'a+$', c)\n"),
    ("changed-format", "    b = f'{a:>5.2f}'\n", "    b = f'{a:<5.2f}'\n"),
    ("changed-format", "    b = '%02d' % a\n", "    b = '%2d' % a\n"),
    ("changed-table", "    b = [1, 5, 7]\n", "    b = [1, 5]\n"),
]


@pytest.mark.parametrize(("kind", "body", "wanted"), CASES)
def test_a_kind_makes_its_fault(kind: str, body: str, wanted: str) -> None:
    assert f"def f():\n{wanted}" in results(kind, f"def f():\n{body}")


def test_a_new_list_for_every_call_becomes_one_for_all_of_them() -> None:
    text = "def f(a, b=None):\n    if b is None:\n        b = []\n    return b\n"
    assert results("mutable-default", text) == {"def f(a, b=[]):\n    return b\n"}


def test_code_outside_functions_loses_imports_and_constants_but_functions_stay() -> None:
    text = "from os import path, sep\nLIMIT = 3\ndef f():\n    return 4\n"
    assert "from os import sep\nLIMIT = 3\ndef f():\n    return 4\n" in results(
        "dropped-import", text, outside=True
    )
    assert results("changed-constant", text, outside=True) == {
        text.replace("3", "4", 1),
        text.replace("3", "2", 1),
    }


def test_every_kind_that_finds_something_makes_another_program() -> None:
    text = Path(factory_faults.__file__).read_text(encoding="utf-8")
    module = Module.parse(text.encode())
    random_ = random.Random(1)
    for kind in SHAPES:
        for function in module.functions():
            edits = factory_faults.drawn(Ground(module=module, function=function), kind, random_)
            assert edits is None or is_fault(module, edits)


def injected(before: str, after: str) -> Injected:
    return Injected(package="p", version="1", kind="k", shape="k", file="m.py", hunks=hunks(before, after))


def test_a_fault_of_two_places_is_written_down_and_put_back_place_by_place() -> None:
    before = "def f(a):\n    b = a\n    c = b\n    return c\n"
    after = "def f(a=1):\n    b = a\n    return c + 1\n"
    fault = injected(before, after)
    assert len(fault.hunks) == 2
    assert fault.faulty(before) == after
    assert fault.faulty(before, leave=[0, 1]) == before
    assert fault.faulty(before, leave=[0]) == "def f(a):\n    b = a\n    return c + 1\n"
    assert fault.true_statements(after) == ((1, 1), (3, 3))


def test_a_dropped_line_is_looked_for_beside_where_it_was() -> None:
    before = "def f(a):\n    b = a\n    g()\n    return b\n"
    after = "def f(a):\n    b = a\n    return b\n"
    assert injected(before, after).hunks == (Hunk(line=3, old="    g()\n", new=""),)
    assert injected(before, after).true_statements(after) == ((2, 2), (3, 3))


def test_every_other_red_test_is_kept_back() -> None:
    assert shared_out(("a", "b", "c")) == (("a", "c"), ("b",))
    assert shared_out(("a",)) == (("a",), ())


def test_faults_survive_being_written_even_when_the_last_line_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    entry = {"package": "p", "version": "1", "kind": "k", "shape": "k", "file": "m.py"}
    entry |= {"hunks": [{"line": 1, "old": "a\n", "new": "b\n"}], "seen": ["t"], "unseen": []}
    factory_faults.add(path, entry)
    factory_faults.add(path, {"package": "p", "kind": "k", "turn": 1, "kept": False})
    with path.open("a") as opened:
        opened.write('{"package": "p", "ki')
    assert [fault.name for fault in factory_faults.load(path)] == ["p:m.py:1:k"]
    assert len(list(factory_faults.entries(path))) == 2


@pytest.mark.parametrize(
    ("standing", "worst", "chance"),
    [
        (Standing(above=0, tied=1, true=1), (1, 1, 1), (1.0, 1.0, 1.0)),
        (Standing(above=0, tied=4, true=1), (0, 0, 1), (0.25, 0.75, 1.0)),
        (Standing(above=2, tied=2, true=1), (0, 0, 1), (0.0, 0.5, 1.0)),
        (Standing(above=0, tied=4, true=2), (0, 1, 1), (0.5, 1.0, 1.0)),
        (Standing(), (0, 0, 0), (0.0, 0.0, 0.0)),
    ],
)
def test_ties_count_behind_or_at_random(
    standing: Standing, worst: tuple[int, ...], chance: tuple[float, ...]
) -> None:
    assert tuple(standing.worst(top) for top in (1, 3, 5)) == worst
    assert tuple(standing.random(top) for top in (1, 3, 5)) == pytest.approx(chance)


SOURCE = "def f(a):\n    b = a\n    return b\n\ndef g(a):\n    return a\n"


def test_plain_ochiai_ranks_what_only_the_red_test_ran() -> None:
    executions = [("red", True, {"m.py": (2, 3, 6)}), ("green", False, {"m.py": (2, 6)})]
    places = plain_ochiai(executions, {"m.py": SOURCE})
    assert [(place.line, place.rank) for place in places] == [(3, 1), (2, 2), (6, 2)]
    truth = Truth(file="m.py", statements=((6, 6),), sources={"m.py": SOURCE})
    assert truth.statement(places) == Standing(above=1, tied=2, true=1)
    assert truth.function(places) == Standing(above=1, tied=1, true=1)


def test_a_place_that_is_not_in_the_ranking_stands_nowhere() -> None:
    truth = Truth(file="m.py", statements=((6, 6),), sources={"m.py": SOURCE})
    places = by_score([(0.5, "m.py", (2, 2))])
    assert truth.statement(places) == truth.function(places) == Standing()


def test_ties_beyond_the_end_of_a_report_are_counted() -> None:
    truth = Truth(file="m.py", statements=((6, 6),), sources={"m.py": SOURCE})
    places = (Placed(file="m.py", line=6, end_line=6, rank=1, tied=60),)
    assert truth.statement(places) == Standing(above=0, tied=60, true=1)
    assert truth.statement(places).expected == 30.5
