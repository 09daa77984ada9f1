"""A pytest plugin that keeps the arguments of every call of one function, and replays them later.

As a plugin (`-p call_log`) it reads $BENCH_CALLS_OF, `FILE::QUALIFIED_NAME`, and writes to
$BENCH_CALLS. As a program it is called with the recorded calls, a tree's file, its module name, the
qualified name and the file to write what every call did to. Needs `sys.monitoring`, so Python 3.12.
"""

import contextlib
import importlib
import inspect
import io
import itertools
import json
import os
import pickle
import re
import signal
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_CALLS = 300
MOST_BYTES = 1 << 16
SECONDS_A_CALL = 2
_ADDRESS = re.compile(r"0x[0-9a-f]+")


class CallLog:
    """Keeps the arguments, as they are on entry, of each distinct call."""

    def __init__(self, file: str, name: str, out: Path) -> None:
        self.file = os.path.realpath(file)
        self.name = name
        self.out = out
        self.calls: dict[bytes, None] = {}
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.PROFILER_ID, "call_log")
        monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.PY_START, self.entered)
        monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.PY_START)

    def entered(self, code: types.CodeType, _offset: int) -> object:
        if code.co_qualname != self.name or os.path.realpath(code.co_filename) != self.file:
            return sys.monitoring.DISABLE
        if len(self.calls) < MOST_CALLS:
            values = sys._getframe(1).f_locals
            with contextlib.suppress(Exception):
                call = pickle.dumps({name: values[name] for name in _parameters(code)})
                if len(call) <= MOST_BYTES:
                    self.calls[call] = None
        return None

    def pytest_sessionfinish(self) -> None:
        sys.monitoring.free_tool_id(sys.monitoring.PROFILER_ID)
        self.out.write_bytes(pickle.dumps(list(self.calls)))


def pytest_configure(config: Any) -> None:
    target, out = os.environ.pop("BENCH_CALLS_OF", ""), os.environ.pop("BENCH_CALLS", "")
    if target and out:
        file, _, name = target.partition("::")
        config.pluginmanager.register(CallLog(file, name, Path(out)))


def _parameters(code: types.CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[:count]


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)


def _function(file: str, module: types.ModuleType, name: str) -> types.FunctionType | None:
    compiled = compile(Path(file).read_bytes(), file, "exec")
    code = next((code for code in _codes(compiled) if code.co_qualname == name), None)
    if code is None or any(free != "__class__" for free in code.co_freevars):
        return None
    if not code.co_freevars:
        return types.FunctionType(code, vars(module))
    owner: Any = module
    for part in name.split(".")[:-1]:
        owner = getattr(owner, part)
    return types.FunctionType(code, vars(module), None, None, (types.CellType(owner),))


def _variants(call: bytes) -> Iterator[dict[str, Any]]:
    """The call as it was, then as it was but for one argument of a plain type, all fresh objects."""
    yield pickle.loads(call)
    for name, value in pickle.loads(call).items():
        for other in _others(value):
            yield {**pickle.loads(call), name: other}


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool) or value is None:
        return [not value] if isinstance(value, bool) else []
    if isinstance(value, int):
        return [value + 1, value - 1, -value, 0]
    if isinstance(value, float):
        return [value + 1, -value, value / 2]
    if isinstance(value, str):
        return ["", value[:-1], value + value, value.swapcase()]
    if type(value) in (list, tuple):
        return [value[:-1], value[::-1], value + value]
    return []


def _invoke(function: types.FunctionType, values: dict[str, Any]) -> tuple[str, str]:
    code = function.__code__
    positional = list(_parameters(code))
    rest = values[positional.pop()] if code.co_flags & inspect.CO_VARKEYWORDS else {}
    star = values[positional.pop()] if code.co_flags & inspect.CO_VARARGS else ()
    keywords = {name: values[name] for name in positional[code.co_argcount :]}
    arguments = [values[name] for name in positional[: code.co_argcount]]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        signal.alarm(SECONDS_A_CALL)
        try:
            result = function(*arguments, *star, **keywords, **rest)
            if inspect.isgenerator(result):
                result = list(itertools.islice(result, 1000))
        except Exception as error:  # noqa: BLE001  what it raises is its behaviour
            return "raised", f"{type(error).__name__}: {error}"
        finally:
            signal.alarm(0)
        return "returned", f"{_text(result)} then {_text(values)}"


def _text(value: Any) -> str:
    try:
        plain = _ADDRESS.sub("0x", repr(value))
        state = getattr(value, "__dict__", None) or [getattr(item, "__dict__", 0) for item in _items(value)]
        return plain + _ADDRESS.sub("0x", repr(state))
    except Exception as error:  # noqa: BLE001  a repr may raise anything
        return f"no text: {type(error).__name__}"


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def replay(calls: Path, file: str, module_name: str, name: str) -> list[tuple[str, str]]:
    """What each recorded call, and each call near it, does in this tree; empty when it cannot be called."""
    module = importlib.import_module(module_name)
    function = _function(file, module, name)
    if function is None:
        return []
    found: list[tuple[str, str]] = []
    for call in pickle.loads(calls.read_bytes()):
        for position, values in enumerate(_variants(call)):
            kind, text = _invoke(function, values)
            found.append((kind if position == 0 else f"near {kind}", text))
    return found


def _too_long(_signal: int, _frame: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _too_long)
    answer = replay(Path(sys.argv[1]), *sys.argv[2:5])
    Path(sys.argv[5]).write_text(json.dumps(answer), encoding="utf-8")
