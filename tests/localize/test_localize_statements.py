"""Lines to statements, the same on every Python that is supported."""

import sys
from textwrap import dedent

import pytest

from pytest_buddy.localize.statements import statements
from pytest_buddy.source import Source


def table(text):
    return statements(Source(path="m.py", module="pkg.m", content=dedent(text).encode()))


def described(found):
    return [(s.line, s.end_line, s.kind, s.qualname) for s in found.all]


def test_headers_kinds_and_names():
    found = table(
        '''\
        """Docstring."""
        import os
        LIMITS = {
            "a": 1,
        }

        @cache
        @other(
            1,
        )
        def outer(
            first,
            second=2,
        ) -> int:
            """Docstring."""
            global state
            with open(first) as left, open(
                second
            ) as right:
                pass
            def inner():
                return lambda: (
                    1
                )
            try:
                call(
                    1,
                    [x for x in first
                     if x],
                )
            except (
                ValueError,
            ) as error:
                raise
            finally:
                close()

        class Thing(
            Base,
        ):
            size: int = 3
            async def run(self):
                async for x in self:
                    if x: return 1
                    elif (x and
                          not x):
                        break
                else:
                    x += 1
        '''
    )
    assert described(found) == [
        (2, 2, "import", ""),
        (3, 5, "assign", ""),
        (7, 14, "functiondef", "outer"),
        (17, 19, "with", "outer"),
        (20, 20, "pass", "outer"),
        (21, 21, "functiondef", "outer.<locals>.inner"),
        (22, 24, "return", "outer.<locals>.inner"),
        (25, 25, "try", "outer"),
        (26, 30, "expr", "outer"),
        (31, 33, "excepthandler", "outer"),
        (34, 34, "raise", "outer"),
        (36, 36, "expr", "outer"),
        (38, 39, "classdef", "Thing"),
        (41, 41, "annassign", "Thing"),
        (42, 42, "asyncfunctiondef", "Thing.run"),
        (43, 43, "asyncfor", "Thing.run"),
        (44, 44, "if", "Thing.run"),
        (44, 44, "return", "Thing.run"),
        (45, 46, "if", "Thing.run"),
        (47, 47, "break", "Thing.run"),
        (49, 49, "augassign", "Thing.run"),
    ]


def test_a_line_inside_no_statement_is_that_of_the_statement_before():
    found = table("x = 1\n\n# note\ny = 2\n")
    assert [s.line for s in found.at(3)] == [1]
    assert [s.line for s in found.at(4)] == [4]
    assert table("").at(1) == ()


def test_function_is_module_and_qualified_name():
    found = table("x = 1\nclass A:\n    def f(self):\n        return 1\n")
    assert [found.function_of(s) for s in found.all] == ["pkg.m", "pkg.m.A", "pkg.m.A.f", "pkg.m.A.f"]


def ran(text, call):
    """The statements that a call runs, by a real trace."""
    text = dedent(text)
    found = table(text)
    scope = {}
    exec(compile(text, "traced.py", "exec"), scope)
    lines = set()

    def local(frame, event, _argument):
        if event == "line":
            lines.add(frame.f_lineno)
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, *_: local if frame.f_code.co_filename == "traced.py" else None)
    try:
        eval(call, scope)
    finally:
        sys.settrace(before)
    runs = found.runs(dict.fromkeys(lines, 1))
    return [(s.line, s.kind) for s, bits in zip(found.all, runs, strict=True) if bits]


@pytest.mark.parametrize(
    ("text", "call", "expected"),
    [
        pytest.param(
            """\
            def f():
                while True:
                    x = max(
                        1,
                        2,
                    )
                    if x:
                        break
                return x
            """,
            "f()",
            [(2, "while"), (3, "assign"), (7, "if"), (8, "break"), (9, "return")],
            id="endless loop and call over several lines",
        ),
        pytest.param(
            """\
            def f(x):
                try:
                    x = int(x)
                except ValueError:
                    x = 0
                else:
                    x += 1
                finally:
                    y = x
                return y
            """,
            "f('a')",
            [(2, "try"), (3, "assign"), (4, "excepthandler"), (5, "assign"), (9, "assign"), (10, "return")],
            id="try, except, finally",
        ),
        pytest.param(
            """\
            def f(x):
                match x:
                    case [1, *rest] if rest:
                        return 1
                    case {"a": y}:
                        return y
                    case _:
                        return 0
            """,
            "f({'a': 2})",
            # Whether a pattern that cannot match has its line run differs with the kind of pattern only.
            [(2, "match"), (3, "match_case"), (5, "match_case"), (6, "return")],
            id="match",
        ),
        pytest.param(
            """\
            def f(xs):
                pick = lambda x: (
                    x > 1
                )
                ys = [
                    y
                    for y in xs
                    if pick(y)
                ]
                with open(
                    __import__("os").devnull
                ) as _:
                    return sorted(ys)
            """,
            "f([1, 2])",
            [(2, "assign"), (5, "assign"), (10, "with"), (13, "return")],
            id="lambda, comprehension, with",
        ),
        pytest.param(
            """\
            def f(n):
                for i in range(n):
                    if i == 9: return i
                else:
                    n = 5
                def g():
                    yield n
                class C:
                    z = n
                return list(g())
            """,
            "f(1)",
            [
                (2, "for"),
                (3, "if"),
                (3, "return"),  # on the line of its condition: no line coverage can tell
                (5, "assign"),
                (6, "functiondef"),
                (7, "expr"),
                (8, "classdef"),
                (9, "assign"),
                (10, "return"),
            ],
            id="one-line if, for-else, nested definitions",
        ),
    ],
)
def test_real_traces_give_the_same_statements_on_every_python(text, call, expected):
    assert ran(text, call) == expected
