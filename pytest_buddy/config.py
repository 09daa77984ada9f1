"""`[tool.pytest-buddy]`, environment and flags -> one frozen Config."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pytest_buddy.errors import ConfigError

TABLE = "tool.pytest-buddy"
ENVIRONMENT_PREFIX = "PYTEST_BUDDY_"
SANDBOX_CHOICES = ("auto", "full", "partial", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting. Precedence: flag > environment (`PYTEST_BUDDY_KEY`) > pyproject > default.

    `budget`: seconds for everything after the run. `coder`: `auto`, `templates` or a model's name.
    `sandbox`: `auto`, `full`, `partial` or `none`. `offline`: no connection but loopback. `voice`: listen
    during runs. `report`: `FORMAT[:PATH]` entries. `exclude`: globs, relative to the rootdir, of files that
    are never edited (tests, conftest.py and configuration never are).
    """

    budget: float = 10.0
    coder: str = "auto"
    sandbox: str = "auto"
    offline: bool = True
    voice: bool = False
    report: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def _budget(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("must be a number of seconds above 0")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def _sandbox(value: Any) -> str:
    if value not in SANDBOX_CHOICES:
        raise ValueError(f"must be one of {', '.join(SANDBOX_CHOICES)}")
    return str(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("1", "true", "yes", "0", "false", "no"):
        return value.lower() in ("1", "true", "yes")
    raise ValueError("must be true or false")


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",") if item.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of texts")
    return tuple(value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "budget": _budget,
    "coder": _text,
    "sandbox": _sandbox,
    "offline": _flag,
    "voice": _flag,
    "report": _texts,
    "exclude": _texts,
}


def _read(key: str, value: Any, where: str) -> Any:
    if key not in _READERS:
        import difflib

        near = difflib.get_close_matches(key, _READERS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(_READERS)}."
        raise ConfigError(f"{where}: unknown key {key!r}", hint=hint)
    try:
        return _READERS[key](value)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{where}: {key} = {value!r} {error}", hint="Correct the value or remove the key."
        ) from error


def _from_pyproject(rootdir: Path) -> dict[str, Any]:
    path = rootdir / "pyproject.toml"
    if not path.exists():
        return {}
    import tomllib

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint="Correct the file.") from error
    table = data.get("tool", {}).get("pytest-buddy", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{TABLE} in {path} is not a table", hint=f"Write [{TABLE}] and its keys below it.")
    return {key: _read(key, value, f"[{TABLE}]") for key, value in table.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {ENVIRONMENT_PREFIX + field.name.upper(): field.name for field in fields(Config)}
    return {
        names[name]: _read(names[name], value, name)
        for name, value in environment.items()
        if name in names and value
    }


def load(
    rootdir: Path, *, flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> Config:
    """The settings for a rootdir; flags that are None count as not given. Raises ConfigError."""
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    if environment.get("CI", "").lower() not in ("", "0", "false"):
        values["budget"] = 60.0
    values |= _from_pyproject(rootdir)
    values |= _from_environment(environment)
    values |= {
        key: _read(key, value, "command line") for key, value in (flags or {}).items() if value is not None
    }
    return Config(**values)
