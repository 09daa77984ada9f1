"""Third bullet: what the suspicious statement did in failing tests, against passing ones."""

from collections.abc import Iterator, Sequence

from pytest_buddy.domain import Observation, Suspect
from pytest_buddy.explain.case import Case
from pytest_buddy.explain.wording import code, compose, listed, number, place

_FEW = 3


def contrast(case: Case) -> str | None:
    """Who ran the first suspect, and which of its values tell failing from passing tests."""
    suspect = case.suspect
    if suspect is None:
        return None
    text = case.header(suspect.path, suspect.line)
    name = (
        f"{code(text, 60)} ({place(suspect.path, suspect.line)})"
        if text
        else place(suspect.path, suspect.line)
    )
    runs = _runs(case, suspect)
    failing, passing = case.observed(suspect.path, suspect.line)
    telling = next(_telling(failing, passing), "")
    if telling:
        return compose(f"At {name}, {telling}", f"; it is {runs}" if runs else "")
    return compose(f"{name} is {runs}", _hits(failing, passing)) if runs else None


def _runs(case: Case, suspect: Suspect) -> str:
    failing, passing = len(case.spectrum.failing), len(case.spectrum.passing)
    bad, good = case.ran(suspect.path, suspect.line, suspect.end_line)
    if not failing or not bad:
        return ""
    who = f"run by {_share(bad, failing, 'failing')}"
    return f"{who} and {_share(good, passing, 'passing')}" if passing else who


def _share(count: int, total: int, what: str) -> str:
    if count == total:
        return f"the only {what} test" if total == 1 else f"all {total} {what} tests"
    if count == 0:
        return f"none of the {total} {what}" if total > 1 else f"not by the only {what} one"
    return f"{count} of {total} {what} tests"


def _telling(failing: Sequence[Observation], passing: Sequence[Observation]) -> Iterator[str]:
    """The values by which every failing test that was watched differs from every passing one."""
    if not failing:
        return
    for name in _names(failing):
        bad = _values(failing, name)
        good = _values(passing, name)
        if not bad or len(bad) > _FEW or any("..." in value for value in (*bad, *good)):
            continue
        if good and not set(bad) & set(good):
            fails, passes = _alternatives(bad), _alternatives(good)
            yield f"{code(name)} is {fails} when the test fails and {passes} when it passes"
    bad_results, good_results = _results(failing), _results(passing)
    if bad_results and not set(bad_results) & set(good_results) and len(bad_results) <= _FEW:
        others = f" and {_alternatives(good_results)} when it passes" if good_results else ""
        yield f"the result is {_alternatives(bad_results)} when the test fails{others}"
    if not passing:
        pairs = [f"{code(one.name)} = {code(one.value, 40)}" for one in failing[0].variables[:_FEW]]
        if pairs:
            yield f"the failing test has {listed(pairs)}"


def _names(observations: Sequence[Observation]) -> list[str]:
    return list(dict.fromkeys(one.name for seen in observations for one in seen.variables))


def _values(observations: Sequence[Observation], name: str) -> list[str]:
    found = [one.value for seen in observations for one in seen.variables if one.name == name]
    return list(dict.fromkeys(found)) if len(found) == len(observations) else []


def _results(observations: Sequence[Observation]) -> list[str]:
    found = [one.result for one in observations if one.result]
    return list(dict.fromkeys(found)) if len(found) == len(observations) else []


def _alternatives(values: Sequence[str]) -> str:
    return listed([code(value, 30) for value in values], last="or", most=_FEW)


def _hits(failing: Sequence[Observation], passing: Sequence[Observation]) -> str:
    bad, good = {one.hits for one in failing}, {one.hits for one in passing}
    if len(bad) == 1 and good and not bad & good:
        often = number(next(iter(bad)), "time")
        others = listed([str(count) for count in sorted(good)], last="or")
        return f"; it is reached {often} in a failing test, {others} in passing ones"
    return ""
