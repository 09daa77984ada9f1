"""Which level of confinement this machine gives: each is attacked once, the outcome kept until reboot."""

import json
import os
import platform
import select
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest_buddy
from pytest_buddy.domain import SandboxLevel
from pytest_buddy.errors import BuddyError
from pytest_buddy.runner.sandbox.confinement import SUPPORTED, Confinement, start, stop
from pytest_buddy.workspace import Workspace

_PATIENCE = 15.0
_FEW = 10
_STRONGEST: tuple[SandboxLevel, ...] = ("full", "partial")
# What a level may let through: in full it goes nowhere, in partial it is the level's documented weakness.
_KNOWN_HOLES: Mapping[str, frozenset[str]] = {
    "full": frozenset({"udp", "workspace"}),
    "partial": frozenset({"chmod", "unix"}),
}
_HOLES_BY_KERNEL = frozenset({"signal", "abstract"})  # closed in partial since Linux 6.12


def probe(workspace: Workspace, *, wanted: str = "auto", cache: Path | None = None) -> Confinement:
    """The strongest confinement this machine gives, at most `wanted`.

    `auto` takes what there is; whether to go on with `none` is the caller's to ask. A `wanted` level that is
    not to be had raises BuddyError. `cache`: a file for the outcome, valid until the next boot.
    """
    if wanted == "none":
        return Confinement(level="none", reason="asked for")
    key = _key(workspace, wanted)
    found = _cached(cache, key)
    if found is None:
        found = _find(workspace, wanted)
        _keep(cache, key, found)
    if wanted in _STRONGEST and found.level != wanted:
        raise BuddyError(f"The sandbox level {wanted!r} is not to be had: {found.reason}", hint=advice(found))
    return found


_OPEN = {"win32": "a Job object ends and limits processes, but leaves files and the network open"}


def _find(workspace: Workspace, wanted: str) -> Confinement:
    if not SUPPORTED and sys.platform != "darwin":
        return Confinement(
            level="none", reason=_OPEN.get(sys.platform, f"{platform.system()} has no sandbox")
        )
    if workspace.root == workspace.root.parent:
        return Confinement(level="none", reason="the workspace is the whole file system")
    reasons: list[str] = []
    if SUPPORTED and wanted != "partial":
        problem, _ = attack(Confinement(level="full", overlay=True), workspace)
        if not problem:
            return Confinement(level="full", overlay=True)
        reasons.append(f"full: {problem}")
        read_only = Confinement(level="full", reason=f"the workspace can't be written: {problem}")
        if "overlay" in problem and not attack(read_only, workspace)[0]:
            return read_only
    problem, weakness = attack(Confinement(level="partial"), workspace)
    if not problem:
        return Confinement(level="partial", reason="; ".join([*reasons, weakness] if weakness else reasons))
    return Confinement(level="none", reason="; ".join([*reasons, f"partial: {problem}"]))


def attack(confinement: Confinement, workspace: Workspace) -> tuple[str, str]:
    """Attack a confinement from inside: what got through or failed, and what this kernel can't stop."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="buddy-")))
        name = uuid.uuid4().hex
        victim = directory / "victim"
        victim.write_bytes(b"untouched")
        canary = workspace.root / f".buddy-{name}"
        door = _listen(stack, socket.AF_INET, ("127.0.0.1", 0))
        _listen(stack, socket.AF_UNIX, _short(stack, directory) + "/socket")
        if SUPPORTED:
            _listen(stack, socket.AF_UNIX, "\0" + name)
        targets = {
            "file": str(victim),
            "workspace": str(canary),
            "port": door.getsockname()[1],
            "unix": str(directory / "socket"),
            "abstract": name,
            "process": os.getpid(),
        }
        outcomes, problem = _run(confinement, workspace, targets)
        if canary.exists():
            canary.unlink()
            return "a file of the workspace was written", ""
        if victim.read_bytes() != b"untouched" or len(list(directory.iterdir())) != 2:
            return "files outside the workspace were written", ""
        if problem:
            return problem, ""
    return _judge(confinement.level, outcomes)


def _judge(level: SandboxLevel, outcomes: Mapping[str, str]) -> tuple[str, str]:
    through = {attempt for attempt, outcome in outcomes.items() if outcome == "through"}
    if level == "full" and os.getpid() < _FEW:
        through -= {"signal", "memory"}  # inside, so small a number is one of its own processes
    through -= _KNOWN_HOLES[level]
    weak = through & _HOLES_BY_KERNEL if level == "partial" else set()
    problems = ", ".join(sorted(through - weak))
    return (
        f"not stopped: {problems}" if problems else "",
        f"this kernel does not stop: {', '.join(sorted(weak))}" if weak else "",
    )


def _short(stack: ExitStack, directory: Path) -> str:
    """Another name of a directory: the kernel takes only some hundred bytes as the path of a socket."""
    if not SUPPORTED:
        return str(directory)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    stack.callback(os.close, descriptor)
    return f"/proc/self/fd/{descriptor}"


def _listen(stack: ExitStack, family: int, address: Any) -> socket.socket:
    server = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    server.bind(address)
    server.listen(4)
    return server


def _run(
    confinement: Confinement, workspace: Workspace, targets: dict[str, Any]
) -> tuple[dict[str, str], str]:
    """Outcomes by attempt, and why there are none; the program's daemon must be gone with it."""
    script = str(Path(__file__).absolute().with_name("attack.py"))
    with start(
        confinement,
        ["-I", "-S", script, json.dumps(targets)],
        workspace=workspace,
        environment=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        output, complaint, ended = _drain(process)
        code = stop(process)
    if not ended:
        return {}, "a process was left behind"
    if code:
        return {}, complaint.decode(errors="replace").strip().removeprefix(
            "sandbox: "
        ) or f"exit status {code}"
    try:
        return dict(json.loads(output)), ""
    except ValueError:
        return {}, "the self-attack did not finish"


def _drain(process: "subprocess.Popen[bytes]") -> tuple[bytes, bytes, bool]:
    """Both outputs, and whether they were closed by everyone who held them in good time."""
    assert process.stdout is not None
    assert process.stderr is not None
    parts: dict[int, bytes] = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
    first, second = parts
    waiting = set(parts)
    deadline = time.monotonic() + _PATIENCE
    while waiting and (left := deadline - time.monotonic()) > 0:
        for handle in select.select(list(waiting), [], [], left)[0]:
            chunk = os.read(handle, 65536)
            parts[handle] += chunk
            if not chunk:
                waiting.discard(handle)
    return parts[first], parts[second], not waiting


_SWITCHES = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor forbids user namespaces"),
    ("kernel/unprivileged_userns_clone", "0", "User namespaces are switched off"),
    ("user/max_user_namespaces", "0", "User namespaces are switched off"),
)
_WANTED_VALUES = {"0": "15000", "1": "0"}


def advice(confinement: Confinement) -> str:
    """What a person can do for a stronger level on this machine; empty when there is nothing to do."""
    if confinement.level == "full":
        return ""
    if not SUPPORTED:
        return "Run it in a Linux container or virtual machine, or go on with --buddy-sandbox none."
    for name, bad, what in _SWITCHES:
        switch = Path("/proc/sys") / name
        if switch.exists() and switch.read_text(encoding="ascii").strip() == bad:
            return f"{what}; to allow them: sudo sysctl {name.replace('/', '.')}={_WANTED_VALUES[bad]}"
    if any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")):
        return (
            "Containers forbid namespaces by default; start this one with --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined --security-opt systempaths=unconfined."
        )
    if confinement.level == "none":
        return "Level partial needs Linux 5.13 or newer with Landlock switched on (lsm=landlock,...)."
    return "Level full needs Linux 5.12 or newer with user namespaces and overlayfs."


def _key(workspace: Workspace, wanted: str) -> dict[str, Any]:
    boot = Path("/proc/sys/kernel/random/boot_id")
    return {
        "boot": boot.read_text(encoding="ascii").strip() if boot.exists() else "",
        "kernel": platform.release(),
        "version": pytest_buddy.__version__,
        "python": [sys.executable, sys.version],
        "user": os.getuid() if hasattr(os, "getuid") else 0,
        "namespace": os.readlink("/proc/self/ns/user") if os.path.exists("/proc/self/ns/user") else "",
        "root": str(workspace.root),
        "wanted": wanted,
    }


def _cached(cache: Path | None, key: dict[str, Any]) -> Confinement | None:
    if cache is None:
        return None
    try:
        kept = json.loads(cache.read_text(encoding="utf-8"))
        return Confinement(**kept["found"]) if kept["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _keep(cache: Path | None, key: dict[str, Any], found: Confinement) -> None:
    if cache is None or not key["boot"]:
        return
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        scratch = cache.with_name(f"{cache.name}.{os.getpid()}")
        scratch.write_text(json.dumps({"key": key, "found": asdict(found)}), encoding="utf-8")
        scratch.replace(cache)
    except OSError:
        return  # it is found again next time
