"""Who may propose and report: the built-in coders and reporters, and those of installed packages."""

from collections.abc import Mapping

import pluggy

from pytest_buddy import coder as builtin_coders
from pytest_buddy import response as builtin_reporters
from pytest_buddy.config import Config
from pytest_buddy.errors import ConfigError
from pytest_buddy.ports import PROJECT, Coder, Hooks, Reporter


def plugins() -> pluggy.PluginManager:
    """The plugin manager with the built-in coders and reporters and those of installed packages."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(builtin_coders, "builtin-coders")
    manager.register(builtin_reporters, "builtin-reporters")
    manager.load_setuptools_entrypoints(PROJECT)
    return manager


def coders(config: Config) -> tuple[Coder, ...]:
    """The coders that the configuration asks for; raises ConfigError for a name nobody has."""
    found = {coder.name: coder for group in plugins().hook.buddy_coders(config=config) for coder in group}
    if config.coder == "auto":
        return tuple(found.values())
    if config.coder not in found:
        known = ", ".join(["auto", *sorted(found)])
        raise ConfigError(f"there is no coder {config.coder!r}", hint=f"Known coders: {known}.")
    return (found[config.coder],)


def reporters(config: Config) -> Mapping[str, Reporter]:
    """The report formats by name."""
    groups = plugins().hook.buddy_reporters(config=config)
    return {reporter.format: reporter for group in groups for reporter in group}
