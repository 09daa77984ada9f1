"""Fifth bullet: how the failures of the fault hang together."""

from collections import Counter

from pytest_buddy.domain import Failure
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.wording import code, compose, number, place


def together(case: Case) -> str | None:
    """What the failing tests share that can be shown: cases of one test, a value, an exception and place."""
    return _one_parameter(case) or _several(case)


def _one_parameter(case: Case) -> str | None:
    """Cases of one parametrized test, some of which pass."""
    families: dict[str, list[str]] = {}
    for execution in case.suite.executions:
        name, bracket, _ = execution.test.partition("[")
        if bracket:
            families.setdefault(name, []).append(execution.test)
    name = case.failure.test.partition("[")[0]
    failed = {execution.test for execution in case.suite.failing} | set(case.fault.tests)
    own = [test for test in case.fault.tests if test.startswith(f"{name}[")]
    members = list(dict.fromkeys([*families.get(name, []), *own]))
    bad = [test for test in members if test in failed]
    if len(members) < 2 or not bad:
        return None
    short = code(name.rpartition("::")[2])
    if len(bad) == len(members):
        return compose(f"All {len(members)} cases of {short} that were run fail, whatever the parameters")
    verb = "fails" if len(bad) == 1 else "fail"
    cases = ", ".join(code(test[len(name) :], 30) for test in bad[:4])
    more = f" and {len(bad) - 4} more" if len(bad) > 4 else ""
    return compose(f"Of {len(members)} cases of {short}, {len(bad)} {verb}: {cases}{more}; the others pass")


def _several(case: Case) -> str | None:
    count = len(case.fault.tests) or len(case.failures)
    if count < 2:
        return None
    known = case.failures
    if len(known) == count:
        shared = _shared_value(known)
        if shared:
            return compose(f"In {_all(count)} failing tests, {shared}")
        places = {_place(failure) for failure in known}
        if len(places) == 1:
            path, line, error = next(iter(places))
            if path:
                where = place(path, line)
                return compose(f"{_all(count).capitalize()} tests fail alike: {code(error)} at {where}")
    return None


def kinship(case: Case) -> str | None:
    """What little else the failing tests of a fault are known to share."""
    count = len(case.fault.tests) or len(case.failures)
    if count < 2:
        return None
    home = _same_home(case)
    if home:
        return compose(f"{_all(count).capitalize()} failing tests are in {home}")
    kinds = Counter(one.error_type.rpartition(".")[2] for one in case.failures if one.error_type)
    listing = ", ".join(f"{times} with {code(name)}" for name, times in kinds.most_common(3))
    return compose(
        f"{count} tests fail at what looks like one fault", f": {listing}" if len(kinds) > 1 else ""
    )


def _all(count: int) -> str:
    return "both" if count == 2 else f"all {count}"


def _place(failure: Failure) -> tuple[str, int, str]:
    frames = failure.project_frames
    outside = frames and frames[-1].path != failure.test.partition("::")[0]
    error = failure.error_type.rpartition(".")[2]
    return (frames[-1].path, frames[-1].line, error) if outside else ("", 0, error)


def _shared_value(failures: tuple[Failure, ...]) -> str:
    """A variable that has one and the same telling value where each of the failures happened."""
    spaces = []
    for failure in failures:
        frame = failure.project_frames[-1] if failure.project_frames else None
        spaces.append({one.name: one.value for one in frame.variables} if frame else {})
    functions = {failure.project_frames[-1].function for failure in failures if failure.project_frames}
    if not all(spaces) or len(functions) != 1:
        return ""
    same = [
        (name, value) for name, value in spaces[0].items() if all(one.get(name) == value for one in spaces)
    ]
    telling = [pair for pair in same if pair[1] in ("[]", "{}", "()", "''", "None", "0", "set()")]
    return (
        f"{code(telling[0][0])} is {code(telling[0][1])} in {code(next(iter(functions)))}" if telling else ""
    )


def _same_home(case: Case) -> str:
    classes = {test.rpartition("::")[0] for test in case.fault.tests}
    files = {test.partition("::")[0] for test in case.fault.tests}
    home = next(iter(classes)) if len(classes) == 1 else next(iter(files)) if len(files) == 1 else ""
    others = [one for one in case.spectrum.passing if home and one.test.startswith(home + "::")]
    return f"{code(home, 80)}, where {number(len(others), 'other')} passed" if home and others else ""
