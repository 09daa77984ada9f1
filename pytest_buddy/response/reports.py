"""The built-in report formats."""

import os
from collections.abc import Callable

from pytest_buddy.ports import Reporter
from pytest_buddy.redact import Redactor
from pytest_buddy.response.json_report import JsonReporter
from pytest_buddy.response.markdown import MarkdownReporter


def reporters(
    *, redact: Callable[[str], str] | None = None, redact_diff: Callable[[str], str] | None = None
) -> tuple[Reporter, ...]:
    """The reporters, which redact every text; diffs lose only credentials unless `redact_diff` says else."""
    redactor = Redactor(environment=os.environ)
    redact = redact or redactor.redact
    redact_diff = redact_diff or redactor.redact_credentials
    return (JsonReporter(redact=redact, redact_diff=redact_diff), MarkdownReporter(redact=redact))
