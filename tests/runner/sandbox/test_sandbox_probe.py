"""Which level is found, what is said when a stronger one is not to be had, and how that is remembered."""

import json
import subprocess
import sys
import tempfile

import pytest

from pytest_buddy.errors import BuddyError
from pytest_buddy.runner import sandbox
from pytest_buddy.runner.sandbox import probing
from pytest_buddy.workspace import Workspace

_PROBE = """
    import json, sys
    from pathlib import Path
    from pytest_buddy.errors import BuddyError
    from pytest_buddy.runner.sandbox import advice, probe
    from pytest_buddy.workspace import Workspace
    for wanted in ("auto", "full", "partial", "none"):
        try:
            found = probe(Workspace(Path(sys.argv[1])), wanted=wanted)
            print(json.dumps([wanted, found.level, found.reason, advice(found)]))
        except BuddyError as error:
            print(json.dumps([wanted, "refused", error.message, error.hint]))
"""
# Refuses the system calls of Landlock as a kernel without it does, before the probe is imported.
_WITHOUT_LANDLOCK = """
    import ctypes
    from pytest_buddy.runner.sandbox import kernel, seccomp
    code = [(0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x35, 1, 0, 447), (6, 0, 0, 0x50026), (6, 0, 0, 0x7FFF0000)]
    raw = b"".join(a.to_bytes(2, "little") + bytes((b, c)) + d.to_bytes(4, "little") for a, b, c, d in code)
    buffer = ctypes.create_string_buffer(raw, len(raw))
    kernel.no_new_privileges()
    kernel.prctl_pointer("filter", 22, 2, seccomp._Filter(len(code), ctypes.addressof(buffer)))
"""


def found_inside(room, script):
    ran = room.run(script, str(room.workspace.root))
    assert ran.code == 0, ran
    return {wanted: rest for wanted, *rest in map(json.loads, ran.output.splitlines())}


def test_where_namespaces_are_forbidden_the_level_is_partial(room):
    found = found_inside(room, _PROBE)
    assert found["auto"][:2] == ["partial", "full: unshare: Operation not permitted"]
    assert found["auto"][2]
    assert found["full"][0] == "refused"
    assert (
        found["full"][1]
        == "The sandbox level 'full' is not to be had: full: unshare: Operation not permitted"
    )
    assert found["full"][2]
    assert found["partial"][:2] == ["partial", ""]
    assert found["none"][0] == "none"


def test_without_landlock_too_the_level_is_none(room):
    found = found_inside(room, _WITHOUT_LANDLOCK + _PROBE)
    assert found["auto"][0] == "none"
    assert found["auto"][1].endswith("; partial: Landlock is not available")
    assert "Landlock" in found["partial"][1]


def test_what_is_found_holds_against_the_self_attack(levels, tmp_path):
    for level in ("full", "partial"):
        assert probing.attack(levels(level), Workspace(tmp_path)) == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_directory_with_a_long_path_is_no_obstacle(levels, tmp_path, monkeypatch):
    deep, workspace = tmp_path / ("deep" * 40), tmp_path / "workspace"
    deep.mkdir()
    workspace.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    for level in ("full", "partial"):
        assert probing.attack(levels(level), Workspace(workspace)) == ("", "")


def test_the_self_attack_sees_what_gets_through(tmp_path):
    said = probing.attack(sandbox.Confinement(level="none"), Workspace(tmp_path))
    assert said == ("a file of the workspace was written", "")
    assert list(tmp_path.iterdir()) == []


def test_the_outcome_is_kept_until_the_next_boot(levels, tmp_path, monkeypatch):
    levels("full")
    cache = tmp_path / "state" / "sandbox.json"
    workspace = Workspace(tmp_path)
    first = sandbox.probe(workspace, cache=cache)
    attacks = []
    monkeypatch.setattr(probing, "attack", lambda *_: attacks.append(1) or ("", ""))
    assert sandbox.probe(workspace, cache=cache) == first
    assert attacks == []
    kept = json.loads(cache.read_text())
    kept["key"]["boot"] = "another"
    cache.write_text(json.dumps(kept))
    sandbox.probe(workspace, cache=cache)
    assert attacks == [1]
    assert list(cache.parent.iterdir()) == [cache]


@pytest.mark.parametrize("content", ["", "null", "[]", '{"key": 1}', "\0"])
def test_a_damaged_record_is_found_again(tmp_path, monkeypatch, content):
    cache = tmp_path / "sandbox.json"
    cache.write_text(content)
    monkeypatch.setattr(probing, "attack", lambda *_: ("", ""))
    assert sandbox.probe(Workspace(tmp_path), cache=cache).level == "full"
    assert sandbox.probe(Workspace(tmp_path), cache=cache).level == "full"


def test_a_record_that_cannot_be_kept_does_not_matter(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(probing, "attack", lambda *_: ("", ""))
    assert sandbox.probe(Workspace(tmp_path), cache=tmp_path / "file" / "sandbox.json").level == "full"


def test_none_is_never_probed(tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "attack", lambda *_: pytest.fail("attacked"))
    assert sandbox.probe(Workspace(tmp_path), wanted="none").level == "none"


def test_other_systems_and_the_whole_file_system_are_said_to_have_no_sandbox(tmp_path, monkeypatch):
    assert (
        sandbox.probe(Workspace(tmp_path.__class__("/"))).reason == "the workspace is the whole file system"
    )
    monkeypatch.setattr(probing, "SUPPORTED", False)
    found = sandbox.probe(Workspace(tmp_path))
    assert (found.level, found.overlay) == ("none", False)
    assert "no sandbox" in found.reason
    with pytest.raises(BuddyError, match="not to be had"):
        sandbox.probe(Workspace(tmp_path), wanted="full")


@pytest.mark.parametrize(
    ("through", "level", "reason"),
    [
        ("signal", "partial", "full: not stopped: signal; this kernel does not stop: signal"),
        ("chmod", "partial", "full: not stopped: chmod"),
        ("write", "none", "full: not stopped: write; partial: not stopped: write"),
    ],
)
def test_what_gets_through_decides(tmp_path, monkeypatch, through, level, reason):
    monkeypatch.setattr(probing, "_run", lambda *_: ({"read": "blocked: x", through: "through"}, ""))
    found = sandbox.probe(Workspace(tmp_path))
    assert (found.level, found.reason) == (level, reason)


def test_the_workspace_is_read_only_where_overlays_are_refused(tmp_path, monkeypatch):
    answers = iter([("mount overlay on /new/x: Invalid argument", ""), ("", "")])
    monkeypatch.setattr(probing, "attack", lambda *_: next(answers))
    found = sandbox.probe(Workspace(tmp_path))
    assert (found.level, found.overlay, found.replaces_files) == ("full", False, True)
    assert "can't be written" in found.reason


def test_the_launcher_imports_nothing_heavy():
    script = """
import sys
sys.argv = ["sandbox"]
sys.path.insert(0, DIRECTORY)
try:
    exec(compile(open(DIRECTORY + "/__main__.py").read(), "__main__.py", "exec"))
except IndexError:
    heavy = {"typing", "dataclasses", "pathlib", "re", "json", "socket", "subprocess", "shutil"}
    print(sorted(heavy & set(sys.modules)), "pytest_buddy.runner.sandbox.launch" in sys.modules)
"""
    directory = str(probing.Path(probing.__file__).parent)
    command = [sys.executable, "-I", "-S", "-c", script.replace("DIRECTORY", repr(directory))]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == "[] True\n"
