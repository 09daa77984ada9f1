"""A pytest plugin that writes what a plain run showed, as a Baseline in JSON, to $BENCH_BASELINE."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from pytest_buddy.capture import Recorder
from pytest_buddy.codec import encode
from pytest_buddy.runner import inherited

_STARTED = time.monotonic()


def pytest_configure(config: pytest.Config) -> None:
    """Record the run as `pytest --buddy` does."""
    config.pluginmanager.register(Recorder(config.rootpath), "bench-recorder")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write the baseline and how pytest was called."""
    target = os.environ.get("BENCH_BASELINE")
    recorder = config.pluginmanager.get_plugin("bench-recorder")
    if not target or recorder is None:
        return
    words = [str(word) for word in config.invocation_params.args if "baseline_log" not in str(word)]
    kept = [*inherited(words, config.option.file_or_dir or ())]
    if config.inipath is not None and "-c" not in kept:
        kept += ["-c", str(config.inipath)]
    data = {
        "baseline": encode(recorder.baseline(tuple(kept), seconds=time.monotonic() - _STARTED)),
        "inherited": kept,
        "here_first": any(entry in ("", os.getcwd()) for entry in sys.path),  # noqa: PTH109
    }
    Path(target).write_text(json.dumps(data), encoding="utf-8")
