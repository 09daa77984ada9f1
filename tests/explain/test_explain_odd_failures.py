"""Failures that are no plain red assertion, as the capture hands them over, compared with golden files."""

import os
from pathlib import Path

import pytest

from pytest_buddy.domain import (
    Cause,
    Comparison,
    Execution,
    Failure,
    Fault,
    Frame,
    Spectrum,
    Suspect,
    Variable,
)
from pytest_buddy.explain import explain
from pytest_buddy.source import Source

GOLDEN = Path(__file__).parent / "golden"

STORE = '''class Store:
    def __init__(self, items=None):
        self.items = items or {}

    def add(self, name, price):
        """Add an item.

        >>> Store().add("a", 1)
        1
        """
        self.items[name] = price

    def drain(self):
        while self.items:
            name = next(iter(self.items))
            self.items[name] -= 1


def connect(url, timeout=3):
    return url
'''
TESTS = """import pytest
from shop.store import Store, conect


@pytest.fixture
def store():
    return Store(3, 4)


def test_add(store):
    store.drain()


class TestStore(unittest.TestCase):
    def test_sum(self):
        total = Store().add("a", 1)
        self.assertEqual(3, total)

    def test_greater(self):
        self.assertGreater(Store().add("a", 1), 3)

    def test_approx(self):
        assert Store().add("a", 1) == pytest.approx(0.3)
"""
PATH, TEST = "shop/store.py", "tests/test_store.py"
SOURCES = {
    PATH: Source(path=PATH, module="shop.store", content=STORE.encode()),
    TEST: Source(path=TEST, module="test_store", content=TESTS.encode()),
}


def frame(path, line, function="f", *, project=True, variables=()):
    text = SOURCES[path].line(line).strip() if path in SOURCES else ""
    return Frame(
        path=path,
        line=line,
        function=function,
        project=project,
        source=text,
        variables=tuple(Variable(name=name, value=value, type=kind) for name, value, kind in variables),
    )


def suspect(line, rank=1, tied=0, evidence=()):
    return Suspect(
        path=PATH,
        line=line,
        end_line=line,
        function="shop.store",
        score=1 / rank,
        rank=rank,
        tied_with=tied,
        evidence=evidence,
    )


def ran(test, *lines, failed=True):
    return Execution(test=test, failed=failed, lines={PATH: frozenset(lines)})


def case(name, failures, suspects=(), executions=()):
    failures = failures if isinstance(failures, tuple) else (failures,)
    return pytest.param(failures, suspects, executions, id=name)


CASES = [
    case(
        "odd_import_error",
        Failure(
            test=TEST,
            phase="collect",
            error_type="ImportError",
            message="cannot import name 'conect' from 'shop.store' (/tmp/p/shop/store.py)",
            frames=(frame(TEST, 2, "<module>"),),
        ),
    ),
    case(
        "odd_missing_module",
        Failure(
            test=TEST,
            phase="collect",
            error_type="ModuleNotFoundError",
            message="No module named 'shop.stores'",
            frames=(frame(TEST, 2, "<module>"),),
        ),
    ),
    case(
        "odd_syntax_error",
        Failure(
            test=TEST,
            phase="collect",
            error_type="SyntaxError",
            message="expected ':' (broken.py, line 4)",
            frames=(
                frame(TEST, 2, "<module>"),
                Frame(path="shop/broken.py", line=4, function="<module>", project=True, source="if x == 3"),
            ),
        ),
    ),
    case(
        "odd_fixture_error",
        Failure(
            test=f"{TEST}::test_add",
            phase="setup",
            error_type="TypeError",
            message="Store.__init__() takes from 1 to 2 positional arguments but 3 were given",
            frames=(frame(TEST, 7, "store"),),
        ),
    ),
    case(
        "odd_fixture_missing",
        Failure(
            test=f"{TEST}::test_add",
            phase="setup",
            error_type="_pytest.fixtures.FixtureLookupError",
            message="fixture 'stroe' not found\navailable fixtures: cache, store, tmp_path",
        ),
    ),
    case(
        "odd_teardown_error",
        Failure(
            test=f"{TEST}::test_add",
            phase="teardown",
            error_type="OSError",
            message="[Errno 9] Bad file descriptor",
            frames=(frame(TEST, 7, "store"),),
            stdout="closing\nclosed twice\n",
        ),
    ),
    case(
        "odd_crash",
        Failure(
            test=f"{TEST}::test_add",
            phase="call",
            error_type="Crash",
            message="killed by signal 11 (SIGSEGV)",
        ),
        (suspect(16),),
    ),
    case(
        "odd_timeout",
        Failure(
            test=f"{TEST}::test_add", phase="call", error_type="Timeout", message="more than 2 s of CPU time"
        ),
        (suspect(16), suspect(15, 2)),
        (ran(f"{TEST}::test_add", 14, 15, 16),),
    ),
    case(
        "odd_doctest",
        Failure(
            test=f"{PATH}::shop.store.Store.add",
            phase="call",
            error_type="doctest.DocTestFailure",
            message="<DocTest shop.store.Store.add>",
            kind="doctest",
            comparison=Comparison(operator="==", left="", right="1"),
            frames=(
                Frame(
                    path=PATH,
                    line=8,
                    function="shop.store.Store.add",
                    project=True,
                    source='Store().add("a", 1)',
                ),
            ),
        ),
        (suspect(11),),
    ),
    case(
        "odd_subtest",
        Failure(
            test=f"{TEST}::TestStore::test_sum",
            phase="call",
            error_type="AssertionError",
            message="0 != 1",
            subtest="[third] (n=3)",
            kind="unittest",
        ),
    ),
    case(
        "odd_unittest_equal",
        Failure(
            test=f"{TEST}::TestStore::test_sum",
            phase="call",
            error_type="AssertionError",
            message="3 != None",
            kind="unittest",
            comparison=Comparison(operator="assertEqual", left="3", right="None"),
            frames=(frame(TEST, 17, "TestStore.test_sum"),),
        ),
        (suspect(11),),
        (ran(f"{TEST}::TestStore::test_sum", 3, 11),),
    ),
    case(
        "odd_unittest_greater",
        Failure(
            test=f"{TEST}::TestStore::test_greater",
            phase="call",
            error_type="AssertionError",
            message="1 not greater than 3",
            kind="unittest",
            comparison=Comparison(operator="assertGreater", left="1", right="3"),
            frames=(frame(TEST, 20, "TestStore.test_greater"),),
        ),
        (suspect(11),),
    ),
    case(
        "odd_approx",
        Failure(
            test=f"{TEST}::TestStore::test_approx",
            phase="call",
            error_type="AssertionError",
            message="assert 0.4 == 0.3 ± 3.0e-07",
            comparison=Comparison(
                operator="==",
                left="0.4",
                right="ApproxScalar(expected=0.3, abs=None, rel=None, nan_ok=False)",
            ),
            frames=(frame(TEST, 23, "TestStore.test_approx"),),
        ),
        (suspect(11, tied=1), suspect(3, tied=1)),
        (ran(f"{TEST}::TestStore::test_approx", 3, 11), ran(f"{TEST}::test_other", failed=False)),
    ),
    case(
        "odd_probed",
        Failure(
            test=f"{TEST}::test_add",
            phase="call",
            error_type="AssertionError",
            message="assert 2 == 7",
            comparison=Comparison(operator="==", left="2", right="7"),
            frames=(frame(TEST, 11, "test_add"),),
        ),
        (suspect(16, evidence=("changing `-` to `+` makes 1 failing test pass",)),),
        (ran(f"{TEST}::test_add", 14, 15, 16), ran(f"{TEST}::test_other", 11, failed=False)),
    ),
    case(
        "odd_never_awaited",
        Failure(
            test=f"{TEST}::test_add",
            phase="call",
            error_type="PytestUnraisableExceptionWarning",
            message="Exception ignored: coroutine 'Store.add' was never awaited",
        ),
    ),
    case(
        "odd_nothing_known",
        Failure(test=f"{TEST}::test_add", phase="call", error_type="", message=""),
    ),
    case(
        "odd_several_alike",
        tuple(
            Failure(
                test=f"{TEST}::test_{name}",
                phase="call",
                error_type="KeyError",
                message="'b'",
                frames=(
                    frame(TEST, 11, f"test_{name}"),
                    frame(
                        PATH,
                        16,
                        "Store.drain",
                        variables=(("self", "Store(items={})", "Store"), ("name", "'b'", "str")),
                    ),
                ),
                causes=(
                    Cause(
                        error_type="shop.errors.Missing",
                        message="b\nsecond line",
                        frames=(frame(PATH, 11, "Store.add"),),
                    ),
                ),
            )
            for name in ("one", "two", "three")
        ),
        (
            suspect(
                16, evidence=("run by 3 of 3 failing and 0 of 2 passing tests", "flipping `-=` makes 2 pass")
            ),
        ),
        (
            *(ran(f"{TEST}::test_{name}", 16) for name in ("one", "two", "three")),
            ran(f"{TEST}::test_four", 11, failed=False),
        ),
    ),
]


@pytest.mark.parametrize(("failures", "suspects", "executions"), CASES)
def test_explains(failures, suspects, executions, request):
    fault = Fault(id="f1", tests=tuple(failure.test for failure in failures), suspects=suspects)
    explanation = explain(fault, failures, spectrum=Spectrum(executions=executions), sources=SOURCES)
    text = "".join(f"- {bullet}\n" for bullet in explanation.bullets)
    golden = GOLDEN / f"{request.node.callspec.id}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert all(len(bullet) <= 200 for bullet in explanation.bullets)
