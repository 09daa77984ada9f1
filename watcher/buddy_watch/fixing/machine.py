"""Whether this machine has room for work in the background, and for how much of it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CROWDED = 1.5
_TAKEN = 0.75
_TICKS = 100
_LOWEST_CHARGE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The load of the last minute, how many threads want to run now, and on how many cores.

    `taken` is the share of processor time that programs of ordinary priority had lately: what runs at low
    priority, as the search for fixes does, is no reason to wait, however high it drives the load.
    `charge` is what the batteries hold in percent while nothing feeds them; None on mains or without any.
    """

    load: float = 0.0
    running: int = 0
    cores: int = 1
    mine: int = 1
    taken: float = 1.0
    charge: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many jobs may run at a time; none for `reason`."""

    jobs: int
    reason: str = ""


def room(reading: Reading) -> Room:
    """Decide by one reading: nothing on a low battery, nor on a machine that is crowded and stays so."""
    if reading.charge is not None and reading.charge < _LOWEST_CHARGE:
        return Room(jobs=0, reason=f"the battery is at {reading.charge} %")
    most = _CROWDED * reading.cores
    if reading.load > most and reading.running > most and reading.taken > _TAKEN:
        return Room(jobs=0, reason=f"the load is {reading.load:.1f} on {_cores(reading.cores)}")
    return Room(jobs=max(1, reading.mine))


def _cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"


@dataclass(slots=True)
class Machine:
    """Reads this machine where the system tells; what it does not tell is taken to be no obstacle."""

    proc: Path = Path("/proc")
    power: Path = Path("/sys/class/power_supply")
    _times: tuple[int, int] = (0, 0)
    _share: float = 1.0

    def room(self) -> Room:
        """How much may run in the background now."""
        return room(self.read())

    def read(self) -> Reading:
        """The machine as it is now."""
        load, running = self._load()
        cores = os.cpu_count() or 1
        return Reading(
            load=load,
            running=running,
            cores=cores,
            mine=_mine(cores),
            taken=self._taken(),
            charge=self._charge(),
        )

    def _taken(self) -> float:
        """The share of processor time that went to ordinary programs since the last look."""
        words = _text(self.proc / "stat").partition("\n")[0].split()[1:9]
        if len(words) < 8 or not all(word.isdigit() for word in words):
            return 1.0
        user, nice, system, idle, waiting, *rest = map(int, words)
        ordinary, everything = user + system, user + nice + system + idle + waiting + sum(rest)
        before, all_before = self._times
        if everything - all_before >= _TICKS:
            self._share = (ordinary - before) / (everything - all_before)
            self._times = (ordinary, everything)
        return self._share

    def _load(self) -> tuple[float, int]:
        words = _text(self.proc / "loadavg").split()
        try:
            return float(words[0]), int(words[3].partition("/")[0]) - 1  # this very thread is one of them
        except (IndexError, ValueError):
            return 0.0, 0

    def _charge(self) -> int | None:
        """The fullest battery's charge while the machine runs on batteries alone."""
        charges: list[int] = []
        for supply in _listed(self.power):
            if _text(supply / "scope") == "Device":  # a mouse has one, too
                continue
            kind, status = _text(supply / "type"), _text(supply / "status")
            if kind in ("Mains", "USB") and _text(supply / "online") == "1":
                return None
            capacity = _text(supply / "capacity")
            if kind == "Battery" and capacity.isdigit():
                if status != "Discharging":
                    return None
                charges.append(int(capacity))
        return max(charges, default=None)


def _mine(cores: int) -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else cores


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _listed(directory: Path) -> Iterable[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:
        return ()
