"""The packages of the fault factory, and what each needs to be run.

`RECIPES` are those that figures are given for: no weight was fitted on them. `FITTING` are those that weights
and priors may be fitted on, and whose misses may be looked into while the program is being changed.

Pure Python, tests in the source distribution, a suite of seconds, different in kind, and none of those that
the known collections of Python bugs are made of. Versions and hashes are pinned, requirements of tests too.
"""

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from limited import run
from packages import BENCH, PACKAGES, REPOSITORY, Package, Prepared, plugin_directory, prepare
from suite import Suite

_PYTEST = "pytest==9.2.0"
_WATCH = "factory_watch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A package, what kind of program it is, and what pytest must be told to run its suite."""

    package: Package
    about: str
    arguments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the package."""
        return self.package.name


def _recipe(
    name: str,
    version: str,
    sha256: str,
    sources: str,
    about: str,
    *requires: str,
    editable: bool = False,
    arguments: tuple[str, ...] = (),
) -> Recipe:
    package = Package(
        name=name,
        version=version,
        sha256=sha256,
        sources=sources,
        requires=(_PYTEST, *requires),
        editable=editable,
    )
    return Recipe(package=package, about=about, arguments=arguments)


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _recipe(
            "arrow",
            "1.4.0",
            "ed0cc050e98001b8779e84d461b0098c4ac597e88704a655582b21d116e526d7",
            "arrow",
            "dates and times",
            "python-dateutil==2.9.0.post0",
            "tzdata==2026.6",
            "pytz==2026.6",
            "simplejson==4.3.0",
            "pytest-mock==3.17.0",
            arguments=("-o", "addopts=", "--ignore=tests/test_locales.py"),
        ),
        _recipe(
            "parse",
            "1.22.4",
            "706d458feed5a81b02768d3156e8070baf6cee7d150a3a3c0cd43101a875c3b5",
            ".",
            "format strings backwards",
            arguments=("-o", "addopts="),
        ),
        _recipe(
            "humanize",
            "4.17.0",
            "1d6a36c453dbfbb3f0b34601d2e0b4ce5d48d780305cd45714843f0068fde6ac",
            "src/humanize",
            "numbers and times as words",
            "freezegun==1.5.5",
            editable=True,
            arguments=("--ignore=tests/test_benchmarks.py",),
        ),
        _recipe(
            "pyrsistent",
            "0.20.0",
            "4c48f78f62ab596c679086084d0dd13254ae4f3d6c72a83ffdf5ebdef8f265a4",
            "pyrsistent",
            "persistent containers",
            "hypothesis==6.170.15",
            arguments=("--ignore=tests/hypothesis_vector_test.py", "--ignore=tests/memory_profiling.py"),
        ),
        _recipe(
            "toolz",
            "1.2.0",
            "9667a038e9d6ecba37995e26cb2f59ec6420b6ad8dd9677de59db9b956b08490",
            "toolz",
            "functional tools",
        ),
        _recipe(
            "sqlparse",
            "0.6.1",
            "ca722573f848ff2d30e40ea30f53a104b7dea7635ea9285891263eb2c58fb6e7",
            "sqlparse",
            "parser and formatter of SQL",
        ),
        _recipe(
            "mistune",
            "3.4.0",
            "2eaf7952af928ca8d33b779762effc1da517b62c6ad85ec8ca957e3b07b9782a",
            "src/mistune",
            "Markdown to HTML",
            # It measures seconds, and fails where others are at work.
            arguments=("--ignore=tests/test_security_formatting.py",),
        ),
        _recipe(
            "voluptuous",
            "0.16.0",
            "006535e22fed944aec17bef6e8725472476194743c87bd233e912eb463f8ff05",
            "voluptuous",
            "validation of data",
        ),
        _recipe(
            "h11",
            "0.16.0",
            "4e35b956cf45792e4caa5885e69fba00bdbc6ffafbfa020300e549b208ee5ff1",
            "h11",
            "state machine of HTTP/1.1",
        ),
        _recipe(
            "tabulate",
            "0.10.0",
            "e2cfde8f79420f6deeffdeda9aaec3b6bc5abce947655d17ac662b126e48a60d",
            "tabulate",
            "tables as text, a command",
            editable=True,
        ),
        _recipe(
            "num2words",
            "0.5.14",
            "b066ec18e56b6616a3b38086b5747daafbaa8868b226a36127e0451c0cf379c6",
            "num2words",
            "arithmetic and grammar of numbers",
            "docopt==0.6.2",
            "delegator.py==0.1.1",
            arguments=("--ignore=tests/test_cli.py",),
        ),
        _recipe(
            "xmltodict",
            "1.0.4",
            "6d94c9f834dd9e44514162799d344d815a3a4faec913717a9ecbfa5be1bb8e61",
            ".",
            "XML to dicts and back",
        ),
    )
}

FITTING: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        *(
            Recipe(package=replace(package, requires=(_PYTEST, *package.requires)), about="fitting")
            for package in PACKAGES.values()
        ),
        _recipe(
            "marshmallow",
            "4.4.0",
            "9e6ffa8511012ca89732324c1c253efd7b4d35632dcbdf80aa793fe01804af3e",
            "src/marshmallow",
            "fitting",
            "simplejson==4.3.0",
            editable=True,
        ),
        _recipe(
            "schema",
            "0.7.8",
            "e86cc08edd6fe6e2522648f4e47e3a31920a76e82cce8937535422e310862ab5",
            "schema",
            "fitting",
            "mock==5.2.0",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A package that is ready: its recipe, its trees and interpreter, and how its suite is started."""

    recipe: Recipe
    prepared: Prepared
    suite: Suite

    @property
    def files(self) -> tuple[str, ...]:
        """The source files that may be broken: no tests, none with line ends of other systems."""
        return tuple(
            file
            for file in self.prepared.files
            if not {"tests", "test", "docs", "examples", "build"}.intersection(Path(file).parts[:-1])
            and not Path(file).name.startswith(("test_", "setup.", "conftest."))
            and b"\r" not in (self.prepared.pristine / file).read_bytes()
        )

    def broken(self, file: str, text: str) -> None:
        """Make the working tree equal to the untouched one, but for one file."""
        self.prepared.reset()
        (self.prepared.work / file).write_text(text, encoding="utf-8", newline="")


def ready(recipe: Recipe, cache: Path, subject: Path) -> Bench:
    """Fetch, unpack and install what the cache lacks; `subject` is the tree of pytest-buddy to measure."""
    prepared = prepare(recipe.package, cache, buddy=str(subject))
    prepared.reset()
    _install_watch(prepared)
    suite = Suite(
        root=prepared.work,
        python=prepared.python,
        plugins=plugin_directory(cache),
        arguments=recipe.arguments,
    )
    frozen = prepared.pristine.parent / "freeze.txt"
    if not frozen.exists():
        finished = run([prepared.python, "-m", "pip", "freeze"], cwd=prepared.work)
        frozen.write_text(finished.stdout, encoding="utf-8")
    return Bench(recipe=recipe, prepared=prepared, suite=suite)


def subject_tree(cache: Path, commit: str) -> tuple[Path, str]:
    """A copy of this repository as it was at a commit, at a path that stays, and the commit's name.

    Environments of packages are installed from it once; colleagues may go on editing the working tree.
    """
    name = _git("rev-parse", "--short=12", commit).decode().strip()
    home = cache / "subject"
    stamp = cache / "subject.commit"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != name:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        archive = cache / "subject.tar"
        archive.write_bytes(_git("archive", name))
        shutil.unpack_archive(archive, home, "tar", filter="data")
        stamp.write_text(name, encoding="utf-8")
    return home, name


def _install_watch(prepared: Prepared) -> None:
    place = prepared.python.parent.parent / "lib"
    site = next(place.glob("python3.*/site-packages"))
    shutil.copyfile(BENCH / f"{_WATCH}.py", site / f"{_WATCH}.py")
    info = site / f"{_WATCH}-1.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {_WATCH}\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[pytest_buddy]\nwatch = {_WATCH}\n", encoding="utf-8")
    assert importlib.metadata.PathDistribution(info).version == "1"


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", REPOSITORY, *arguments], check=True, capture_output=True).stdout


def versions() -> str:
    """A line a package: name, version, what it is, what its tests need."""
    lines = [f"Python {sys.version.split()[0]}"]
    for recipe in (*RECIPES.values(), *FITTING.values()):
        needs = ", ".join(recipe.package.requires)
        lines.append(f"{recipe.package.stem:20} {recipe.about:36} {needs}")
    return "\n".join(lines)
