"""Code swapped into live functions behaves as if the edited file had been imported."""

import importlib.util
import sys
import textwrap

import pytest

from pytest_buddy.domain import Edit
from pytest_buddy.runner.swap import CodeSwap, LiveFunctions, NotSwappable
from pytest_buddy.source import Source


class Loaded:
    """A module from text, and its swaps."""

    def __init__(self, directory, text, *, encoding="utf-8"):
        self.path = directory / "swapped_module.py"
        self.path.write_bytes(textwrap.dedent(text).encode(encoding))
        specification = importlib.util.spec_from_file_location("swapped_module", self.path)
        self.module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(self.module)
        self.source = Source(path=self.path.name, module="swapped_module", content=self.path.read_bytes())
        self.swap = CodeSwap(self.source, str(self.path), LiveFunctions(str(directory)))

    def edit(self, old, new, *, encoding="utf-8"):
        start = self.source.content.index(old.encode(encoding))
        return Edit(
            path=self.source.path,
            digest=self.source.digest,
            start=start,
            end=start + len(old.encode(encoding)),
            replacement=new.encode(encoding),
        )

    def swapped(self, old, new, **options):
        self.undo = [swap.put() for swap in self.swap.compile([self.edit(old, new, **options)])]
        return self.module


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return lambda text, **options: Loaded(tmp_path, text, **options)


def test_a_plain_function(load):
    loaded = load("""
        def double(x):
            return x + x
    """)
    function = loaded.module.double
    loaded.swapped("x + x", "x * 3")
    assert function(2) == 6


def test_tracebacks_keep_their_lines(load):
    loaded = load("""
        # a comment

        class A:
            def f(self):
                x = 1
                return x
    """)
    module = loaded.swapped("return x", "raise KeyError(x)")
    with pytest.raises(KeyError) as caught:
        module.A().f()
    assert caught.traceback[-1].lineno + 1 == 7


def test_methods_with_super_and_private_names(load):
    loaded = load("""
        class Base:
            def f(self):
                return 1

        class Child(Base):
            def __init__(self):
                self.__hidden = 10
            def f(self):
                return super().f() + self.__hidden
    """)
    module = loaded.swapped("super().f() + self.__hidden", "super().f() - self.__hidden")
    assert module.Child().f() == -9


def test_functions_behind_decorators_and_closures_made_at_import(load):
    loaded = load("""
        import functools

        def logged(function):
            @functools.wraps(function)
            def wrapper(*args):
                return ("ok", function(*args))
            return wrapper

        @logged
        def plus(a, b):
            return a + b
    """)
    module = loaded.swapped("a + b", "a - b")
    assert module.plus(3, 2) == ("ok", 1)
    module = loaded.swapped('"ok"', '"changed"')
    assert module.plus(3, 2)[0] == "changed"


def test_generators_async_functions_properties_and_lambdas(load):
    loaded = load("""
        class A:
            @property
            def size(self):
                return 1
            @staticmethod
            def s():
                return [x + 1 for x in range(3)]
            @classmethod
            def c(cls):
                return (lambda y: y * 2)(21)

        def count(n):
            for i in range(n):
                yield i
    """)
    assert loaded.swapped("return 1", "return 2").A().size == 2
    assert loaded.swapped("x + 1", "x - 1").A.s() == [-1, 0, 1]
    assert loaded.swapped("y * 2", "y * 3").A.c() == 63
    assert list(loaded.swapped("range(n)", "range(n + 1)").count(1)) == [0, 1]


def test_inserted_lines_and_two_edits_at_once(load):
    loaded = load("""
        def f(values):
            total = 0
            for value in values:
                total += value
            return total
    """)
    edits = [
        loaded.edit("    for value", "    if not values:\n        return None\n    for value"),
        loaded.edit("total += value", "total -= value"),
    ]
    for swap in loaded.swap.compile(edits):
        swap.put()
    assert loaded.module.f([]) is None
    assert loaded.module.f([1, 2]) == -3


def test_future_imports_tabs_and_other_encodings(load):
    loaded = load(
        """
        # -*- coding: latin-1 -*-
        from __future__ import annotations
        if True:
        \tdef f(x: Unknown) -> str:
        \t\treturn 'é' + x
        """.strip("\n"),
        encoding="latin-1",
    )
    assert loaded.swapped("'é' + x", "x + 'é'", encoding="latin-1").f("a") == "aé"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x=1", "x=2"),
        ("TABLE = 3", "TABLE = 4"),
        ("def f(", "def g("),
        ("@keep", ""),
        ("field = 5", "field = 6"),
    ],
)
def test_what_a_swap_cannot_do_is_refused(load, old, new):
    loaded = load("""
        TABLE = 3
        keep = lambda function: function

        @keep
        def f(x=1):
            return x + TABLE

        class A:
            field = 5
            def g(self):
                return self.field
    """)
    with pytest.raises(NotSwappable):
        loaded.swap.compile([loaded.edit(old, new)])


def test_a_closure_that_would_close_over_something_else_is_refused(load):
    loaded = load("""
        def make(a, b):
            def inner():
                return a
            return inner

        made = make(1, 2)
    """)
    with pytest.raises(NotSwappable):
        loaded.swap.compile([loaded.edit("return a", "return b")])


def test_candidates_that_do_not_compile_say_so(load):
    loaded = load("""
        def f(x):
            return x
    """)
    with pytest.raises(SyntaxError):
        loaded.swap.compile([loaded.edit("return x", "return return")])


def test_other_defaults(load):
    loaded = load("""
        def f(a, b=1, c=[], /, *, d="x", e=None):
            return a, b, c, d, e

        class A:
            @staticmethod
            def g(x=1):
                return x
    """)
    module = loaded.module
    shared = module.f(0)[2]
    loaded.swapped("b=1", "b=2")
    assert module.f(0) == (0, 2, [], "x", None)
    assert module.f(0)[2] is shared
    for take_back in loaded.undo:
        take_back()
    assert module.f(0) == (0, 1, [], "x", None)
    assert loaded.swapped('d="x"', "d=-1").f(0) == (0, 1, [], -1, None)
    assert loaded.swapped("x=1", "x=(1, 'y')").A.g() == (1, "y")


@pytest.mark.parametrize(
    ("old", "new"),
    [("b=1", "b=[].append"), ("b=1", "b"), ("a, b", "a=0, b"), ("x=1", "x=2"), ("b=1", "q=1")],
    ids=["computed", "no default", "another default", "decorated", "another name"],
)
def test_defaults_that_only_an_import_can_change(load, old, new):
    loaded = load("""
        import functools

        def f(a, b=1):
            return a, b

        @functools.cache
        def g(x=1):
            return x
    """)
    with pytest.raises(NotSwappable):
        loaded.swapped(old, new)
