"""Started as `python -I -S .../sandbox FD`: nothing but the launcher's own modules is imported."""

import os
import sys


def _run() -> int:
    # The packages above are entered without their __init__, which would import what start-up can't afford.
    directory = sys.path.pop(0)
    for name in ("pytest_buddy.runner.sandbox", "pytest_buddy.runner", "pytest_buddy"):
        package = type(sys)(name)
        package.__path__ = [directory]
        sys.modules[name] = package
        directory = os.path.dirname(directory)
    from pytest_buddy.runner.sandbox.launch import launch

    return launch(int(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(_run())
