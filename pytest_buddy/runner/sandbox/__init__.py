"""Keeps candidate programs, which nobody has read, away from everything but a throw-away copy."""

from pytest_buddy.runner.sandbox.confinement import Confinement, start, stop
from pytest_buddy.runner.sandbox.denial import denied
from pytest_buddy.runner.sandbox.probing import advice, probe

__all__ = ["Confinement", "advice", "denied", "probe", "start", "stop"]
