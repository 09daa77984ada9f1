"""Runs a small program under a tracer and hands its failures to the rules as the other rooms would."""

import ast
import sys
import traceback
import types
from contextlib import contextmanager
from dataclasses import dataclass, field

from pytest_buddy.domain import (
    Cause,
    Comparison,
    Execution,
    Failure,
    Fault,
    Frame,
    Observation,
    Spectrum,
    Suspect,
)
from pytest_buddy.explain import explain
from pytest_buddy.source import Source
from pytest_buddy.values import describe, variables

TEST = "tests/test_it.py"
ROOT = "lab://"


@contextmanager
def raises(expected):
    try:
        yield
    except expected:
        return
    raise type("Failed", (AssertionError,), {})(f"DID NOT RAISE {expected!r}")


@dataclass
class Laboratory:
    """A program in a dictionary of files; `test` is the source of its test file."""

    files: dict
    test: str
    watch: tuple = ()
    modules: dict = field(default_factory=dict)
    observations: list = field(default_factory=list)
    compared: Comparison | None = None

    @property
    def sources(self):
        texts = {**self.files, TEST: self.test}
        return {
            path: Source(path=path, module=path.removesuffix(".py").replace("/", "."), content=text.encode())
            for path, text in texts.items()
        }

    def explain(self, *, suspects=(), changes=(), seen=True, **failure_changes):
        """Run every test, build the fault of the failing ones and explain it."""
        executions, failures = [], []
        for name, function in self._tests():
            execution, failure = self._run(name, function)
            executions.append(execution)
            failures += [failure] if failure else []
        ranked = tuple(self._suspect(at, *place) for at, place in enumerate(suspects, 1))
        fault = Fault(id="f1", tests=tuple(one.test for one in failures), suspects=ranked)
        return explain(
            fault,
            tuple(failures),
            spectrum=Spectrum(executions=tuple(executions)),
            sources=self.sources,
            observations=tuple(self.observations) if seen else (),
            changes=tuple(changes),
        )

    def _suspect(self, rank, path, line, tied=0):
        return Suspect(
            path=path, line=line, end_line=line, function=path, score=1 / rank, rank=rank, tied_with=tied
        )

    def _tests(self):
        for path, text in self.files.items():
            name = path.removesuffix(".py").replace("/", ".")
            module = self.modules[name] = types.ModuleType(name)
            sys.modules[name] = module
            exec(compile(text, ROOT + path, "exec"), module.__dict__)
        space = {"raises": raises, "_compare": self._compare}
        tree = ast.fix_missing_locations(_Rewriter().visit(ast.parse(self.test)))
        exec(compile(tree, ROOT + TEST, "exec"), space)
        for name in list(self.modules):
            sys.modules.pop(name)
        for name, value in list(space.items()):
            if name.startswith("test_"):
                cases = getattr(value, "cases", None)
                if cases is None:
                    yield f"{TEST}::{name}", value
                for case in cases or ():
                    yield f"{TEST}::{name}[{case}]", lambda value=value, case=case: value(case)

    def _run(self, test, function):
        self.compared = None
        lines, watched = {}, {}
        error = None

        def local(frame, event, argument):
            path = frame.f_code.co_filename.removeprefix(ROOT)
            if event == "line":
                lines.setdefault(path, set()).add(frame.f_lineno)
            place = (path, frame.f_lineno)
            if place in self.watch and event in ("line", "return"):
                hits, seen, _ = watched.get(place, (0, (), ""))
                if event == "line":
                    watched[place] = (hits + 1, variables(frame.f_locals), "")
                else:
                    watched[place] = (hits, seen, describe(argument))
            return local

        def start(frame, event, argument):
            return local if frame.f_code.co_filename.startswith(ROOT) else None

        before = sys.gettrace()
        sys.settrace(start)
        try:
            function()
        except Exception as caught:  # noqa: BLE001  the program under test raises anything
            error = caught
        finally:
            sys.settrace(before)
        for (path, line), (hits, seen, result) in watched.items():
            self.observations.append(
                Observation(
                    test=test,
                    failed=error is not None,
                    path=path,
                    line=line,
                    hits=hits,
                    variables=seen,
                    result=result,
                )
            )
        execution = Execution(
            test=test,
            failed=error is not None,
            lines={path: frozenset(found) for path, found in lines.items()},
        )
        return execution, self._failure(test, error) if error else None

    def _failure(self, test, error):
        causes = []
        inner = error.__cause__ or error.__context__
        while inner is not None:
            causes.append(Cause(error_type=_name(inner), message=str(inner), frames=self._frames(inner)))
            inner = inner.__cause__ or inner.__context__
        return Failure(
            test=test,
            phase="call",
            error_type=_name(error),
            message=str(error),
            frames=self._frames(error),
            causes=tuple(causes),
            comparison=self._comparison(error),
        )

    def _frames(self, error):
        frames = []
        for frame, line in traceback.walk_tb(error.__traceback__):
            path = frame.f_code.co_filename
            if path == __file__ or (frame.f_code.co_name == "<lambda>" and path == ROOT + TEST):
                continue
            project = path.startswith(ROOT)
            path = path.removeprefix(ROOT)
            frames.append(
                Frame(
                    path=path,
                    line=line,
                    function=frame.f_code.co_qualname,
                    project=project,
                    source=self.sources[path].line(line).strip() if project else "",
                    variables=variables(frame.f_locals) if project else (),
                )
            )
        return tuple(frames)

    def _compare(self, left, operator, right, holds):
        self.compared = Comparison(
            operator=operator,
            left=describe(left, limit=4000),
            right=describe(right, limit=4000),
            left_type=type(left).__name__,
            right_type=type(right).__name__,
        )
        return holds(left, right)

    def _comparison(self, error):
        last = list(traceback.walk_tb(error.__traceback__))[-1][0]
        is_check = isinstance(error, AssertionError) and last.f_code.co_filename == ROOT + TEST
        return self.compared if is_check else None


class _Rewriter(ast.NodeTransformer):
    """Keeps both sides of each compared assertion, as pytest's assertion rewriting does."""

    def visit_Assert(self, node):
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            names = [ast.Name(id=name, ctx=ast.Load()) for name in ("a", "b")]
            holds = ast.Lambda(
                args=ast.arguments(
                    posonlyargs=[],
                    args=[ast.arg("a"), ast.arg("b")],
                    kwonlyargs=[],
                    kw_defaults=[],
                    defaults=[],
                ),
                body=ast.Compare(left=names[0], ops=test.ops, comparators=[names[1]]),
            )
            operator = ast.Constant(ast.unparse(holds.body)[2:-2])
            node.test = ast.Call(
                func=ast.Name(id="_compare", ctx=ast.Load()),
                args=[test.left, operator, test.comparators[0], holds],
                keywords=[],
            )
        return node


def _name(error):
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
