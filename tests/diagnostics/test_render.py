"""Renderers: each form parses again and says what was found, whatever the text holds."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigma.diagnostics.catalogue import CODES
from insigma.diagnostics.model import Diagnostic, Place, Severity
from insigma.diagnostics.render import Format, Passed, Report, render

ERROR = Diagnostic(
    Place("rules/claims/a.yml", 12, 7), "INS102", "unknown modifier 'contain'", "did you mean 'contains'?", Severity.ERROR, "ins-clm-001"
)
WARNING = Diagnostic(Place("rules/claims/b.yml", 3, 1), "INS212", "false positives say nothing", "", Severity.WARNING)
NOTE = Diagnostic(Place("rules/claims/a.yml", 2, 1), "INS219", "a note", "first\nsecond", Severity.NOTE)
REPORT = Report.of([WARNING, ERROR, NOTE], [Passed("tests/fixtures/claims/a.yml", 4, "eighty claims in forty minutes")], rules=21)

HOSTILE = 'a"b<c>&d]]>\x1b[2J\x00\r\n::error::forged\u202e\u2028\ud800\x9b ##[warning]x ]( %0A,:\ufffe'
CHARS = st.characters(exclude_categories=())
FINDINGS = st.builds(
    Diagnostic,
    st.builds(Place, st.text(CHARS), st.integers(1, 10**6), st.integers(1, 10**6)),
    st.sampled_from(sorted(CODES)),
    st.text(CHARS),
    st.text(CHARS),
    st.sampled_from(Severity),
    st.text(CHARS),
)


def hostile(**changes: Any) -> Diagnostic:
    parts = {"place": Place(HOSTILE), "code": "INS101", "message": HOSTILE, "hint": HOSTILE, "rule": HOSTILE}
    return Diagnostic(**{**parts, **changes})


def is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}


def test_text() -> None:
    assert render(REPORT, Format.TEXT) == (
        "rules/claims/a.yml:2:1: note INS219 a note\n"
        "    first\n"
        "    second\n"
        "rules/claims/a.yml:12:7: error INS102 unknown modifier 'contain'\n"
        "    did you mean 'contains'?\n"
        "rules/claims/b.yml:3:1: warning INS212 false positives say nothing\n"
    )


def test_text_in_color_is_the_text_and_color() -> None:
    colored = render(REPORT, Format.TEXT, color=True)
    assert "\x1b[1;31merror\x1b[0m" in colored
    assert "\x1b[1;33mwarning\x1b[0m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(REPORT, Format.TEXT)


def test_nothing_found() -> None:
    empty = Report.of([])
    assert render(empty, Format.TEXT) == ""
    assert render(empty, Format.GITHUB) == ""
    assert json.loads(render(empty, Format.JSON)) == {"diagnostics": [], "summary": {"errors": 0, "warnings": 0, "notes": 0}}
    assert json.loads(render(empty, Format.SARIF))["runs"][0]["results"] == []
    assert ElementTree.fromstring(render(empty, Format.JUNIT)).get("tests") == "0"


def test_json() -> None:
    whole = json.loads(render(REPORT, Format.JSON))
    assert whole["summary"] == {"errors": 1, "warnings": 1, "notes": 1, "rules": 21}
    assert [entry["code"] for entry in whole["diagnostics"]] == ["INS219", "INS102", "INS212"]
    assert whole["diagnostics"][1] == {
        "path": "rules/claims/a.yml",
        "line": 12,
        "column": 7,
        "code": "INS102",
        "name": "unknown-modifier",
        "severity": "error",
        "message": "unknown modifier 'contain'",
        "hint": "did you mean 'contains'?",
        "rule": "ins-clm-001",
    }


def test_json_fits_its_schema() -> None:
    from insigma.schemas import load

    validator = jsonschema.Draft202012Validator(load("diagnostics"))
    validator.validate(json.loads(render(REPORT, Format.JSON)))
    validator.validate(json.loads(render(Report.of([hostile()]), Format.JSON)))


def test_sarif() -> None:
    whole = json.loads(render(REPORT, Format.SARIF))
    assert whole["version"] == "2.1.0"
    (run,) = whole["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "insigma"
    assert [rule["id"] for rule in driver["rules"]] == list(CODES)
    assert len({rule["name"] for rule in driver["rules"]}) == len(CODES)
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert [result["level"] for result in run["results"]] == ["note", "error", "warning"]
    first = run["results"][1]
    assert first["message"] == {"text": "unknown modifier 'contain'\ndid you mean 'contains'?"}
    (location,) = first["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/claims/a.yml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 12, "startColumn": 7},
    }
    assert first["properties"] == {"rule": "ins-clm-001"}


def test_sarif_fingerprint_outlives_moved_lines_and_tells_findings_apart() -> None:
    def fingerprint(finding: Diagnostic) -> str:
        (result,) = json.loads(render(Report.of([finding]), Format.SARIF))["runs"][0]["results"]
        return str(result["partialFingerprints"]["insigma/v1"])

    moved = Diagnostic(Place("rules/claims/a.yml", 90, 1), ERROR.code, ERROR.message, "", Severity.ERROR, ERROR.rule)
    assert fingerprint(moved) == fingerprint(ERROR)
    assert fingerprint(WARNING) != fingerprint(ERROR)


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("rules/a b.yml", "rules/a%20b.yml"),
        ("rules/ü%.yml", "rules/%C3%BC%25.yml"),
        ("c:d.yml", "c%3Ad.yml"),
        ("/tmp/x.yml", "file:///tmp/x.yml"),
        ("rules/\udcff.yml", "rules/%FF.yml"),
    ],
)
def test_sarif_uri(path: str, uri: str) -> None:
    (result,) = json.loads(render(Report.of([hostile(place=Place(path))]), Format.SARIF))["runs"][0]["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == uri
    assert ("uriBaseId" in artifact) is not path.startswith("/")


def test_code_that_the_catalogue_lacks_breaks_no_form() -> None:
    report = Report.of([hostile(code="INS999")])
    (result,) = json.loads(render(report, Format.SARIF))["runs"][0]["results"]
    assert result["ruleId"] == "INS999"
    assert "ruleIndex" not in result
    assert json.loads(render(report, Format.JSON))["diagnostics"][0]["name"] == "unknown"
    assert "title=INS999 unknown::" in render(report, Format.GITHUB)


def test_junit() -> None:
    root = ElementTree.fromstring(render(REPORT, Format.JUNIT))
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "4", "2")
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["rules/claims/a.yml", "rules/claims/b.yml", "tests/fixtures/claims/a.yml"]
    note, failed = suites["rules/claims/a.yml"]
    assert [child.tag for child in note] == ["system-out"]
    assert failed.attrib == {
        "classname": "rules/claims/a.yml",
        "name": "INS102 unknown modifier 'contain'",
        "file": "rules/claims/a.yml",
        "line": "12",
    }
    (failure,) = failed
    assert failure.get("type") == "INS102"
    assert (failure.text or "").splitlines() == [
        "rules/claims/a.yml:12:7: error INS102 unknown-modifier",
        "unknown modifier 'contain'",
        "did you mean 'contains'?",
    ]
    (passed,) = suites["tests/fixtures/claims/a.yml"]
    assert passed.get("name") == "eighty claims in forty minutes"
    assert list(passed) == []


def test_a_failing_case_is_called_in_junit_as_one_that_passes() -> None:
    failed = Diagnostic(Place("a.yml", 7), "INS601", "just below: event 0 must match and does not", "", rule="ins-clm-001")
    report = Report.of([failed, ERROR], case_names={failed: "ins-clm-001: just below"})
    cases = list(ElementTree.fromstring(render(report, Format.JUNIT)).iter("testcase"))
    assert {case.get("name") for case in cases} == {"ins-clm-001: just below", "INS102 unknown modifier 'contain'"}
    assert [failure.get("message") for case in cases if case.get("file") == "a.yml" for failure in case] == [failed.message]


def test_github() -> None:
    assert render(REPORT, Format.GITHUB).splitlines() == [
        "::notice file=rules/claims/a.yml,line=2,col=1,title=INS219 file-name::a note%0Afirst%0Asecond",
        "::error file=rules/claims/a.yml,line=12,col=7,title=INS102 unknown-modifier::"
        "unknown modifier 'contain'%0Adid you mean 'contains'?",
        "::warning file=rules/claims/b.yml,line=3,col=1,title=INS212 falsepositives::false positives say nothing",
    ]


def test_github_escapes_properties_and_data() -> None:
    finding = Diagnostic(Place("a,b:c%.yml"), "INS101", "100 %, at 12:30")
    assert render(Report.of([finding]), Format.GITHUB) == (
        "::error file=a%2Cb%3Ac%25.yml,line=1,col=1,title=INS101 rule-structure::100 %25, at 12:30\n"
    )


@pytest.mark.parametrize("form", Format)
def test_order_of_findings_does_not_matter(form: Format) -> None:
    passed = [Passed("t.yml", 9, "b"), Passed("t.yml", 2, "a")]
    one = render(Report.of([ERROR, WARNING, NOTE], passed), form)
    other = render(Report.of([NOTE, ERROR, WARNING], reversed(passed)), form)
    assert one == other


@pytest.mark.parametrize("form", Format)
def test_hostile_text_leaves_no_control_character(form: Format) -> None:
    text = render(Report.of([hostile()], [Passed(HOSTILE, 1, HOSTILE)]), form)
    assert [char for char in text if is_control(char) and char != "\n"] == []
    assert "\u202e" not in text
    text.encode("utf-8")


@pytest.mark.parametrize("form", [Format.TEXT, Format.JUNIT])
def test_hostile_text_cannot_forge_a_command(form: Format) -> None:
    lines = render(Report.of([hostile()]), form).splitlines()
    assert [line for line in lines if line.lstrip().startswith("::")] == []


def test_hostile_text_cannot_forge_a_line_in_text() -> None:
    text = render(Report.of([hostile()]), Format.TEXT)
    assert len([line for line in text.splitlines() if not line.startswith("    ")]) == 1
    assert "##[" not in text
    path_of_a_command = render(Report.of([hostile(place=Place("::error::x"), message="m", hint="")]), Format.TEXT)
    assert not path_of_a_command.startswith("::")


def test_hostile_text_cannot_end_a_github_command() -> None:
    (line,) = render(Report.of([hostile()]), Format.GITHUB).splitlines()
    head, title, message = line.removeprefix("::error ").partition("title=INS101 rule-structure::")
    assert title
    assert set(head) & {":", "\r"} == set()
    assert head.count(",") == 3
    assert "::error::forged" in unquote(message)


def test_hostile_text_makes_no_link_in_sarif() -> None:
    (result,) = json.loads(render(Report.of([hostile(message="[free](http://x.example)")]), Format.SARIF))["runs"][0]["results"]
    assert "](" not in result["message"]["text"]


@given(FINDINGS)
def test_any_finding_gives_xml_with_its_line(finding: Diagnostic) -> None:
    root = ElementTree.fromstring(render(Report.of([finding]), Format.JUNIT))
    (case,) = root.iter("testcase")
    assert case.get("line") == str(finding.place.line)
    assert len(list(root.iter("failure"))) == (0 if finding.severity is Severity.NOTE else 1)


@given(FINDINGS)
def test_any_finding_comes_back_from_json(finding: Diagnostic) -> None:
    (entry,) = json.loads(render(Report.of([finding]), Format.JSON))["diagnostics"]
    assert (entry["line"], entry["column"], entry["code"]) == (finding.place.line, finding.place.column, finding.code)
    if not any(is_control(char) for char in finding.message):
        assert entry["message"] == finding.message
    entry["message"].encode("utf-8")


@given(FINDINGS)
def test_any_finding_is_one_github_line_and_one_sarif_result(finding: Diagnostic) -> None:
    text = render(Report.of([finding]), Format.GITHUB)
    assert text.count("\n") == 1
    assert re.match(r"::(error|warning|notice) file=[^:,]*,line=\d+,col=\d+,title=INS\d{3} [a-z0-9-]+::", text)
    (run,) = json.loads(render(Report.of([finding]), Format.SARIF))["runs"]
    (result,) = run["results"]
    assert result["message"]["text"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == finding.place.line
