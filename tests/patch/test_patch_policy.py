import time

import pytest

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.patch import objections
from pytest_buddy.source import Source

BODY = b"""\
import os
import re
from shutil import copy


def f(a):
    b = os.getcwd()
    return re.compile(a)
"""


def patched(old, new, *, content=BODY, path="pkg/x.py"):
    source = Source(path=path, module="pkg.x", content=content)
    assert content.count(old) == 1
    start = content.index(old)
    edit = Edit(path=path, digest=source.digest, start=start, end=start + len(old), replacement=new)
    return Patch(edits=(edit,), origin="template:x"), {path: source}


def said(old, new, *, content=BODY, path="pkg/x.py", suspected=("pkg/x.py",), **terms):
    patch, sources = patched(old, new, content=content, path=path)
    return objections(patch, sources, suspected=suspected, **terms)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"re.compile(a)", b"re.compile(a, re.X)"),
        (b"return re.compile(a)", b"return None"),
        (b"import re\n", b"import math\nimport re\n"),
        (b"os.getcwd()", b"os.path.join(a, 'subprocess')"),
        (b"(a)\n", b"(a + code)\n"),
        (b"b = os.getcwd()", b"b = requests"),
        (b"getcwd", b"listdir"),
        (b"(a)\n", b"(a)  # no exec, no eval and no compile: \xc3\xa9\n"),
    ],
)
def test_ordinary_change_meets_no_objection(old, new):
    assert said(old, new) == ()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"import re\n", b"import re, subprocess\n", "the module subprocess"),
        (b"import re\n", b"import re\nfrom urllib.request import urlopen\n", "the module urllib"),
        (b"import re\n", b"import re\nimport socket as s\n", "the module socket"),
        (b"    b =", b"    import ctypes\n    b =", "the module ctypes"),
        (b"    b =", b"    import \\\n        pickle\n    b =", "the module pickle"),
        (b"import re\n", b"import multiprocessing.pool\nimport re\n", "the module multiprocessing"),
        (b"import os\n", b"import importlib as os\n", "the module importlib"),
        (b"os.getcwd()", b"os.system('ls')", "system"),
        (b"getcwd", b"system", "system"),
        (b"getcwd", b"_exit", "_exit"),
        (b".getcwd", b". popen", "popen"),
        (b".getcwd", b".\\\n        popen", "popen"),
        (b"os.getcwd()", b"(os. # x\n        system('ls'))", "system"),
        (b"copy", b"rmtree", "rmtree"),
        (b"copy", b"copy, rmtree as copy", "rmtree"),
        (b"re.compile(a)", b"eval(a)", "eval"),
        (b"re.compile", b"compile", "compile"),
        (b"re.", b"", "compile"),
        (b"os.getcwd()", b"__import__('os')", "__import__"),
        (b"re.compile(a)", b"[exec][0](a)", "exec"),
        (b"re.compile(a)", "\uff45val(a)".encode(), "eval"),
        (b"os.getcwd()", b"f.__globals__['__builtins__']", "__globals__"),
    ],
)
def test_new_power_is_objected_to(old, new, what):
    assert f"pkg/x.py would newly use {what}" in said(old, new)


@pytest.mark.parametrize(
    ("new", "what"),
    [
        (b"os.environ.get('PYTEST_CURRENT_TEST')", "PYTEST_CURRENT_TEST"),
        (b"'pytest' in os.sys.modules", "modules"),
        (b"os.sys._getframe(1)", "_getframe"),
        (b"os.sys.gettrace() or os.uname().nodename and a.gethostname()", "gethostname"),
    ],
)
def test_candidate_that_asks_who_runs_it_is_objected_to(new, what):
    assert any(what in text for text in said(b"os.getcwd()", new))


def test_what_the_file_does_already_it_may_do_again():
    body = b"import subprocess\n\n\ndef f(a):\n    subprocess.run(a), eval('1')\n\n\ndef g(a):\n    pass\n"
    assert said(b"pass", b"return eval(a) or subprocess.run(a)", content=body) == ()
    assert said(b"pass", b"import subprocess", content=body) == ()
    assert said(b"pass", b"import socket", content=body) != ()


def test_only_suspected_or_named_files_are_edited():
    assert said(b"(a)\n", b"(b)\n", suspected=("pkg/y.py",)) == ("pkg/x.py is under no suspicion",)
    assert said(b"(a)\n", b"(b)\n", suspected=(), named=("pkg/x.py",)) == ()


@pytest.mark.parametrize(
    "path", ["conftest.py", "tests/test_x.py", "setup.py", "sitecustomize.py", ".ci/x.py"]
)
def test_tests_and_configuration_are_changed_only_when_named(path):
    assert said(b"(a)\n", b"(b)\n", path=path, suspected=(path,)) == (f"{path} is protected",)
    assert said(b"(a)\n", b"(b)\n", path=path, suspected=(), named=(path,)) == ()


def test_excluded_file():
    assert said(b"(a)\n", b"(b)\n", exclude=("pkg/*",)) == ("pkg/x.py is protected",)


@pytest.mark.parametrize("rest", [b"", b"\n", b"# gone\n", b"pass\n", b"'''gone'''\n"])
def test_emptied_file_is_objected_to(rest):
    assert said(BODY, rest) == ("nothing is left of pkg/x.py",)


def test_file_that_stops_being_python_is_objected_to():
    assert said(b"re.compile(a)", b"eval(") == ("pkg/x.py is or becomes something that is not Python",)


def test_unknown_file_is_objected_to():
    patch, _ = patched(b"(a)\n", b"(b)\n")
    assert objections(patch, {}, suspected=("pkg/x.py",)) == ("pkg/x.py is not known",)


def test_judging_an_ordinary_candidate_takes_microseconds():
    content = BODY + b"".join(b"\n\ndef g%d(a):\n    return a + %d\n" % (n, n) for n in range(500))
    candidates = [
        patched(b"return a + %d\n" % n, b"return a - %d\n" % n, content=content) for n in range(0, 500, 25)
    ]
    best = min(timed(candidates) for _ in range(5))
    assert best < 200e-6, "50 are aimed at; a busy machine gets four times that"


def timed(candidates):
    start = time.perf_counter()
    for patch, sources in candidates:
        assert objections(patch, sources, suspected=("pkg/x.py",)) == ()
    return (time.perf_counter() - start) / len(candidates)
