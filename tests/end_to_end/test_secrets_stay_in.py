"""A secret among a failing test's values appears nowhere that we write for others to read."""

from pytest_buddy.testing import Project

SECRET = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
FILES = {
    "pytest.ini": "[pytest]\n",
    "door.py": 'def login(user, password):\n    return {"user": user, "token": password + user}\n',
    "test_door.py": (
        "from door import login\n\n\ndef test_login():\n"
        f'    password = "{SECRET}"\n'
        '    assert login("jo", password) == {"user": "jo", "token": password}\n'
    ),
}


def test_no_command_and_no_report_shows_a_secret(tmp_path):
    project = Project(tmp_path, FILES)
    run = project.pytest("--buddy", "--buddy-report", "markdown")
    ours = run.out.partition("1 failing test")[2]
    assert "<SECRET:" in ours
    fix = run.report["faults"][0]["patches"][0]["id"]
    shown = [project.buddy(*words) for words in (("explain",), ("show",), ("show", fix))]
    assert all(one.exit == 0 for one in shown)
    assert "<SECRET:" in shown[0].out
    for text in (ours, run.json, *(one.out for one in shown)):
        assert SECRET not in text
