"""Hand-made diagnoses, and the golden files that renderings are compared with."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pytest_buddy.domain import (
    Diagnosis,
    Edit,
    Explanation,
    Failure,
    Fault,
    Patch,
    Proposal,
    Search,
    Suspect,
    Timing,
    Verdict,
)
from pytest_buddy.source import Source

GOLDEN = Path(__file__).parent / "golden"

CLAMP = '''\
"""Numbers kept inside bounds."""


def clamp(value, low, high):
    """The value, no less than low and no more than high."""
    if value is None:
        return low
    smaller = min(value, low)
    bounded = max(low, smaller)
    return bounded


def scale(values, factor):
    return [
        value * factor
        for value in values
    ]
'''

CLAMP_DIFF = """\
--- a/pkg/x.py
+++ b/pkg/x.py
@@ -5,7 +5,7 @@
     \"\"\"The value, no less than low and no more than high.\"\"\"
     if value is None:
         return low
-    smaller = min(value, low)
+    smaller = min(value, high)
     bounded = max(low, smaller)
     return bounded
\x20
"""

BULLETS = (
    "`clamp(7, 0, 5)` returned 0, the test expected 5",
    "the value came from line 8, where `min(value, low)` gave 0 with value = 7 and low = 0",
    "in the 5 passing tests value is below low, so both arguments give the same result",
    "`high` is never read in this function although its docstring names it as the upper bound",
)


@dataclass(frozen=True)
class Sample:
    """A diagnosis with the sources it speaks of."""

    diagnosis: Diagnosis
    sources: dict[str, Source] = field(default_factory=dict)


def source(path: str, text: str) -> Source:
    return Source(path=path, module=path.removesuffix(".py").replace("/", "."), content=text.encode())


def suspect(line: int, **changes: object) -> Suspect:
    base = Suspect(
        path="pkg/x.py",
        line=line,
        end_line=line,
        function="pkg.x.clamp",
        score=0.9,
        rank=1,
        evidence=("run by 4 of 4 failing and 0 of 5 passing tests",),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def proposal(number: int = 1, **changes: object) -> Proposal:
    edit = Edit(path="pkg/x.py", digest="0" * 64, start=number, end=number + 3, replacement=b"high")
    patch = Patch(edits=(edit,), origin="template:swap-argument", rationale=("`high` was never used",))
    verdict = Verdict(
        outcome="fixed",
        fixed=("tests/test_x.py::test_high", "tests/test_x.py::test_edge", "tests/test_x.py::test_far"),
        ran=12,
        confirmed=True,
        sandbox="partial",
        seconds=0.8,
    )
    base = Proposal(patch=patch, diff=CLAMP_DIFF, verdict=verdict, changed_lines=1)
    return replace(base, **changes)  # type: ignore[arg-type]


def failure(test: str, message: str = "assert 0 == 5", error_type: str = "AssertionError") -> Failure:
    return Failure(test=test, phase="call", error_type=error_type, message=message)


def fault(number: int = 1, **changes: object) -> Fault:
    base = Fault(
        id=f"f{number}",
        tests=(
            "tests/test_x.py::test_high",
            "tests/test_x.py::test_edge",
            "tests/test_x.py::test_far",
            "tests/test_x.py::test_wide[7-0-5]",
        ),
        suspects=(
            suspect(
                8, evidence=("run by 4 of 4 failing and 0 of 5 passing tests", "its value is the wrong one")
            ),
            suspect(9, rank=2, score=0.7),
            suspect(6, rank=3, score=0.4, evidence=("run by 4 of 4 failing and 5 of 5 passing tests",)),
            suspect(
                14, end_line=17, rank=4, score=0.2, function="pkg.x.scale", evidence=("in the traceback",)
            ),
        ),
        explanation=Explanation(bullets=BULLETS),
        proposals=(proposal(),),
        search=Search(
            candidates=812, validated=301, seconds=2.1, stopped="found", coders=("templates",), also_passing=2
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def diagnosis(*faults: Fault, **changes: object) -> Diagnosis:
    failures = tuple(failure(test) for one in faults for test in one.tests)
    base = Diagnosis(
        failures=failures,
        faults=faults,
        failed=len(failures),
        sandbox="partial",
        timing=Timing(collect=0.4, localize=0.1, propose=2.1, total=2.8),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def _sources() -> dict[str, Source]:
    return {"pkg/x.py": source("pkg/x.py", CLAMP)}


def _fixed() -> Sample:
    return Sample(diagnosis(fault()), _sources())


def _tie() -> Sample:
    shared = "run by 4 of 4 failing and 0 of 5 passing tests"
    tied = tuple(suspect(line, tied_with=3, evidence=(shared,)) for line in (9, 6, 8, 10))
    return Sample(diagnosis(fault(suspects=(*tied, suspect(14, rank=5, function="pkg.x.scale")))), _sources())


def _no_fix() -> Sample:
    near = proposal(verdict=Verdict(outcome="partial", fixed=("tests/test_x.py::test_high",), ran=4))
    search = Search(candidates=812, validated=40, seconds=9.8, stopped="budget", coders=("templates",))
    return Sample(diagnosis(fault(proposals=(near,), search=search)), _sources())


def _exhausted() -> Sample:
    search = Search(candidates=96, validated=3, seconds=1.2, stopped="exhausted", coders=("templates",))
    return Sample(diagnosis(fault(proposals=(), search=search)), _sources())


def _several() -> Sample:
    search = Search(candidates=96, validated=3, seconds=1.2, stopped="exhausted", coders=("templates",))
    return Sample(
        diagnosis(
            fault(1),
            fault(2, tests=("tests/test_y.py::test_total",), proposals=(), search=search),
            fault(3, tests=("tests/test_z.py::test_a", "tests/test_z.py::test_b"), proposals=(proposal(3),)),
            flaky=("tests/test_net.py::test_retry",),
            notices=(
                "3 failures were not looked at: the time budget ended\nGive more with --buddy-budget 30.",
            ),
        ),
        _sources(),
    )


def _flaky() -> Sample:
    tests = tuple(f"tests/test_net.py::test_retry[{number}]" for number in range(5))
    return Sample(diagnosis(failures=tuple(failure(test) for test in tests), flaky=tests, failed=5))


def _thousands() -> Sample:
    faults = tuple(
        fault(number, tests=tuple(f"tests/test_m{number}.py::test_case[{case}]" for case in range(100)))
        for number in range(1, 101)
    )
    captured = tuple(failure(test) for one in faults[:2] for test in one.tests)
    return Sample(diagnosis(*faults, failures=captured, failed=10_000), _sources())


def _collection() -> Sample:
    message = (
        '  File "tests/test_x.py", line 3\n    def test_a(:\n               ^\nSyntaxError: invalid syntax'
    )
    test = "tests/test_x.py"
    broken = Fault(
        id="f1", tests=(test,), note="tests/test_x.py could not be imported: invalid syntax (line 3)"
    )
    return Sample(diagnosis(broken, failures=(failure(test, message, "SyntaxError"),)))


def _long_diff() -> Sample:
    body = "".join(f"-    old = {number}\n+    new = {number} + offset\n" for number in range(200))
    diff = f"--- a/pkg/x.py\n+++ b/pkg/x.py\n@@ -1,200 +1,200 @@\n{body}"
    return Sample(diagnosis(fault(proposals=(proposal(diff=diff, changed_lines=200),))), _sources())


def _hostile() -> Sample:
    code = "def clamp(value):\n    return '\x1b[2J\u202e' + value  # [bold red]markup[/] \x07\tend\n"
    diff = (
        "--- a/pkg/x.py\n+++ b/pkg/x.py\n@@ -1,4 +1,4 @@\n def clamp(value):\n"
        "--- a/pkg/fake.py\n-+++ \x1b]0;title\x07 \udce9\u202e\n"
        "+++ b/pkg/fake.py [red]x[/red]\n++\u2066 \u2028 \u200b \x9b31m\n"
        " \n"
    )
    test = "tests/test_x.py::test_a[\x1b[31m-\u202e-[bold]x[/bold]-\n]"
    bullets = tuple(f"\x1b[{number}mvalue \u202e [blink]x[/blink]\r\nnext \udcff" for number in range(4))
    hostile = fault(
        tests=(test,),
        suspects=(suspect(2, evidence=("\x1b[8mhidden\x1b[0m [link=x]y[/link]",)),),
        explanation=Explanation(bullets=bullets),
        proposals=(proposal(diff=diff),),
    )
    return Sample(
        diagnosis(
            hostile,
            failures=(failure(test, "\x1b[31mred\x1b[0m\nsecond"),),
            notices=("\x1b[2J cleared\n\u202e hint",),
        ),
        {"pkg/x.py": source("pkg/x.py", code)},
    )


def _wide() -> Sample:
    code = CLAMP.replace("smaller", "小さい値").replace('"""Numbers', '"""数値の範囲を制限する関数')
    bullets = ("値が下限より小さいときに正しい結果を返すが、上限を超えると誤った結果になる" * 2, *BULLETS[1:])
    diff = CLAMP_DIFF.replace("smaller", "小さい値")
    one = fault(
        tests=("tests/test_x.py::test_漢字の長い名前のテスト[とても長い引数-0-5]",),
        explanation=Explanation(bullets=bullets),
        proposals=(proposal(diff=diff),),
    )
    return Sample(diagnosis(one), {"pkg/x.py": source("pkg/x.py", code)})


def _huge() -> Sample:
    line = "x = " + "[1, 2], " * 100_000
    diff = f"--- a/pkg/x.py\n+++ b/pkg/x.py\n@@ -1 +1 @@\n-{line}\n+{line}1\n"
    test = "tests/test_x.py::test_a[" + "a" * 500_000 + "]"
    one = fault(
        tests=(test,),
        suspects=(suspect(1, evidence=("e " * 500_000,)),),
        explanation=Explanation(bullets=("word " * 200_000,) * 4),
        proposals=(proposal(diff=diff),),
        note="n" * 500_000,
    )
    failed = (failure(test, "m" * 1_000_000 + "\n" * 1_000_000),)
    return Sample(diagnosis(one, failures=failed), {"pkg/x.py": source("pkg/x.py", line + "\n")})


@pytest.fixture(scope="session")
def samples() -> dict[str, Sample]:
    """Diagnoses by name."""
    return {
        "fixed": _fixed(),
        "tie": _tie(),
        "no_fix": _no_fix(),
        "exhausted": _exhausted(),
        "several": _several(),
        "flaky": _flaky(),
        "thousands": _thousands(),
        "collection": _collection(),
        "long_diff": _long_diff(),
        "hostile": _hostile(),
        "wide": _wide(),
        "huge": _huge(),
    }


@pytest.fixture
def check_golden() -> Callable[[str, str], None]:
    """Compares a text with a golden file; REWRITE_GOLDEN=1 writes the file instead."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("REWRITE_GOLDEN") == "1":
            path.write_bytes(text.encode())
        assert path.read_bytes().decode() == text

    return check
