"""What others may implement: Protocols and the hooks through which coders and reporters register."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import pluggy

from pytest_buddy.config import Config
from pytest_buddy.domain import Change, Diagnosis, Event, Failure, Patch, Suspect, Trial
from pytest_buddy.source import Source

PROJECT = "pytest_buddy"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a coder may see of one fault: its failures, ranked suspects and the sources it may edit.

    `sources` maps path -> Source for every project file that failing tests ran; `editable` names those a
    patch may touch (never tests, configuration or protected files). `attempts` are trials already made,
    `changes` what git knows of the last changes of these files.
    """

    failures: tuple[Failure, ...]
    suspects: tuple[Suspect, ...]
    sources: Mapping[str, Source]
    editable: frozenset[str]
    attempts: tuple[Trial, ...] = ()
    changes: tuple[Change, ...] = ()


class Coder(Protocol):
    """Proposes candidate patches for a fault, likeliest first, lazily; it never runs or writes anything."""

    @property
    def name(self) -> str:
        """What `--buddy-coder` and reports call it."""

    def propose(self, context: Context) -> Iterable[Patch]:
        """Yield candidates; each must parse, and differ from the source and from one another."""


class Reporter(Protocol):
    """Renders a finished diagnosis as the text of one report format."""

    @property
    def format(self) -> str:
        """The name used in `--buddy-report FORMAT:PATH`."""

    def render(self, diagnosis: Diagnosis) -> str:
        """The whole report; ends with a newline."""


class Hooks:
    """The hooks of the `pytest_buddy` plugin manager; entry-point group `pytest_buddy`."""

    @hookspec
    def buddy_coders(self, config: Config) -> Iterable[Coder]:  # type: ignore[empty-body]
        """Coders to use, in addition to the built-in ones."""

    @hookspec
    def buddy_reporters(self, config: Config) -> Iterable[Reporter]:  # type: ignore[empty-body]
        """Report formats, in addition to the built-in ones."""
