"""A secret of a failing test appears nowhere that we write for others to read, nor in what we keep."""

# ruff: noqa: E501

import base64
import json
import stat

import pytest

from pytest_buddy.testing import Project
from tests.end_to_end.projects import RED

SECRET = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
MASKED = "plain words of no shape"  # known for a secret by the variable's name alone
FILES = {
    "pytest.ini": "[pytest]\n",
    "door.py": 'def login(user, password):\n    return {"user": user, "token": password + user}\n',
    "test_door.py": (
        "import os\n\nfrom door import login\n\n\ndef test_login():\n"
        f'    password = "{SECRET}"\n'
        '    print("printed", password, os.environ.get("VAULT_PASSWORD"))\n'
        '    assert login("jo", password) == {"user": "jo", "token": password}\n\n\n'
        "def test_environment():\n"
        '    password = os.environ.get("VAULT_PASSWORD", "x")\n'
        '    assert login("jo", password)["token"] == password, password\n'
    ),
    ".env": "VAULT_PASSWORD=" + "from-the-env-file\n",
}
ENVIRONMENT = {"VAULT_PASSWORD": MASKED, "DEPLOY_TOKEN": "horse"}


@pytest.fixture
def looked_at(tmp_path):
    project = Project(tmp_path, FILES)
    # Sandboxed tests do not get the variable; the plain run does, and what is kept of it is what matters.
    run = project.pytest("--buddy", "--buddy-report", "markdown", env=ENVIRONMENT)
    assert run.report["faults"], run.out
    return project, run


def test_no_command_and_no_report_shows_a_secret(looked_at):
    project, run = looked_at
    _, found, ours = run.out.partition("2 failing tests")
    assert found, run.out
    assert "<SECRET:" in ours
    commands = [("explain",), ("show",), ("doctor",)]
    commands += [("show", patch["id"]) for fault in run.report["faults"] for patch in fault["patches"]]
    shown = [project.buddy(*words, env=ENVIRONMENT) for words in commands]
    assert "<SECRET:" in shown[0].out
    for text in (ours, run.json, *(one.out + one.err for one in shown)):
        assert SECRET not in text
        assert MASKED not in text


def test_nothing_kept_holds_a_secret_but_the_edits_of_the_files_own_bytes(looked_at):
    project, _ = looked_at
    state = project.root / ".buddy"
    for path in (path for path in state.rglob("*") if path.is_file()):
        content = path.read_text()
        assert SECRET not in content, path
        assert MASKED not in content, path
        assert base64.b64encode(MASKED.encode()).decode()[:-4] not in content, path
    kept = state / "diagnosis.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "<SECRET:" in json.dumps(json.loads(kept.read_text())["diagnosis"]["failures"])


def test_a_report_of_another_package_is_given_no_secret(tmp_path):
    package = {
        "loud.py": (
            "from pytest_buddy.ports import hookimpl\n\n\nclass Loud:\n    format = 'loud'\n\n"
            "    def render(self, diagnosis):\n        return repr(diagnosis.failures)\n\n\n"
            "@hookimpl\ndef buddy_reporters(config):\n    return (Loud(),)\n"
        ),
        "loud-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: loud\nVersion: 1\n",
        "loud-1.dist-info/entry_points.txt": "[pytest_buddy]\nloud = loud\n",
    }
    project = Project(tmp_path, FILES)
    Project(tmp_path, package, name="other")
    run = project.pytest(
        "--buddy",
        "--buddy-report",
        "loud:loud.txt",
        env=ENVIRONMENT | {"PYTHONPATH": str(tmp_path / "other")},
    )
    said = project.read("loud.txt")
    assert "test_login" in said, run.out
    assert "<SECRET:" in said
    assert SECRET not in said
    assert MASKED not in said


def test_a_diff_with_a_secret_is_used_but_not_shown(tmp_path):
    files = {
        "pytest.ini": "[pytest]\n",
        "gate.py": f'def opens(key, level):\n    return key == "{SECRET}" and level > 3\n',
        "test_gate.py": (
            "import gate\n\n\ndef test_three():\n    assert gate.opens(gate.opens.__code__.co_consts[1], 3)\n\n\n"
            "def test_two():\n    assert not gate.opens(gate.opens.__code__.co_consts[1], 2)\n\n\n"
            "def test_four():\n    assert gate.opens(gate.opens.__code__.co_consts[1], 4)\n"
        ),
    }
    project = Project(tmp_path, files)
    run = project.pytest("--buddy")
    assert run.report["summary"]["fixed"] == 1, run.out
    assert run.report["faults"][0]["patches"][0]["redacted"]
    refused = project.buddy("show", "--diff")
    assert refused.exit == 1
    assert refused.out == ""
    assert "secret" in refused.err
    assert (
        SECRET
        not in run.json + refused.err + project.buddy("show", run.report["faults"][0]["patches"][0]["id"]).out
    )
    assert project.buddy("apply").exit == 0
    assert SECRET in project.read("gate.py")
    assert project.pytest().exit == 0


def test_files_with_keys_are_never_read(tmp_path):
    files = {
        "pytest.ini": "[pytest]\n",
        "keys.pem": "SECRET\n",
        "loader.py": (
            "def load(name):\n    with open(name) as file:\n        code = compile(file.read(), name, 'exec')\n"
            "    space = {}\n    exec(code, space)\n    return space['value'](1)\n"
        ),
        ".env.d/rules.env": 'PASSWORD = "quiet-river-stone"\ndef value(number):\n    return number - 1\n',
        "test_loader.py": (
            "from loader import load\n\n\ndef test_load():\n    assert load('.env.d/rules.env') == 2\n"
        ),
    }
    project = Project(tmp_path, files)
    run = project.pytest("--buddy")
    assert run.report["failures"], run.out
    kept = (project.root / ".buddy" / "diagnosis.json").read_text()
    for text in (run.json, kept):
        assert "quiet-river-stone" not in text


def test_a_fault_of_ours_is_told_without_secrets(tmp_path):
    saboteur = (
        "import pytest_buddy.session as broken\n\n\ndef fail(*_):\n"
        f"    raise RuntimeError('token = {SECRET}, {MASKED}')\n\n\nbroken.Session._work = fail\n"
    )
    project = Project(tmp_path, RED | {"saboteur.py": saboteur})
    run = project.pytest("-p", "saboteur", "--buddy", env={"PYTHONPATH": str(project.root), **ENVIRONMENT})
    assert run.exit == 1
    assert "internal error" in run.out
    assert "<SECRET:" in run.out
    assert SECRET not in run.out + run.err
    assert MASKED not in run.out + run.err
