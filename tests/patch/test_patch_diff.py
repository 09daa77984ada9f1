import difflib
import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.errors import StaleFileError
from pytest_buddy.patch import changed_lines, unified_diff
from pytest_buddy.patch.diff import changed_runs
from pytest_buddy.source import Source

GOLDEN = Path(__file__).parent / "golden"

FUNCTION = b"""\
def clamp(value, low, high):
    smaller = min(value, low)
    bounded = max(low, smaller)
    return bounded


def scale(values, factor):
    result = []
    for value in values:
        result.append(value + factor)
    return result
"""


def rewritten(path, old, new, *, pieces=1):
    """A source and a patch that turns `old` into `new`, cut into as many edits as asked for."""
    source = Source(path=path, module="m", content=old)
    spans = [
        (start, end, new[new_start:new_end])
        for tag, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new).get_opcodes()
        if tag != "equal"
    ]
    if pieces == 1 and spans:
        spans = [(0, len(old), new)]
    edits = tuple(
        Edit(path=path, digest=source.digest, start=start, end=end, replacement=text)
        for start, end, text in spans
    )
    return source, edits


def diff_of(*files, pieces=2):
    sources, edits = {}, []
    for path, old, new in files:
        sources[path], more = rewritten(path, old, new, pieces=pieces)
        edits += more
    patch = Patch(edits=tuple(edits), origin="template:test")
    return unified_diff(patch, sources), changed_lines(patch, sources)


def as_bytes(text):
    return text.encode("utf-8", "surrogateescape")


def git_apply(root, diff, *options):
    return subprocess.run(
        ["git", "apply", *options], cwd=root, input=as_bytes(diff), capture_output=True, check=False
    )


def assert_git_applies(project, *files, pieces=2):
    """The diff of the files passes `git apply --check`, and `git apply` gives exactly the new bytes."""
    for path, old, _ in files:
        project.write(path, old)
    diff, _ = diff_of(*files, pieces=pieces)
    for options in (("--check",), ()):
        done = git_apply(project.root, diff, *options)
        assert done.returncode == 0, (done.stderr, diff)
    for path, _, new in files:
        assert project.read(path) == new


EXAMPLES = {
    "one_line": [("pkg/x.py", FUNCTION, FUNCTION.replace(b"min(value, low)", b"min(value, high)"))],
    "two_hunks": [
        (
            "pkg/x.py",
            FUNCTION,
            FUNCTION.replace(b"def clamp(value,", b"def clamp(number,").replace(b"value + f", b"value * f"),
        )
    ],
    "insertion": [("pkg/x.py", FUNCTION, FUNCTION.replace(b"    ret", b"    bounded += 0\n    ret", 1))],
    "deletion": [("pkg/x.py", FUNCTION, FUNCTION.replace(b"    result = []\n", b""))],
    "two_files": [
        ("pkg/b.py", b"a = 1\n", b"a = 2\n"),
        ("pkg/a.py", b"x = 1\ny = 2\n", b"x = 1\ny = 3\nz = 4\n"),
    ],
    "no_final_newline": [("x.py", b"a = 1\nb = 2", b"a = 1\nb = 3")],
    "gains_final_newline": [("x.py", b"a = 1\nb = 2", b"a = 1\nb = 2\n")],
    "loses_final_newline": [("x.py", b"a = 1\nb = 2\n", b"a = 1\nb = 2")],
    "crlf": [("x.py", b"a = 1\r\nb = 2\r\nc = 3\r\n", b"a = 1\r\nb = 0\r\nc = 3\r\n")],
    "cr_only": [("x.py", b"a = 1\rb = 2\rc = 3\r", b"a = 1\rb = 0\rc = 3\r")],
    "bom": [("x.py", b"\xef\xbb\xbfa = 1\nb = 2\n", b"\xef\xbb\xbfa = 3\nb = 2\n")],
    "latin_1": [
        ("x.py", b"# coding: latin-1\na = '\xe9'\nb = 1\n", b"# coding: latin-1\na = '\xe8'\nb = 1\n")
    ],
    "from_empty": [("x.py", b"", b"a = 1\n")],
    "to_empty": [("x.py", b"a = 1\n", b"")],
    "space": [("a b/x y.py", b"a = 1\n", b"a = 2\n")],
    "quoted": [('caf\u00e9/\u6f22\u5b57\t"q"\n\\ z.py', b"a = 1\n", b"a = 2\n")],
    "looks_like_a_header": [("x.py", b"a = '''\n-- b\n'''\n", b"a = '''\n++ b\n@@ -1 +1 @@\n'''\n")],
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_diff_is_the_golden_one_and_git_applies_it(project, name):
    diff, _ = diff_of(*EXAMPLES[name])
    path = GOLDEN / f"{name}.diff"
    if os.environ.get("REWRITE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(as_bytes(diff))
    assert path.read_bytes() == as_bytes(diff)
    assert_git_applies(project, *EXAMPLES[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_body_is_what_git_itself_would_write(project, name):
    """Names, hunks and marks are those of `git diff`, apart from its extra header lines and headings."""
    for path, old, _ in EXAMPLES[name]:
        project.write(path, old)
    project.git("init", "-q")
    project.git("add", ".")
    for path, _, new in EXAMPLES[name]:
        project.write(path, new)
    theirs = project.git("diff", "--no-color", "--minimal", "--no-indent-heuristic", "--text")
    theirs = re.sub(rb"^(diff --git .*|index .*)\n", b"", theirs, flags=re.M)
    theirs = re.sub(rb"^(@@ [^@\n]* @@) .*$", rb"\1", theirs, flags=re.M)
    assert as_bytes(diff_of(*EXAMPLES[name])[0]) == theirs


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("one_line", 1),
        ("two_hunks", 2),
        ("insertion", 1),
        ("deletion", 1),
        ("two_files", 3),
        ("no_final_newline", 1),
        ("crlf", 1),
        ("cr_only", 1),
        ("looks_like_a_header", 2),
    ],
)
def test_changed_lines_counts_a_replaced_line_once(name, count):
    assert diff_of(*EXAMPLES[name])[1] == count


def test_line_moved_within_one_hunk_counts_where_it_left_and_where_it_came():
    old = b"a = 1\nb = 2\nc = 3\n"
    assert diff_of(("x.py", old, b"b = 2\nc = 3\na = 1\n"))[1] == 2


def test_several_edits_on_one_line_are_one_changed_line():
    old = b"total = first + second\nrest = 0\n"
    diff, count = diff_of(("x.py", old, b"sum = first - second\nrest = 0\n"))
    assert count == 1
    assert diff.count("\n-") == diff.count("\n+") - 1 == 1


def test_patch_without_effect_has_an_empty_diff():
    source = Source(path="x.py", module="x", content=b"a = 1\n")
    edit = Edit(path="x.py", digest=source.digest, start=0, end=1, replacement=b"a")
    patch = Patch(edits=(edit,), origin="template:test")
    assert unified_diff(patch, {"x.py": source}) == ""
    assert changed_lines(patch, {"x.py": source}) == 0


def test_diff_of_a_file_that_has_changed_is_refused():
    _, edits = rewritten("x.py", b"a = 1\n", b"a = 2\n")
    patch = Patch(edits=edits, origin="template:test")
    with pytest.raises(StaleFileError):
        unified_diff(patch, {"x.py": Source(path="x.py", module="x", content=b"a = 9\n")})


def test_git_applies_in_a_rootdir_below_the_top_of_the_repository(project):
    project.git("init", "-q")
    project.write("sub/pkg/x.py", b"a = 1\n")
    diff, _ = diff_of(("pkg/x.py", b"a = 1\n", b"a = 2\n"))
    assert git_apply(project.root / "sub", diff).returncode == 0
    assert project.read("sub/pkg/x.py") == b"a = 2\n"


def test_git_applies_in_a_rootdir_named_like_its_package_when_told_the_depth(project):
    project.git("init", "-q")
    project.write("lib/lib/x.py", b"a = 1\n")
    diff, _ = diff_of(("lib/x.py", b"a = 1\n", b"a = 2\n"))
    assert git_apply(project.root / "lib", diff, "-p1").returncode == 0
    assert project.read("lib/lib/x.py") == b"a = 2\n"


def test_large_file_with_far_apart_edits_is_quick_and_minimal():
    lines = [b"x%d = %d\n" % (number % 7, number % 5) for number in range(30_000)]
    changed = list(lines)
    changed[10] = b"first = 1\n"
    changed[29_990] = b"last = 1\n"
    runs = changed_runs(lines, changed)
    assert [(run.start, run.end) for run in runs] == [(10, 11), (29_990, 29_991)]


def test_rewritten_file_beyond_the_exhaustive_search_still_applies(project):
    old = b"".join(b"a%d = 1\n" % number for number in range(1500))
    new = b"".join(b"b%d = 1\n" % number if number % 3 else b"a%d = 1\n" % number for number in range(1500))
    assert_git_applies(project, ("x.py", old, new), pieces=1)


WORDS = st.sampled_from([b"a", b"b", b"c", b""])


@given(st.lists(WORDS, max_size=12), st.lists(WORDS, max_size=12))
@settings(max_examples=300, deadline=None)
def test_runs_rebuild_the_new_lines_with_as_few_changes_as_possible(old, new):
    runs = changed_runs(old, new)
    rebuilt, position = [], 0
    for run in runs:
        rebuilt += old[position : run.start]
        assert len(rebuilt) == run.new_start
        rebuilt += new[run.new_start : run.new_end]
        position = run.end
    assert rebuilt + old[position:] == new
    assert sum(run.end - run.start for run in runs) == len(old) - common(old, new)


def common(old, new):
    """The length of the longest common subsequence, by the textbook's table."""
    row = [0] * (len(new) + 1)
    for left in old:
        above, row = row, [0]
        for column, right in enumerate(new):
            row.append(above[column] + 1 if left == right else max(above[column + 1], row[-1]))
    return row[-1]


LINE = st.sampled_from([b"a = 1", b"b = 2", b"", b"    c", b"-- x", b"++ y", b"\\ No newline", b"\xe9\xff"])
ENDING = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])
CONTENT = st.builds(
    lambda lines, last: b"".join(line + ending for line, ending in lines) + last,
    st.lists(st.tuples(LINE, ENDING), max_size=20),
    st.sampled_from([b"", b"", b"z", b"\xef\xbb\xbf"]),
)
NAME = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=12
).filter(lambda name: name.strip(".") and len(name.encode()) < 100)


@given(st.dictionaries(NAME, st.tuples(CONTENT, CONTENT), min_size=1, max_size=3))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_git_turns_any_old_files_into_the_new_ones(project, files):
    changed = [(f"d/{name}.py", old, new) for name, (old, new) in files.items() if old != new]
    if changed:
        assert_git_applies(project, *changed)
