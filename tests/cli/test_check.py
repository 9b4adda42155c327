"""`insigma check`: where it looks, what it finds, and in which form it says so."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.cli.harness import ROOT, Ran, assert_valid, edit, findings, insigma, number_of_files, small_pack

GOOD = """title: Any Login
id: 8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11
status: test
description: Somebody has logged in, whoever that may be.
author: A. Nyone
date: 2026-01-02
logsource:
  category: authentication
detection:
  selection:
    user.name: '*'
  condition: selection
falsepositives:
  - Everybody who works here.
level: low
"""
UNREADABLE = GOOD.replace("condition: selection", "condition: other")  # INS105 at 12:14, and the selection is unused
LINT = GOOD.replace("level: low", "level: huge")  # INS203 at 15:8
MANY = """title: Many Logins
id: 0d3f7d0e-5f5c-4f53-8f0e-4c8b2b1f7a11
status: test
description: Somebody has logged in ten times within a minute.
author: A. Nyone
date: 2026-01-02
correlation:
  type: event_count
  rules: [8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11]
  group-by: [user.name]
  timespan: 1m
  condition: {gte: 10}
falsepositives:
  - A script of the help desk.
level: low
"""
WARNING = GOOD.replace("    user.name: '*'", "    user.name: [ann, bob, Ann]")  # INS214


def loose(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "code", "told"),
    [
        ({"any_login": GOOD}, 0, "no findings in 1 file (1 rule)"),
        ({"any_login": LINT}, 1, "1 finding in 1 file (1 rule)"),
        ({"any_login": WARNING}, 1, "1 finding in 1 file (1 rule)"),
        ({"any_login": UNREADABLE}, 2, "2 findings in 1 file (0 rules)"),
        ({"any_login": LINT, "broken_rule": "a: [1"}, 2, "2 findings in 2 files (1 rule)"),
    ],
)
def test_exit_code_is_that_of_the_worst_finding(files: dict[str, str], code: int, told: str, tmp_path: Path) -> None:
    loose(tmp_path, **files)
    ran = insigma("check", ".", cwd=tmp_path)
    assert (ran.code, ran.err) == (code, "")
    assert ran.lines[-1] == told


def test_finding_names_file_line_column_code_message_and_hint(tmp_path: Path) -> None:
    ran = insigma("check", "any_login.yml", cwd=loose(tmp_path, any_login=UNREADABLE))
    line = next(line for line in ran.lines if "INS105" in line)
    assert line.startswith("any_login.yml:12:14: error INS105 ")
    assert "'other'" in line
    assert ran.lines[ran.lines.index(line) + 1].startswith("    ")


def test_the_pack_around_the_working_folder_is_checked_whole(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    assert insigma("check", cwd=folder).lines == [f"no findings in {number_of_files(folder)} files (3 rules)"]
    assert insigma("check", cwd=folder / "rules" / "claims").lines == [f"no findings in {number_of_files(folder)} files (3 rules)"]
    assert insigma("check", ".", cwd=folder).lines == [f"no findings in {number_of_files(folder)} files (3 rules)"]


def test_without_a_pack_the_one_that_the_program_carries_is_checked(tmp_path: Path) -> None:
    ran = insigma("check", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, insigma("check", cwd=ROOT).out)
    assert f"({len(list((ROOT / 'rules').rglob('*.yml')))} rules)" in ran.out


RESTRICTED = "rules/claims/suspicious_access_to_restricted_claim_file.yml"
DENIED = "rules/claims/claims_system_access_denied.yml"


def faulty_pack(folder: Path) -> Path:
    """A pack with one fault in each of two rules and one in a fixture."""
    small_pack(folder)
    edit(folder / RESTRICTED, "level: ", "level: very-")
    edit(folder / DENIED, "status: experimental", "status: fresh")
    edit(folder / "tests/fixtures/claims/claims_system_access_denied.yml", "rule: ", "Rule: ")
    return folder


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        ((RESTRICTED,), {RESTRICTED}),
        (("rules",), {RESTRICTED, DENIED}),
        (("rules/claims/",), {RESTRICTED, DENIED}),
        (("tests",), {"tests/fixtures/claims/claims_system_access_denied.yml"}),
        ((DENIED, RESTRICTED), {RESTRICTED, DENIED}),
        (("./rules/../rules/claims",), {RESTRICTED, DENIED}),
        (("mappings",), set()),
        (("insigma.yml",), set()),
    ],
)
def test_paths_in_a_pack_choose_what_is_told(paths: tuple[str, ...], files: set[str], tmp_path: Path) -> None:
    ran = insigma("check", *paths, cwd=faulty_pack(tmp_path))
    assert {path for path, _, _ in findings(ran.out)} == files
    assert (ran.code == 0) == (not files)


def test_the_same_is_found_from_any_working_folder(tmp_path: Path) -> None:
    folder = faulty_pack(tmp_path / "pack")
    (tmp_path / "elsewhere").mkdir()

    def told(ran: Ran, base: Path) -> set[tuple[str, int, str]]:
        return {(os.path.relpath(base / path, folder), line, code) for path, line, code in findings(ran.out)}

    inside = told(insigma("check", cwd=folder), folder)
    assert len(inside) >= 3
    assert told(insigma("check", cwd=folder / "rules" / "claims"), folder / "rules" / "claims") == inside
    assert told(insigma("check", "../pack", cwd=tmp_path / "elsewhere"), tmp_path / "elsewhere") == inside
    assert told(insigma("check", folder, cwd=Path("/")), Path("/")) == inside


def test_a_rule_in_a_packs_folder_but_not_in_its_rules_is_a_loose_rule(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    loose(folder / "scratch", any_login=LINT)
    ran = insigma("check", "scratch", cwd=folder)
    assert list(findings(ran.out)) == [("scratch/any_login.yml", 15, "INS203")]
    assert list(findings(insigma("check", "any_login.yml", cwd=folder / "scratch").out)) == [("any_login.yml", 15, "INS203")]


def test_loose_rules_beside_the_pack_that_one_works_in(tmp_path: Path) -> None:
    folder = small_pack(tmp_path / "pack")
    loose(tmp_path / "others", any_login=LINT)
    ran = insigma("check", "../others", cwd=folder)
    assert ran.code == 1
    assert ran.lines[-1] == "1 finding in 1 file (1 rule)"


def test_several_loose_files_and_folders_are_read_together(tmp_path: Path) -> None:
    loose(tmp_path / "a", any_login=GOOD)
    loose(tmp_path / "b", many_logins=MANY, broken_rule=UNREADABLE)
    assert insigma("check", "a", "b/many_logins.yml", cwd=tmp_path).lines == ["no findings in 2 files (2 rules)"]
    assert {code for _, _, code in findings(insigma("check", "b/many_logins.yml", cwd=tmp_path).out)} == {"INS111"}


def test_a_path_given_twice_is_read_once(tmp_path: Path) -> None:
    loose(tmp_path, any_login=GOOD)
    for paths in (("any_login.yml", "any_login.yml"), (".", "any_login.yml"), ("any_login.yml", "./any_login.yml")):
        assert insigma("check", *paths, cwd=tmp_path).lines == ["no findings in 1 file (1 rule)"], paths


@pytest.mark.parametrize("place", ["empty", "pack/rules/empty", "pack/docs", "pack/rules/claims/README.md"])
def test_a_path_that_holds_nothing_to_check_is_told(place: str, tmp_path: Path) -> None:
    small_pack(tmp_path / "pack")
    target = tmp_path / place
    if target.suffix:
        target.write_text("# no rule\n")
    else:
        target.mkdir(parents=True)
    ran = insigma("check", target, cwd=tmp_path)
    assert (ran.code, ran.out) == (3, "")
    assert f"no .yml or .yaml files in {target}" in ran.err


def test_a_pack_and_what_lies_outside_are_not_mixed(tmp_path: Path) -> None:
    small_pack(tmp_path / "pack")
    loose(tmp_path, any_login=GOOD)
    ran = insigma("check", "pack", "any_login.yml", cwd=tmp_path)
    assert ran.code == 3
    assert "different packs" in ran.err


def test_json_is_what_its_schema_says(tmp_path: Path) -> None:
    ran = insigma("check", "--format", "json", cwd=faulty_pack(tmp_path))
    assert_valid(ran.json, "diagnostics")
    assert ran.json["summary"]["errors"] == len(ran.json["diagnostics"]) == len(list(findings(insigma("check", cwd=tmp_path).out)))
    assert (ran.json["summary"]["files"], ran.json["summary"]["rules"]) == (number_of_files(tmp_path), 3)
    assert ran.err.strip().endswith(f"in {number_of_files(tmp_path)} files (3 rules)")


def test_sarif_has_a_result_for_each_finding_and_relative_places(tmp_path: Path) -> None:
    ran = insigma("check", "--format", "sarif", cwd=faulty_pack(tmp_path))
    assert ran.json["version"] == "2.1.0"
    (run,) = ran.json["runs"]
    known = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert {result["ruleId"] for result in run["results"]} >= {"INS203", "INS204"}
    for result in run["results"]:
        assert known[result["ruleIndex"]] == result["ruleId"]
        location = result["locations"][0]["physicalLocation"]
        assert (tmp_path / location["artifactLocation"]["uri"]).is_file()
        assert location["region"]["startLine"] >= 1


def test_junit_counts_what_it_lists(tmp_path: Path) -> None:
    ran = insigma("check", "--format", "junit", cwd=faulty_pack(tmp_path))
    suites = ElementTree.fromstring(ran.out)
    cases = list(suites.iter("testcase"))
    failures = list(suites.iter("failure"))
    assert int(suites.get("tests", "")) == len(cases)
    assert int(suites.get("failures", "")) == len(failures) > 0
    assert {failure.get("type") for failure in failures} >= {"INS203", "INS204"}


def test_github_gives_an_annotation_for_each_finding(tmp_path: Path) -> None:
    ran = insigma("check", "--format", "github", RESTRICTED, cwd=faulty_pack(tmp_path))
    (line,) = ran.lines
    assert line.startswith(f"::error file={RESTRICTED},line=")
    assert "title=INS203 level::" in line


@pytest.mark.parametrize("form", ["json", "sarif", "junit"])
def test_machine_forms_are_whole_documents_also_without_findings(form: str, tmp_path: Path) -> None:
    ran = insigma("check", "--format", form, ".", cwd=loose(tmp_path, any_login=GOOD))
    assert ran.code == 0
    if form == "junit":
        assert ElementTree.fromstring(ran.out).get("failures") == "0"
    else:
        assert json.loads(ran.out)
    assert ran.err == "no findings in 1 file (1 rule)\n"


def test_forms_have_the_same_exit_code(tmp_path: Path) -> None:
    folder = faulty_pack(tmp_path)
    assert {insigma("check", "--format", form, cwd=folder).code for form in ("text", "json", "sarif", "junit", "github")} == {1}


def test_a_file_name_that_is_not_utf8_is_told_in_every_form(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9_login.yml")).write_text(LINT)
    for form in ("text", "json", "sarif", "junit", "github"):
        ran = insigma("check", ".", "--format", form, cwd=tmp_path)
        assert ran.code == 1
        assert "INS203" in ran.out


@pytest.mark.corpus
def test_every_public_rule_is_read_and_every_fault_is_a_clean_finding(corpus: Path, tmp_path: Path) -> None:
    ran = insigma("check", corpus, "--format", "json", cwd=tmp_path)
    assert_valid(ran.json, "diagnostics")
    assert ran.json["summary"]["files"] == ran.json["summary"]["rules"] == len(list(corpus.rglob("*.yml"))) > 3_000
    assert ran.code == 1
    assert not {entry["code"] for entry in ran.json["diagnostics"] if entry["code"] < "INS200"}
