"""`insigma show`: the query and the native object of one rule, raw when piped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from insigma.cli.highlight import highlighted
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
UNKNOWN_SOURCE = PUBLIC.replace("process_creation", "strange_source") + "taxonomy: insurance\n"


@pytest.mark.parametrize("target", ["elastic", "splunk"])
@pytest.mark.parametrize("rule", [ID, SLUG, f"{SLUG}.yml", PATH, f"./{PATH}"])
def test_a_rule_is_found_by_name_id_file_name_or_path(rule: str, target: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    ran = insigma("show", rule, "-t", target, cwd=folder)
    assert ran.code == 0
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
    assert (ran.code, ran.err) == (0, "note: unverified: as the stock backend emits it\n")
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


@pytest.mark.parametrize("rule", [NAME, ID, SLUG, f"{SLUG}.yml"])
@pytest.mark.parametrize(("old", "new", "code"), [("type: event_count", "type: event_cuont", "INS112"), ("title:", "title: [", "INS002")])
def test_a_rule_with_faults_is_told_with_them(rule: str, old: str, new: str, code: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    edit(folder / PATH, old, new)
    if code == "INS002" and rule in (NAME, ID):
        return  # what is no YAML has no name
    ran = insigma("show", rule, "-t", "splunk", cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert {path for path, _, _ in findings(ran.err)} == {PATH}
    assert "no rule" not in ran.err


def test_a_filter_is_no_rule_to_show(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    text = """title: Quiet Night
id: 9d1f2c9e-4a3b-4c5d-8e6f-7a8b9c0d1e2f
name: quiet_night
logsource: {category: insurance_claims}
filter: {rules: any, selection: {user.name: x}, condition: not selection}
"""
    (folder / "rules" / "claims" / "quiet_night.yml").write_text(text)
    assert insigma("show", "quiet_night", "-t", "splunk", cwd=folder).code == 3


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["INS-CLM-C04", "-t", "splunk"], "did you mean 'ins-clm-c04'?"),
        (["claims_system_acces_denied.yml", "-t", "splunk"], "did you mean 'claims_system_access_denied'?"),
        (["xyzzy", "-t", "splunk"], "give a name such as"),
        ([NAME, "-t", "Splunk"], "did you mean 'splunk'?"),
        ([NAME, "-t", "elastik"], "did you mean 'elastic'?"),
        ([NAME, "-t", "xyzzy"], "there are: elastic, splunk, sentinel, pysigma:"),
    ],
)
def test_a_misspelt_rule_or_target_gets_a_hint(arguments: list[str], hint: str, tmp_path: Path) -> None:
    ran = insigma("show", *arguments, cwd=small_pack(tmp_path))
    assert (ran.code, ran.out) == (3, "")
    assert f"  hint: {hint}" in ran.err


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color", "NO_COLOR": ""}])
@pytest.mark.parametrize("terminal", [False, True])
def test_notes_stand_on_standard_error(env: dict[str, str], terminal: bool, tmp_path: Path) -> None:
    ran = insigma("show", NAME, "-t", "elastic", cwd=small_pack(tmp_path), env=env, terminal=terminal)
    assert ran.err.startswith("note: ")
    assert "\nnote: " not in ran.out
    assert all(line.startswith("note: ") for line in ran.err.splitlines())


def test_a_note_on_several_rules_is_told_once(tmp_path: Path) -> None:
    ran = insigma("show", "rules", "-t", "pysigma:splunk", cwd=small_pack(tmp_path))
    assert [line for line in ran.err.splitlines() if "unverified" in line] == ["note: unverified: as the stock backend emits it (3 rules)"]


SUM = "claims/suspicious_cumulative_claim_data_export"


@pytest.mark.parametrize(
    ("rule", "target", "reason", "hint"),
    [
        ("loose.yml", "splunk", "log source", "map it in mappings/targets/splunk.yml, or compile it unverified with -t pysigma:splunk"),
        ("loose.yml", "elastic", "log source", "map it in mappings/targets/elastic.yml, or compile it unverified with -t pysigma:lucene"),
        ("loose.yml", "sentinel", "log source", "map it in mappings/targets/sentinel.yml, or compile it unverified with -t pysigma:kusto"),
        ("ins-clm-c02", "pysigma:splunk", "Correlation type 'value_sum' is not supported", "the stock backend cannot say it"),
    ],
)
def test_a_refusal_says_what_to_do(rule: str, target: str, reason: str, hint: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path, (SUM, "claims/claim_data_export"))
    (folder / "loose.yml").write_text(UNKNOWN_SOURCE)
    ran = insigma("show", rule, "-t", target, cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert f"{target} refuses the rule: {reason}" in ran.err
    assert ran.err.splitlines()[1] == f"    {hint}"
    assert f"refuses the rule: {target}" not in ran.err
    assert "Error" not in ran.err.replace("error INS701", "")


def test_a_folder_of_refused_rules_writes_nothing(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yml").write_text(UNKNOWN_SOURCE)
    ran = insigma("show", ".", "-t", "splunk", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "0 rules shown, 2 faults" in ran.err


@pytest.mark.parametrize("part", ["query", "native"])
@pytest.mark.parametrize(("rule", "target"), [("ins-clm-c04", "splunk"), ("ins-clm-c04", "elastic"), ("ins-clm-010", "elastic")])
def test_a_terminal_shows_the_text_unchanged_in_colours(rule: str, target: str, part: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    env = {"TERM": "xterm-256color", "COLUMNS": "20", "NO_COLOR": "", "COLORTERM": "truecolor"}
    arguments = ("show", rule, "-t", target, "--part", part)
    shown = insigma(*arguments, cwd=folder, env=env, terminal=True).out.partition("\n")[2]
    assert "\x1b[" in shown
    assert not re.search(r"\x1b\[[\d;]*\b4[0-8]\b", shown), "no background"
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == insigma(*arguments, cwd=folder).out


@pytest.mark.parametrize(
    ("text", "styled"),
    [
        ('a.b:"x AND 5"\nAND n >= 5', [("a.b", "field"), ('"x AND 5"', "string"), ("AND", "keyword"), ("n", "field"), ("5", "number")]),
        ("index=x \\\n| where 'a.b'=1", [("index", "field"), ("where", "keyword"), ("'a.b'", "field"), ("1", "number")]),
        ("[A Title]\ndescription = x and 5\nsearch = a=1", [("[A Title]", "head"), ("description", "field"), ("search", "field")]),
    ],
)
def test_what_is_coloured(text: str, styled: list[tuple[str, str]]) -> None:
    found = highlighted(text)
    assert [(text[span.start : span.end], str(span.style).removeprefix("show.")) for span in found.spans] == styled


@pytest.mark.corpus
def test_every_public_rule_is_shown_or_refused_with_a_reason(corpus: Path, tmp_path: Path) -> None:
    ran = insigma("show", corpus, "-t", "elastic", "--part", "query", cwd=tmp_path)
    shown = sum(line.startswith("# ") for line in ran.lines)
    refused = list(findings(ran.err))
    assert {code for _, _, code in refused} <= {"INS701"}
    assert shown + len(refused) == len(list(corpus.rglob("*.yml")))
    assert shown >= 0.97 * (shown + len(refused))
