"""What every candidate of the template engine promises, on sources of many shapes."""

import ast
import sys
import tomllib
import warnings
from itertools import islice
from pathlib import Path

import pytest

from pytest_buddy.coder import TemplateCoder
from pytest_buddy.domain import Comparison, Failure, Frame, Suspect, Trial
from pytest_buddy.ports import Context
from pytest_buddy.source import Source

FAILURE = Failure(test="tests/test_m.py::test_it", phase="call", error_type="AssertionError", message="")


def suspect(line, *, path="pkg/m.py", score=1.0, rank=1, kind=""):
    return Suspect(path=path, line=line, end_line=line, function="pkg.m", score=score, rank=rank, kind=kind)


def source_of(content, path="pkg/m.py"):
    raw = content if isinstance(content, bytes) else content.encode()
    return Source(path=path, module=path.removesuffix(".py").replace("/", "."), content=raw)


def context_of(source, *lines, failure=FAILURE, **changes):
    values = {
        "failures": (failure,),
        "suspects": tuple(suspect(line, path=source.path) for line in lines),
        "sources": {source.path: source},
        "editable": frozenset({source.path}),
    }
    return Context(**(values | changes))


def results(source, *lines, limit=5_000, **changes):
    """The contents that the candidates give, each checked for what all of them promise."""
    found = []
    for patch in islice(TemplateCoder().propose(context_of(source, *lines, **changes)), limit):
        content = source.edited(patch.edits).content
        assert content != source.content
        assert patch.origin.startswith("template:")
        assert patch.rationale
        assert all(patch.rationale)
        assert 0 <= patch.suspicion <= 1
        assert 0 <= patch.prior <= 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compile(content, source.path, "exec", dont_inherit=True)
        found.append(content)
    assert len(set(found)) == len(found)
    return found


SHAPES = tomllib.loads(Path(__file__).with_name("shapes.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("newline", "margin"), [("\n", "    "), ("\r\n", "\t")], ids=["LF and spaces", "CRLF and tabs"]
)
def test_every_shape_of_source_gives_sound_candidates(shape, newline, margin):
    text, wanted = SHAPES[shape]["source"], SHAPES[shape]["wanted"]
    written = text.replace("    ", margin).replace("\n", newline)
    source = source_of(written)
    lines = range(1, len(text.splitlines()) + 1)
    found = results(source, *lines, limit=700)
    assert any(wanted.replace("    ", margin).replace("\n", newline).encode() in content for content in found)
    if newline == "\r\n":
        assert not any(b"\n" in content.replace(b"\r\n", b"") for content in found)


@pytest.mark.parametrize("codec", ["latin-1", "cp1252", "utf-8-sig"])
def test_other_encodings_survive(codec):
    head = "" if codec == "utf-8-sig" else f"# -*- coding: {codec} -*-\n"
    text = head + "# é\ndef f(é, b):\n    ü = 'ö' * (é - b)  # à\n    return ü\n"
    source = source_of(text.encode(codec))
    found = results(source, 2 if codec == "utf-8-sig" else 4, 3, 4)
    assert text.replace("é - b", "é + b").encode(codec) in found
    assert text.replace("é - b", "b - é").encode(codec) in found
    assert all(content.decode(codec) for content in found)


def test_name_and_origin():
    coder = TemplateCoder()
    assert coder.name == "templates"
    source = source_of("def f(a, b):\n    return a < b\n")
    first = next(iter(coder.propose(context_of(source, 2))))
    assert first.function == "pkg.m.f"
    assert first.origin.removeprefix("template:") in {template.name for template in coder.catalogue}


def test_a_function_inside_a_method_has_its_qualified_name():
    source = source_of(
        "class A:\n    def m(self):\n        def g(x):\n            return x + 1\n        return g\n"
    )
    first = next(iter(TemplateCoder().propose(context_of(source, 4))))
    assert first.function == "pkg.m.A.m.<locals>.g"


def test_candidates_come_lazily():
    source = source_of("def f(a, b):\n    return a < b\n")
    candidates = TemplateCoder().propose(context_of(source, 2))
    assert next(candidates) != next(candidates)


def test_files_that_may_not_be_edited_stay_untouched():
    source, test = (
        source_of("def f(a):\n    return a + 1\n"),
        source_of("def test_f():\n    assert 1 == 2\n", "test_m.py"),
    )
    context = context_of(source, 2, suspects=(suspect(2, path="test_m.py"), suspect(2, rank=2, score=0.5)))
    context = Context(
        failures=context.failures,
        suspects=context.suspects,
        sources={source.path: source, test.path: test},
        editable=context.editable,
    )
    paths = {path for patch in TemplateCoder().propose(context) for path in patch.paths}
    assert paths == {"pkg/m.py"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"def f(:\n",
        b"# -*- coding: nonsense -*-\nx = 1\n",
        b"x = '\xff'\n",
        b"x = 1\x00\n",
        b"pass\n",
    ],
    ids=["empty", "blank", "syntax error", "unknown codec", "undecodable", "null byte", "nothing to do"],
)
def test_files_without_anything_to_change_give_no_candidates(content):
    assert list(TemplateCoder().propose(context_of(source_of(content), 1))) == []


def test_suspects_outside_the_sources_are_passed_over():
    source = source_of("def f(a):\n    return a + 1\n")
    context = context_of(source, suspects=(suspect(2, path="gone.py"), suspect(99), suspect(2)))
    assert list(TemplateCoder().propose(context))


def test_without_suspects_the_frames_of_the_traceback_are_tried():
    source = source_of("def f(a):\n    return a + 1\n")
    frame = Frame(path="pkg/m.py", line=2, function="f", project=True)
    failure = Failure(test="t", phase="call", error_type="TypeError", message="", frames=(frame,))
    assert list(TemplateCoder().propose(context_of(source, failure=failure)))


def test_patches_already_tried_are_left_out():
    source = source_of("def f(a, b):\n    return a < b\n")
    every = list(TemplateCoder().propose(context_of(source, 2)))
    trials = tuple(Trial(patch=patch, outcomes=()) for patch in every[:5])
    rest = list(TemplateCoder().propose(context_of(source, 2, attempts=trials)))
    assert rest == every[5:]


def test_likelier_candidates_come_first():
    source = source_of(
        "def f(a, b, limit):\n    total = a + b\n    if total > limit:\n        return 1\n    return total\n"
    )
    priors = [patch.prior for patch in TemplateCoder().propose(context_of(source, 3))]
    assert priors[0] == max(priors)
    assert priors[-1] < priors[0] / 100


def test_the_top_suspect_comes_first_and_its_function_before_the_rest():
    source = source_of("def f(a, b):\n    c = a - b\n    return c * 2\n\ndef g(x):\n    return x + f(x, 1)\n")
    context = context_of(source, suspects=(suspect(3, score=0.9), suspect(6, score=0.3, rank=2)))
    lines = []
    for patch in TemplateCoder().propose(context):
        lines.append(source.content[: patch.edits[0].start].count(b"\n") + 1)
    assert lines[:5] == [3] * 5
    assert 2 in lines
    assert 6 in lines


def test_deletions_and_early_returns_are_last_and_suspicious():
    source = source_of("def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n")
    patches = list(TemplateCoder().propose(context_of(source, 4)))
    by_template = {}
    for place, patch in enumerate(patches):
        by_template.setdefault(patch.origin, (place, patch))
    place, deletion = by_template["template:delete"]
    assert deletion.suspicion >= 0.7
    assert place > 20
    assert by_template["template:guard-empty"][1].suspicion >= 0.2


def test_the_literal_that_the_test_expects_is_suspicious():
    source = source_of("KNOWN = 4711\n\ndef f(x):\n    y = 4711\n    return x + 12\n")
    comparison = Comparison(operator="==", left="13", right="4711")
    failure = Failure(test="t", phase="call", error_type="AssertionError", message="", comparison=comparison)
    found = {
        source.edited(patch.edits).content: patch
        for patch in TemplateCoder().propose(context_of(source, 5, failure=failure))
    }
    special = found[source.content.replace(b"x + 12", b"x + 4711")]
    assert special.suspicion >= 0.8


def test_values_of_the_failure_raise_what_explains_them():
    source = source_of("def f(xs):\n    return list(xs)\n")
    plain = list(TemplateCoder().propose(context_of(source, 2)))
    comparison = Comparison(operator="==", left="[3, 1, 2]", right="[1, 2, 3]")
    failure = Failure(test="t", phase="call", error_type="AssertionError", message="", comparison=comparison)
    hinted = list(TemplateCoder().propose(context_of(source, 2, failure=failure)))

    def place(patches):
        contents = [source.edited(patch.edits).content for patch in patches]
        return contents.index(b"def f(xs):\n    return sorted(xs)\n")

    assert place(hinted) <= place(plain)
    assert place(hinted) <= 1


def test_no_candidate_adds_a_syntax_warning():
    source = source_of("def f(a):\n    if a == 1:\n        return 'x'\n    return (1, 2)\n")
    results(source, 2, 3, 4)


def test_a_warning_that_was_there_does_not_stop_the_search():
    source = source_of('def f(a):\n    return "\\d" + a - 1\n')
    patches = list(TemplateCoder().propose(context_of(source, 2)))
    assert any(b"a + 1" in source.edited(patch.edits).content for patch in patches)


@pytest.mark.parametrize(
    ("text", "line", "junk"),
    [
        (
            "def f(a):\n    if a > 1:\n        return 1\n    return 2\n",
            2,
            (b"if True", b"if False", b"or True", b"and False"),
        ),
        ("def f(a):\n    while a > 1:\n        a -= 1\n    return a\n", 2, (b"while True", b"while False")),
    ],
)
def test_conditions_never_become_constant(text, line, junk):
    found = results(source_of(text), line)
    assert not any(word in content for content in found for word in junk)


def test_caps_hold():
    body = "".join(f"    v{n} = a{n} + b{n} * {n}\n" for n in range(40))
    names = ", ".join(f"a{n}, b{n}" for n in range(40))
    source = source_of(f"def f({names}):\n{body}    return v1\n")
    counts = {}
    for patch in TemplateCoder().propose(context_of(source, *range(2, 42))):
        line = source.content[: patch.edits[0].start].count(b"\n") + 1
        counts[line] = counts.get(line, 0) + 1
    assert sum(counts.values()) <= 5_000 + 300
    assert max(counts.values()) <= 2 * 300


@pytest.mark.skipif(sys.version_info < (3, 12), reason="offsets inside f-strings are exact from 3.12 on")
def test_expressions_inside_formatted_strings_are_changed():
    source = source_of('def f(a, b):\n    return f"<{a - b}>"\n')
    assert b'def f(a, b):\n    return f"<{a + b}>"\n' in results(source, 2)


def test_every_template_of_the_catalogue_has_its_own_name_and_docstring():
    catalogue = TemplateCoder().catalogue
    assert len({template.name for template in catalogue}) == len(catalogue) >= 60
    assert all((template.make.__doc__ or "").strip() for template in catalogue)
    assert all(0 < template.weight <= 0.5 for template in catalogue)


def test_one_candidate_may_hold_several_edits():
    source = source_of("def f(item, bucket=[]):\n    bucket.append(item)\n    return bucket\n")
    patches = [
        patch
        for patch in TemplateCoder().propose(context_of(source, 2))
        if patch.origin == "template:mutable-default"
    ]
    assert len(patches) == 1
    assert len(patches[0].edits) == 2
    assert ast.parse(source.edited(patches[0].edits).content)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def f(a, b):\n    if " + " + ".join(["a"] * 900) + " > b:\n        return b\n    return a\n", 4),
        ("T = {" + ", ".join(f"'k{n}': {n}" for n in range(1_000)) + "}\ndef f(a):\n    return T[a]\n", 3),
        ("def f(a):\n" + "".join(f"    v{n} = a + {n}\n" for n in range(300)) + "    return a\n", 300),
        ("def f(a):\n    return " + "(" * 60 + "a" + ")" * 60 + "\n", 2),
    ],
    ids=["deep expression", "large table", "long function", "many parentheses"],
)
def test_odd_sizes_are_harmless(text, line):
    assert len(results(source_of(text), line, limit=40)) == 40


def test_a_row_deep_in_a_table_is_reached_by_values():
    rows = ", ".join(f'"name{n}"' for n in range(600))
    source = source_of(f'NAMES = [{rows}, "LX"]\n\ndef last():\n    return NAMES[-1]\n')
    comparison = Comparison(operator="==", left="'LX'", right="'XL'")
    failure = Failure(test="t", phase="call", error_type="AssertionError", message="", comparison=comparison)
    found = results(source, 4, limit=300, failure=failure)
    assert source.content.replace(b"LX", b"XL") in found
