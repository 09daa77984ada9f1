"""The pytest arguments a runner inherits from the person's own run."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

_SELECTS = (
    r"k|m|n|x|f|d|s|-exitfirst|-maxfail|-deselect|-lf|-last-failed.*|-ff|-failed-first|-nf|-new-first|-lfnf"
)
_REPEATS = r"-sw|-sw-.*|-stepwise.*|-cache-.*|-picked.*|-testmon.*|-count|-reruns.*|-only-rerun|-rerun-except"
_DISTRIBUTES = r"-numprocesses|-dist|-tx|-max.*worker.*|-maxschedchunk|-maxprocesses|-rsync.*|-looponfail"
_PRINTS = (
    r"[vqlr][a-zA-Z]*|-verbos.*|-quiet|-(no-)?showlocals|-tb|-color|-code-highlight|-capture|-show-capture|-durations.*"
    r"|-full-trace|-xfail-tb|-no-header|-no-summary|-disable-warnings|-no-fold-skipped|-force-short-summary"
    r"|-truncation-.*|-instafail|-pastebin|-debug|-setup-(only|show|plan)|-co|-collect-?only"
)
_REPORTS = (
    r"-cov.*|-no-cov.*|-junit.*|-html|-css|-self-contained-html|-report-log|-log-file.*|-alluredir"
    r"|-json-report.*"
)
_TIMES = r"-session-timeout|-benchmark.*|-pdb.*|-trace|-usepdb|-basetemp|-random-order.*|-fail-on-flaky"
_OURS = r"-buddy.*|-no-buddy.*"
_DROPPED = re.compile(
    "-(" + "|".join((_SELECTS, _REPEATS, _DISTRIBUTES, _PRINTS, _REPORTS, _TIMES, _OURS)) + ")"
)
_BUNDLE = re.compile(r"-[xsvqlfd]+|-[kmnr].+")
_PLUGINS_LEFT_OUT = frozenset({"xdist", "no:terminal"})


def inherited(arguments: Iterable[str], positional: Sequence[str]) -> tuple[str, ...]:
    """The arguments that shape configuration and collection; what selects, prints or distributes is left out.

    `arguments` are those of the command line or of `addopts`; `positional` are the paths and node ids
    among them, which are left out too: a runner is told what to collect.
    """
    kept: list[str] = []
    for name, values in _options(list(arguments), positional):
        if name == "-p":
            kept += [word for value in values if value not in _PLUGINS_LEFT_OUT for word in ("-p", value)]
        elif not _DROPPED.fullmatch(name.partition("=")[0]) and not _BUNDLE.fullmatch(name):
            kept += [name, *values]
    return tuple(kept)


def _options(arguments: Sequence[str], positional: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option with its values: the words behind it that are neither options nor positional."""
    values = Counter(word for word in arguments if not word.startswith("-"))
    values.subtract(positional)
    current: tuple[str, list[str]] | None = None
    for word in arguments:
        if word.startswith("-") and len(word) > 1:
            if current is not None:
                yield current
            short = word.startswith("-p") and len(word) > 2
            current = ("-p", [word[2:]]) if short else (word, [])
        elif values[word] > 0 and current is not None:
            values[word] -= 1
            current[1].append(word)
    if current is not None:
        yield current
