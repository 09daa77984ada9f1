"""Which files are the project's own, and which of them a process has imported."""

import os
import site
import sys
from pathlib import Path

_FOREIGN = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Place:
    """The project below a rootdir, without what is installed there."""

    def __init__(self, rootdir: Path) -> None:
        self.root = str(rootdir)
        self._prefix = self.root.rstrip(os.sep) + os.sep
        homes = {sys.prefix, sys.exec_prefix, site.getuserbase()}
        inside = [home.rstrip(os.sep) + os.sep for home in homes]
        self._foreign = tuple(
            home for home in inside if home != self._prefix and home.startswith(self._prefix)
        )

    def relative(self, filename: object) -> str | None:
        """The posix path of a project file relative to the rootdir, None for everything else."""
        if not isinstance(filename, str) or not filename.startswith(self._prefix):
            return None
        if filename.startswith(self._foreign) or any(part in filename for part in _FOREIGN):
            return None
        return filename[len(self._prefix) :].replace(os.sep, "/")

    def absolute(self, path: str) -> str:
        """The other way round."""
        return self._prefix + path.replace("/", os.sep)

    def loaded(self) -> list[str]:
        """The project files that this process has imported."""
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        return sorted(path for file in files if (path := self.relative(file)) is not None)
