"""The warm runner on a small project: outcomes, candidates, lines, values, and nothing left behind."""

import os
import secrets
from pathlib import Path

import pytest

from pytest_buddy.domain import Edit, Patch, Suspect
from pytest_buddy.errors import RunnerError
from pytest_buddy.runner import Confirmation, Launcher, Runner, probe
from pytest_buddy.workspace import Workspace

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop/__init__.py": "",
    "shop/prices.py": '''\
"""Prices."""

RATE = 10
SEEN = []


def gross(net, rate=None):
    if rate is None:
        rate = RATE
    SEEN_HERE = len(SEEN)
    return net - rate + SEEN_HERE


class Cart:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)
        return self

    def total(self):
        return sum(self.items)
''',
    "shop/late.py": "def answer():\n    return 41\n",
    "tests/test_prices.py": """\
import os
import sys
import time

import pytest

from shop.prices import Cart, gross, RATE


def test_gross():
    assert gross(100) == 110


def test_given_rate():
    assert gross(100, 7) == 107


def test_total():
    assert Cart().add(1).add(2).total() == 3


def test_rate():
    assert RATE == 19


def test_late():
    from shop.late import answer
    assert answer() == 42


@pytest.mark.skip(reason="not now")
def test_skipped():
    raise AssertionError


@pytest.mark.xfail
def test_expected():
    raise AssertionError


@pytest.fixture
def broken():
    raise LookupError("no such fixture value")


def test_broken_fixture(broken):
    pass


def test_ends_its_process():
    os._exit(3)


def test_spins():
    while True:
        pass


def test_sleeps():
    time.sleep(600)


def test_goes_elsewhere(tmp_path):
    os.chdir(tmp_path)
    os.environ["LEFT_BEHIND"] = "1"
    assert sys.stdin.read() == ""


def test_leaves_a_daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)


def test_closes_everything():
    os.closerange(0, 100)
""",
}
PRICES = "tests/test_prices.py::"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Workspace(root)


@pytest.fixture(scope="module", params=["full", "partial", "none"])
def launcher(request, project):
    confinement = probe(project, wanted="auto" if request.param == "full" else request.param)
    if confinement.level != request.param:
        pytest.skip(confinement.reason)
    # As the plugin does: the settings file by its full path, which a copy must not follow back.
    settings = (
        "-c",
        str(project.root / "pytest.ini"),
        "-p",
        "no:rerunfailures",
    )  # it opens an internet socket
    return Launcher(workspace=project, cwd=project.root, confinement=confinement, args=settings)


@pytest.fixture(scope="module")
def runner(launcher):
    with Runner(launcher, ["tests/test_prices.py"], jobs=2) as running:
        running.wait_ready(60.0)
        yield running


def patch(project, path, old, new):
    source = project.source(path)
    start = source.content.index(old.encode())
    edit = Edit(
        path=path, digest=source.digest, start=start, end=start + len(old.encode()), replacement=new.encode()
    )
    return Patch(edits=(edit,), origin="template:here")


def test_how_tests_end(runner):
    names = ["test_total", "test_gross", "test_skipped", "test_expected", "test_broken_fixture"]
    ended = runner.run([PRICES + name for name in names], cpu=5.0)
    assert [ended[PRICES + name].status for name in names] == [
        "passed",
        "failed",
        "skipped",
        "xfailed",
        "error",
    ]
    assert ended[PRICES + "test_gross"].message.startswith("assert 90 == 110")
    assert ended[PRICES + "test_broken_fixture"].error_type == "LookupError"


def test_a_test_that_is_not_there(runner):
    assert runner.run(["tests/test_prices.py::test_nothing"], cpu=1.0).popitem()[1].status == "missing"


def test_runaways_are_answered_for_and_the_next_ones_still_run(runner):
    names = ["test_ends_its_process", "test_spins", "test_closes_everything", "test_total"]
    ended = runner.run([PRICES + name for name in names], cpu=0.3, fresh=False)
    assert [ended[PRICES + name].status for name in names] == ["crashed", "timeout", "crashed", "passed"]


def test_a_sleeper_is_woken_by_the_wall_limit(runner, project):
    sleeping = patch(
        project, "shop/prices.py", "return net - rate", "__import__('time').sleep(600)\n    return 0"
    )
    (trial,) = runner.trials([sleeping], [PRICES + "test_gross"], cpu=0.2, wall=1.0)
    assert [outcome.status for outcome in trial.outcomes] == ["timeout"]


def test_moving_about_does_not_reach_the_next_test(runner):
    names = [PRICES + "test_goes_elsewhere", PRICES + "test_total"]
    assert {item.status for item in runner.run(names, cpu=5.0, fresh=False).values()} == {"passed"}


def test_daemons_do_not_outlive_their_test(launcher):
    mark = "BUDDY_TEST_" + secrets.token_hex(8)
    os.environ[mark] = "1"
    try:
        with Runner(launcher, ["tests/test_prices.py"], jobs=1) as running:
            running.wait_ready(60.0)
            assert running.run([PRICES + "test_leaves_a_daemon"], cpu=5.0).popitem()[1].status == "passed"
    finally:
        del os.environ[mark]
    assert not list(marked(mark))


def marked(mark):
    """The processes whose environment holds a mark."""
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (directory / "environ").read_bytes():
                yield directory.name
        except OSError:
            continue


def test_candidates_are_told_apart(runner, project):
    right = patch(project, "shop/prices.py", "net - rate", "net + rate")
    wrong = patch(project, "shop/prices.py", "net - rate", "net * rate")
    senseless = patch(project, "shop/prices.py", "net - rate", "net - - )")
    tests = [PRICES + "test_gross", PRICES + "test_given_rate"]
    trials = {
        trial.patch.id: trial
        for trial in runner.trials([wrong, senseless, right], tests, cpu=1.0, direct=frozenset(tests))
    }
    assert trials[right.id].green
    assert not trials[wrong.id].green
    assert trials[senseless.id].outcomes == ()


def test_what_a_candidate_leaves_in_a_module_does_not_reach_the_next(runner, project):
    spoiling = patch(
        project, "shop/prices.py", "SEEN_HERE = len(SEEN)", "SEEN.append(1); SEEN_HERE = len(SEEN)"
    )
    right = patch(project, "shop/prices.py", "net - rate", "net + rate")
    trials = list(runner.trials([spoiling, right], [PRICES + "test_gross"], cpu=1.0))
    assert [trial.patch.id for trial in trials if trial.green] == [right.id]


def test_an_edit_of_module_level_code_is_imported_anew(runner, project):
    table = patch(project, "shop/prices.py", "RATE = 10", "RATE = 19")
    (trial,) = runner.trials([table], [PRICES + "test_rate"], cpu=2.0)
    assert trial.green
    assert runner.judge(table, [PRICES + "test_rate", PRICES + "test_total"], cpu=2.0).green


def test_an_edit_of_a_file_that_tests_import_late(runner, project):
    right = patch(project, "shop/late.py", "41", "42")
    wrong = patch(project, "shop/late.py", "41", "43")
    trials = {t.patch.id: t.green for t in runner.trials([wrong, right], [PRICES + "test_late"], cpu=2.0)}
    assert trials == {right.id: True, wrong.id: False}


def test_lines_of_tests_are_kept_apart(runner):
    names = [PRICES + name for name in ("test_gross", "test_given_rate", "test_total")]
    runs = {run.test: run for run in runner.trace(names, cpu=5.0)}
    assert [runs[name].failed for name in names] == [True, True, False]
    gross, given, total = (runs[name].lines["shop/prices.py"] for name in names)
    assert {8, 9, 10, 11} <= gross
    assert 9 not in given
    assert given & {8, 10, 11} == {8, 10, 11}
    assert total == {16, 19, 20, 23}


def test_values_at_a_statement(runner):
    place = Suspect(
        path="shop/prices.py", line=11, end_line=11, function="shop.prices.gross", score=1.0, rank=1
    )
    (seen,) = runner.observe([PRICES + "test_given_rate"], [place], cpu=5.0)
    assert seen.failed
    assert seen.hits == 1
    assert {item.name: item.value for item in seen.variables} == {"net": "100", "rate": "7", "SEEN_HERE": "0"}
    assert seen.result == "93"


def test_a_fresh_pytest_confirms_on_files(launcher, project):
    right = patch(project, "shop/prices.py", "net - rate", "net + rate")
    contents = {"shop/prices.py": project.source("shop/prices.py").edited(right.edits).content}
    before = project.read("shop/prices.py")
    tests = [PRICES + name for name in ("test_total", "test_gross", "test_rate")]
    with Confirmation(launcher, contents, tests) as confirmation:
        while not confirmation.poll():
            confirmation.socket.setblocking(True)
            confirmation.socket.recv(1, __import__("socket").MSG_PEEK)
            confirmation.socket.setblocking(False)
        assert [confirmation.outcomes[test].status for test in tests] == ["passed", "passed", "failed"]
        assert list(confirmation.outcomes) == tests
        assert confirmation.complete
        assert "shop/prices.py" in confirmation.loaded
    assert project.read("shop/prices.py") == before


def test_a_server_that_cannot_start_says_why(launcher):
    with (
        Runner(launcher, ["tests/no_such_file.py"], jobs=1) as running,
        pytest.raises(RunnerError) as caught,
    ):
        running.wait_ready(60.0)
    assert "no_such_file" in caught.value.hint
