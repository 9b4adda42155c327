"""`insigma test`: which fixtures run, what a failing case says, and the forms of it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from insigma.content.pack import load_pack
from tests.cli.harness import ROOT, assert_valid, edit, findings, insigma, small_pack

NAME = "claims/suspicious_access_to_restricted_claim_file.yml"
RULE, FIXTURE = f"rules/{NAME}", f"tests/fixtures/{NAME}"
DENIED = "rules/claims/claims_system_access_denied.yml"


def failing(folder: Path) -> Path:
    """A pack where one fixture has a case that expects the opposite."""
    small_pack(folder)
    edit(folder / FIXTURE, "expect: match", "expect: none")
    return folder


def test_every_case_of_the_pack_passes() -> None:
    ran = insigma("test", cwd=ROOT)
    assert (ran.code, ran.err) == (0, "")
    cases = sum(len(fixture.cases) for fixture in load_pack(ROOT).pack.fixtures)
    rules = len(list((ROOT / "rules").rglob("*.yml")))
    assert ran.lines == [f"{cases:,} cases passed ({rules} rules)"]


def test_the_pack_that_the_program_carries_is_tested_where_there_is_none(tmp_path: Path) -> None:
    assert insigma("test", cwd=tmp_path).out == insigma("test", cwd=ROOT).out


def test_a_failing_case_says_which_event_and_why(tmp_path: Path) -> None:
    ran = insigma("test", cwd=failing(tmp_path))
    assert ran.code == 1
    told = [line for line in ran.lines if "INS601" in line]
    assert told
    for line in told:
        assert line.startswith(f"{FIXTURE}:")
        assert " must not match and does" in line
        assert ran.lines[ran.lines.index(line) + 1].startswith("    ")
    assert ran.lines[-1].endswith("1 failed (3 rules)")


@pytest.mark.parametrize("path", [RULE, FIXTURE, "rules", "tests/fixtures", "tests", "."])
def test_a_rule_stands_for_its_fixture(path: str, tmp_path: Path) -> None:
    ran = insigma("test", path, cwd=failing(tmp_path))
    assert ran.code == 1
    assert {code for _, _, code in findings(ran.out)} == {"INS601"}


def test_what_was_not_asked_for_does_not_run(tmp_path: Path) -> None:
    ran = insigma("test", DENIED, cwd=failing(tmp_path))
    assert ran.code == 0
    assert "(1 rule)" in ran.lines[-1]


def test_a_fixture_of_no_rule_fails(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    (folder / RULE).unlink()
    ran = insigma("test", cwd=folder)
    assert ran.code == 2
    assert [(path, code) for path, _, code in findings(ran.out)] == [(FIXTURE, "INS111")]


def test_a_rule_that_cannot_be_read_does_not_keep_the_others_from_being_tested(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    edit(folder / RULE, "condition: ", "condition: (")
    ran = insigma("test", cwd=folder)
    assert ran.code == 2
    assert {(path, code) for path, _, code in findings(ran.out)} == {(RULE, "INS104")}, "its own fixture does not say it again"
    assert "1 fixture not run as the rules have faults" in ran.lines[-1]
    assert "(2 rules)" in ran.lines[-1]


def test_a_rule_without_fixture_is_told(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    (folder / FIXTURE).unlink()
    ran = insigma("test", RULE, cwd=folder)
    assert ran.code == 0
    assert ran.lines == ["no fixture cases there"]


def test_json(tmp_path: Path) -> None:
    ran = insigma("test", "--format", "json", cwd=failing(tmp_path))
    assert_valid(ran.json, "diagnostics")
    assert ran.code == 1
    assert ran.json["summary"]["failed"] == 1
    assert ran.json["summary"]["cases"] > 10
    assert {entry["rule"] for entry in ran.json["diagnostics"]} == {"ins-clm-010"}


def test_junit_lists_passed_and_failed_cases(tmp_path: Path) -> None:
    folder = failing(tmp_path)
    suites = ElementTree.fromstring(insigma("test", "--format", "junit", cwd=folder).out)
    summary = insigma("test", "--format", "json", cwd=folder).json["summary"]
    cases = list(suites.iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None]
    assert len(cases) - len(failed) == summary["cases"] - summary["failed"]
    assert {failure.get("type", "") for case in failed for failure in case.iter("failure")} == {"INS601"}
    assert all(case.get("name", "").startswith("ins-clm-") for case in failed), "a case keeps its name when it fails"
    assert any(case.get("name", "").startswith("ins-clm-c04: exactly ten refusals") for case in cases)


@pytest.mark.parametrize("form", ["sarif", "github"])
def test_other_forms_tell_the_failing_case(form: str, tmp_path: Path) -> None:
    ran = insigma("test", "--format", form, cwd=failing(tmp_path))
    assert ran.code == 1
    assert "INS601" in ran.out
    assert "failed" in ran.err
