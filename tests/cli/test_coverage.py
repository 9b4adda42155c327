"""`insigma coverage`: text, JSON and Navigator layers; what is not tested does not count."""

from __future__ import annotations

from pathlib import Path

from tests.cli.harness import edit, insigma, small_pack

NAME = "claims/suspicious_access_to_restricted_claim_file.yml"
FIXTURE = f"tests/fixtures/{NAME}"


def test_the_sections_with_their_counts(tmp_path: Path) -> None:
    ran = insigma("coverage", cwd=small_pack(tmp_path))
    assert (ran.code, ran.err) == (0, "")
    assert [line.partition(":")[0] for line in ran.lines if line and not line.startswith(" ")] == [
        "Use cases",
        "Log sources",
        "ATT&CK v19 techniques",
        "F3 v1.1 techniques and our own",
        "DORA criteria",
    ]
    assert max(map(len, ran.lines)) <= 118


def test_json_names_the_rules(tmp_path: Path) -> None:
    ran = insigma("coverage", "--format", "json", "--by", "log-sources", cwd=small_pack(tmp_path))
    assert list(ran.json["sections"]) == ["log-sources"]
    claims = next(item for item in ran.json["sections"]["log-sources"] if item["id"] == "insurance_claims")
    assert (claims["alerting"], claims["supporting"]) == (["ins-clm-010", "ins-clm-c04"], ["ins-clm-012"])


def test_a_rule_whose_fixture_fails_does_not_count(tmp_path: Path) -> None:
    edit(small_pack(tmp_path) / FIXTURE, "expect: match", "expect: none")
    ran = insigma("coverage", "--format", "json", cwd=tmp_path)
    assert ran.json["untested"] == ["ins-clm-010"]
    assert "1 rule of 3 not counted, as no fixture passes: ins-clm-010" in ran.err
    assert insigma("coverage", "--strict", cwd=tmp_path).code == 1


def test_a_layer_of_one_rule(tmp_path: Path) -> None:
    ran = insigma("coverage", "--format", "navigator", f"rules/{NAME}", cwd=small_pack(tmp_path))
    assert ran.json["domain"] == "enterprise-attack"
    assert [(entry["techniqueID"], entry["comment"]) for entry in ran.json["techniques"]] == [("T1213", "ins-clm-010")]
