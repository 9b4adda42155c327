"""`insigma diff`: what it tells of a change, in which form, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Ran, assert_valid, files_of, insigma
from tests.diff.repositories import DENIED, EXPORT, MASS, PROFILE, SPLUNK, VIEWED, Repo, new_repo


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with one commit."""
    return new_repo(tmp_path_factory.mktemp("template") / "repo")


@pytest.fixture
def repo(template: Repo, tmp_path: Path) -> Repo:
    """The same, for one test to change."""
    folder = tmp_path / "repo"
    shutil.copytree(template.folder, folder)
    return Repo(folder, folder)


def diff(repo: Repo, *arguments: str) -> Ran:
    return insigma("diff", *(arguments or ("HEAD",)), cwd=repo.pack)


def told(repo: Repo, *arguments: str) -> dict[str, Any]:
    """The JSON form, which must follow its schema."""
    ran = diff(repo, *(arguments or ("HEAD",)), "--format", "json")
    assert ran.code == 0, ran.err
    assert_valid(ran.json, "diff")
    found: dict[str, Any] = ran.json
    return found


def rule(found: dict[str, Any], label: str) -> dict[str, Any]:
    (entry,) = (entry for entry in found["rules"] if entry["rule"] == label)
    return dict(entry)


def labels(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["rule"], entry["kind"]) for entry in found["rules"]]


def query(entry: dict[str, Any], target: str) -> dict[str, Any]:
    (found,) = (query for query in entry["queries"] if query["target"] == target)
    return dict(found)


# --- nothing, added, removed, renamed


def test_nothing_changed(repo: Repo) -> None:
    found = told(repo)
    assert (found["changed"], found["rules"], found["files"], found["layout"]) == (False, [], [], [])
    assert found["head"] == {"revision": "working tree", "commit": None, "findings": []}
    assert diff(repo).lines[-1] == "no rule touched"


def test_comments_and_layout_are_no_change(repo: Repo) -> None:
    repo.edit(MASS, ("level: high", "# as the catalogue has it\nlevel:   high"))
    found = told(repo)
    assert (found["changed"], found["layout"]) == (False, [MASS])
    assert diff(repo, "HEAD", "--exit-code").code == 0


def test_an_added_rule_is_told_with_its_words_queries_and_cases(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD").decode().strip()
    text = (repo.pack / EXPORT).read_text().replace("ins-clm-002", "ins-clm-077").replace("id: ", "id: 1", 1)
    repo.write("rules/claims/second_export.yml", text.replace("id: 1", "id: 0b7a3a5e-5d2c-4f57-9b1e-0c9d2a6f7e11 #", 1))
    repo.write(
        "tests/fixtures/claims/second_export.yml",
        (repo.pack / EXPORT.replace("rules", "tests/fixtures")).read_text().replace("-002", "-077"),
    )
    head = repo.commit()
    found = told(repo, base, head)
    assert labels(found) == [("ins-clm-077", "added")]
    entry = rule(found, "ins-clm-077")
    assert entry["path"] == {"before": None, "after": "rules/claims/second_export.yml"}
    assert entry["words"]["before"] == []
    assert entry["words"]["after"][0] == "- An event of the log source category insurance_claims, in which"
    assert [query["target"] for query in entry["queries"]] == ["elastic", "splunk", "sentinel"]
    assert {(query["before"]["outcome"], query["after"]["outcome"]) for query in entry["queries"]} == {("none", "compiled")}
    assert entry["tests"]["cases"]["after"] == len(entry["tests"]["added"]) > 3
    assert entry["tenants"]["affected"] == ["default"]
    assert [line for line in diff(repo, base, head).lines if "ins-clm-077" in line] == ["ins-clm-077: added: Claim Data Export"]


def test_a_removed_rule_is_told_without_its_query(repo: Repo) -> None:
    (repo.pack / EXPORT).unlink()
    (repo.pack / EXPORT.replace("rules", "tests/fixtures")).unlink()
    found = told(repo)
    entry = rule(found, "ins-clm-002")
    assert (entry["kind"], entry["path"]) == ("removed", {"before": EXPORT, "after": None})
    assert all(query["diff"] == [] and query["after"]["outcome"] == "none" for query in entry["queries"])
    assert "  elastic: compiled (lucene, event) (gone)" in diff(repo).lines


def test_a_renamed_file_is_the_same_rule(repo: Repo) -> None:
    repo.move(DENIED, "rules/claims/access_denied.yml")
    found = told(repo)
    assert labels(found) == [("ins-clm-012", "renamed")]
    entry = rule(found, "ins-clm-012")
    assert entry["path"] == {"before": DENIED, "after": "rules/claims/access_denied.yml"}
    assert (entry["logic"], entry["metadata"], entry["queries"]) == ([], [], [])
    assert f"  {DENIED} -> rules/claims/access_denied.yml" in diff(repo).lines


def test_another_name_under_the_same_id_is_a_rename_and_a_change(repo: Repo) -> None:
    repo.edit(DENIED, ("name: ins-clm-012", "name: ins-clm-099"), ("pack_id: ins-clm-012", "pack_id: ins-clm-099"))
    repo.edit("rules/claims/potential_repeated_unauthorised_claim_access_attempts.yml", ("- ins-clm-012", "- ins-clm-099"))
    repo.edit(DENIED.replace("rules", "tests/fixtures"), ("rule: ins-clm-012", "rule: ins-clm-099"))
    found = told(repo)
    assert labels(found) == [("ins-clm-099", "renamed"), ("ins-clm-c04", "changed")]
    assert [change["path"] for change in rule(found, "ins-clm-099")["metadata"]] == ["name", "insurance.pack_id"]
    assert rule(found, "ins-clm-c04")["logic"] == ["rules + ins-clm-099 - ins-clm-012"]
    assert "ins-clm-099: renamed and changed: Claims System Access Denied" in diff(repo).lines


# --- what changed in a rule


def test_a_threshold_is_told_once_with_its_bounds(repo: Repo) -> None:
    repo.edit(MASS, ("gte: 60", "gte: 45"), ("default: 60", "default: 45"))
    entry = rule(told(repo), "ins-clm-c01")
    assert entry["logic"] == ["threshold clm_unassigned_claims_per_hour: 60 -> 45 (bounds 20 to 180)"]
    assert entry["metadata"] == []
    assert "-| WHERE value >= 60" in query(entry, "elastic")["diff"]
    assert "+| WHERE value >= 45" in query(entry, "elastic")["diff"]


def test_timespan_and_group_by(repo: Repo) -> None:
    repo.edit(MASS, ("timespan: 1h", "timespan: 2h"), ("    - user.name\n  timespan", "    - user.name\n    - source.ip\n  timespan"))
    entry = rule(told(repo), "ins-clm-c01")
    assert entry["logic"] == ["group-by + source.ip", "timespan 1h -> 2h"]
    elastic = query(entry, "elastic")
    assert (elastic["before"]["facts"]["window"], elastic["after"]["facts"]["window"]) == ("hopping(5m)", "hopping(10m)")
    assert (elastic["before"]["facts"]["looks back"], elastic["after"]["facts"]["looks back"]) == ("70m", "130m")
    lines = diff(repo).lines
    assert "    window: hopping(5m) -> hopping(10m)" in lines
    signed = [line.strip() for line in lines if "different values of" in line]
    assert [line[:2] for line in signed] == ["- ", "+ "]
    assert signed[1].endswith("within 2h, for one value of `user.name` and `source.ip`, among the events of")


def test_a_value_added_to_a_selection_reaches_the_correlation_above(repo: Repo) -> None:
    repo.edit(VIEWED, ("    - claim-document-view", "    - claim-document-view\n      - claim-search"))
    found = told(repo)
    assert labels(found) == [("ins-clm-001", "changed"), ("ins-clm-c01", "changed")]
    assert rule(found, "ins-clm-001")["logic"] == ["selection 'selection', event.action: added 'claim-search'"]
    above = rule(found, "ins-clm-c01")
    assert (above["logic"], above["through"]) == ([], ["base rule ins-clm-001 means something else"])
    assert above["words"] == {"before": [], "after": []}
    assert '"claim-search"' in query(above, "splunk")["after"]["query"]


def test_severity_status_and_metadata_by_key(repo: Repo) -> None:
    repo.edit(
        MASS,
        ("level: high", "level: medium"),
        ("status: experimental", "status: test"),
        ("  - attack.t1119\ntaxonomy", "  - attack.t1530\ntaxonomy"),
        ("max_hold: 4h", "max_hold: 8h"),
        ("contain: 30m", "contain: 45m"),
        ("One person opens sixty", "Somebody opens sixty"),
    )
    found = told(repo)
    entry = rule(found, "ins-clm-c01")
    assert entry["level"] == {"before": "high", "after": "medium"}
    assert entry["status"] == {"before": "experimental", "after": "test"}
    written = (repo.pack / MASS).read_text().splitlines()
    held = "insurance.response.actions[code=restrict_user].max_hold"
    stands = {change["path"]: written[change["lines"]["after"] - 1].strip() for change in entry["metadata"]}
    assert stands == {
        "description": "description: |",
        "tags": "tags:",
        "insurance.response.sla.contain": "sla: {triage: 15m, contain: 45m}",
        held: "- {code: restrict_user, mode: auto_reversible, max_hold: 8h, approver: claims_duty_officer}",
    }
    assert (entry["logic"], entry["queries"], entry["tests"]["cases"]["compared"]) == ([], [], 0)
    lines = diff(repo).lines
    assert "  severity: high -> medium (lowered)" in lines
    assert "  status: experimental -> test" in lines
    assert "    tags + attack.t1530 - attack.t1119" in lines
    assert "    description: reworded" in lines
    assert "    insurance.response.actions[code=restrict_user].max_hold: 4h -> 8h" in lines


def test_verdicts_that_change_are_named_with_both(repo: Repo) -> None:
    repo.edit(MASS, ("gte: 60", "gte: 90"), ("default: 60", "default: 90"))
    entry = rule(told(repo), "ins-clm-c01")
    changed = {verdict["case"]: verdict for verdict in entry["tests"]["verdicts"]}
    case = changed["eighty unassigned claims in forty minutes"]
    assert case["version"] == "both"
    assert [alert["group"] for alert in case["before"]["alerts"]] == [{"user.name": "j.kowalska"}]
    assert (case["before"]["expected"], case["after"]["alerts"], case["after"]["expected"]) == (True, [], False)
    assert len(case["before"]["alerts"][0]["instants"]) == 21
    assert entry["tests"]["cases"]["compared"] == entry["tests"]["cases"]["after"] > len(changed)
    (line,) = (line for line in diff(repo).lines if "eighty unassigned" in line)
    assert line.startswith("    'eighty unassigned claims in forty minutes': alert for user.name j.kowalska: value 80, 80 events from ")
    assert line.endswith(" -> no alert; NOT as expected")


def test_alerts_at_other_instants_come_last(repo: Repo) -> None:
    repo.edit(MASS, ("gte: 60", "gte: 58"), ("default: 60", "default: 58"))
    lines = [line for line in diff(repo).lines if line.endswith("as expected")]
    assert "    'exactly sixty claims': the same alerts at other instants (1 -> 3); as expected" in lines
    others = [" the same alerts at other instants " in line for line in lines]
    assert others == sorted(others)
    assert others[0] is False


def test_a_change_that_no_case_sees_is_told_as_such(repo: Repo) -> None:
    repo.edit(VIEWED, ("    - claim-document-view", "    - claim-document-view\n      - claim-history-purge"))
    entry = rule(told(repo), "ins-clm-001")
    assert (entry["tests"]["cases"]["compared"] > 5, entry["tests"]["verdicts"]) == (True, [])
    assert any("none tells them apart" in line for line in diff(repo).lines)


def test_cases_that_came_went_and_were_rewritten(repo: Repo) -> None:
    fixture = EXPORT.replace("rules", "tests/fixtures")
    repo.edit(
        fixture,
        ("name: the nightly loads of the listed accounts", "name: nightly loads"),
        ("CLM-2026-000311, insurance.record_count: 1}", "CLM-2026-000311, insurance.record_count: 3}"),
    )
    found = told(repo)
    entry = rule(found, "ins-clm-002")
    assert labels(found) == [("ins-clm-002", "changed")]
    assert entry["tests"]["added"] == ["nightly loads"]
    assert entry["tests"]["removed"] == ["the nightly loads of the listed accounts"]
    assert entry["tests"]["rewritten"] == ["a litigation bundle of one claim and a list of four hundred"]
    assert entry["tests"]["cases"]["compared"] == 0, "both rules mean the same"


def test_cases_of_either_side_are_run_on_both_rules(repo: Repo) -> None:
    fixture = EXPORT.replace("rules", "tests/fixtures")
    repo.edit(fixture, ("name: the nightly loads of the listed accounts", "name: nightly loads"))
    repo.edit(EXPORT, ("- success", "- failure"))
    verdicts = {(verdict["case"], verdict["version"]) for verdict in rule(told(repo), "ins-clm-002")["tests"]["verdicts"]}
    assert ("a person signed in as the batch account", "both") in verdicts
    assert {version for _, version in verdicts} == {"both"}, "the lookalike matches on neither"
    repo.edit(fixture, ("name: a person signed in as the batch account", "name: a person"))
    verdicts = {(verdict["case"], verdict["version"]) for verdict in rule(told(repo), "ins-clm-002")["tests"]["verdicts"]}
    assert {("a person", "head"), ("a person signed in as the batch account", "base")} <= verdicts


# --- what is underneath


def test_a_list_touches_the_rules_that_ask_for_it(repo: Repo) -> None:
    repo.edit(PROFILE, ("values: [svc_mi_claims, svc_claims_dwh]", "values: [svc_mi_claims, svc_letters]"))
    found = told(repo)
    assert labels(found) == [("ins-clm-002", "changed")]
    entry = rule(found, "ins-clm-002")
    assert entry["through"] == ["list claims_batch_accounts: added 'svc_letters'; removed 'svc_claims_dwh' (default profile)"]
    assert entry["tests"]["verdicts"] != []
    assert entry["tenants"]["profiles"] == {"default": ["lists.claims_batch_accounts.values"]}
    (profile,) = found["files"]
    line = 1 + next(number for number, text in enumerate((repo.pack / PROFILE).read_text().splitlines()) if "svc_letters" in text)
    assert (profile["what"], profile["name"], profile["kind"]) == ("tenant", "default", "changed")
    assert profile["changes"] == [
        {
            "path": "lists.claims_batch_accounts.values",
            "lines": {"before": line, "after": line},
            "before": ["svc_mi_claims", "svc_claims_dwh"],
            "after": ["svc_mi_claims", "svc_letters"],
        }
    ]


def test_a_mapping_touches_the_rules_that_are_compiled_otherwise(repo: Repo) -> None:
    repo.edit(SPLUNK, ("ins_claims", "ins_claims_eu"))
    found = told(repo)
    assert {kind for _, kind in labels(found)} == {"changed"}
    assert len(found["rules"]) == 6
    entry = rule(found, "ins-clm-c01")
    assert entry["through"] == ["mapping of splunk: logsources.insurance_claims.index"]
    assert [query["target"] for query in entry["queries"]] == ["splunk"]
    assert entry["tests"]["cases"]["compared"] == 0
    assert entry["tenants"]["affected"] == ["default"]


def test_a_field_that_is_no_longer_mapped_refuses_with_the_reason(repo: Repo) -> None:
    lines = (repo.pack / SPLUNK).read_text().splitlines(keepends=True)
    repo.write(SPLUNK, "".join(line for line in lines if not line.strip().startswith("insurance.context.on_cat_duty:")))
    found = told(repo)
    splunk = query(rule(found, "ins-clm-001"), "splunk")
    assert (splunk["before"]["outcome"], splunk["after"]["outcome"]) == ("compiled", "refused")
    assert splunk["after"]["reason"] == "field 'insurance.context.on_cat_duty' has no place in the splunk mapping"
    assert "mapping of splunk: fields.insurance.context.on_cat_duty" in rule(found, "ins-clm-001")["through"]
    text = diff(repo).out
    assert "  splunk: compiled (spl, event) -> refused: field 'insurance.context.on_cat_duty' has no place in the splunk mapping\n" in text


def test_a_description_in_the_taxonomy_touches_no_rule(repo: Repo) -> None:
    repo.edit("mappings/taxonomy/logsources.yml", ("description: ", "description: Well, "))
    found = told(repo)
    assert labels(found) == [], "a description changes no query"
    assert [entry["what"] for entry in found["files"]] == ["taxonomy"]


FILTER = """title: SIU desk
id: 7b8f1c52-3f0a-4b7e-9d31-5e2a8c6d4f10
logsource: {category: insurance_claims}
filter:
  rules: [ins-clm-001]
  selection: {insurance.actor.role: siu}
  condition: not selection
"""


def test_a_filter_that_comes_changes_and_goes(repo: Repo) -> None:
    repo.write("rules/claims/siu_desk.yml", FILTER)
    found = told(repo)
    assert labels(found) == [("ins-clm-001", "changed"), ("ins-clm-c01", "changed")]
    label = "7b8f1c52-3f0a-4b7e-9d31-5e2a8c6d4f10"
    assert rule(found, "ins-clm-001")["through"] == [f"filter {label} now applies"]
    assert (found["files"][0]["what"], found["files"][0]["name"], found["files"][0]["kind"]) == ("filter", "SIU desk", "added")
    repo.commit()
    repo.edit("rules/claims/siu_desk.yml", ("insurance.actor.role: siu", "insurance.actor.role: [siu, siu_lead]"))
    assert rule(told(repo), "ins-clm-c01")["through"] == [
        "base rule ins-clm-001 means something else",
        f"filter {label}: selection 'selection', insurance.actor.role: added 'siu_lead'",
    ]
    (repo.pack / "rules/claims/siu_desk.yml").unlink()
    assert rule(told(repo), "ins-clm-001")["through"] == [f"filter {label} no longer applies"]


def test_a_mapping_that_makes_no_target_refuses_every_rule_there(repo: Repo) -> None:
    repo.edit("mappings/targets/elastic.yml", ("hops: 12", "hops: 0"))
    elastic = query(rule(told(repo), "ins-clm-010"), "elastic")
    assert (elastic["before"]["outcome"], elastic["after"]["outcome"]) == ("compiled", "refused")
    assert elastic["after"]["reason"].startswith("option 'hops' of the elastic mapping is no whole number")


def test_what_stands_beside_a_query_is_part_of_its_difference(repo: Repo) -> None:
    repo.edit(MASS, ("timespan: 1h", "timespan: 30d"))
    sentinel = query(rule(told(repo), "ins-clm-c01"), "sentinel")
    assert any(line.startswith("+rollup InsMatches_") and line.endswith(", every 1d") for line in sentinel["diff"])
    assert "+    InsRun: datetime" in sentinel["diff"]


def test_a_correlation_of_correlations_is_touched_through_both(repo: Repo) -> None:
    inner = "{type: event_count, rules: [ins-clm-c01], group-by: [user.name], timespan: 1d, condition: {gte: 2}}"
    above = f"title: Above\nname: above\ncorrelation: {inner}\n"
    repo.write("rules/claims/above.yml", above)
    repo.commit()
    repo.edit(VIEWED, ("    - claim-document-view", "    - claim-document-view\n      - claim-search"))
    entry = rule(told(repo), "above")
    assert entry["through"] == ["base rule ins-clm-c01 means something else", "base rule ins-clm-001 means something else"]
    assert entry["queries"] == [], "it is refused as before"


def test_a_rule_without_id_and_name_is_known_by_its_path(repo: Repo) -> None:
    bare = "title: Bare\nlogsource: {category: insurance_claims}\ndetection: {a: {event.action: claim-view}, condition: a}\nlevel: low\n"
    repo.write("rules/claims/bare.yml", bare)
    repo.commit()
    repo.edit("rules/claims/bare.yml", ("title: Bare", "title: Named\nname: bare"), ("level: low", "level: high"))
    found = told(repo)
    assert labels(found) == [("bare", "renamed")]
    assert rule(found, "bare")["level"] == {"before": "low", "after": "high"}


def test_a_pack_that_extends_the_insurance_pack(tmp_path: Path) -> None:
    repo = Repo(tmp_path, tmp_path)
    repo.write("insigma.yml", "name: mssp\nversion: 0.1.0\nextends: [insurance]\n")
    own = "title: Own\nname: own\ntaxonomy: insurance\nlogsource: {category: insurance_claims}\n"
    own += "detection: {a: {event.action: claim-view}, condition: a}\n"
    repo.write("rules/own.yml", own)
    repo.git("init", "--quiet", "--initial-branch", "main")
    repo.commit()
    repo.edit("rules/own.yml", ("claim-view", "claim-export"))
    found = told(repo)
    assert (labels(found), found["files"], found["pack"]) == ([("own", "changed")], [], "mssp")
    assert [query["target"] for query in rule(found, "own")["queries"]] == ["elastic", "splunk", "sentinel"]


# --- customers


TENANT = """tenant: {id: acme, description: An insurer.}
lists: {claims_batch_accounts: {mode: inline, values: [svc_a]}}
rules: {disabled: []}
"""


@pytest.fixture
def two(repo: Repo) -> Repo:
    """The repository with a second customer."""
    repo.write("mappings/tenants/acme.yml", TENANT)
    repo.commit("acme")
    return repo


def test_a_new_customer_is_a_file_and_no_change_of_each_rule(repo: Repo) -> None:
    repo.write("mappings/tenants/acme.yml", TENANT)
    found = told(repo)
    assert labels(found) == []
    assert [(entry["what"], entry["name"], entry["kind"]) for entry in found["files"]] == [("tenant", "acme", "added")]


def test_only_the_customer_whose_list_changed_is_affected(two: Repo) -> None:
    two.edit("mappings/tenants/acme.yml", ("[svc_a]", "[svc_a, svc_b]"))
    found = told(two)
    assert labels(found) == [("ins-clm-002", "changed")]
    assert rule(found, "ins-clm-002")["tenants"] == {
        "enabled": ["acme", "default"],
        "affected": ["acme"],
        "on": {},
        "off": {},
        "profiles": {"acme": ["lists.claims_batch_accounts.values"]},
    }
    assert rule(found, "ins-clm-002")["queries"] == []
    told_of = ["    affected: acme", "    not affected: default", "    profile acme: lists.claims_batch_accounts.values"]
    assert [line for line in diff(two).lines if line in told_of] == told_of


def test_a_rule_that_a_customer_switches_off(two: Repo) -> None:
    two.edit("mappings/tenants/acme.yml", ("disabled: []", "disabled: [{id: ins-clm-010, reason: no restricted files}]"))
    found = told(two)
    tenants = rule(found, "ins-clm-010")["tenants"]
    assert (tenants["enabled"], tenants["affected"], tenants["off"]) == (["default"], ["acme"], {"acme": "no restricted files"})
    assert "    no longer runs for acme (no restricted files)" in diff(two).lines
    two.commit()
    two.edit("mappings/tenants/acme.yml", ("disabled: [{id: ins-clm-010, reason: no restricted files}]", "disabled: []"))
    assert rule(told(two), "ins-clm-010")["tenants"]["on"] == {"acme": "no restricted files"}


def test_the_default_profile_switches_a_query_off(repo: Repo) -> None:
    repo.edit(PROFILE, ("disabled: []", "disabled: [{id: ins-clm-010, reason: no restricted files}]"))
    entry = rule(told(repo), "ins-clm-010")
    assert [query["after"]["outcome"] for query in entry["queries"]] == ["disabled"] * 3
    assert "  elastic: compiled (lucene, event) -> disabled: no restricted files" in diff(repo).lines


def test_a_customer_without_the_rule_is_not_affected(two: Repo) -> None:
    two.edit("mappings/tenants/acme.yml", ("disabled: []", "disabled: [{id: ins-clm-010, reason: no restricted files}]"))
    two.commit()
    two.edit("rules/claims/suspicious_access_to_restricted_claim_file.yml", ("- claim-export", "- claim-export\n      - claim-search"))
    tenants = rule(told(two), "ins-clm-010")["tenants"]
    assert (tenants["enabled"], tenants["affected"]) == (["default"], ["default"])


# --- a side that cannot be read


def test_a_rule_that_no_longer_reads_is_not_told_as_removed(repo: Repo) -> None:
    repo.edit(VIEWED, ("condition: selection", "condition: selektion"))
    repo.edit(EXPORT, ("level: ", "level: critical #"))
    ran = diff(repo, "HEAD", "--format", "json")
    assert ran.code == 2
    assert_valid(ran.json, "diff")
    assert labels(ran.json) == [("ins-clm-001", "unreadable"), ("ins-clm-002", "changed"), ("ins-clm-c01", "unreadable")]
    assert rule(ran.json, "ins-clm-001")["unread"] == "working tree"
    assert [finding["code"] for finding in ran.json["head"]["findings"]] == ["INS105", "INS111"]
    assert f"{VIEWED}:" in ran.err
    assert "the other rules are compared" in ran.err
    assert "ins-clm-001: cannot be read in working tree: Claim File Viewed Outside Assignment" in diff(repo).lines


def test_a_broken_base_is_told_with_its_revision(repo: Repo) -> None:
    repo.write(VIEWED, "title: [\n")
    repo.commit("broken")
    repo.git("revert", "--no-edit", "HEAD")
    ran = diff(repo, "HEAD~1", "HEAD", "--exit-code")
    assert ran.code == 2, "what cannot be read weighs more than a difference"
    assert f"HEAD~1:{VIEWED}:2:1: error INS005" in ran.err
    assert "ins-clm-001: cannot be read in HEAD~1: Claim File Viewed Outside Assignment" in ran.lines


def test_a_file_that_no_longer_reads_is_not_told_as_removed(repo: Repo) -> None:
    repo.write("mappings/products/okta.yml", "a: [\n")
    ran = diff(repo, "HEAD", "--format", "json")
    assert (ran.code, [(entry["path"], entry["kind"]) for entry in ran.json["files"]]) == (
        2,
        [("mappings/products/okta.yml", "unreadable")],
    )


def test_a_list_that_is_missing_refuses_the_rule(repo: Repo) -> None:
    text = (repo.pack / PROFILE).read_text()
    repo.write(PROFILE, text.replace("  claims_batch_accounts:", "  other_accounts:"))
    entry = rule(told(repo), "ins-clm-002")
    assert entry["through"] == ["list claims_batch_accounts no longer given by the default profile"]
    assert query(entry, "splunk")["after"]["outcome"] == "refused"
    assert "claims_batch_accounts" in query(entry, "splunk")["after"]["reason"]


def test_proofs_that_nobody_can_read_are_a_warning(repo: Repo) -> None:
    repo.write("proofs/elastic.json", "{}")
    ran = diff(repo)
    assert ran.code == 0
    assert "proofs:1:1: warning INS001" in ran.err


# --- revisions, folders, errors


def test_neither_side_is_checked_out_and_nothing_is_touched(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD").decode().strip()
    repo.edit(MASS, ("level: high", "level: medium"))
    head = repo.commit()
    repo.edit(MASS, ("level: medium", "level: low"))
    repo.write("rules/claims/new.yml", "title: x\n")
    before = files_of(repo.folder)
    assert rule(told(repo, base, head), "ins-clm-c01")["level"] == {"before": "high", "after": "medium"}
    assert files_of(repo.folder) == before


def test_merge_base_leaves_out_what_others_did_meanwhile(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.edit(MASS, ("level: high", "level: medium"))
    repo.commit("topic")
    repo.git("checkout", "--quiet", "main")
    repo.edit(EXPORT, ("level: ", "level: critical #"))
    repo.commit("main")
    assert [label for label, _ in labels(told(repo, "main", "topic"))] == ["ins-clm-002", "ins-clm-c01"]
    assert [label for label, _ in labels(told(repo, "--merge-base", "main", "topic"))] == ["ins-clm-c01"]
    repo.git("checkout", "--quiet", "topic")
    assert [label for label, _ in labels(told(repo, "--merge-base", "main"))] == ["ins-clm-c01"]


@pytest.mark.parametrize("where", ["content/pack", "content/pack/rules/claims"])
def test_a_pack_in_a_folder_of_the_repository(tmp_path: Path, where: str) -> None:
    repo = new_repo(tmp_path / "mono", "content/pack")
    repo.edit(MASS, ("level: high", "level: medium"))
    head = repo.commit()
    repo.write("rules/claims/broken.yml", "a: [\n")
    broken = repo.commit()
    ran = insigma("diff", "HEAD~2", head, "--format", "json", cwd=repo.folder / where)
    assert ran.code == 0
    assert rule(ran.json, "ins-clm-c01")["path"]["after"] == MASS
    ran = insigma("diff", "HEAD~2", broken, cwd=repo.folder / where)
    assert ran.code == 2
    assert f"{broken}:content/pack/rules/claims/broken.yml:2:1: error INS005" in ran.err


def test_targets_are_chosen(repo: Repo) -> None:
    repo.edit(MASS, ("gte: 60", "gte: 45"), ("default: 60", "default: 45"))
    found = told(repo, "HEAD", "-t", "sentinel", "-t", "sentinel")
    assert found["targets"] == ["sentinel"]
    assert [query["target"] for query in rule(found, "ins-clm-c01")["queries"]] == ["sentinel"]


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_exit_code_is_asked_for(repo: Repo, form: str) -> None:
    repo.edit(MASS, ("level: high", "level: medium"))
    assert diff(repo, "HEAD", "--format", form).code == 0
    assert diff(repo, "HEAD", "--format", form, "--exit-code").code == 1


def test_a_pack_that_adds_a_target_compares_it_with_nothing(repo: Repo) -> None:
    text = (repo.pack / SPLUNK).read_text()
    (repo.pack / SPLUNK).unlink()
    repo.commit()
    repo.write(SPLUNK, text)
    entry = rule(told(repo), "ins-clm-010")
    assert (query(entry, "splunk")["before"]["outcome"], query(entry, "splunk")["after"]["outcome"]) == ("none", "compiled")


def failed(ran: Ran) -> str:
    assert (ran.code, ran.out) == (3, "")
    return ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "insigma: no revision 'nowhere' in this repository\n  hint: fetch it first: git fetch origin nowhere\n"),
        (("HEAD", "v9"), "insigma: no revision 'v9' in this repository\n  hint: fetch it first: git fetch origin v9\n"),
        (("HEAD", "-t", "splonk"), "insigma: no target 'splonk'\n  hint: did you mean 'splunk'?\n"),
        (("",), "insigma: '' is no revision\n  hint: give a branch, a tag or a commit\n"),
        (("a\nb",), "insigma: 'a\\nb' is no revision\n"),
        (("--", "--output=x"), "insigma: '--output=x' is no revision\n"),
        (("HEAD~1..HEAD",), "insigma: 'HEAD~1..HEAD' is a range\n  hint: give two revisions"),
        (("HEAD:rules",), "insigma: no revision 'HEAD:rules' in this repository\n"),
    ],
)
def test_wrong_arguments(repo: Repo, arguments: tuple[str, ...], message: str) -> None:
    assert failed(diff(repo, *arguments)).startswith(message)


def test_no_base_is_a_usage_error(repo: Repo) -> None:
    assert "Missing argument 'BASE'" in failed(insigma("diff", cwd=repo.pack))


def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "insigma.yml").write_text("name: x\n")
    ran = insigma("diff", "HEAD", cwd=tmp_path, env={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert failed(ran) == "insigma: this is no git repository\n  hint: run it in a clone\n"


def test_no_git(repo: Repo) -> None:
    ran = insigma("diff", "HEAD", cwd=repo.pack, env={"PATH": ""})
    assert failed(ran) == "insigma: git is not installed, or not on PATH\n  hint: insigma diff reads revisions through git\n"


def test_a_revision_before_there_was_a_pack(repo: Repo) -> None:
    empty = repo.git("commit-tree", repo.git("mktree").decode().strip(), "-m", "empty").decode().strip()
    assert failed(diff(repo, empty)).startswith(f"insigma: '{empty}' has no insigma.yml, so no pack\n  hint: ")


def test_no_pack_in_the_working_tree(repo: Repo) -> None:
    head = repo.git("rev-parse", "HEAD").decode().strip()
    (repo.pack / "insigma.yml").unlink()
    assert failed(diff(repo, "HEAD")).startswith("insigma: no insigma.yml here or above\n  hint: ")
    assert told(repo, "HEAD", head)["rules"] == []


def test_branches_that_have_nothing_in_common(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "--orphan", "other")
    repo.commit()
    assert failed(diff(repo, "--merge-base", "main", "other")) == (
        "insigma: the two revisions have no common ancestor here\n  hint: fetch the history of both\n"
    )


def test_a_shallow_clone_that_lacks_the_revision(repo: Repo, tmp_path: Path) -> None:
    old = repo.git("rev-parse", "HEAD").decode().strip()
    repo.commit("second")
    repo.git("clone", "--quiet", "--depth", "1", f"file://{repo.folder}", tmp_path / "shallow")
    shallow = Repo(tmp_path / "shallow", tmp_path / "shallow")
    for revision in (old, "HEAD~1"):
        assert failed(diff(shallow, revision)) == (
            f"insigma: no revision '{revision}' in this repository\n"
            "  hint: this clone is shallow: git fetch --unshallow, or fetch-depth: 0 where a workflow checks out\n"
        )
    assert diff(shallow, "HEAD").code == 0


def test_a_partial_clone_fetches_nothing_in_secret(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{repo.folder}", tmp_path / "partial")
    partial = Repo(tmp_path / "partial", tmp_path / "partial")
    message = failed(diff(partial, "HEAD", "HEAD"))
    assert message.startswith(
        "insigma: the revision's files are not all in this clone\n  hint: a partial clone is made whole by git fetch "
    )
    partial.git("fetch", "--quiet", "--refetch", "--no-filter")
    assert told(partial, "HEAD", "HEAD")["changed"] is False


def test_a_hook_that_hands_down_its_repository(repo: Repo, tmp_path: Path) -> None:
    ran = insigma("diff", "HEAD", cwd=repo.pack, env={"GIT_DIR": str(tmp_path / "elsewhere"), "GIT_WORK_TREE": str(tmp_path)})
    assert ran.code == 0, ran.err


def test_nothing_that_the_repository_configures_is_run(repo: Repo, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "diff.external", "diff.x.textconv", "diff.x.command"):
        repo.git("config", name, script)
    for name in ("filter.x.smudge", "filter.x.clean", "filter.x.process", "alias.cat-file", "alias.ls-tree"):
        repo.git("config", name, f"!{script}" if name.startswith("alias") else script)
    hooks = repo.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(script, hooks / name)
    repo.write(".gitattributes", "* filter=x diff=x\n")
    repo.edit(MASS, ("level: high", "level: medium"))
    assert labels(told(repo)) == [("ins-clm-c01", "changed")]
    assert not marker.exists()


def test_a_bare_repository_smuggled_into_the_pack_is_not_taken_for_one(repo: Repo, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    inner = repo.pack
    repo.git("clone", "--quiet", "--bare", repo.folder, tmp_path / "bare")
    for name in ("HEAD", "config", "objects", "refs"):
        source = tmp_path / "bare" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, inner / "mappings" / name)
    shutil.copy(inner / "insigma.yml", inner / "mappings" / "insigma.yml")
    (inner / "mappings" / "config").write_text(f"[core]\n\tbare = true\n\tfsmonitor = touch {marker}\n")
    ran = insigma("diff", "HEAD", cwd=inner / "mappings")
    assert ran.code == 3
    assert not marker.exists()


# --- forms


def test_the_same_change_gives_the_same_bytes(repo: Repo, tmp_path: Path) -> None:
    repo.edit(MASS, ("gte: 60", "gte: 45"), ("default: 60", "default: 45"))
    repo.edit(PROFILE, ("values: [svc_mi_claims, svc_claims_dwh]", "values: [svc_letters]"))
    head = repo.commit()
    shutil.copytree(repo.folder, tmp_path / "another place" / "repo")
    other = Repo(tmp_path / "another place" / "repo", tmp_path / "another place" / "repo")
    for form in ("text", "markdown", "json"):
        runs = {insigma("diff", "HEAD~1", head, "--format", form, cwd=place.pack).out for place in (repo, repo, other)}
        assert len(runs) == 1
        assert str(tmp_path) not in runs.pop()


def test_colours_only_on_a_terminal(repo: Repo) -> None:
    repo.edit(MASS, ("timespan: 1h", "timespan: 2h"))
    assert "\x1b" not in diff(repo).out
    ran = insigma("diff", "HEAD", cwd=repo.pack, terminal=True, env={"TERM": "xterm", "NO_COLOR": ""})
    assert "\x1b[32m    + - At least 60" in ran.out
    assert "\x1b[1;33mins-clm-c01: changed: " in ran.out
    assert "\x1b" not in insigma("diff", "HEAD", cwd=repo.pack, terminal=True, env={"TERM": "xterm", "NO_COLOR": "1"}).out


HOSTILE = (
    "x\x1b[2J\u202e`a` ``b`` | </code></details><img src=x onerror=alert(1)> @octocat "
    "[l](http://evil.example) ![i](//e) #1 ```\n::error::y\n# h"
)


def hostile(repo: Repo) -> None:
    """Put hostile text wherever a pack holds text."""
    text = json.dumps(HOSTILE)
    repo.edit(
        MASS,
        ("title: Suspicious Mass Claim File Access Outside Assignment", f"title: {text}"),
        ("- attack.t1119\ntaxonomy", f"- {text}\ntaxonomy"),
        ("    - user.name\n  timespan", f"    - user.name\n    - {text}\n  timespan"),
    )
    repo.edit(VIEWED, ("insurance.actor.type: human", f"insurance.actor.type: {text}"))
    repo.edit(VIEWED.replace("rules", "tests/fixtures"), ("  - name: ", f"  - name: {text}\n    old: "))
    repo.edit(PROFILE, ("values: [svc_mi_claims, svc_claims_dwh]", f"values: [{text}]"))


def outside_code(page: str) -> Iterator[str]:
    """What of a Markdown page stands outside of code: fences by their length, spans by their runs of backticks."""
    fence = ""
    for line in page.split("\n"):
        run = line[: len(line) - len(line.lstrip("`"))]
        if fence:
            if run and len(run) >= len(fence) and line == run:
                fence = ""
        elif len(run) >= 3:
            fence = run
        else:
            yield without_spans(line)


def without_spans(line: str) -> str:
    """The line without its code spans, as CommonMark reads them: from a run of backticks to the next of the same length."""
    kept, at = "", 0
    while at < len(line):
        if line[at] != "`":
            kept, at = kept + line[at], at + 1
            continue
        length = len(line[at:]) - len(line[at:].lstrip("`"))
        end = at + length
        while end < len(line):
            start = line.find("`", end)
            assert start >= 0, f"a code span that does not close: {line!r}"
            other = len(line[start:]) - len(line[start:].lstrip("`"))
            end = start + other
            if other == length:
                break
        at = end
    return kept


def test_hostile_text_stays_text_in_markdown(repo: Repo) -> None:
    hostile(repo)
    ran = diff(repo, "HEAD", "--format", "markdown")
    assert "octocat" in ran.out
    left = list(outside_code(ran.out))
    for bad in ("octocat", "evil", "img", "onerror", "alert", "![", "](", "#1", "::error", "\x1b", "\u202e"):
        assert not [line for line in left if bad in line], bad
    tags = {word for line in left for word in line.replace("<", " <").split() if word.startswith("<")}
    assert {tag.split(">")[0] for tag in tags} <= {"<details", "</details", "<summary", "</summary", "<code", "</code"}
    assert not any(char in ran.out for char in "\x1b\u202e\r")
    rows = [line for line in ran.out.splitlines() if line.startswith("| ")]
    assert {len(without_spans(row).split("|")) for row in rows} == {11}


def test_hostile_text_stays_text_on_a_terminal_and_in_json(repo: Repo) -> None:
    hostile(repo)
    for env in ({}, {"TERM": "xterm", "NO_COLOR": ""}):
        ran = insigma("diff", "HEAD", cwd=repo.pack, terminal=bool(env), env=env)
        assert "\u202e" not in ran.out
        assert "\x1b[2J" not in ran.out
        assert not [line for line in ran.out.splitlines() if line.lstrip().startswith("::")]
    ran = diff(repo, "HEAD", "--format", "json")
    assert ran.out.isascii()
    assert_valid(ran.json, "diff")
    assert rule(ran.json, "ins-clm-c01")["title"] == HOSTILE


def test_markdown_begins_with_a_table_and_folds_queries(repo: Repo) -> None:
    repo.edit(MASS, ("gte: 60", "gte: 45"), ("default: 60", "default: 45"), ("level: high", "level: medium"))
    lines = diff(repo, "HEAD", "--format", "markdown").lines
    assert lines[0] == "## What this changes"
    assert lines[4] == "| rule | what | touched | severity | elastic | splunk | sentinel | verdicts | tenants |"
    row = lines[6].split(" | ")
    assert row[:4] == ["| `ins-clm-c01`", "changed", "logic, tests, tenants", "`high → medium (lowered)`"]
    assert row[4:7] == ["query", "query", "query"]
    assert int(row[7]) > 0
    assert row[8] == "`default` |"
    assert "- `threshold clm_unassigned_claims_per_hour: 60 -> 45 (bounds 20 to 180)`" in lines
    assert lines.count("<details>") == 3
    start = lines.index("<summary>elastic query</summary>")
    assert lines[start + 1 : start + 3] == ["", "```diff"]


def test_markdown_tells_what_cannot_be_read_first_and_long_changes_in_part(repo: Repo) -> None:
    repo.edit(VIEWED, ("condition: selection", "condition: selektion"))
    repo.edit(EXPORT, ("level: ", "# louder\nlevel: "))
    values = "\n".join(f"  list_{number}: {{mode: inline, values: [a]}}" for number in range(40))
    repo.edit(PROFILE, ("lists:\n", f"lists:\n{values}\n"))
    ran = diff(repo, "HEAD", "--format", "markdown")
    assert ran.code == 2
    headings = [line for line in ran.lines if line.startswith("### ")]
    assert headings == [
        "### Cannot be read in `working tree`",
        "### `ins-clm-001`: cannot be read",
        "### `ins-clm-c01`: cannot be read",
        "### Beside the rules",
    ]
    assert "- and 10 more" in ran.lines
    assert f"- `{EXPORT}`" in ran.lines


def test_a_comment_that_would_be_too_long_is_cut_and_says_so(repo: Repo) -> None:
    for number in range(60):
        text = (repo.pack / EXPORT).read_text()
        text = text.replace("ins-clm-002", f"ins-clm-{number + 200}").replace(
            "\nid: ", f"\nid: 0b7a3a5e-5d2c-4f57-9b1e-0c9d2a6f{number:04d} #", 1
        )
        repo.write(f"rules/claims/copy_{number:02d}.yml", text)
    page = diff(repo, "HEAD", "--format", "markdown").out
    assert 50_000 < len(page) <= 65_536
    assert page.count("\n| `ins-clm-") == 60, "the table has every rule"
    assert "A comment holds no more." in page
    assert "without their queries" in page or "not shown" in page
    assert page.count("<details>") == page.count("</details>") > 0
    assert list(outside_code(page))[-2].endswith("shows everything.") or "shows everything" in page.splitlines()[-1]


def test_a_pack_of_more_rules_than_a_table_holds(repo: Repo) -> None:
    from insigma.diff.as_markdown import as_markdown
    from insigma.diff.model import Difference, Kind, RuleDiff, SideName

    side = SideName("main", "", ())
    rules = tuple(RuleDiff(Kind.REMOVED, f"r{number}", "t" * 100, "", "p", "", ("low", ""), ("", "")) for number in range(3_000))
    page = as_markdown(Difference("p", side, side, ("splunk",), rules, (), ()))
    assert len(page) <= 65_536
    assert "too many rules for a table" in page
    assert "more not shown: `r" in page


def test_names_that_only_a_file_system_allows(repo: Repo) -> None:
    name = os.fsdecode(b"rules/claims/a\nb\xff.yml")
    repo.write(name, (repo.pack / EXPORT).read_text().replace("ins-clm-002", "ins-clm-201").replace("\nid: ", "\nid: x #", 1))
    head = repo.commit()
    for arguments in (("HEAD~1",), ("HEAD~1", head)):
        found = told(repo, *arguments)
        assert rule(found, "ins-clm-201")["path"]["after"] == "rules/claims/a\nb\\udcff.yml"
        assert diff(repo, *arguments).code == 0
