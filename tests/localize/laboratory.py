"""Runs small programs for the tests of localize: reads jobs from standard input, one forked child for each.

A job is `{"folder": ..., "files": {path: text}, "tests": [file], "only": [test], "trace": true}`; the answers
hold, for each test, how it ended, the frames of its failure and the lines it ran.
"""

import ast
import importlib.util
import json
import os
import resource
import signal
import sys
from pathlib import Path

LIMIT = 0.05


class Timeout(BaseException):
    pass


class ShowSides(ast.NodeTransformer):
    """`assert a == b` fails with both values in its message, as under pytest."""

    def visit_Assert(self, node):
        if not isinstance(node.test, ast.Compare) or len(node.test.ops) != 1:
            return node
        names = ("_left", "_right")
        sides = (node.test.left, node.test.comparators[0])
        lines = [
            ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=side)
            for name, side in zip(names, sides, strict=True)
        ]
        left, right = (ast.Name(id=name, ctx=ast.Load()) for name in names)
        test = ast.Compare(left=left, ops=node.test.ops, comparators=[right])
        message = ast.parse("f'assert {_left!r} against {_right!r}'", mode="eval").body
        new = [*lines, ast.Assert(test=test, msg=message)]
        for statement in new:
            for part in ast.walk(statement):
                for key in ("lineno", "end_lineno", "col_offset", "end_col_offset"):
                    if not hasattr(part, key) or statement is new[-1]:
                        setattr(part, key, getattr(node, key))
        return new


def load(folder, path):
    name = path.removesuffix(".py").replace("/", ".")
    full = str(folder / path)
    spec = importlib.util.spec_from_file_location(name, full)
    module = importlib.util.module_from_spec(spec)
    tree = ShowSides().visit(ast.parse((folder / path).read_text(), full))
    exec(compile(tree, full, "exec"), module.__dict__)
    return module


def frames_of(error, folder):
    found = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        inside = code.co_filename.startswith(f"{folder}/")
        if code.co_filename != __file__:
            path = code.co_filename.removeprefix(f"{folder}/")
            found.append(
                {"path": path, "line": traceback.tb_lineno, "function": code.co_qualname, "project": inside}
            )
        traceback = traceback.tb_next
    return found[-40:]


def describe(error, folder):
    causes, seen = [], error
    while (seen := seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)) is not None:
        causes.append(
            {"error_type": type(seen).__name__, "message": str(seen), "frames": frames_of(seen, folder)}
        )
    return {
        "error_type": type(error).__name__,
        "message": str(error),
        "frames": frames_of(error, folder),
        "causes": causes,
    }


def run(test, folder, trace):
    lines = {}
    prefix = f"{folder}/"

    def local(frame, event, _argument):
        if event == "line":
            lines.setdefault(frame.f_code.co_filename.removeprefix(prefix), set()).add(frame.f_lineno)
        return local

    def started(frame, _event, _argument):
        return local if frame.f_code.co_filename.startswith(prefix) else None

    def expired(*_):
        raise Timeout("too slow")

    signal.signal(signal.SIGPROF, expired)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    failure = None
    try:
        if trace:
            sys.settrace(started)
        test()
    except BaseException as error:  # noqa: BLE001  whatever ends a test is its outcome
        failure = describe(error, folder)
    finally:
        sys.settrace(None)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {"failure": failure, "lines": {path: sorted(found) for path, found in lines.items()}}


def work(job):
    folder = Path(job["folder"])
    for path, text in job["files"].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
    resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
    answers = {}
    for path in job["tests"]:
        try:
            module = load(folder, path)
        except Exception as error:  # noqa: BLE001  an import error is the outcome of the file
            answers[path] = {"failure": describe(error, folder), "lines": {}}
            continue
        for name, test in list(vars(module).items()):
            node = f"{path}::{name}"
            if name.startswith("test_") and (not job["only"] or node in job["only"]):
                answers[node] = run(test, folder, job["trace"])
                if (failure := answers[node]["failure"]) and failure["error_type"] == "Timeout":
                    return answers
    return answers


def main():
    sys.dont_write_bytecode = True
    answers = []
    for job in json.load(sys.stdin):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            sys.stdout = sys.stderr
            with os.fdopen(writing, "w") as answer:
                json.dump(work(job), answer)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            text = answer.read()
        os.waitpid(child, 0)
        answers.append(json.loads(text) if text else {})
    json.dump(answers, sys.stdout)


main()
