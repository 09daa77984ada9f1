"""Processes that are started before anybody knows what for: used for what is there now, or not at all."""

import os
import py_compile
import secrets
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_buddy.domain import Outcome
from pytest_buddy.runner import Confirmation, Launcher, Runner, Standby, probe
from pytest_buddy.workspace import Workspace

FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop.py": "def price():\n    return 1\n",
    "tests/test_shop.py": "from shop import price\n\n\ndef test_price():\n    assert price() == 1\n",
}
TEST = "tests/test_shop.py::test_price"
OLD, NEW = FILES["shop.py"], FILES["shop.py"].replace("1", "2")
LEVELS = ("full", "partial", "none")

Open = Callable[..., Launcher]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """FILES below a directory of their own."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    root = tmp_path / "project"
    for name, content in FILES.items():
        write(root, name, content)
    return root


@pytest.fixture
def launch(root: Path) -> Callable[[str], Launcher]:
    """Makes a launcher for a level of the sandbox; skips where this machine does not give it."""

    def make(level: str = "full") -> Launcher:
        workspace = Workspace(root)
        found = probe(workspace) if level == "full" else probe(workspace, wanted=level)
        if found.level != level or (level == "full" and not found.overlay):
            pytest.skip(f"no sandbox of level {level} here: {found.reason}")
        return Launcher(workspace=workspace, cwd=root, confinement=found)

    return make


@pytest.fixture
def park(launch: Callable[[str], Launcher]) -> Iterator[Callable[..., Runner]]:
    """Starts a parked runner and waits until it is."""
    runners: list[Runner] = []

    def start(level: str = "full", files: tuple[str, ...] = (), preload: tuple[str, ...] = ()) -> Runner:
        runners.append(Runner(launch(level), files, jobs=1, parked=True, preload=preload))
        assert runners[-1].still_fits()
        return runners[-1]

    yield start
    for runner in runners:
        runner.close()


def write(root: Path, name: str, content: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def replace(root: Path, name: str, content: str) -> None:
    """As most editors save: a new file takes the place of the old."""
    write(root, f"{name}.{secrets.token_hex(3)}", content)
    newest = max(root.glob(f"{name}.*"), key=lambda path: path.stat().st_mtime_ns)
    newest.rename(root / name)


def outcome(runner: Runner) -> Outcome:
    runner.wait_ready(30)
    return runner.run([TEST], cpu=2.0)[TEST]


@pytest.mark.parametrize("level", LEVELS)
def test_a_parked_runner_collects_what_it_is_told(park: Callable[..., Runner], level: str) -> None:
    runner = park(level)
    assert runner.collect(["tests/test_shop.py"])
    assert runner.wait_ready(30) == (TEST,)
    assert outcome(runner).status == "passed"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("save", [write, replace])
def test_what_it_has_never_looked_at_may_change(
    root: Path, park: Callable[..., Runner], save: Callable[[Path, str, str], None], level: str
) -> None:
    runner = park(level)
    save(root, "shop.py", NEW)
    assert runner.still_fits()
    assert runner.collect(["tests/test_shop.py"])
    assert outcome(runner).message.startswith("assert 2 == 1")


@pytest.mark.parametrize("save", [write, replace])
def test_what_a_conftest_has_imported_may_not(
    root: Path, park: Callable[..., Runner], save: Callable[[Path, str, str], None]
) -> None:
    write(root, "conftest.py", "import shop\n")
    runner = park()
    save(root, "shop.py", NEW)
    assert not runner.still_fits()
    assert not runner.collect(["tests/test_shop.py"])


LOOKED_AT = (
    "import pathlib\npathlib.Path('shop.py').exists()\n",
    "import os\nos.stat('shop.py')\n",
    "open('shop.py').close()\n",
)


@pytest.mark.parametrize("conftest", LOOKED_AT)
def test_a_file_that_it_has_only_looked_up_is_not_taken_for_the_new_one(
    root: Path, park: Callable[..., Runner], conftest: str
) -> None:
    write(root, "conftest.py", conftest)
    runner = park("full")
    replace(root, "shop.py", NEW)
    used = runner.collect(["tests/test_shop.py"])
    assert not used or outcome(runner).message.startswith("assert 2 == 1")


def test_an_overlay_hides_what_took_the_place_of_a_file_that_was_looked_up(
    root: Path, park: Callable[..., Runner]
) -> None:
    """The reason for all this: if kernels ever stop doing so, the check is no longer needed."""
    write(root, "conftest.py", LOOKED_AT[1])
    runner = park("full")
    replace(root, "shop.py", NEW)
    assert not runner.collect(["tests/test_shop.py"])


def test_a_file_that_was_looked_for_in_vain_and_is_there_now(root: Path, park: Callable[..., Runner]) -> None:
    write(root, "conftest.py", "import os\nos.path.exists('late.py')\n")
    runner = park("full")
    write(root, "late.py", "VALUE = 1\n")
    assert not runner.collect(["tests/test_shop.py"])


def test_a_file_that_is_gone(root: Path, park: Callable[..., Runner]) -> None:
    runner = park("full")
    (root / "shop.py").unlink()
    used = runner.collect(["tests/test_shop.py"])
    assert not used or runner.wait_ready(30) == ()


@pytest.mark.parametrize(
    "name", ["conftest.py", "tests/conftest.py", "pytest.ini", "pyproject.toml", "tox.ini"]
)
def test_what_pytest_reads_when_it_starts_is_never_caught_up_with(
    root: Path, park: Callable[..., Runner], name: str
) -> None:
    runner = park()
    write(root, name, "")
    assert not runner.still_fits()
    assert not runner.collect(["tests/test_shop.py"])


def test_a_conftest_beside_the_tests_has_to_be_known_from_the_start(
    root: Path, park: Callable[..., Runner]
) -> None:
    """Its options would be missing: pytest asks only those conftest files that the arguments lead to."""
    write(root, "unit/conftest.py", "def pytest_addoption(parser):\n    parser.addoption('--fast')\n")
    write(
        root,
        "unit/test_it.py",
        "def test_it(request):\n    assert request.config.getoption('fast') is None\n",
    )
    assert not park().collect(["unit/test_it.py"])
    runner = park(files=("unit/test_it.py",))
    assert runner.collect(["unit/test_it.py"])
    runner.wait_ready(30)
    assert runner.run(["unit/test_it.py::test_it"], cpu=2.0)["unit/test_it.py::test_it"].status == "passed"


@pytest.mark.parametrize("level", LEVELS)
def test_two_edits_of_one_size_within_a_second(root: Path, park: Callable[..., Runner], level: str) -> None:
    """The person's own run has left bytecode of the first; by size and second it is the second's, too."""
    now = int(time.time())
    os.utime(root / "shop.py", (now, now))
    compiled = Path(py_compile.compile(str(root / "shop.py"), doraise=True))
    runner = park(level)
    write(root, "shop.py", NEW)
    os.utime(root / "shop.py", (now, now))
    assert compiled.exists()
    assert runner.collect(["tests/test_shop.py"])
    assert outcome(runner).message.startswith("assert 2 == 1")
    assert compiled.exists()


def test_installed_modules_are_imported_beforehand(root: Path, park: Callable[..., Runner]) -> None:
    write(root, "tests/test_shop.py", "import wave\nimport no_such_module_at_all\n")
    first = park()
    assert first.collect(["tests/test_shop.py"])
    first.wait_ready(30)
    assert "wave" in first.imported
    write(root, "tests/test_shop.py", "import sys\n\n\ndef test_price():\n    assert 'wave' in sys.modules\n")
    second = park(preload=(*first.imported, "no_such_module_at_all", "antigravity.no"))
    assert second.collect(["tests/test_shop.py"])
    assert outcome(second).status == "passed"


@pytest.fixture
def standby(launch: Callable[[str], Launcher]) -> Standby:
    """A referee that waits."""
    return Standby(launch("full"))


def confirmed(standby: Standby, contents: dict[str, bytes]) -> Confirmation:
    with Confirmation(standby.launcher, contents, [TEST], standby=standby) as confirmation:
        while not confirmation.poll():
            select.select([confirmation.socket], [], [], 30)
        return confirmation


@pytest.mark.parametrize("save", [write, replace])
def test_a_waiting_referee_judges_the_files_as_they_are(
    root: Path, standby: Standby, save: Callable[[Path, str, str], None]
) -> None:
    save(root, "tests/test_shop.py", FILES["tests/test_shop.py"].replace("== 1", "== 2"))
    ended = confirmed(standby, {"shop.py": NEW.encode()})
    assert ended.complete
    assert ended.outcomes[TEST].status == "passed"
    assert "shop.py" in ended.loaded
    assert (root / "shop.py").read_text() == OLD


def test_a_waiting_referee_that_has_died_is_replaced(standby: Standby) -> None:
    standby.process.terminate()
    standby.process.wait()
    ended = confirmed(standby, {"shop.py": NEW.encode()})
    assert ended.outcomes[TEST].status == "failed"


def test_a_waiting_referee_that_has_seen_too_much_steps_down(
    root: Path, launch: Callable[[str], Launcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the project on Python's own path, its sitecustomize is imported long before there is a request."""
    write(root, "sitecustomize.py", "import shop\n")
    monkeypatch.setenv("PYTHONPATH", str(root))
    waiting = Standby(launch("full"))
    write(root, "sitecustomize.py", "import shop\nshop.price = lambda: 1\n")
    ended = confirmed(waiting, {"shop.py": NEW.encode()})
    assert ended.outcomes[TEST].status == "passed"
