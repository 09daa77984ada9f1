import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import re
import sys
import time
import types
import uuid
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_buddy.values.writing import describe, shorten, type_name, variables


class Alarm(Exception):
    """Raised by hostile code: it escapes every handler that is not a bare one."""


def _alarm(*arguments, **options):
    raise Alarm


class HostileMeta(type):
    __eq__ = _alarm
    __hash__ = _alarm
    __instancecheck__ = _alarm
    __subclasscheck__ = _alarm
    __getattribute__ = _alarm
    __repr__ = _alarm
    mro_read = property(_alarm)


def _hostile_namespace():
    names = """repr str len iter getattribute getattr eq hash bool format dir contains getitem int float index
        next call sizeof reduce reduce_ex instancecheck missing lt fspath abs"""
    space = {f"__{name}__": _alarm for name in re.findall(r"\w+", names)}
    return {
        **space,
        "__class__": property(_alarm),
        "__dict__": property(_alarm),
        "keys": _alarm,
        "items": _alarm,
    }


def _hostile(*bases, metaclass=type):
    space = _hostile_namespace()
    if bases:
        space.pop("__dict__")
    return type.__call__(metaclass, "Hostile", bases, space)


def test_writes_plain_values_as_their_repr():
    values = [
        None,
        True,
        ...,
        0,
        -12,
        1.5,
        float("nan"),
        2j,
        "it's",
        b"\x00a",
        [],
        [1, [2, (3,)]],
        (),
        (1,),
        {1: "a", "b": None},
        {1},
        set(),
        frozenset({1}),
        frozenset(),
        collections.deque([1, 2]),
        collections.Counter("aa"),
        collections.OrderedDict([("a", 1)]),
        range(3),
        range(1, 9, 2),
        slice(1, None),
        bytearray(b"ab"),
        datetime.date(2024, 1, 2),
        datetime.timedelta(seconds=3),
        datetime.datetime(2024, 1, 2, 3, 4),
        datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc),  # noqa: UP017  the text that is expected
        datetime.datetime(2024, 1, 2, tzinfo=zoneinfo.ZoneInfo("UTC")),
        datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
        decimal.Decimal("1.10"),
        fractions.Fraction(1, 3),
        uuid.UUID("12345678-1234-5678-1234-567812345678"),
        pathlib.PurePosixPath("a/b"),
        pathlib.PureWindowsPath("a/b"),
        re.compile("a+"),
        ValueError("x", 2),
        {"a": 1}.keys(),
    ]
    expected = [repr(value) for value in values]
    expected[values.index(collections.OrderedDict(a=1))] = "OrderedDict({'a': 1})"
    assert [describe(value) for value in values] == expected


def test_names_code_instead_of_showing_addresses():
    def inner():
        yield 1

    assert describe(test_names_code_instead_of_showing_addresses).endswith(
        "test_values.test_names_code_instead_of_showing_addresses>"
    )
    assert describe(len) == "<built-in len>"
    assert describe(int) == "<class int>"
    assert describe(collections.OrderedDict) == "<class collections.OrderedDict>"
    assert describe(sys) == "<module sys>"
    assert describe(inner()).startswith("<generator test_names_code")
    assert describe(object()) == "<object>"
    assert describe(iter([1])) == "<list_iterator>"
    assert describe(Alarm.__str__).startswith("<")


class Color(enum.Enum):
    RED = 1


class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Cart:
    items: list
    total: int
    secret: str = dataclasses.field(default="hidden", repr=False)


@dataclasses.dataclass(slots=True, frozen=True)
class Point:
    x: int
    y: int


class Pair(collections.namedtuple("Pair", "left right")):
    pass


class Plain:
    __slots__ = ("__dict__", "a", "b")


class Money(int):
    pass


class Table(dict):
    pass


def test_shows_instances_by_their_attributes():
    plain = Plain()
    plain.a, plain.extra = 1, 2
    table = Table(a=1)
    assert describe(Color.RED) == "Color.RED"
    assert describe(Level.LOW | Level.HIGH) == "Level.LOW|HIGH"
    assert describe(Cart([1], 3)) == "Cart(items=[1], total=3)"
    assert describe(Point(1, 2)) == "Point(x=1, y=2)"
    assert describe(Pair(1, [2])) == "Pair(left=1, right=[2])"
    assert describe(plain) == "Plain(a=1, extra=2)"
    assert describe(Money(3)) == "Money(3)"
    assert describe(table) == "Table({'a': 1})"
    assert describe([Cart([Point(1, 2)], 3)]) == "[Cart(items=[Point(...)], total=3)]"


def test_cuts_what_is_long_or_deep():
    assert describe(list(range(100))) == "[0, 1, 2, 3, 4, 5, 6, 7, ... +92 more]"
    assert describe([[[[[1]]]]]) == "[[[[...]]]]"
    text = describe("a" * 100 + "b" * 5000)
    assert text.startswith("'aaa")
    assert text.endswith("bbb'")
    assert "..." in text
    assert len(text) <= 200
    assert describe(10**5000) == "<int ... of about 5001 digits>"
    assert describe(-(10**5000)) == "<int -... of about 5001 digits>"
    assert describe(b"x" * 10**6).startswith("b'xxx")
    assert describe({k: k for k in range(20)}).endswith("... +12 more}")


def test_survives_cycles():
    loop: list = [1]
    loop.append(loop)
    tree: dict = {}
    tree["up"] = tree
    cart = Cart([], 1)
    cart.items = [cart]
    assert describe(loop) == "[1, <the same list again>]"
    assert describe(tree) == "{'up': <the same dict again>}"
    assert describe(cart) == "Cart(items=[<the same Cart again>], total=1)"


@pytest.mark.parametrize("base", [object, dict, list, tuple, set, int, str, bytes, float, ValueError])
@pytest.mark.parametrize("metaclass", [type, HostileMeta])
def test_never_runs_hostile_code(base, metaclass):
    cls = _hostile(*([base] if base is not object else []), metaclass=metaclass)
    instance = base.__new__(cls)
    text = describe(instance)
    assert text.startswith(("Hostile(", "<Hostile"))
    inner = describe([instance]), describe({1: instance}), describe((instance,))
    assert all("Hostile" in one for one in inner)
    whole = describe(cls)
    assert whole.startswith("<class ")
    assert whole.endswith("Hostile>")
    name = type_name(instance)
    assert name == "Hostile"
    kinds = [one.type for one in variables({"x": instance})]
    assert kinds == ["Hostile"]


def test_is_not_fooled_by_a_lying_class():
    class Liar:
        __class__ = int

        def __init__(self):
            self.a = 1

    assert describe(Liar()) == "Liar(a=1)"
    assert variables({"x": Liar()})[0].type == "Liar"


def test_reads_a_hidden_instance_dictionary():
    class Hidden:
        @property
        def __dict__(self):
            raise Alarm

    class Base:
        pass

    class Both(Base):
        __dict__ = property(_alarm)

    both = Both()
    both.a = 1
    assert describe(Hidden()) == "<Hidden>"
    assert describe(both) == "Both(a=1)"


@pytest.mark.parametrize(
    "build",
    [
        lambda: list(range(10**6)),
        lambda: dict.fromkeys(range(10**6)),
        lambda: "x" * 10**7,
        lambda: 10**5000,
        lambda: [[list(range(9)) for _ in range(9)] for _ in range(9)],
        lambda: [Cart(list(range(9)), index) for index in range(1000)],
    ],
)
def test_takes_bounded_time(build):
    value = build()
    best = min(_timed(value) for _ in range(5))
    assert best < 0.002


def _timed(value):
    started = time.process_time()
    describe(value)
    return time.process_time() - started


def test_shows_small_arrays_only_through_c_attributes():
    class ndarray:
        shape = property(_alarm)
        dtype = property(_alarm)

    ndarray.__module__ = "numpy"
    assert describe(ndarray()) == "<ndarray>"


def test_shows_real_arrays_when_numpy_is_there():
    numpy = pytest.importorskip("numpy")
    assert describe(numpy.array([1.0, 2.5])) == "ndarray([1.0, 2.5], dtype=float64)"
    assert describe(numpy.zeros((3, 40))) == "<ndarray shape=(3, 40) dtype=float64>"
    assert describe(numpy.int64(3)) == "int64(3)"
    assert describe(numpy.float64(3.5)) == "float64(3.5)"


def test_variables_are_the_plain_data_of_a_frame():
    space = {
        "a": 1,
        "__x__": 2,
        "@py_assert1": 3,
        ".0": iter([]),
        "sys": sys,
        "f": _alarm,
        "C": Color,
        "b": "two",
        "len": len,
    }
    assert [(one.name, one.value, one.type) for one in variables(space)] == [
        ("a", "1", "int"),
        ("b", "'two'", "str"),
    ]
    assert [one.name for one in variables(space, ["b", "a", "b", "missing"])] == ["b", "a"]
    assert len(variables({f"v{n}": n for n in range(50)}, most=5)) == 5


def test_variables_reads_real_frames_and_refuses_foreign_mappings():
    def frame():
        local = [1]
        return sys._getframe().f_locals, local

    class Space(collections.UserDict):
        __iter__ = __getitem__ = items = keys = _alarm

    assert [one.name for one in variables(frame()[0])] == ["local"]
    assert variables(Space()) == ()
    assert variables(types.MappingProxyType({"a": 1})) == ()
    hostile = _hostile(dict)
    assert variables(dict.__new__(hostile)) == ()


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.floats() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.integers(20, 300),
)
def test_keeps_the_limit_and_marks_every_cut(value, limit):
    text = describe(value, limit=limit)
    assert len(text) <= limit
    assert "..." in text or text == repr(value)


@given(st.text(), st.integers(0, 40))
def test_shorten_keeps_the_limit(text, limit):
    assert len(shorten(text, limit)) <= limit
    assert len(text) > limit or shorten(text, limit) == text
