"""Third bullet: what the suspicious statement did in failing tests, against passing ones."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_buddy.domain import Observation, Suspect
from pytest_buddy.explain.case import Case, read_by
from pytest_buddy.explain.wording import code, compose, listed, number, place, valued

_FEW = 3
_SHORT = 36
_CODE = re.compile(r"`[^`]+`")
_SPECIAL = {"[]", "{}", "()", "''", "b''", "None", "0", "0.0", "set()"}


def contrast(case: Case, said: str = "") -> str | None:
    """Who ran the first suspect, and which of its values tell failing from passing tests.

    `said` is what earlier bullets told: its code and values are not repeated.
    """
    suspect = case.suspect
    if suspect is None:
        return None
    where = place(suspect.path, suspect.line)
    text = code(case.header(suspect.path, suspect.line), 60)
    is_known = where in said or (text in said and f"line {suspect.line} " in said)
    name = f"{text} ({where})" if text != "``" and not is_known else where
    runs = _runs(case, suspect)
    failing, passing = (
        _reading_first(case, suspect, seen) for seen in case.observed(suspect.path, suspect.line)
    )
    telling = next(_telling(case, failing, passing, said), "")
    if telling:
        return compose(
            f"At {name}, {telling}", f"; it is {runs}" if runs and _is_telling(case, suspect) else ""
        )
    if not runs or (is_known and not _is_telling(case, suspect)):
        return None
    return compose(f"{name} is {runs}", _hits(failing, passing))


def _is_telling(case: Case, suspect: Suspect) -> bool:
    """Whether some passing test does not run the suspect."""
    _, good = case.ran(suspect.path, suspect.line, suspect.end_line)
    return good < len(case.spectrum.passing)


def _runs(case: Case, suspect: Suspect) -> str:
    failing, passing = len(case.spectrum.failing), len(case.spectrum.passing)
    bad, good = case.ran(suspect.path, suspect.line, suspect.end_line)
    if not failing or not bad:
        return ""
    what = "failing" if failing >= len(case.fault.tests) else "compared failing"
    who = f"run by {_share(bad, failing, what)}"
    return f"{who} and {_share(good, passing, 'passing')}" if passing else who


def _share(count: int, total: int, what: str) -> str:
    if count == total:
        every = "both" if total == 2 else f"all {total}"
        return f"the only {what} test" if total == 1 else f"{every} {what} tests"
    if count == 0:
        return f"none of the {total} {what}" if total > 1 else f"not by the only {what} one"
    return f"{count} of {total} {what} tests"


def _telling(
    case: Case, failing: Sequence[Observation], passing: Sequence[Observation], said: str
) -> Iterator[str]:
    """The values by which every failing test that was watched differs from every passing one."""
    if not failing:
        return
    words = _when(failing, passing, case)
    verb = "is last" if any(seen.hits > 1 for seen in (*failing, *passing)) else "is"
    for name in sorted(_names(failing), key=lambda name: not _is_special(name, failing, passing)):
        bad = _values(failing, name)
        good = _values(passing, name)
        if (
            not bad
            or len(bad) > _FEW
            or any("..." in value or len(value) > _SHORT for value in (*bad, *good))
        ):
            continue
        if good and not set(bad) & set(good):
            yield f"{code(name)} {verb} {_alternatives(bad)} {words[0]} and {_alternatives(good)} {words[1]}"
    bad_results, good_results = _results(failing), _results(passing)
    fresh = [value for value in bad_results if code(value) not in said]
    if (
        fresh
        and case.is_assertion
        and good_results
        and not set(bad_results) & set(good_results)
        and len(bad_results) <= _FEW
    ):
        fails, passes = _alternatives(bad_results), _alternatives(good_results)
        yield f"the result is {fails} {words[0]} and {passes} {words[1]}"
    if not passing:
        statement = case.statement(case.suspect) if case.suspect else None
        own = [one for one in failing if one.test == case.failure.test]
        pairs = valued(read_by(statement, own[0].variables), most=_FEW) if own else ""
        if any(span not in said for span in _CODE.findall(pairs)):
            yield f"the failing test has {pairs}"


def _reading_first(
    case: Case, suspect: Suspect, observations: Sequence[Observation]
) -> tuple[Observation, ...]:
    """The observations, what the statement itself reads put before other variables in scope."""
    statement = case.statement(suspect)
    return tuple(
        replace(one, variables=tuple(dict.fromkeys([*read_by(statement, one.variables), *one.variables])))
        for one in observations
    )


def _when(failing: Sequence[Observation], passing: Sequence[Observation], case: Case) -> tuple[str, str]:
    """How to speak of failing and passing tests, which may not all have been watched."""
    seen = len({one.test for one in failing}), len({one.test for one in passing})
    if seen[0] >= len(case.spectrum.failing) and seen[1] >= len(case.spectrum.passing):
        return "when the test fails", "when it passes"
    return "in a failing test" if seen[0] == 1 else "in failing tests", "in passing ones"


def _is_special(name: str, failing: Sequence[Observation], passing: Sequence[Observation]) -> bool:
    return bool(_SPECIAL & {*_values(failing, name), *_values(passing, name)})


def _names(observations: Sequence[Observation]) -> list[str]:
    return list(dict.fromkeys(one.name for seen in observations for one in seen.variables))


def _values(observations: Sequence[Observation], name: str) -> list[str]:
    found = [one.value for seen in observations for one in seen.variables if one.name == name]
    return list(dict.fromkeys(found)) if len(found) == len(observations) else []


def _results(observations: Sequence[Observation]) -> list[str]:
    found = [one.result for one in observations if one.result]
    return list(dict.fromkeys(found)) if len(found) == len(observations) else []


def _alternatives(values: Sequence[str]) -> str:
    return listed([code(value, _SHORT) for value in values], last="or", most=_FEW)


def _hits(failing: Sequence[Observation], passing: Sequence[Observation]) -> str:
    bad, good = {one.hits for one in failing}, {one.hits for one in passing}
    if len(bad) == 1 and good and not bad & good:
        often = number(next(iter(bad)), "time")
        others = listed([str(count) for count in sorted(good)], last="or")
        return f"; it is reached {often} in a failing test, {others} in passing ones"
    return ""
