"""Runs a small program under a tracer, and hands its failures to the explaining rules as the real rooms would."""

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
        space = {"raises": raises}
        exec(compile(self.test, ROOT + TEST, "exec"), space)
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
        except BaseException as caught:
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
            if path == __file__:
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

    def _comparison(self, error):
        """The two sides of a failed `assert`, as pytest's assertion rewriting finds them."""
        frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
        path = frame.f_code.co_filename.removeprefix(ROOT)
        if not isinstance(error, AssertionError) or path != TEST:
            return None
        (statement,) = [
            node
            for node in ast.walk(self.sources[TEST].tree)
            if isinstance(node, ast.stmt) and node.lineno == line and not isinstance(node, ast.FunctionDef)
        ][-1:]
        if not isinstance(statement, ast.Assert) or not isinstance(statement.test, ast.Compare):
            return None
        sides = [statement.test.left, statement.test.comparators[0]]
        left, right = (eval(ast.unparse(side), frame.f_globals, frame.f_locals) for side in sides)
        operator = ast.unparse(ast.Compare(ast.Name("a"), statement.test.ops, [ast.Name("b")]))[2:-2]
        return Comparison(
            operator=operator,
            left=describe(left, limit=4000),
            right=describe(right, limit=4000),
            left_type=type(left).__name__,
            right_type=type(right).__name__,
        )


def _name(error):
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
