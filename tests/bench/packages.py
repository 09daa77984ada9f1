"""The real packages: fetched as source distributions, unpacked, given an environment, copied to work on."""

import hashlib
import os
import shutil
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limited import Finished, run

REPOSITORY = Path(__file__).resolve().parents[2]
BENCH = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A source distribution with its tests. `sources` is the directory, in it, of the code to be broken."""

    name: str
    version: str
    sha256: str
    sources: str
    requires: tuple[str, ...] = ()
    editable: bool = False

    @property
    def stem(self) -> str:
        """The name of the archive and of the directory inside it."""
        return f"{self.name}-{self.version}"


# Three styles: a grab-bag of functions and classes tested by plain functions; cache classes and decorators
# tested by unittest mix-ins, src layout, editable install; a parser and its containers tested by parameters.
PACKAGES: Mapping[str, Package] = {
    package.name: package
    for package in (
        Package(
            name="boltons",
            version="26.2.0",
            sha256="d39cfd15c1a1c3bd4d705c82252fa9edb8e4f5e8cc039f8e39afac7b1b47e92c",
            sources="boltons",
        ),
        Package(
            name="cachetools",
            version="8.0.1",
            sha256="deb1d376d4d28c2f33f3e3058043b005e0af75c35c094bd54053e27d2906ad95",
            sources="src/cachetools",
            requires=("setuptools",),
            editable=True,
        ),
        Package(
            name="tomlkit",
            version="0.15.2",
            sha256="83e32755ba1d20d9340bd069ee97e9f6232ba2346b63ffcba425de01f7e327a6",
            sources="tomlkit",
            requires=("pyyaml",),
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A package that can be run: its untouched tree, the tree to work on, its interpreter."""

    package: Package
    pristine: Path
    work: Path
    python: Path

    def reset(self) -> None:
        """Make the working tree equal to the untouched one again."""
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.pristine, self.work, symlinks=True)

    @property
    def files(self) -> tuple[str, ...]:
        """The source files that may be broken, relative to the tree."""
        found = (self.pristine / self.package.sources).rglob("*.py")
        return tuple(sorted(str(path.relative_to(self.pristine)) for path in found))


def prepare(package: Package, cache: Path, *, buddy: str) -> Prepared:
    """Fetch, unpack and install what the cache lacks; `buddy` is what pip installs the plugin from."""
    home = cache / package.stem
    prepared = Prepared(
        package=package,
        pristine=home / "pristine",
        work=home / "work",
        python=home / "venv" / "bin" / "python",
    )
    stamp = home / "ready"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == buddy:
        return prepared
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    _unpack(_fetch(package, cache / "archives"), home, package)
    prepared.reset()
    _must(run([sys.executable, "-m", "venv", home / "venv"], cwd=home, wall=900))
    _pip(prepared, "pytest>=8.2", *package.requires)
    _pip(prepared, *_source(buddy))
    if package.editable:
        _pip(prepared, "--no-deps", "--editable", str(prepared.work))
    stamp.write_text(buddy, encoding="utf-8")
    return prepared


def untouched(package: Package, cache: Path) -> Path:
    """The tree of a source distribution, fetched where the cache lacks it; not to be written to."""
    home = cache / "untouched" / package.stem
    if not (home / "pristine").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        _unpack(_fetch(package, cache / "archives"), home, package)
    return home / "pristine"


def plugin_directory(cache: Path) -> Path:
    """A directory that holds only our pytest plugins, to be put on PYTHONPATH of a program under test."""
    directory = cache / "plugins"
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("outcome_log.py", "call_log.py", "touched_log.py"):
        shutil.copyfile(BENCH / name, directory / name)
    return directory


def _fetch(package: Package, archives: Path) -> Path:
    archives.mkdir(parents=True, exist_ok=True)
    archive = archives / f"{package.stem}.tar.gz"
    if not archive.exists():
        wanted = f"{package.name}=={package.version}"
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-binary", ":all:", "--no-deps"]
        _must(run([*command, "-d", archives, wanted], cwd=archives, wall=300))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise SystemExit(f"{archive.name}: SHA-256 is {digest}, not {package.sha256}")
    return archive


def _unpack(archive: Path, home: Path, package: Package) -> None:
    with tarfile.open(archive) as opened:
        opened.extractall(home / "unpacked", filter="data")
    (home / "unpacked" / package.stem).rename(home / "pristine")


def _source(buddy: str) -> tuple[str, ...]:
    return ("--editable", buddy) if Path(buddy).is_dir() else (buddy,)


def _pip(prepared: Prepared, *arguments: str) -> None:
    command: list[str | os.PathLike[str]] = [
        prepared.python,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        *arguments,
    ]
    _must(run(command, cwd=prepared.work, wall=900))


def _must(finished: Finished) -> None:
    if finished.returncode:
        raise SystemExit(f"{finished.stdout}{finished.stderr}exit status {finished.returncode}")
