"""The JSON and the Markdown report."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import pytest_buddy.response
from pytest_buddy.domain import Diagnosis
from pytest_buddy.ports import Reporter
from pytest_buddy.response import reporters

SCHEMA = json.loads((Path(pytest_buddy.response.__file__).parent / "report.schema.json").read_text("utf-8"))
_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def problems(value, schema, where="$"):
    """What of a value is not as the part of JSON Schema that our schema uses wants it."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        every = [list(problems(value, option, where)) for option in schema["anyOf"]]
        yield from () if [] in every else every[0]
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is not allowed"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not match"
    if "type" in schema and not isinstance(value, _TYPES[schema["type"]]):
        yield f"{where}: {value!r} is not of type {schema['type']}"
        return
    yield from nested(value, schema, where)


def nested(value, schema, where):
    if isinstance(value, dict):
        yield from (f"{where}: {key} is missing" for key in schema.get("required", ()) if key not in value)
        yield from (f"{where}: {key} is not known" for key in value if key not in schema["properties"])
        for key, part in schema["properties"].items():
            if key in value:
                yield from problems(value[key], part, f"{where}.{key}")
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{where}: {len(value)} items"
        for number, item in enumerate(value):
            yield from problems(item, schema["items"], f"{where}[{number}]")


def render(name: str, diagnosis: Diagnosis, **options) -> str:
    return next(one for one in reporters(**options) if one.format == name).render(diagnosis)


def test_reporters_keep_the_port():
    known: tuple[Reporter, ...] = reporters()
    assert [one.format for one in known] == ["json", "markdown"]


def test_every_json_report_is_as_the_schema_says(samples):
    for sample in samples.values():
        report = json.loads(render("json", sample.diagnosis))
        assert list(problems(report, SCHEMA)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "pytest-buddy/2"),
        (("summary", "failed"), "3"),
        (("faults", 0, "suspects", 0, "line"), 0.5),
        (("faults", 0, "patches", 0, "verdict", "outcome"), "good"),
        (("faults", 0, "patches", 0, "surprise"), 1),
    ],
)
def test_the_schema_finds_what_is_wrong(samples, path, value):
    report = json.loads(render("json", samples["fixed"].diagnosis))
    part = report
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert list(problems(report, SCHEMA))


@pytest.mark.parametrize("name", ["fixed", "no_fix", "collection", "flaky", "hostile"])
@pytest.mark.parametrize(("format_", "suffix"), [("json", "json"), ("markdown", "md")])
def test_report_is_the_golden_one(samples, check_golden, name, format_, suffix):
    check_golden(f"{name}.{suffix}", render(format_, samples[name].diagnosis))


def test_a_diff_survives_the_json_report_byte_for_byte(samples):
    diff = samples["fixed"].diagnosis.faults[0].proposals[0].diff.replace("\n", "\r\n") + "\udce9\x1b\u202e"
    diagnosis = _with_diff(samples["fixed"].diagnosis, diff)
    text = render("json", diagnosis)
    assert text.isascii()
    patch = json.loads(text)["faults"][0]["patches"][0]
    assert patch["diff"].encode("utf-8", "surrogateescape") == diff.encode("utf-8", "surrogateescape")
    assert patch["redacted"] is False


def test_a_secret_in_a_diff_is_masked_and_said_so(samples):
    secret = "gh" + "p_" + "aB3" * 12
    diagnosis = _with_diff(
        samples["fixed"].diagnosis, f"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+{secret}\n"
    )
    patch = json.loads(render("json", diagnosis))["faults"][0]["patches"][0]
    assert secret not in patch["diff"]
    assert patch["redacted"] is True


def test_every_text_passes_the_redaction(samples):
    for sample in samples.values():
        for format_ in ("json", "markdown"):
            text = render(format_, sample.diagnosis, redact=lambda _text: "#", redact_diff=lambda _text: "#")
            for word in ("clamp(", "test_high", "assert 0", "in the traceback", "never used", "smaller"):
                assert word not in text


def test_suspects_of_the_json_report_end_at_fifty(samples):
    fault = samples["fixed"].diagnosis.faults[0]
    many = tuple(replace(fault.suspects[0], line=number, end_line=number) for number in range(1, 200))
    diagnosis = replace(samples["fixed"].diagnosis, faults=(replace(fault, suspects=many),))
    suspects = json.loads(render("json", diagnosis))["faults"][0]["suspects"]
    assert [one["line"] for one in suspects] == list(range(1, 51))


def test_flaky_failures_are_marked(samples):
    report = json.loads(render("json", samples["flaky"].diagnosis))
    assert report["summary"] == {"failed": 5, "flaky": 5, "faults": 0, "fixed": 0}
    assert all(one["flaky"] and one["fault"] is None for one in report["failures"])


def test_numbers_that_json_does_not_know_are_left_out(samples):
    fault = samples["fixed"].diagnosis.faults[0]
    odd = replace(fault, suspects=(replace(fault.suspects[0], score=float("nan")),))
    report = json.loads(render("json", replace(samples["fixed"].diagnosis, faults=(odd,))))
    assert report["faults"][0]["suspects"][0]["score"] == 0


def test_markdown_stays_below_the_limit(samples):
    fault = samples["fixed"].diagnosis.faults[0]
    heavy = replace(fault, tests=tuple(f"tests/{'漢' * 200}.py::test_{number}" for number in range(20)))
    diagnosis = replace(samples["fixed"].diagnosis, faults=(heavy,) * 500)
    text = render("markdown", diagnosis)
    assert len(text.encode()) <= 1024 * 1024
    assert re.search(r"\d+ more faults did not fit", text)


def test_markdown_cannot_be_broken_out_of(samples):
    diff = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+````\n+<script>alert(1)</script>\n"
    base = _with_diff(samples["fixed"].diagnosis, diff)
    failure = replace(base.failures[0], message="<img src=x> [a](http://b) **c** @someone ![x](y) | `d` #1")
    text = render("markdown", replace(base, failures=(failure,)))
    fences = re.findall(r"^`{3,}.*$", text, re.MULTILINE)
    assert fences == ["`````diff", "`````"]
    outside = re.sub(r"^`{5}diff$.*?^`{5}$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "<img" not in outside
    assert "<script" not in outside
    assert "](" not in outside
    assert "@someone" not in outside
    assert "**c**" not in outside


def _with_diff(diagnosis: Diagnosis, diff: str) -> Diagnosis:
    fault = diagnosis.faults[0]
    proposal = replace(fault.proposals[0], diff=diff)
    return replace(diagnosis, faults=(replace(fault, proposals=(proposal,)),))
