"""What edited functions do with the inputs that tests gave them, and with inputs a little different."""

import copy
import inspect
import itertools
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import CodeType, CoroutineType, FrameType, FunctionType
from typing import Any

from pytest_buddy.messages import Message
from pytest_buddy.runner.likeness import likeness
from pytest_buddy.runner.variants import boundaries, variants
from pytest_buddy.values import describe

_MOST_FUNCTIONS = 3
_MOST_RECORDED = 8
_MOST_VARIED = 24
_DRAINED = 50
_TEXT = 120
_ENDLESS = 0.1
_ASLEEP = 0.3
_IDLE = 0.01
LONGEST = 1.0
_MOST_ENDLESS = 3
_RESUMED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
Find = Callable[[CodeType, str], Sequence[FunctionType]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One input of a function: its parameters by name, as they were before the body ran."""

    function: FunctionType
    arguments: dict[str, Any]
    green: bool
    varied: bool = False

    @property
    def text(self) -> str:
        """The call as one would write it."""
        return _written(self)

    @property
    def key(self) -> str:
        """Equal for equal inputs of the same function."""
        place = f"{self.function.__module__}.{self.function.__qualname__}"
        return likeness(place, *self.passed())

    def passed(self) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments; those that are the function's own defaults are left out."""
        code, function = self.function.__code__, self.function
        names = list(code.co_varnames[: code.co_argcount])
        defaults = dict(zip(names[::-1], (function.__defaults__ or ())[::-1], strict=False))
        rest, named = _extra(code)
        more = self.arguments.get(rest, ()) if rest else ()
        while names and not more and names[-1] in defaults:
            if self.arguments[names[-1]] is not defaults[names[-1]]:
                break
            names.pop()
        only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        given = {
            name: self.arguments[name]
            for name in only
            if name not in (known := function.__kwdefaults__ or {}) or self.arguments[name] is not known[name]
        }
        return (
            [*(self.arguments[name] for name in names), *more],
            {**given, **(self.arguments.get(named, {}) if named else {})},
        )


class Recorder:
    """Keeps the first calls of the functions at some places, given by absolute path -> line numbers.

    Calls from within one that is recorded are passed over: what they do is a part of it.
    """

    def __init__(self, places: Mapping[str, Iterable[int]], find: Find) -> None:
        self._places = {path: tuple(lines) for path, lines in places.items()}
        self._find = find
        self._functions: dict[CodeType, FunctionType | None] = {}
        self._calls: dict[FunctionType, dict[str, Call]] = {}
        self._frames: list[FrameType] = []
        self._inside = 0
        self._green = False

    @contextmanager
    def recording(self, *, green: bool) -> Iterator[None]:
        """Record what runs meanwhile; `green` says that it is a passing test."""
        self._green, self._inside = green, 0
        previous = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(previous)
            self._frames.clear()

    def calls(self) -> list[Call]:
        """What was recorded, and variants of it."""
        found: list[Call] = []
        for function, recorded in list(self._calls.items())[:_MOST_FUNCTIONS]:
            found += recorded.values()
            found += itertools.islice(_varied(function, recorded), _MOST_VARIED)
        return found

    def _on_call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in self._places:
            return None
        if code not in self._functions:
            self._functions[code] = self._function(code)
        function = self._functions[code]
        if function is None or any(frame is known for known in self._frames):
            return None
        if code.co_flags & _RESUMED:
            self._frames.append(frame)
        elif self._inside:
            return None
        if not self._inside:
            self._keep(function, frame)
        frame.f_trace_lines = False
        self._inside += 1
        return self._on_return

    def _on_return(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "return":
            self._inside -= 1
            return None
        return self._on_return

    def _function(self, code: CodeType) -> FunctionType | None:
        """The live function that runs the code, when it is at one of the places and not inside another."""
        if code.co_name.startswith("<") or "<locals>" in code.co_qualname:
            return None
        if not code.co_flags & inspect.CO_OPTIMIZED:
            return None
        last = max(_lines(code), default=code.co_firstlineno)
        if not any(code.co_firstlineno <= line <= last for line in self._places[code.co_filename]):
            return None
        return next(iter(self._find(code, code.co_filename)), None)

    def _keep(self, function: FunctionType, frame: FrameType) -> None:
        known = self._calls.setdefault(function, {})
        if len(known) >= _MOST_RECORDED:
            return
        code = frame.f_code
        names = [*_parameters(code), *filter(None, _extra(code))]
        try:
            here = {name: frame.f_locals[name] for name in names}
            # Defaults stay the very objects they are, so that they can be told from what was passed.
            kept = {id(item): item for item in _defaults(function)}
            call = Call(function=function, arguments=copy.deepcopy(here, kept), green=self._green)
            known.setdefault(call.key, call)
        except Exception:  # noqa: BLE001  what cannot be copied cannot be an input
            return


def reactions(calls: Iterable[Call], *, clock: Callable[[], float] = time.process_time) -> list[Message]:
    """What the functions do with the inputs; inconstant answers are left out."""
    found: list[Message] = []
    endless = 0
    limit = clock() + LONGEST
    timers = _Timers()
    for call in calls:
        first = _once(call, timers)
        if first is None or first != _once(call, timers):
            continue
        endless += first["kind"] == "endless"
        found.append(
            {"key": call.key, "call": call.text, "green": call.green, "varied": call.varied, **first}
        )
        if endless >= _MOST_ENDLESS or clock() > limit:
            break
    return found


class _Late(BaseException):
    """Raised by a timer; `asleep` when it was not computing that took so long."""

    def __init__(self, *, asleep: bool) -> None:
        self.asleep = asleep


class _Timers:
    """Ends what computes too long, and what does not even compute: on a busy machine the two look alike."""

    def __init__(self) -> None:
        self._before = 0.0
        signal.signal(signal.SIGVTALRM, self._computed)
        signal.signal(signal.SIGALRM, self._waited)

    def start(self) -> None:
        self._before = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, _ENDLESS)
        signal.setitimer(signal.ITIMER_REAL, _ASLEEP, _ASLEEP)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.setitimer(signal.ITIMER_REAL, 0.0)

    def _computed(self, _number: int, _frame: FrameType | None) -> None:
        raise _Late(asleep=False)

    def _waited(self, _number: int, _frame: FrameType | None) -> None:
        before, self._before = self._before, time.process_time()
        if self._before - before < _IDLE:
            raise _Late(asleep=True)


def _once(call: Call, timers: _Timers) -> Message | None:
    """One answer to one input; None when there is none that could be compared."""
    try:
        timers.start()
        kept = {id(item): item for item in _defaults(call.function)}
        fresh = replace(call, arguments=copy.deepcopy(call.arguments, kept))
        positional, named = fresh.passed()
        before = {name: likeness(value) for name, value in fresh.arguments.items()}
        message = _answer(lambda: _drained(call.function(*positional, **named)))
        changed = {name: value for name, value in fresh.arguments.items() if likeness(value) != before[name]}
        if changed:
            message["mark"] = likeness(message["mark"], changed)
            if message["result"] in ("returns None", ""):
                message["result"] = (
                    f"leaves {', '.join(describe(item, limit=_TEXT) for item in changed.values())}"
                )
        return message
    except _Late as late:
        return None if late.asleep else {"kind": "endless", "result": "does not end", "mark": "endless"}
    except Exception:  # noqa: BLE001  values whose own methods fail cannot be compared
        return None
    finally:
        timers.stop()


def _answer(work: Callable[[], Any]) -> Message:
    try:
        result = work()
        return {
            "kind": "returns",
            "result": f"returns {describe(result, limit=_TEXT)}",
            "mark": likeness(result),
        }
    except _Late:
        raise
    except BaseException as error:  # noqa: BLE001  whatever is raised is the answer
        name = type(error).__name__
        return {"kind": "raises", "result": f"raises {name}", "mark": f"raises {name}"}


def _drained(result: Any) -> Any:
    """The first elements of what is produced lazily, the result of what is awaited."""
    if isinstance(result, CoroutineType):
        try:
            result.send(None)
        except StopIteration as stop:
            return stop.value
        result.close()
        raise TypeError("it waits for something")
    return list(itertools.islice(result, _DRAINED)) if hasattr(result, "__next__") else result


def _varied(function: FunctionType, recorded: Mapping[str, Call]) -> Iterator[Call]:
    """Inputs with one argument changed, the first change of each argument of each call, then the second."""
    limits = boundaries(function.__code__)
    seen = set(recorded)
    sources = [
        _changes(call, name, limits) for call in recorded.values() for name in _parameters(function.__code__)
    ]
    while sources:
        for source in list(sources):
            call = next(source, None)
            if call is None:
                sources.remove(source)
            elif (key := call.key) not in seen:
                seen.add(key)
                yield call


def _changes(call: Call, name: str, limits: tuple[int, ...]) -> Iterator[Call]:
    values = itertools.chain(variants(call.arguments[name], limits), _nothing(call, name))
    try:
        for value in values:
            yield replace(call, arguments={**call.arguments, name: value}, varied=True)
    except Exception:  # noqa: BLE001  operators of the user's may fail
        return


def _nothing(call: Call, name: str) -> Iterator[None]:
    """None, where the signature allows for it."""
    allowed = "None" in str(note := call.function.__annotations__.get(name, "")) or "Optional" in str(note)
    if call.arguments[name] is not None and allowed:
        yield None


def _parameters(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _extra(code: CodeType) -> tuple[str, str]:
    """The names of `*rest` and `**named`; empty where there is none."""
    place = code.co_argcount + code.co_kwonlyargcount
    rest = code.co_varnames[place] if code.co_flags & inspect.CO_VARARGS else ""
    named = code.co_varnames[place + bool(rest)] if code.co_flags & inspect.CO_VARKEYWORDS else ""
    return rest, named


def _defaults(function: FunctionType) -> list[Any]:
    return [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]


def _lines(code: CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _lines(constant)


def _written(call: Call) -> str:
    positional, named = call.passed()
    name, owner = call.function.__name__, ""
    if "." in call.function.__qualname__ and positional:
        first, *rest = positional
        if name == "__init__":
            name, positional = type(first).__name__, rest
        elif _parameters(call.function.__code__)[:1] in (("self",), ("cls",)):
            owner = first.__name__ if isinstance(first, type) else describe(first, limit=_TEXT)
            positional = rest
    parts = [describe(value, limit=_TEXT) for value in positional]
    parts += [f"{key}={describe(value, limit=_TEXT)}" for key, value in named.items()]
    return f"{owner}{'.' if owner else ''}{name}({', '.join(parts)})"
