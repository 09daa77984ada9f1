import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_buddy.domain import Edit, Patch
from pytest_buddy.patch.diff import changed_runs, unified_diff
from pytest_buddy.source import Source


def rewrite(path, old, new):
    source = Source(path=path, module="x", content=old)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    edit = Edit(
        path=path,
        digest=source.digest,
        start=head,
        end=len(old) - tail,
        replacement=new[head : len(new) - tail],
    )
    return source, edit


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([b"a", b"b", b"c"])), st.lists(st.sampled_from([b"a", b"b", b"c"])))
def test_runs(old, new):
    runs = changed_runs(old, new)
    out = []
    pos = 0
    for r in runs:
        out += old[pos : r.start]
        assert len(out) == r.new_start
        out += new[r.new_start : r.new_end]
        pos = r.end
    assert out + old[pos:] == new
    # lcs
    L = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, x in enumerate(old):
        for j, y in enumerate(new):
            L[i + 1][j + 1] = L[i][j] + 1 if x == y else max(L[i][j + 1], L[i + 1][j])
    assert sum(r.end - r.start for r in runs) == len(old) - L[-1][-1]
