"""`insigma show`: the query and the native object of one rule, raw when piped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.harness import ROOT, edit, findings, insigma, small_pack

NAME, SLUG, ID = "ins-clm-c04", "potential_repeated_unauthorised_claim_access_attempts", "2a9749db-f581-5136-8ca9-5f3800d20b5e"
PATH = f"rules/claims/{SLUG}.yml"
RESTRICTED = "rules/claims/suspicious_access_to_restricted_claim_file.yml"
PUBLIC = """title: Any Login
id: 8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11
status: test
level: low
logsource: {category: process_creation, product: windows}
detection:
  selection: {Image|endswith: '\\whoami.exe'}
  condition: selection
"""


@pytest.mark.parametrize("target", ["elastic", "splunk"])
@pytest.mark.parametrize("rule", [ID, SLUG, PATH, f"./{PATH}"])
def test_a_rule_is_found_by_name_id_file_name_or_path(rule: str, target: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    ran = insigma("show", rule, "-t", target, cwd=folder)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == insigma("show", NAME, "-t", target, cwd=folder).out


@pytest.mark.parametrize(
    ("target", "query", "native"), [("elastic", f"{SLUG}.eql", f"{SLUG}.json"), ("splunk", f"{SLUG}.spl", f"{SLUG}.conf")]
)
def test_what_is_shown_is_what_is_built(target: str, query: str, native: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    assert insigma("build", cwd=folder).code == 0
    built = folder / "dist" / target / "rules"
    shown = {part: insigma("show", NAME, "-t", target, "--part", part, cwd=folder).out for part in ("query", "native", "both")}
    assert shown["query"] == (built / query).read_text()
    assert shown["native"] == (built / native).read_text()
    assert shown["both"] == f"{shown['query']}\n{shown['native']}"


def test_the_native_object_of_elastic_is_json(tmp_path: Path) -> None:
    ran = insigma("show", NAME, "-t", "elastic", "--part", "native", cwd=tmp_path)
    assert json.loads(ran.out)["name"] == "Potential Repeated Unauthorised Claim Access Attempts"


@pytest.mark.parametrize(("language", "word"), [("lucene", "event.action"), ("eql", "any where"), ("esql", "FROM ")])
def test_a_language_of_elastic_can_be_asked_for(language: str, word: str) -> None:
    ran = insigma("show", "ins-clm-001", "-t", "elastic", "--language", language, "--part", "query", cwd=ROOT)
    assert ran.code == 0
    assert word in ran.out


def test_a_language_that_cannot_say_it_refuses_with_the_rules_line(tmp_path: Path) -> None:
    ran = insigma("show", NAME, "-t", "elastic", "--language", "lucene", cwd=small_pack(tmp_path))
    line = 1 + (tmp_path / PATH).read_text().splitlines().index("  type: event_count")
    assert (ran.code, ran.out) == (2, "")
    assert list(findings(ran.err)) == [(PATH, line, "INS701")]
    assert "Lucene has no correlations" in ran.err
    assert "0 rules shown, 1 fault" in ran.err


@pytest.mark.parametrize(("target", "language"), [("elastic", "kql"), ("splunk", "esql"), ("pysigma:splunk", "spl")])
def test_a_language_that_the_target_does_not_have_is_wrong_use(target: str, language: str, tmp_path: Path) -> None:
    ran = insigma("show", NAME, "-t", target, "--language", language, cwd=small_pack(tmp_path))
    assert (ran.code, ran.out) == (3, "")
    assert language in ran.err


@pytest.mark.parametrize("backend", ["splunk", "lucene", "eql", "esql"])
def test_stock_backends(backend: str, tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(PUBLIC)
    ran = insigma("show", "rule.yml", "-t", f"pysigma:{backend}", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "whoami.exe" in ran.out


@pytest.mark.parametrize("target", ["elastic", "splunk"])
def test_public_rules_are_shown_each_under_its_title(target: str, tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(PUBLIC)
    (tmp_path / "two.yml").write_text(PUBLIC.replace("Any", "Other").replace("8a5d", "8a5e"))
    ran = insigma("show", ".", "-t", target, cwd=tmp_path)
    assert ran.code == 0
    assert [line.partition(": ")[2] for line in ran.lines if line.startswith("# 8a5")] == ["Any Login", "Other Login"]


def test_faulty_rules_of_a_folder_are_told_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(PUBLIC)
    (tmp_path / "two.yml").write_text(PUBLIC.replace("condition: selection", "condition: other"))
    ran = insigma("show", ".", "-t", "splunk", cwd=tmp_path)
    assert ran.code == 2
    assert "whoami" in ran.out
    assert list(findings(ran.err)) == [("two.yml", 8, "INS105")]


def test_a_rule_whose_list_is_missing_is_a_finding(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    edit(folder / RESTRICTED, "condition: ", "unknown:\n    user.name|expand: '%no_such_list%'\n  condition: unknown and ")
    ran = insigma("show", RESTRICTED, "-t", "splunk", cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert "INS110" in ran.err


@pytest.mark.corpus
@pytest.mark.parametrize("target", ["elastic", "splunk"])
def test_every_public_rule_is_shown_or_refused_with_a_reason(target: str, corpus: Path, tmp_path: Path) -> None:
    ran = insigma("show", corpus, "-t", target, "--part", "query", cwd=tmp_path)
    shown = sum(line.startswith("# ") for line in ran.lines)
    refused = list(findings(ran.err))
    assert {code for _, _, code in refused} <= {"INS701"}
    assert shown + len(refused) == len(list(corpus.rglob("*.yml")))
    assert shown > 500
