"""Tests, with or without candidate edits -> how they ended."""

from pytest_buddy.runner.arguments import inherited
from pytest_buddy.runner.client import Runner
from pytest_buddy.runner.cold import ColdRunner
from pytest_buddy.runner.confirming import Confirmation, Standby
from pytest_buddy.runner.launch import Launcher
from pytest_buddy.runner.sandbox import advice, probe

AnyRunner = Runner | ColdRunner

__all__ = [
    "ColdRunner",
    "Confirmation",
    "Launcher",
    "Runner",
    "Standby",
    "advice",
    "inherited",
    "probe",
]
