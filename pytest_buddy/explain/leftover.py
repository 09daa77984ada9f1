"""True facts of lesser value, most useful first, for failures of which little else is known."""

from collections.abc import Iterator

from pytest_buddy.explain.case import Case
from pytest_buddy.explain.together import kinship
from pytest_buddy.explain.wording import code, compose, listed, number, place


def worthwhile(case: Case) -> Iterator[str]:
    """Facts that deserve a place whenever there is one."""
    yield from _ties(case)
    yield from _probes(case)


def leftover(case: Case) -> Iterator[str]:
    """Facts for filling up; the last ones can be told of every failure."""
    yield from _output(case)
    yield from filter(None, [kinship(case)])
    yield from _traceback(case)
    yield from _second(case)
    yield from _neighbours(case)
    yield from _coverage(case)
    yield from _how(case)
    yield from _nothing_printed(case)
    yield from _rerun(case)


def start_reading(case: Case) -> str:
    """The last resort of advice: where to begin."""
    suspect = case.suspect
    if suspect is None:
        return next(_rerun(case))
    function = case.library.function(suspect.path, suspect.line)
    text = case.header(suspect.path, suspect.line)
    where = f"{suspect.path}:{suspect.line}"
    first = f" with {code(text, 70)}" if text else ""
    if function is None:
        return compose(f"Start at {code(where, 100)}{first}")
    if case.statement(suspect) is function:
        return compose(
            f"No single line of {code(function.name)} stands out: read it from {code(where, 100)}",
            f" to line {function.end_lineno}",
        )
    lines = f"lines {function.lineno}-{function.end_lineno}"
    return compose(
        f"Start at {code(where, 100)}{first}", f", then the rest of {code(function.name)}, {lines}"
    )


def _ties(case: Case) -> Iterator[str]:
    suspect = case.suspect
    if suspect is None or not suspect.tied_with:
        return
    tied = sorted(
        (one.path, one.line) for one in case.fault.suspects if one.rank == suspect.rank and one != suspect
    )
    shown = listed([place(path, line) for path, line in tied], most=3)
    count = number(suspect.tied_with, "other statement")
    yield compose(
        f"The evidence cannot tell {place(suspect.path, suspect.line)} from {count}",
        f": {shown}" if len(tied) == suspect.tied_with else "",
    )


def _probes(case: Case) -> Iterator[str]:
    """Evidence that is more than coverage."""
    suspect = case.suspect
    for text in suspect.evidence if suspect else ():
        if suspect and not text.startswith("run by"):
            yield compose(f"More against {place(suspect.path, suspect.line)}: {text}")


def _output(case: Case) -> Iterator[str]:
    for name, text in (
        ("log", case.failure.log),
        ("standard error", case.failure.stderr),
        ("output", case.failure.stdout),
    ):
        lines = [line for line in text.splitlines() if line.strip()]
        if lines:
            yield compose(f"The last line of the test's {name} is {code(lines[-1], 120)}")


def _traceback(case: Case) -> Iterator[str]:
    is_check = case.is_assertion and case.came_and_wanted and case.failure.kind != "doctest"
    if case.failure.frames and is_check:
        yield "The traceback ends in the test itself: the wrong value was made before, without an exception."
    elif not case.failure.project_frames:
        yield "The traceback holds no line of this project."


def _second(case: Case) -> Iterator[str]:
    ranked = sorted(case.fault.suspects, key=lambda one: one.rank)[1:2]
    for suspect in ranked:
        text = case.header(suspect.path, suspect.line)
        failing, passing = case.ran(suspect.path, suspect.line, suspect.end_line)
        runs = f", run by {failing} failing and {number(passing, 'passing test')}" if failing else ""
        what = f" {code(text)}" if text else ""
        yield compose(f"The next suspect is{what} at {place(suspect.path, suspect.line)}", runs)


def _neighbours(case: Case) -> Iterator[str]:
    if case.spectrum.failing and not case.spectrum.passing:
        yield "There is no passing test to compare with, so coverage speaks for none of these lines."


def _coverage(case: Case) -> Iterator[str]:
    failing, passing = len(case.spectrum.failing), len(case.spectrum.passing)
    if failing:
        cut = "" if case.spectrum.complete else "; the time budget cut off further passing ones"
        yield compose(
            f"The lines of {number(failing, 'failing test')} and {passing} passing were compared", cut
        )
    elif case.failure.phase == "collect":
        yield "No test of the file ran, so there is no coverage to go by."
    else:
        yield "Which lines the test runs is not known, so the traceback is the only lead."


def _how(case: Case) -> Iterator[str]:
    if not case.failure.test:
        return
    phases = {
        "collect": "while it is collected",
        "setup": "while it is set up",
        "teardown": "after it has run",
    }
    when = phases.get(case.failure.phase, "while it runs")
    error = f" with {code(case.error)}" if case.error else ""
    subtest = f", in its subtest {code(case.failure.subtest)}" if case.failure.subtest else ""
    yield compose(f"{code(case.failure.test, 110)} fails {when}{error}", subtest)


def _nothing_printed(case: Case) -> Iterator[str]:
    if not (case.failure.log or case.failure.stderr or case.failure.stdout):
        yield "The test printed and logged nothing."


def _rerun(case: Case) -> Iterator[str]:
    path = case.test_path if case.failure.phase == "collect" else case.failure.test
    quoted = f"'{path}'" if any(character in path for character in " []()*?$&;") else path
    yield compose(f"Run it alone and look at the values: {code(f'pytest --showlocals {quoted}', 150)}")
