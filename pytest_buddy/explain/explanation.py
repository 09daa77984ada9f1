"""A fault and all that is known about it -> the four to six bullets that say most."""

import re
from collections.abc import Iterable, Mapping

from pytest_buddy.domain import Change, Explanation, Failure, Fault, Observation, Spectrum
from pytest_buddy.explain.after_difference import after_difference
from pytest_buddy.explain.after_exception import after_exception
from pytest_buddy.explain.case import Case, build
from pytest_buddy.explain.contrast import contrast
from pytest_buddy.explain.expected import expected
from pytest_buddy.explain.leftover import leftover, start_reading, worthwhile
from pytest_buddy.explain.origin import origin
from pytest_buddy.explain.recent import recent
from pytest_buddy.explain.together import together
from pytest_buddy.source import Source

_FEWEST = 4
_ENOUGH = 5
_MOST = 6
_CODE = re.compile(r"`[^`]+`")


def explain(
    fault: Fault,
    failures: tuple[Failure, ...],
    *,
    spectrum: Spectrum,
    sources: Mapping[str, Source],
    observations: tuple[Observation, ...] = (),
    changes: tuple[Change, ...] = (),
) -> Explanation:
    """Four to six bullets on why the tests of a fault fail, each true of this fault, most telling first.

    `failures` may hold those of other faults too. The last bullet says what to try.
    """
    case = build(
        fault, failures, spectrum=spectrum, sources=sources, observations=observations, changes=changes
    )
    return Explanation(bullets=_chosen(case), origin="rules")


def _chosen(case: Case) -> tuple[str, ...]:
    bullets = [text for rule in (expected, origin) if (text := rule(case))]
    said = " ".join(bullets)
    others = (contrast(case, said), recent(case), together(case))
    bullets = _without_repeats([*bullets, *(text for text in others if text)])
    advice = after_exception(case) or after_difference(case) or start_reading(case)
    for text in worthwhile(case):
        is_new = _adds(text, [*bullets, advice]) and not _is_told(text, advice)
        if len(bullets) + 1 < _ENOUGH and is_new:
            bullets.append(text)
    for text in leftover(case):
        if len(bullets) + 1 < _FEWEST and _adds(text, [*bullets, advice]):
            bullets.append(text)
    for text in leftover(case):
        if len(bullets) + 1 < _FEWEST and text not in (*bullets, advice):
            bullets.append(text)
    return tuple(_without_repeats([*bullets[: _MOST - 1], advice]))


def _without_repeats(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _is_told(text: str, advice: str) -> bool:
    """Whether the evidence of a bullet is what the advice rests on."""
    return text.partition(": ")[2] in advice


def _adds(text: str, bullets: list[str]) -> bool:
    """Whether a bullet shows some code, value or place that the others do not, or shows none at all."""
    spans = _CODE.findall(text)
    shown = " ".join(bullets)
    return text not in bullets and (not spans or any(span not in shown for span in spans))
