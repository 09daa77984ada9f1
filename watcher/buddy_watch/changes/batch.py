"""When a save is over: how long to go on gathering before a batch is told."""

from collections.abc import Iterable, Mapping

_QUIET = 0.005
_LONGEST = 0.060
_GRACE = 0.060  # editors delete and recreate, empty and write
_MANY = 20  # more paths than one save has: a checkout, a formatter
_QUIET_OF_MANY = 0.050
_LONGEST_OF_MANY = 0.500


class Batch:
    """What has happened since the last batch was told; every moment is given, none is looked up.

    `pending` are paths to look at, True where they came or went; `found` are files that have changed.
    """

    def __init__(self) -> None:
        self.pending: dict[str, bool] = {}
        self.found: set[str] = set()
        self._first = 0.0
        self._last = 0.0
        self._unsure_until: float | None = None

    @property
    def many(self) -> bool:
        """Whether this is more than a person saves at once."""
        return len(self.pending) + len(self.found) > _MANY

    def add(self, paths: Mapping[str, bool], now: float) -> None:
        """Have these looked at."""
        if not self.pending and not self.found:
            self._first = now
        self._last = now
        for path, structural in paths.items():
            self.pending[path] = self.pending.get(path, False) or structural

    def look_at(self) -> float:
        """The moment at which to look: nothing has happened for a while, or something for too long."""
        if self.many:
            return min(self._last + _QUIET_OF_MANY, self._first + _LONGEST_OF_MANY)
        return min(self._last + _QUIET, self._first + _LONGEST)

    def unsure(self, paths: Iterable[str], now: float) -> float | None:
        """Keep files that may come back; until when, or None when they have been waited for long enough."""
        self.pending = dict.fromkeys(paths, False)
        if not self.pending:
            return None
        if self._unsure_until is None:
            self._unsure_until = now + _GRACE
        return self._unsure_until if now < self._unsure_until else None
