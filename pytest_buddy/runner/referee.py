"""The last judge: a fresh pytest process that runs given tests in their original order and reports.

Started as `python -m pytest_buddy.runner.referee DESCRIPTOR`; the request comes over the descriptor, one
message a test goes back. Nothing of a candidate was loaded before. It may be started long before its request:
then the patched files come with it.
"""

import base64
import hashlib
import os
import sys
import time
from pathlib import Path

import pytest

from pytest_buddy.messages import Message, first_message, write
from pytest_buddy.runner.execution import Execution, ReportLog
from pytest_buddy.runner.parking import Seen, forget_bytecode, replace
from pytest_buddy.runner.tracing import inside, line_tracer
from pytest_buddy.runner.wire import enter, pytest_arguments


class Referee:
    """A pytest plugin that keeps only the wanted tests, in the wanted order, and tells how each ended."""

    def __init__(self, descriptor: int, request: Message) -> None:
        self._descriptor = descriptor
        self._request = request
        self._prefix: str = request["root"].rstrip(os.sep) + os.sep
        self._log = ReportLog()
        self._execution = Execution(self._log, self._prefix)
        self._tracer = line_tracer(self._prefix) if request.get("trace") else None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the log of reports."""
        config.pluginmanager.register(self._log, "pytest-buddy-log")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the wanted tests, in the order of the request."""
        places = {test: index for index, test in enumerate(self._request["tests"])}
        items[:] = sorted(
            (item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid]
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests one after the other, as pytest does, and tell each outcome at once."""
        failed = {report.nodeid for report in self._log.errors}
        for test in self._request["tests"]:
            if "::" not in test:
                status = "error" if test in failed else "passed"
                self._tell({"test": test, "status": status, "seconds": 0.0})
        for index, item in enumerate(session.items):
            following = session.items[index + 1] if index + 1 < len(session.items) else None
            self._tell({"test": item.nodeid, **self._run(item, following)})
            session.shouldstop = session.shouldfail = False
        self._tell({"loaded": self._loaded()})
        return True

    def _run(self, item: pytest.Item, following: pytest.Item | None) -> Message:
        if self._tracer is None:
            return self._execution.by_protocol(item, following)
        self._tracer.start()
        message = self._execution.by_protocol(item, following)
        return {**message, "lines": inside(self._prefix, self._tracer.stop())}

    def _tell(self, message: Message) -> None:
        write(self._descriptor, {**message, "nonce": self._request["nonce"]})

    def _loaded(self) -> list[str]:
        """The workspace files that were imported, to prove that the edited ones were."""
        files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        return [
            name[len(self._prefix) :].replace(os.sep, "/")
            for name in files
            if isinstance(name, str) and name.startswith(self._prefix)
        ]


def main() -> int:
    """Read the request, run, and end with pytest's own status."""
    descriptor = int(sys.argv[1])
    request = first_message(descriptor)
    if request is None:
        return 0
    if "contents" in request and not _catch_up(descriptor, request):
        return 0
    enter(request)
    for path, digest in request["digests"].items():
        _check(Path(request["root"], path), digest)
    started = time.monotonic()
    referee = Referee(descriptor, request)
    status = pytest.main(pytest_arguments(request), plugins=[referee])
    ended = {"ended": int(status), "seconds": time.monotonic() - started, "nonce": request["nonce"]}
    write(descriptor, ended)
    return int(status)


def _catch_up(descriptor: int, request: Message) -> bool:
    """Having been started before there was a request: put the patch in place; false when it is too late.

    So far nothing but installed modules was imported, unless the project is on the path of the interpreter.
    """
    prefix = request["root"].rstrip(os.sep) + os.sep
    reason = Seen(prefix).outdated_by(request["changed"], look=True)
    write(descriptor, {"outdated": reason, "nonce": request["nonce"]})
    if reason:
        return False
    replace(prefix, {path: base64.b64decode(content) for path, content in request["contents"].items()})
    forget_bytecode(prefix, request["recent"], overlay=True)
    return True


def _check(path: Path, digest: str) -> None:
    """Refuse to judge when the edited file is not the one on disk here."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        raise SystemExit(f"{path} does not hold the candidate")


if __name__ == "__main__":
    sys.exit(main())
