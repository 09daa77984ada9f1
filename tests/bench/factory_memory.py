"""The most memory that a process and all below it took together, looked at from outside while they run."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType


class PeakMemory:
    """Inside a `with`, adds up the memory of all processes below this one a few times a second."""

    def __init__(self, every: float = 0.3) -> None:
        self.most = 0.0
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(self._every):
            self.most = max(self.most, sum(map(mebibytes, below(os.getpid()))))


def below(root: int) -> Iterator[int]:
    """The processes below one."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    waiting = [*parents.get(root, ())]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += parents.get(process, ())


def mebibytes(process: int) -> float:
    """The memory of a process, shared pages by their share; 0 when it is gone."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    sizes = (line.split()[1] for line in text.splitlines() if line.startswith("Pss:"))
    return sum(int(size) for size in sizes) / 1024
