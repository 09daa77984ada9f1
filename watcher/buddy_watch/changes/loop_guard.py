"""Files that the tests themselves write: they must not start the next run for ever."""

from collections.abc import Iterable

_ENOUGH = 3


class LoopGuard:
    """Tells files that runs write apart from files that a person saves.

    A file that is no Python file and changed in three runs in a row, while nothing else did, is written by
    the tests. It counts again as soon as it changes while no run is to blame.
    """

    def __init__(self) -> None:
        self._streaks: dict[str, tuple[int, int]] = {}
        self._written: set[str] = set()

    @property
    def written(self) -> frozenset[str]:
        """Files whose changes during runs are to be ignored."""
        return frozenset(self._written)

    def changed(self, paths: Iterable[str], *, run: int | None) -> tuple[str, ...]:
        """Files of a batch that it finds out; `run` is the one during or just after which they changed.

        `run` is None when the batch came while nothing ran: then it is the person's doing.
        """
        paths = frozenset(paths)
        if run is None:
            self._written -= paths
            self._streaks.clear()
            return ()
        if any(path.endswith(".py") for path in paths):
            self._streaks.clear()
            return ()
        found = []
        for path in sorted(paths - self._written):
            last, streak = self._streaks.get(path, (None, 0))
            streak = streak if last == run else streak + 1 if last == run - 1 else 1
            self._streaks[path] = (run, streak)
            if streak >= _ENOUGH:
                found.append(path)
                del self._streaks[path]
        self._written.update(found)
        return tuple(found)
