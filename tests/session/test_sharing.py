"""When a patch that fixes some tests of a fault makes a fault of its own of them."""

from types import SimpleNamespace

import pytest

from pytest_buddy.domain import (
    Baseline,
    Edit,
    Execution,
    Fault,
    Outcome,
    Patch,
    Spectrum,
    Verdict,
)
from pytest_buddy.judging import Judged
from pytest_buddy.searching import FaultSearch
from pytest_buddy.suite import Suite, kept_out
from pytest_buddy.workspace import Workspace

TABLE = "RATES = {'book': 5}\n\n\ndef rate(kind):\n    return RATES[kind]\n"
FILES = {
    "table.py": TABLE,
    "far.py": "def far():\n    return 5\n",
    "test_table.py": "from table import rate\n",
    "test_loads.py": "import table\nfrom far import far\n",
    "test_far.py": "from far import far\n",
}


@pytest.mark.parametrize(
    ("other", "old", "splits"),
    [
        ("test_far.py::test_far", "'book': 5", True),
        ("test_loads.py::test_far", "'book': 5", False),
        ("test_loads.py::test_far", "RATES[kind]", True),
    ],
)
def test_edits_of_what_runs_at_import(tmp_path, other, old, splits):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    workspace = Workspace(tmp_path)
    mine = "test_table.py::test_rate"
    source = workspace.source("table.py")
    suite = Suite(
        baseline=Baseline(outcomes=(), failures=()),
        failing={test: Outcome(test=test, status="failed") for test in (mine, other)},
        direct=frozenset(),
        neighbours=(),
        spectrum=Spectrum(
            executions=(
                Execution(test=mine, failed=True, lines={"table.py": frozenset({5})}),
                Execution(test=other, failed=True, lines={"far.py": frozenset({2})}),
            )
        ),
        sources={"table.py": source},
    )
    search = FaultSearch(
        fault=Fault(id="f1", tests=(mine, other)),
        runner=SimpleNamespace(),
        launcher=SimpleNamespace(workspace=workspace),
        suite=suite,
        coders=(),
        editable=frozenset({"table.py"}),
        emit=lambda event: None,
        deadline=float("inf"),
    )
    start = TABLE.index(old)
    edit = Edit(
        path="table.py", digest=source.digest, start=start, end=start + len(old), replacement=b"'book': 6"
    )
    verdict = Verdict(outcome="partial", fixed=(mine,), ran=2)
    item = Judged(Patch(edits=(edit,), origin="template:here"), verdict, 1)
    assert search._share(item) == (frozenset({mine}) if splits else frozenset())


def test_one_of_several_cases_is_kept_out():
    cases = [f"t.py::test_a[{n}]" for n in (3, 1, 2, 4)]
    assert kept_out([*cases, "t.py::test_b[1]", "t.py::test_c"]) == ("t.py::test_a[4]",)
    assert kept_out(cases[:3]) == ()
