"""Small faulty programs, run apart from the tests, and what was seen of them as values."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_buddy.domain import Cause, Execution, Failure, Frame, Outcome, Spectrum, Trial
from pytest_buddy.source import Source

HERE = Path(__file__).parent
FAULT = "# fault"


@dataclass(frozen=True, kw_only=True)
class Program:
    """`faults` holds (path, line, number of the fault) of the lines marked `# fault` or `# fault N`."""

    name: str
    files: dict[str, str]
    faults: tuple[tuple[str, int, str], ...]

    @property
    def tests(self):
        return frozenset(path for path in self.files if path.startswith("test_"))

    @property
    def sources(self):
        return {
            path: Source(path=path, module=module_name(path), content=text.encode())
            for path, text in self.files.items()
        }


@dataclass(frozen=True, kw_only=True)
class Seen:
    failures: tuple[Failure, ...]
    spectrum: Spectrum


def module_name(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def read_program(path):
    files, current = {}, []
    for line in path.read_text().splitlines(keepends=True):
        if line.startswith("=== "):
            current = files.setdefault(line[4:].strip(), [])
        else:
            current.append(line)
    faults = []
    for name, lines in files.items():
        for number, line in enumerate(lines, start=1):
            code, found, label = line.partition(FAULT)
            if found:
                faults.append((name, number, label.strip()))
                lines[number - 1] = code.rstrip() + "\n"
    texts = {name: "".join(lines) for name, lines in files.items()}
    return Program(name=path.stem, files=texts, faults=tuple(faults))


def frames(found):
    return tuple(Frame(**frame) for frame in found)


def failure_of(test, found):
    causes = tuple(
        Cause(error_type=c["error_type"], message=c["message"], frames=frames(c["frames"]))
        for c in found["causes"]
    )
    return Failure(
        test=test,
        phase="call" if "::" in test else "collect",
        error_type=found["error_type"],
        message=found["message"],
        frames=frames(found["frames"]),
        causes=causes,
    )


def outcome_of(test, answer):
    found = answer["failure"]
    if found is None:
        return Outcome(test=test, status="passed")
    last = found["frames"][-1] if found["frames"] else {"path": "", "line": 0}
    return Outcome(
        test=test,
        status="timeout" if found["error_type"] == "Timeout" else "failed",
        error_type=found["error_type"],
        message=found["message"],
        path=last["path"],
        line=last["line"],
    )


def seen_of(answers):
    failures = tuple(
        failure_of(test, answer["failure"]) for test, answer in answers.items() if answer["failure"]
    )
    executions = tuple(
        Execution(
            test=test,
            failed=answer["failure"] is not None,
            lines={path: frozenset(lines) for path, lines in answer["lines"].items()},
        )
        for test, answer in answers.items()
        if answer["lines"]
    )
    return Seen(failures=failures, spectrum=Spectrum(executions=executions))


class Laboratory:
    """Runs programs, and mutants of them, in children with time and memory limits."""

    def __init__(self, folder):
        self._folder = folder
        self._count = 0

    def _job(self, files, tests, only=(), *, trace):
        self._count += 1
        folder = self._folder / str(self._count)
        return {
            "folder": str(folder),
            "files": files,
            "tests": sorted(tests),
            "only": list(only),
            "trace": trace,
        }

    def _run(self, jobs):
        done = subprocess.run(
            [sys.executable, "-I", str(HERE / "laboratory.py")],
            input=json.dumps(jobs),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=120,
        )
        return json.loads(done.stdout)

    def observe(self, programs):
        jobs = [self._job(program.files, program.tests, trace=True) for program in programs]
        return [seen_of(answers) for answers in self._run(jobs)]

    def trials(self, work):
        """`work` holds (program, patches, tests); one tuple of trials each."""
        jobs = [
            self._job(mutated(program, patch), program.tests, tests, trace=False)
            for program, patches, tests in work
            for patch in patches
        ]
        answers = iter(self._run(jobs))
        return [
            tuple(
                Trial(
                    patch=patch,
                    outcomes=tuple(outcome_of(test, answer) for test, answer in next(answers).items()),
                )
                for patch in patches
            )
            for _program, patches, _tests in work
        ]


def mutated(program, patch):
    return {path: source.edited(patch.edits).content.decode() for path, source in program.sources.items()}


@pytest.fixture(scope="session")
def programs():
    return [read_program(path) for path in sorted((HERE / "programs").glob("*.txt"))]


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory):
    return Laboratory(tmp_path_factory.mktemp("laboratory"))
